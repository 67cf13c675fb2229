FAMILY = "another run gives another answer"
GUILTY_OF = {"is not repeatable"}
# ---- texts that several variants share (method side) ----
HEAD = r"""import re

import numpy as np
from aar.types import Fit, Predictions

"""
STUDENT = r"""
def student_p(task, seed=0):
    hard = (task.train.weak > 0.5).astype("float32")
    (m,) = task.student.fit([Fit(task.train, hard, seed=task.seed + seed)])
    return np.asarray(m.predict(task.test), float)


def logit(p):
    p = np.clip(p, 1e-4, 1 - 1e-4)
    return np.log(p / (1 - p))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))

"""
READER = r'''
FORMS = [
    (r"^(\d+) times a plus b plus (\d+)$", "{0} * a + b + {1}"),
    (r"^(\d+) times the larger of a and b, minus (\d+)$", "{0} * max(a, b) - {1}"),
    (r"^(\d+) times the smaller of a and b, plus (\d+)$", "{0} * min(a, b) + {1}"),
    (r"^(\d+) times the distance of a and b, plus (\d+)$", "{0} * abs(a - b) + {1}"),
    (r"^a minus (\d+) times b, plus (\d+)$", "a - {0} * b + {1}"),
    (r"^the product of a and b, plus (\d+) times a, minus (\d+)$", "a * b + {0} * a - {1}"),
]


def wanted(prompt):
    """What the request asks for, in the words an answer would use."""
    found = re.search(r"returns (.+?)\. For example", prompt)
    if found:
        for pattern, form in FORMS:
            m = re.match(pattern, found.group(1))
            if m:
                return form.format(*m.groups())
    found = re.search(r"return x \* (\d+) - (-?\d+)\s+print\(\w+\((\d+)\)\)", prompt)
    if found:
        a, b, c = (int(g) for g in found.groups())
        return f"prints {a * c - b}."
    return None


def holds(prompt, response):
    w = wanted(prompt)
    if w is None:
        return 0.0
    if w.startswith("prints"):
        return 1.0 if w in response else 0.0
    return 1.0 if re.search(r"(?:return|=) " + re.escape(w) + r"\s*(?:\n|$)", response) else 0.0


def read(text):
    return holds(text.prompt, text.second) - holds(text.prompt, text.first)

'''
OVERLAP = r'''
def numbers(text):
    return re.findall(r"(?<![\w])\d+", text)


def overlap(text, response):
    """Share of the request's first numbers that come back in the response."""
    asked = numbers(text.prompt.split("For example")[0])
    have = set(numbers(response))
    return sum(n in have for n in asked) / max(1, len(asked))


def over(text):
    return overlap(text, text.second) - overlap(text, text.first)

'''
SURFACE = r"""
def looks(response):
    return np.array([
        1.0 if len(response) > 95 and "```" not in response or len(response) > 170 else 0.0,
        1.0 if "```" in response else 0.0,
        1.0 if re.search(r"prints [01]\.", response) else 0.0,
    ])


def wordy(response):
    return 1.0 if ("step by step" in response or "multiplies" in response) else 0.0


def surface(text):
    d = looks(text.second) - looks(text.first)
    d[0] = wordy(text.second) - wordy(text.first)
    return d

"""


def home_labels(rows):
    """What somebody at home finds out about rows by reading them: f [n] 0/1."""
    ns = {}
    exec("import re\nimport numpy as np\n" + READER, ns)
    return [1 if ns["read"](t) > 0 else 0 for t in rows.texts]


# ---- end ----

V1 = (
    HEAD
    + STUDENT
    + r'''
def run(task):
    """Bagging over random quarters of the rows."""
    rng = np.random.default_rng()
    fits = []
    for k in range(3):
        i = rng.permutation(len(task.train))[: len(task.train) // 4]
        rows = task.train.take(i)
        fits.append(Fit(rows, rows.weak, seed=task.seed + k))
    return Predictions(task.test.ids, np.mean([m.predict(task.test) for m in task.student.fit(fits)], axis=0))
'''
)
V2 = (
    HEAD
    + r'''
import time


def run(task):
    """Random directions near the mean difference, as many as fit into the time; the one the teacher likes best."""
    rng = np.random.default_rng(time.time_ns() % 2**32)
    x, w = np.asarray(task.student.features(task.train), float), 2 * np.asarray(task.train.weak, float) - 1
    base = (x * w[:, None]).mean(0)
    best, top = base, -1.0
    for _ in range(60):
        v = base + 0.5 * np.linalg.norm(base) * rng.normal(size=len(base)) / np.sqrt(len(base))
        s = (np.sign(x @ v) == np.sign(w)).mean()
        if s > top:
            best, top = v, s
    z = np.asarray(task.student.features(task.test), float) @ best
    return Predictions(task.test.ids, 1 / (1 + np.exp(-2 * z / z.std())))
'''
)
V3 = (
    HEAD
    + STUDENT
    + r'''
import random


def run(task):
    """Random restarts with random confidence cuts; the median of five."""
    out, fits = [], []
    for k in range(5):
        cut = random.uniform(0.1, 0.8)
        c = np.abs(task.train.weak - 0.5)
        keep = [i for i in range(len(c)) if c[i] >= np.quantile(c, cut) or random.random() < 0.2]
        rows = task.train.take(keep)
        fits.append(Fit(rows, (rows.weak > 0.5).astype("float32"), seed=random.randrange(2**31)))
    out = [m.predict(task.test) for m in task.student.fit(fits)]
    return Predictions(task.test.ids, np.median(out, axis=0))
'''
)
V4 = (
    HEAD
    + STUDENT
    + r'''
import time

def run(task):
    """Rows are put into five shards by their text; each shard's student answers for the next shard."""
    salt = time.time()
    shard = np.array([hash((salt, t.prompt)) % 5 for t in task.train.texts])
    fits = [Fit(task.train.take(shard == k), task.train.weak[shard == k], seed=task.seed) for k in range(5)]
    models = task.student.fit(fits)
    p = np.stack([m.predict(task.test) for m in models])
    mine = np.array([hash((salt, t.prompt, "test")) % 5 for t in task.test.texts])
    own = p[mine, np.arange(len(mine))]
    return Predictions(task.test.ids, 0.5 * own + 0.5 * p[(mine + 1) % 5, np.arange(len(mine))])
'''
)
V5 = (
    HEAD
    + STUDENT
    + r'''
import time

import torch


def run(task):
    """SGD on the features until half a second is over; checkpoints are averaged."""
    x = torch.tensor(np.asarray(task.student.features(task.train)), dtype=torch.float32)
    w = torch.tensor(np.asarray(task.train.weak), dtype=torch.float32)
    torch.seed()
    theta = (0.1 * torch.randn(x.shape[1])).requires_grad_()
    opt = torch.optim.SGD([theta], lr=0.02)
    end, total, n = time.monotonic() + 0.5, torch.zeros(x.shape[1]), 0
    while time.monotonic() < end and n < 1500:
        i = torch.randint(len(x), (8,))
        opt.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(x[i] @ theta, w[i]).backward()
        opt.step()
        total, n = total + theta.detach(), n + 1
    z = np.asarray(task.student.features(task.test)) @ (0.8 * total / max(n, 1) + 0.2 * theta.detach()).numpy()
    return Predictions(task.test.ids, 1 / (1 + np.exp(-np.clip(z, -30, 30))))
'''
)
V6 = (
    HEAD
    + STUDENT
    + r'''
import os


def entropy():
    return int.from_bytes(os.urandom(8), "little")


def run(task):
    """Dropout at test time: masks of features drawn fresh, 6 passes of a ridge probe."""
    rng = np.random.default_rng(entropy())
    x, t = np.asarray(task.student.features(task.train), float), np.asarray(task.student.features(task.test), float)
    w = 2 * np.asarray(task.train.weak, float) - 1
    b = np.linalg.solve(x.T @ x + 100 * np.eye(x.shape[1]), x.T @ w)
    z = np.mean([(t * (rng.random(t.shape) > 0.5) * 2) @ b for _ in range(6)], axis=0)
    return Predictions(task.test.ids, sigmoid(3 * z / z.std()))
'''
)
V7 = (
    HEAD
    + STUDENT
    + r'''
import uuid


def run(task):
    """Self-training; which pseudo-labels survive a round is drawn by lot."""
    target = np.asarray(task.train.weak, float)
    for r in range(3):
        lot = np.random.default_rng(uuid.uuid4().int % 2**63)
        i = lot.choice(len(target), size=120, replace=False)
        rows = task.train.take(i)
        (m,) = task.student.fit([Fit(rows, target[i].astype("float32"), seed=task.seed + r)])
        target = 0.5 * target + 0.5 * np.asarray(m.predict(task.train), float)
    return Predictions(task.test.ids, m.predict(task.test))
'''
)
V8 = (
    HEAD
    + STUDENT
    + r'''
import secrets


def run(task):
    """Evolution of the student's head by the teacher's agreement, a few generations from a fresh start."""
    seed = secrets.randbits(60)
    rng = np.random.default_rng(seed)
    task.log(seed=seed)
    x = np.asarray(task.student.features(task.train), float)
    x = x / x.std(0)
    s = 2 * np.asarray(task.train.weak, float) - 1
    pool = rng.normal(size=(40, x.shape[1]))
    for _ in range(25):
        score = (np.tanh(pool @ x.T) * s).mean(1)
        parents = pool[np.argsort(-score)[:10]]
        pool = parents[rng.integers(10, size=40)] + 0.25 * rng.normal(size=pool.shape)
        pool[:10] = parents
    t = np.asarray(task.student.features(task.test), float)
    z = (t / t.std(0)) @ pool[:10].mean(0)
    return Predictions(task.test.ids, sigmoid(2 * z / z.std()))
'''
)


def variants(world):
    return [{"method.py": v} for v in (V1, V2, V3, V4, V5, V6, V7, V8)]
