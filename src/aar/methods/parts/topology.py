"""The connected core of each class in a neighbour graph. Wu et al. 2020 (TopoFilter, arXiv:2012.04835); EleutherAI/w2s topo.py."""

from __future__ import annotations

import numpy as np

from aar.methods.parts.neighbours import Cloud


def core(cloud: Cloud, k: int) -> np.ndarray:
    """bool [m]: points in the largest strongly connected component of their class, in the directed graph from each point to
    those of its k nearest neighbours that share its hard label."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    hard = cloud.label > 0.5
    _, near = cloud.near(cloud.points, k, own=cloud.owner)
    start = np.repeat(np.arange(len(hard)), near.shape[1])
    same = hard[start] == hard[near.ravel()]
    graph = csr_matrix((np.ones(same.sum()), (start[same], near.ravel()[same])), shape=(len(hard), len(hard)))
    _, component = connected_components(graph, directed=True, connection="strong")
    kept = np.zeros(len(hard), bool)
    for side in (False, True):
        if (hard == side).any():
            kept |= (component == np.bincount(component[hard == side]).argmax()) & (hard == side)
    return kept
