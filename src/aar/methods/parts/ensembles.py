"""Join the answers of several students: each made consistent with its answer on the swapped row, then a trimmed mean
in logit space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import trim_mean

from aar.methods.parts.labels import logit, sigmoid
from aar.types import Model, Rows


def swap_consistent(model: Model, rows: Rows) -> np.ndarray:
    """[n]: (p(x) + 1 - p(swap x)) / 2; claims have no swap and keep p(x)."""
    p = model.predict(rows).astype(np.float64)
    return p if rows.kind == "binary" else 0.5 * (p + 1 - model.predict(rows.swap()))


def joined(models: Sequence[Model], rows: Rows, trim: float = 0.15) -> np.ndarray:
    """[n]: trimmed mean over models, `trim` of them cut from each end of each row."""
    z = np.stack([logit(swap_consistent(m, rows)) for m in models])
    return sigmoid(trim_mean(z, trim, axis=0))
