"""Where a person sits: a shell in the sandbox, the lab's tools as a command in it, and the counter that serves them."""
