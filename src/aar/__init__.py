"""AAR Lab: a lab in which automated alignment researchers work, and whose scores can be trusted."""

__version__ = "0.1.0"
