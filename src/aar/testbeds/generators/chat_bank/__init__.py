"""The word banks and the kinds of question behind the chat testbed."""
