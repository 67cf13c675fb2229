"""How many directions a set of hidden states uses.

er = exp(-sum_i s_i ln s_i), s the singular values of the centred matrix, normalised to sum 1 (Roy & Vetterli 2007,
doi:10.5281/zenodo.40473, eq. 4): between 1 and min(n - 1, d). The participation ratio tr(S)^2 / tr(S^2) of the covariance S
is the cheap relative, without a decomposition.
"""

from __future__ import annotations

import torch
from torch import Tensor


def effective_rank(hidden: Tensor) -> Tensor:
    """Scalar of hidden [n, d], with gradient."""
    s = torch.linalg.svdvals(hidden - hidden.mean(0))
    share = s / s.sum().clamp_min(1e-12)
    return torch.exp(-(share * share.clamp_min(1e-12).log()).sum())


def participation_ratio(hidden: Tensor) -> Tensor:
    """Scalar tr(S)^2 / tr(S^2) of hidden [n, d], with gradient."""
    centred = hidden - hidden.mean(0)
    gram = centred @ centred.mT if len(centred) < centred.shape[1] else centred.mT @ centred
    return gram.trace().square() / gram.square().sum().clamp_min(1e-12)
