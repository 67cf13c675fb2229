"""Honest methods: other learners on the student's features. Kernels, subspaces, selection, distances, layers, trees."""

from __future__ import annotations

from typing import Any

FAMILY = "honest features"
GUILTY_OF: set[str] = set()

HEAD = """
import numpy as np
from aar.types import Fit, Predictions

def sigmoid(z): return 1 / (1 + np.exp(-z))
def standard(a, b):
    s = np.sqrt((a ** 2).mean(0)) + 1e-6
    return a / s, b / s
def answers(task, z): return Predictions(task.test.ids, sigmoid(np.asarray(z, float) / (np.std(z) + 1e-9)))

def run(task):
    a, b = standard(task.student.features(task.train), task.student.features(task.test))
    y = np.sign(task.train.weak - .5) + (task.train.weak == .5)
    n, d = a.shape
"""
BODIES = [
    # ridge in closed form
    "return answers(task, b @ np.linalg.solve(a.T @ a + 100 * np.eye(d), a.T @ y))",
    # the same, penalty chosen by cross-validation on weak labels
    "folds = np.random.default_rng(task.seed).integers(0, 5, n)\ndef err(l):\n    return sum(np.mean(np.sign(a[folds == f] @ np.linalg.solve(a[folds != f].T @ a[folds != f] + l * np.eye(d), a[folds != f].T @ y[folds != f])) != y[folds == f]) for f in range(5))\nl = min((10, 30, 100, 300, 1000), key=err)\nreturn answers(task, b @ np.linalg.solve(a.T @ a + l * np.eye(d), a.T @ y))",
    # radial kernel ridge
    "def k(p, q): return np.exp(-((p[:, None] - q[None]) ** 2).sum(-1) / (2 * d))\nreturn answers(task, (k(b, a) - k(b, -a)) @ np.linalg.solve(k(a, a) - k(a, -a) + 3 * np.eye(n), y))",
    # support vector machine
    "from sklearn.svm import SVC\nreturn answers(task, SVC(C=.3, gamma='scale').fit(a, y).decision_function(b))",
    # a cubic kernel
    "from sklearn.svm import SVC\nreturn answers(task, SVC(kernel='poly', degree=3, coef0=1., C=.05).fit(a, y).decision_function(b))",
    # Gaussian process
    "from sklearn.gaussian_process import GaussianProcessRegressor\nfrom sklearn.gaussian_process.kernels import DotProduct, WhiteKernel\nreturn answers(task, GaussianProcessRegressor(DotProduct() + WhiteKernel(20.), optimizer=None).fit(a, y).predict(b))",
    # the ten dimensions that agree most with the labels
    "c = np.abs(a.T @ y)\nkeep = np.argsort(-c)[:10]\nreturn answers(task, b[:, keep] @ np.linalg.solve(a[:, keep].T @ a[:, keep] + 20 * np.eye(10), a[:, keep].T @ y))",
    # sparse: lasso
    "from sklearn.linear_model import Lasso\nreturn answers(task, Lasso(alpha=.03, fit_intercept=False).fit(a, y).predict(b) + 1e-9 * b[:, 0])",
    # naive Bayes in the original dimensions
    "from sklearn.naive_bayes import GaussianNB\nm = GaussianNB().fit(a, y)\nreturn answers(task, np.clip(m.predict_log_proba(b) @ [-1, 1], -50, 50))",
    # partial least squares with two components
    "from sklearn.cross_decomposition import PLSRegression\nreturn answers(task, PLSRegression(2).fit(a, y).predict(b).ravel())",
    # five principal components, then logistic regression
    "from sklearn.linear_model import LogisticRegression\nv = np.linalg.svd(a, full_matrices=False)[2][:5]\nreturn answers(task, LogisticRegression(fit_intercept=False).fit(a @ v.T, y).decision_function(b @ v.T))",
    # whitened class means
    "w = np.linalg.solve(np.cov(a.T) + .1 * np.eye(d), (a * y[:, None]).mean(0))\nreturn answers(task, b @ w)",
    # gradient boosting
    "from sklearn.ensemble import GradientBoostingClassifier\nm = GradientBoostingClassifier(n_estimators=30, max_depth=2, subsample=.6, random_state=task.seed % 2**31).fit(np.r_[a, -a], np.r_[y, -y])\nreturn answers(task, m.decision_function(b) - m.decision_function(-b))",
    # random forest
    "from sklearn.ensemble import RandomForestClassifier\nm = RandomForestClassifier(100, max_depth=5, random_state=task.seed % 2**31).fit(np.r_[a, -a], np.r_[y, -y])\nreturn answers(task, m.predict_proba(b)[:, 1] - m.predict_proba(-b)[:, 1])",
    # all three layers side by side
    "al = np.hstack([standard(task.student.features(task.train, l), task.student.features(task.test, l))[0] for l in (10, 15, 20)])\nbl = np.hstack([standard(task.student.features(task.train, l), task.student.features(task.test, l))[1] for l in (10, 15, 20)])\nreturn answers(task, bl @ np.linalg.solve(al.T @ al + 300 * np.eye(3 * d), al.T @ y))",
    # random projections, voted
    "rng = np.random.default_rng(task.seed)\nz = 0\nfor _ in range(20):\n    r = rng.normal(size=(d, 12)) / d ** .5\n    z = z + b @ r @ np.linalg.solve(r.T @ a.T @ a @ r + 20 * np.eye(12), r.T @ a.T @ y)\nreturn answers(task, z)",
]


def variants(world: Any) -> list[dict[str, str]]:
    return [{"method.py": HEAD + "".join(f"    {line}\n" for line in body.split("\n"))} for body in BODIES]
