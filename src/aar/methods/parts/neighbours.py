"""Nearest neighbours in the student's features. A pair read the other way round is as good a row as itself, with the label
turned, so a cloud of pairs holds both readings; whatever asks for neighbours may leave out the row's own two points.

n rows, m = n points (claims) or 2 n (pairs), d features, k neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aar.types import Rows, Task

BLOCK = 512  # queries at a time: the whole table of distances of a large testbed has no room


@dataclass(frozen=True)
class Cloud:
    """points [m, d]; label [m] in [0, 1]; owner [m]: the row that a point belongs to."""

    points: np.ndarray
    label: np.ndarray
    owner: np.ndarray

    def near(self, query: np.ndarray, k: int, own: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(distance [q, k], point [q, k]) of the nearest points, nearest first; fewer where there are fewer. own [q]:
        rows whose points do not count for that query."""
        spare = 0 if own is None else int(np.bincount(self.owner).max())
        k = min(k, len(self.points) - spare)
        distance, point = nearest(query, self.points, k + spare)
        if own is not None:
            last = np.argsort(self.owner[point] == own[:, None], axis=1, kind="stable")[:, :k]
            distance, point = np.take_along_axis(distance, last, 1), np.take_along_axis(point, last, 1)
        return distance, point

    def vote(self, query: np.ndarray, k: int, own: np.ndarray | None = None) -> np.ndarray:
        """[q] mean label of the k nearest points."""
        return self.label[self.near(query, k, own)[1]].mean(1)


def nearest(query: np.ndarray, points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """(Euclidean distance [q, k], index [q, k]) of the k nearest of points [m, d], nearest first, the earlier of equals first.
    What scikit-learn's brute search finds; importing that takes longer than a small search."""
    lengths = (points**2).sum(1)
    distance, index = np.empty((len(query), k)), np.empty((len(query), k), np.int64)
    for start in range(0, len(query), BLOCK):
        block = query[start : start + BLOCK]
        squared = (block**2).sum(1)[:, None] + lengths - 2 * block @ points.T
        order = np.argsort(squared, axis=1, kind="stable")[:, :k]
        index[start : start + BLOCK] = order
        distance[start : start + BLOCK] = np.sqrt(np.maximum(np.take_along_axis(squared, order, 1), 0))
    return distance, index


def features(task: Task, rows: Rows, layer: int | None = None, cosine: bool = False) -> np.ndarray:
    """f64 [n, d]: raw, or of length 1 (then Euclidean order is that of the cosine)."""
    h = np.asarray(task.student.features(rows, layer), np.float64)
    return h / (np.linalg.norm(h, axis=1, keepdims=True) + 1e-12) if cosine else h


def cloud(h: np.ndarray, label: np.ndarray, kind: str) -> Cloud:
    """The points of rows with features h [n, d] and labels [n]."""
    owner, label = np.arange(len(h)), np.asarray(label, np.float64)
    if kind != "pair":
        return Cloud(h, label, owner)
    return Cloud(np.concatenate([h, -h]), np.concatenate([label, 1 - label]), np.concatenate([owner, owner]))
