"""Attacks as part of the product: `aar attack`. One file here is one family; `field/` is what they are played on.

An attack acts through the public interface alone: HTTP with researchers' tokens, method folders that are submitted,
findings, sockets. It is run twice, with its own defence on and off: one that gains nothing without the defence is none.
"""
