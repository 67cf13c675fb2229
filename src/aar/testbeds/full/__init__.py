"""The three full testbeds (chat, maths, code) from their public sources."""
