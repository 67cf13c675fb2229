"""Measurements of the lab itself, one file each."""
