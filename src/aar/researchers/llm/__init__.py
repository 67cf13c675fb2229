"""What stands behind the LLM arms: prices, caps, the desk that a model works at, and the process it works in."""
