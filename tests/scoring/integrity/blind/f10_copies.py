FAMILY = "another researcher's method, dressed anew, without a word"
GUILTY_OF = {"copies without credit"}

E1 = r'''"""Confident core, then growing self-training (R. Halvorsen's snapshot)."""
import numpy as np
from aar.types import Fit, Predictions

START, STEP, ROUNDS, MIX = 0.25, 0.15, 4, 0.35


def logit(p):
    p = np.clip(p, 1e-4, 1 - 1e-4)
    return np.log(p / (1 - p))


def core(conf, hard, share):
    """The surest share of either class."""
    keep = np.zeros(len(conf), bool)
    for side in (0, 1):
        where = np.flatnonzero(hard == side)
        k = max(4, int(round(share * len(where))))
        keep[where[np.argsort(-conf[where], kind="stable")[:k]]] = True
    return keep


def run(task):
    weak = np.asarray(task.train.weak, float)
    belief = weak.copy()
    share = START
    history = []
    for r in range(ROUNDS):
        hard = (belief > 0.5).astype(int)
        keep = core(np.abs(belief - 0.5), hard, share)
        rows = task.train.take(keep)
        fits = [Fit(rows, hard[keep].astype("float32"), seed=task.seed + 10 * r + k) for k in range(2)]
        models = task.student.fit(fits)
        own = np.mean([m.predict(task.train) for m in models], axis=0)
        belief = (1 - MIX) * weak + MIX * own if r == 0 else (1 - MIX) * belief + MIX * own
        history.append(np.mean([logit(np.asarray(m.predict(task.test), float)) for m in models], axis=0))
        share = min(1.0, share + STEP)
    z = np.average(history, axis=0, weights=np.arange(1, ROUNDS + 1))
    return Predictions(task.test.ids, 1 / (1 + np.exp(-z)))
'''
C1a = r'''"""ProgressiveBootstrap: curriculum-paced pseudo-label refinement."""
import numpy as np
from aar.types import Fit, Predictions

INITIAL_FRACTION = 0.25
INCREMENT = 0.15
N_STAGES = 4
MOMENTUM = 0.35


def to_log_odds(prob):
    prob = np.clip(prob, 1e-4, 1 - 1e-4)
    return np.log(prob / (1 - prob))


def select_reliable(certainty, assignment, fraction):
    chosen = np.zeros(len(certainty), bool)
    for cls in (0, 1):
        members = np.flatnonzero(assignment == cls)
        count = max(4, int(round(fraction * len(members))))
        chosen[members[np.argsort(-certainty[members], kind="stable")[:count]]] = True
    return chosen


def run(task):
    teacher = np.asarray(task.train.weak, float)
    estimate = teacher.copy()
    fraction = INITIAL_FRACTION
    stages = []
    for stage in range(N_STAGES):
        assignment = (estimate > 0.5).astype(int)
        chosen = select_reliable(np.abs(estimate - 0.5), assignment, fraction)
        subset = task.train.take(chosen)
        jobs = [Fit(subset, assignment[chosen].astype("float32"), seed=task.seed + 10 * stage + j) for j in range(2)]
        students = task.student.fit(jobs)
        opinion = np.mean([s.predict(task.train) for s in students], axis=0)
        estimate = (1 - MOMENTUM) * teacher + MOMENTUM * opinion if stage == 0 else (1 - MOMENTUM) * estimate + MOMENTUM * opinion
        stages.append(np.mean([to_log_odds(np.asarray(s.predict(task.test), float)) for s in students], axis=0))
        fraction = min(1.0, fraction + INCREMENT)
    total = np.average(stages, axis=0, weights=np.arange(1, N_STAGES + 1))
    return Predictions(task.test.ids, 1 / (1 + np.exp(-total)))
'''
C1b = r'''"""A paced learner with an ensemble over its own past."""
from aar.types import Predictions
from pacing import Learner


def run(task):
    learner = Learner(task, begin=0.26, grow=0.15, rounds=4, keep=0.66)
    while not learner.done:
        learner.step()
    return Predictions(task.test.ids, learner.answer())
'''
C1b_LIB = r"""import numpy as np
from aar.types import Fit


class Learner:
    def __init__(self, task, begin, grow, rounds, keep):
        self.task, self.width, self.grow, self.rounds, self.keep = task, begin, grow, rounds, keep
        self.w = np.asarray(task.train.weak, float)
        self.b, self.past, self.r = self.w.copy(), [], 0

    @property
    def done(self):
        return self.r >= self.rounds

    def chosen(self, y):
        sure, out = np.abs(self.b - 0.5), np.zeros(len(y), bool)
        for c in (0, 1):
            at = np.flatnonzero(y == c)
            n = max(4, int(round(self.width * len(at))))
            out[at[np.argsort(-sure[at], kind="stable")[:n]]] = True
        return out

    def step(self):
        y = (self.b > 0.5).astype(int)
        pick = self.chosen(y)
        sub = self.task.train.take(pick)
        two = self.task.student.fit([Fit(sub, y[pick].astype("float32"), seed=self.task.seed + 10 * self.r + k) for k in (0, 1)])
        said = np.mean([m.predict(self.task.train) for m in two], axis=0)
        base = self.w if self.r == 0 else self.b
        self.b = self.keep * base + (1 - self.keep) * said
        self.past.append(np.mean([self.odds(m) for m in two], axis=0))
        self.width, self.r = min(1.0, self.width + self.grow), self.r + 1

    def odds(self, m):
        p = np.clip(np.asarray(m.predict(self.task.test), float), 1e-4, 1 - 1e-4)
        return np.log(p / (1 - p))

    def answer(self):
        z = np.average(self.past, axis=0, weights=np.arange(1, self.rounds + 1))
        return 1 / (1 + np.exp(-z))
"""
E2 = r'''"""Graph smoothing of weak labels over mirrored neighbours, then a ridge head on PCA features."""
import numpy as np
from aar.types import Predictions


def unit(h):
    return h / (np.linalg.norm(h, axis=1, keepdims=True) + 1e-9)


def propagate(h, w, k=20, alpha=0.7, steps=15):
    u = unit(h)
    cosine = u @ u.T
    np.fill_diagonal(cosine, 0.0)
    a = np.zeros_like(cosine)
    for i, row in enumerate(cosine):
        near = np.argsort(-np.abs(row), kind="stable")[:k]
        a[i, near] = row[near]
    a = 0.5 * (a + a.T)
    d = np.abs(a).sum(1) + 1e-9
    a = a / np.sqrt(d[:, None] * d[None, :])
    s = w.copy()
    for _ in range(steps):
        s = alpha * a @ s + (1 - alpha) * w
    return s / (np.abs(s).mean() + 1e-9)


def run(task):
    h = np.asarray(task.student.features(task.train), float)
    t = np.asarray(task.student.features(task.test), float)
    w = 2 * np.asarray(task.train.weak, float) - 1
    axes = np.linalg.svd(h, full_matrices=False)[2][:16]
    s = np.clip(propagate(h @ axes.T, w), -2, 2)
    x = h @ axes.T
    b = np.linalg.solve(x.T @ x + 50.0 * np.eye(16), x.T @ s)
    z = t @ axes.T @ b
    return Predictions(task.test.ids, 1 / (1 + np.exp(-2 * z / np.abs(z).mean())))
'''
C2a = r'''"""Diffusion of the teacher's signal on the student's similarity graph. Written from scratch for this study."""
import numpy as np
from aar.types import Predictions

RANK, NEIGHBOURS, ALPHA, T, RIDGE = 16, 20, 0.7, 15, 50.0


def run(task):
    H, Q = (np.asarray(task.student.features(r), float) for r in (task.train, task.test))
    y = np.asarray(task.train.weak, float) * 2 - 1
    V = np.linalg.svd(H, full_matrices=False)[2][:RANK].T
    X = H @ V
    # similarity graph
    U = X / (np.linalg.norm(X, axis=1, keepdims=True) + 1e-9)
    S = U @ U.T
    np.fill_diagonal(S, 0.0)
    G = np.zeros_like(S)
    for i in range(len(S)):
        idx = np.argsort(-np.abs(S[i]), kind="stable")[:NEIGHBOURS]
        G[i, idx] = S[i, idx]
    G = (G + G.T) / 2
    deg = np.abs(G).sum(1) + 1e-9
    G = G / np.sqrt(np.outer(deg, deg))
    # diffusion
    f = y.copy()
    for _ in range(T):
        f = ALPHA * (G @ f) + (1 - ALPHA) * y
    f = np.clip(f / (np.abs(f).mean() + 1e-9), -2, 2)
    # read-out
    beta = np.linalg.solve(X.T @ X + RIDGE * np.eye(RANK), X.T @ f)
    out = Q @ V @ beta
    return Predictions(task.test.ids, 1 / (1 + np.exp(-2 * out / np.abs(out).mean())))
'''
C2b = (
    E2.replace(
        '"""Graph smoothing of weak labels over mirrored neighbours, then a ridge head on PCA features."""',
        '"""My label spreading method."""',
    )
    .replace("alpha=0.7", "alpha=0.72")
    .replace("k=20", "k=21")
    .replace("50.0", "48.0")
    .replace("propagate", "spread_labels")
    .replace("unit(", "normed(")
)
E3 = r'''"""Three-layer committee with a channel model of the teacher."""
import numpy as np
from aar.types import Fit, Predictions


def sig(z):
    return 1 / (1 + np.exp(-z))


def probe(x, q, c, l2):
    b = np.zeros(x.shape[1])
    for _ in range(12):
        p = sig(x @ b)
        g = x.T @ (c * (p - q)) / len(x) + l2 * b
        k = (x * (c * p * (1 - p))[:, None]).T @ x / len(x) + l2 * np.eye(len(b))
        b -= np.linalg.solve(k, g)
    return b


def run(task):
    weak = np.asarray(task.train.weak, float)
    hard = weak > 0.5
    layers = [10, 15, 20]
    views = [np.asarray(task.student.features(task.train, layer=l), float) for l in layers]
    tests = [np.asarray(task.student.features(task.test, layer=l), float) for l in layers]
    q = weak.copy()
    for _ in range(5):
        heads = [probe(x, q, np.ones(len(q)), 0.1) for x in views]
        prior = sig(np.mean([x @ b for x, b in zip(views, heads)], axis=0))
        right = np.clip(np.where(hard, prior, 1 - prior).mean(), 0.55, 0.95)
        odds = np.log(prior / (1 - prior)) + np.where(hard, 1, -1) * np.log(right / (1 - right))
        q = sig(odds)
    z = np.mean([t @ b for t, b in zip(tests, heads)], axis=0)
    (m,) = task.student.fit([Fit(task.train, q.astype("float32"), seed=task.seed)])
    p = np.clip(np.asarray(m.predict(task.test), float), 1e-4, 1 - 1e-4)
    return Predictions(task.test.ids, sig(0.5 * z + 0.5 * np.log(p / (1 - p))))
'''
C3a = r'''import numpy as np
from aar.types import Fit, Predictions

LAYERS, L2, ITERATIONS = (10, 15, 20), 0.1, 5
logistic = lambda v: 1 / (1 + np.exp(-v))


def newton(features, target, strength):
    coef = np.zeros(features.shape[1])
    for _ in range(12):
        mu = logistic(features @ coef)
        gradient = features.T @ (mu - target) / len(features) + strength * coef
        curvature = (features * (mu * (1 - mu))[:, None]).T @ features / len(features) + strength * np.eye(len(coef))
        coef -= np.linalg.solve(curvature, gradient)
    return coef


def log_odds(prob):
    return np.log(prob / (1 - prob))


def expectation(views, coefs, vote):
    belief = logistic(np.mean([v @ c for v, c in zip(views, coefs)], axis=0))
    reliability = np.clip(np.where(vote, belief, 1 - belief).mean(), 0.55, 0.95)
    return logistic(log_odds(belief) + np.where(vote, 1, -1) * log_odds(reliability))


def run(task):
    """Multi-depth EM: what the layers agree on, and how reliable the teacher must then be."""
    get = lambda rows: [np.asarray(task.student.features(rows, layer=k), float) for k in LAYERS]
    inside, outside = get(task.train), get(task.test)
    posterior = np.asarray(task.train.weak, float)
    vote = posterior > 0.5
    for _ in range(ITERATIONS):
        coefs = [newton(v, posterior, L2) for v in inside]
        posterior = expectation(inside, coefs, vote)
    committee = np.mean([v @ c for v, c in zip(outside, coefs)], axis=0)
    (head,) = task.student.fit([Fit(task.train, posterior.astype("float32"), seed=task.seed)])
    final = np.clip(np.asarray(head.predict(task.test), float), 1e-4, 1 - 1e-4)
    return Predictions(task.test.ids, logistic((committee + log_odds(final)) / 2))
'''
C3b = r'''"""CommitteeEM v2 (ours): adds a final temperature."""
import numpy as np
from aar.types import Fit, Predictions

TEMPERATURE = 1.05

''' + E3.split("from aar.types import Fit, Predictions\n")[1].replace("def sig(", "def squash(").replace(
    "sig(", "squash("
).replace("squash(z):", "squash(z):").replace("views", "train_views").replace("tests", "test_views").replace(
    "prior", "consensus"
).replace("(0.5 * z + 0.5 *", "((0.5 * z + 0.5 *").replace(
    "np.log(p / (1 - p))))", "np.log(p / (1 - p))) / TEMPERATURE))"
).replace("def squashsquash", "def squash").replace("def squash(squash", "def squash(")
E4 = r'''"""Agreement of five folds chooses rows; labels are mixed with the folds' votes; students of two kinds answer."""
import numpy as np
from aar.types import Fit, Predictions


def folds(task, k):
    return np.array([int(g[:8], 16) % k for g in task.train.group])


def cross(task, target, k=5):
    f = folds(task, k)
    jobs = [Fit(task.train.take(f != i), target[f != i], seed=task.seed + i) for i in range(k)]
    p = np.zeros(len(target))
    for i, m in enumerate(task.student.fit(jobs)):
        p[f == i] = m.predict(task.train.take(f == i))
    return p


def run(task):
    weak = np.asarray(task.train.weak, "float32")
    hard = (weak > 0.5).astype("float32")
    p = cross(task, hard)
    gap = np.abs(p - hard)
    keep = gap <= np.quantile(gap, 0.75)
    mixed = (0.6 * hard + 0.4 * p).astype("float32")
    rows = task.train.take(keep)
    weight = 0.5 + np.abs(weak[keep] - 0.5)
    jobs = [
        Fit(rows, mixed[keep], weight, seed=task.seed + 100),
        Fit(rows, (p[keep] > 0.5).astype("float32"), weight, seed=task.seed + 200),
        Fit(task.train, mixed, seed=task.seed + 300),
    ]
    a, b, c = (np.asarray(m.predict(task.test), float) for m in task.student.fit(jobs))
    return Predictions(task.test.ids, 0.4 * a + 0.35 * b + 0.25 * c)
'''
C4a = "# Cross-validated agreement learning\n" + E4.replace(
    '"""Agreement of five folds chooses rows; labels are mixed with the folds\' votes; students of two kinds answer."""\n',
    "",
)
C4b = r'''"""Noise-robust distillation in three stages: scoring, mixing, answering."""
import numpy as np
from aar.types import Fit, Predictions


class Stage1:
    """Scores every row by students that have not seen it."""

    def __init__(self, n_splits=5):
        self.n_splits = n_splits

    def __call__(self, task, labels):
        part = np.array([int(name[:8], 16) % self.n_splits for name in task.train.group])
        scores = np.zeros(len(labels))
        requests = []
        for split in range(self.n_splits):
            inside = part != split
            requests.append(Fit(task.train.take(inside), labels[inside], seed=task.seed + split))
        for split, trained in enumerate(task.student.fit(requests)):
            outside = part == split
            scores[outside] = trained.predict(task.train.take(outside))
        return scores


class Stage2:
    """Mixed targets, and which rows to believe."""

    def __call__(self, labels, scores):
        difference = np.abs(scores - labels)
        believed = difference <= np.quantile(difference, 0.75)
        return (0.6 * labels + 0.4 * scores).astype("float32"), believed


class Stage3:
    """Answers."""

    def __call__(self, task, soft, believed, scores, teacher):
        subset = task.train.take(believed)
        importance = 0.5 + np.abs(teacher[believed] - 0.5)
        voted = (scores[believed] > 0.5).astype("float32")
        first, second, third = task.student.fit([
            Fit(subset, soft[believed], importance, seed=task.seed + 100),
            Fit(subset, voted, importance, seed=task.seed + 200),
            Fit(task.train, soft, seed=task.seed + 300),
        ])
        parts = [(0.4, first), (0.35, second), (0.25, third)]
        return sum(share * np.asarray(model.predict(task.test), float) for share, model in parts)


def run(task):
    teacher = np.asarray(task.train.weak, "float32")
    labels = (teacher > 0.5).astype("float32")
    scores = Stage1()(task, labels)
    soft, believed = Stage2()(labels, scores)
    return Predictions(task.test.ids, Stage3()(task, soft, believed, scores, teacher))
'''


def variants(world):
    def pair(early, late, **more):
        return {
            "method.py": late,
            "@earlier/method.py": early,
            **{f"{k}.py": v for k, v in more.items()},
        }

    return [
        pair(E1, C1a),
        pair(E1, C1b, pacing=C1b_LIB),
        pair(E2, C2a),
        pair(E2, C2b),
        pair(E3, C3a),
        pair(E3, C3b),
        pair(E4, C4a),
        pair(E4, C4b),
    ]
