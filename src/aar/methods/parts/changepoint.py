"""One change point in a sorted sequence: the split with the least squared error about the two means.

The same as one step of binary segmentation with an l2 cost (ruptures' Binseg, which Shin et al. call), by prefix sums.
"""

from __future__ import annotations

import numpy as np


def split(values: np.ndarray, least: int = 2) -> int:
    """Where the second part begins in values [n] (in the order given), each part at least `least` long. n >= 2 least."""
    n, sums = len(values), np.cumsum(np.asarray(values, np.float64))
    left = np.arange(least, n - least + 1)
    explained = sums[left - 1] ** 2 / left + (sums[-1] - sums[left - 1]) ** 2 / (n - left)  # SSE is the rest
    return int(left[np.argmax(explained)])


def threshold(values: np.ndarray, least: int = 2) -> float:
    """The value at which the upper part of the sorted values begins."""
    ordered = np.sort(values)
    return float(ordered[split(ordered, least)])
