"""Harden soft labels without moving the share of ones: of pairs at one half, of claims at the quantile that keeps it.

A student trained on hard labels leans to the commoner class; hardening its answers at one half and training again leans
further, and in a few rounds every claim is "true".
"""

from __future__ import annotations

import numpy as np

from aar.types import Kind


def hardened(p: np.ndarray, share: float, kind: Kind) -> np.ndarray:
    """f32 [n] 0/1 of p [n]; share: of ones, in claims."""
    threshold = 0.5 if kind == "pair" else np.quantile(p, 1 - np.clip(share, 0, 1))
    return (p > threshold).astype(np.float32)
