"""Which rows look clean: a mixture of two normals on the losses of the rows. Arazo et al. 2019; DivideMix, Li et al. 2020."""

from __future__ import annotations

import numpy as np


def p_clean(loss: np.ndarray, seed: int) -> np.ndarray:
    """[n] posterior of the component with the lower mean, losses [n] first brought to [0, 1] as DivideMix does."""
    from sklearn.mixture import GaussianMixture

    spread = np.ptp(loss)
    if spread < 1e-9:
        return np.ones(len(loss))
    scaled = ((loss - loss.min()) / spread).reshape(-1, 1)
    model = GaussianMixture(2, max_iter=20, tol=1e-2, reg_covar=5e-4, random_state=seed % 2**31).fit(scaled)
    return model.predict_proba(scaled)[:, model.means_.ravel().argmin()]


def losses_of(p: np.ndarray, target: np.ndarray) -> np.ndarray:
    """[n] cross-entropy of predictions p [n] to targets [n]."""
    p = np.clip(np.asarray(p, np.float64), 1e-6, 1 - 1e-6)
    return -(target * np.log(p) + (1 - target) * np.log1p(-p))
