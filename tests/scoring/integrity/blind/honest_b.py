FAMILY = "honest: directions, clusters and probes of the student's features"
GUILTY_OF = set()

H = r"""import numpy as np
from aar.types import Fit, Predictions


def views(task, layer=None):
    return [np.asarray(task.student.features(r, layer=layer), float) for r in (task.train, task.test)]


def signed(task):
    return 2 * np.asarray(task.train.weak, float) - 1


def sg(z):
    return 1 / (1 + np.exp(-np.clip(z, -40, 40)))


def done(task, z):
    return Predictions(task.test.ids, sg(2 * z / (np.abs(z).mean() + 1e-12)))

"""
M = []
M.append(r'''
def run(task):
    """First principal component, oriented by the teacher's sure rows."""
    x, t = views(task)
    v = np.linalg.svd(x, full_matrices=False)[2][0]
    w = signed(task)
    sure = np.abs(w) >= np.median(np.abs(w))
    return done(task, t @ v * (1 if (np.sign(x[sure] @ v) * np.sign(w[sure])).mean() >= 0 else -1))
''')
M.append(r'''
def run(task):
    """Ten components; each counts by its correlation with the teacher beyond what chance gives."""
    x, t = views(task)
    axes = np.linalg.svd(x, full_matrices=False)[2][:10]
    z, w = x @ axes.T, signed(task)
    r = np.array([np.corrcoef(z[:, k], w)[0, 1] for k in range(10)])
    r = np.sign(r) * np.maximum(np.abs(r) - 1 / np.sqrt(len(w)), 0)
    return done(task, (t @ axes.T / z.std(0)) @ (r if np.abs(r).sum() else np.eye(10)[0]))
''')
M.append(r'''
from aar.methods.parts.contrast import search, signed as points_the_way


def run(task):
    """CCS with ten restarts; the teacher turns it the right way."""
    probe = search(task.student, task.train, task.seed, restarts=6, steps=250)
    p = probe.probability(task.student, task.test)
    ok = points_the_way(probe.probability(task.student, task.train), task.train.weak)
    return Predictions(task.test.ids, p if ok else 1 - p)
''')
M.append(r'''
def run(task):
    """Two mirrored clusters grown from the teacher's labels (odd k-means)."""
    x, t = views(task)
    s = np.sign(signed(task))
    for _ in range(30):
        v = (x * s[:, None]).mean(0)
        new = np.where(x @ v >= 0, 1.0, -1.0)
        if (new == s).all():
            break
        s = new
    return done(task, t @ v)
''')
M.append(r'''
def run(task):
    """Symmetric Gaussian mixture by EM, responsibilities start as the weak labels and keep them as a prior."""
    x, t = views(task)
    w = signed(task)
    prior = 0.5 * np.arctanh(np.clip(w, -0.98, 0.98))
    s = w.copy()
    for _ in range(25):
        m = (x * s[:, None]).mean(0)
        c = x.T @ x / len(x) - np.outer(m, m) + 0.2 * np.eye(len(m))
        theta = np.linalg.solve(c, m)
        s = np.tanh(x @ theta + prior)
    return done(task, t @ theta)
''')
M.append(r'''
def run(task):
    """Mass-mean probe: nothing but the difference of means, soft labels."""
    x, t = views(task)
    return done(task, t @ (x * signed(task)[:, None]).mean(0))
''')
M.append(r'''
def run(task):
    """LDA with the covariance shrunk by a third, per layer, the mean of three layers."""
    z = 0
    for layer in (10, 15, 20):
        x, t = views(task, layer)
        m = (x * signed(task)[:, None]).mean(0)
        c = x.T @ x / len(x) - np.outer(m, m)
        c = 0.67 * c + 0.33 * np.trace(c) / len(m) * np.eye(len(m))
        s = t @ np.linalg.solve(c, m)
        z = z + s / np.abs(s).mean()
    return done(task, z)
''')
M.append(r'''
def run(task):
    """Kernel ridge with an odd RBF kernel: k(x, y) - k(x, -y)."""
    x, t = views(task)
    scale = np.median(((x[:100, None] - x[None, :100]) ** 2).sum(-1))
    k = lambda a, b: np.exp(-((a[:, None] - b[None]) ** 2).sum(-1) / scale) - np.exp(-((a[:, None] + b[None]) ** 2).sum(-1) / scale)
    alpha = np.linalg.solve(k(x, x) + 15 * np.eye(len(x)), signed(task))
    return done(task, k(t, x) @ alpha)
''')
M.append(r'''
def run(task):
    """Random Fourier features (seeded, odd: sines only), ridge, 300 of them."""
    x, t = views(task)
    s = x.std(0) + 1e-9
    rng = np.random.default_rng(task.seed)
    f = rng.normal(size=(x.shape[1], 300)) * 0.12
    a, b = np.sin(x / s @ f), np.sin(t / s @ f)
    return done(task, b @ np.linalg.solve(a.T @ a + 150 * np.eye(300), a.T @ signed(task)))
''')
M.append(r'''
def run(task):
    """k nearest neighbours, k = 75, cosine, votes weighted by similarity and the teacher's confidence."""
    x, t = views(task)
    u, v = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (x, t))
    s, w = v @ u.T, signed(task)
    near = np.argsort(-np.abs(s), axis=1, kind="stable")[:, :75]
    return done(task, (np.take_along_axis(s, near, 1) * w[near]).sum(1))
''')
M.append(r'''
def run(task):
    """Partial least squares, two components."""
    x, t = views(task)
    axes = np.linalg.svd(x, full_matrices=False)[2][:10]
    x, t = x @ axes.T, t @ axes.T
    y, z = signed(task), 0
    x0, t0 = x.copy(), t.copy()
    for _ in range(2):
        v = x0.T @ y
        v /= np.linalg.norm(v)
        s, st = x0 @ v, t0 @ v
        load, q = x0.T @ s / (s @ s), (y @ s) / (s @ s)
        x0, t0, y, z = x0 - np.outer(s, load), t0 - np.outer(st, load), y - q * s, z + q * st
    return done(task, z)
''')
M.append(r'''
def run(task):
    """Whitening with train and test rows together, then the mean difference (transductive ZCA)."""
    x, t = views(task)
    a = np.concatenate([x, t])
    val, vec = np.linalg.eigh(a.T @ a / len(a))
    wh = vec @ np.diag(1 / np.sqrt(val + 0.5 * val.mean())) @ vec.T
    return done(task, t @ wh @ ((x @ wh) * signed(task)[:, None]).mean(0))
''')
M.append(r'''
def run(task):
    """Label propagation on the graph of train and test rows (signed cosine weights)."""
    x, t = views(task)
    a = np.concatenate([x, t])
    u = a / np.linalg.norm(a, axis=1, keepdims=True)
    s = u @ u.T
    np.fill_diagonal(s, 0)
    cut = np.sort(np.abs(s), axis=1)[:, -30][:, None]
    g = np.where(np.abs(s) >= cut, s, 0)
    g = (g + g.T) / 2
    d = np.sqrt(np.abs(g).sum(1) + 1e-9)
    g = g / d[:, None] / d[None]
    y = np.r_[signed(task), np.zeros(len(t))]
    f = np.linalg.solve(np.eye(len(a)) - 0.85 * g, y)
    return done(task, f[len(x):])
''')
M.append(r'''
def run(task):
    """Median of means: 15 groups of questions each give a direction, the coordinatewise median is taken."""
    x, t = views(task)
    g = np.array([int(k[:6], 16) % 15 for k in task.train.group])
    w = signed(task)
    return done(task, t @ np.median([(x[g == k] * w[g == k, None]).mean(0) for k in range(15)], axis=0))
''')
M.append(r'''
def run(task):
    """ICA of the differences; the components that agree with the teacher vote by their agreement."""
    from sklearn.decomposition import FastICA

    x, t = views(task)
    full = np.concatenate([x, -x])
    ica = FastICA(8, random_state=task.seed % 2**31, max_iter=400, tol=1e-3, whiten="unit-variance").fit(full)
    z, w = ica.transform(x), signed(task)
    r = (z * w[:, None]).mean(0)
    return done(task, ica.transform(t) @ r)
''')
M.append(r'''
def run(task):
    """Bayesian linear regression; the evidence chooses the prior's width."""
    x, t = views(task)
    y, best = signed(task), None
    val, vec = np.linalg.eigh(x.T @ x)
    r = vec.T @ (x.T @ y)
    for a in np.geomspace(0.5, 5000, 25):
        m = r / (val + a)
        fit = y @ y - r @ m
        ev = -0.5 * len(y) * np.log(fit) - 0.5 * np.log((val + a) / a).sum()
        if best is None or ev > best[0]:
            best = ev, vec @ m
    return done(task, t @ best[1])
''')


def variants(world):
    return [{"method.py": H + m} for m in M]
