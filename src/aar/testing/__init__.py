"""Servers and a researcher without a mind, for trying everything offline: no key, no network. Knows no lab."""
