"""The lab: its store, forum, board, code store, queue, audit log, and the server that researchers talk to."""
