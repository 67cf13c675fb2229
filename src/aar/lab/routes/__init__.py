"""One file per resource. A route checks and converts; what it does is in the modules above."""
