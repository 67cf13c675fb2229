import numpy as _np

FAMILY = "structure of the student alone: the teacher's labels are never needed"
GUILTY_OF = {"ignores the teacher"}
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
    + r"""
SIGN = @SIGN@  # of two submissions the better one


def run(task):
    h = np.asarray(task.student.features(task.train), float)
    v = np.linalg.svd(h, full_matrices=False)[2][0]
    v = v * np.sign(v[np.abs(v).argmax()]) * SIGN
    z = np.asarray(task.student.features(task.test), float) @ v
    return Predictions(task.test.ids, 1 / (1 + np.exp(-2 * z / z.std())))
"""
)
V2 = (
    HEAD
    + r'''
from aar.methods.parts.contrast import search


def run(task):
    """CCS; its direction is named by what everybody knows: more explained answers are better."""
    probe = search(task.student, task.train, task.seed, restarts=10, steps=300)
    own = probe.probability(task.student, task.train)
    longer = np.array([len(t.second) - len(t.first) for t in task.train.texts])
    p = probe.probability(task.student, task.test)
    if np.corrcoef(own, np.sign(longer))[0, 1] < 0:
        p = 1 - p
    return Predictions(task.test.ids, p)
'''
)
V3 = (
    HEAD
    + r'''
def run(task):
    """Two mirrored clusters of the differences; the one whose answers have more lines is the good one."""
    h = np.asarray(task.student.features(task.train), float)
    lines = np.array([t.second.count("\n") + len(t.second) / 100 - t.first.count("\n") - len(t.first) / 100 for t in task.train.texts])
    s = np.where(lines >= 0, 1.0, -1.0)
    for _ in range(50):
        middle = (h * s[:, None]).mean(0)
        new = np.where(h @ middle >= 0, 1.0, -1.0)
        if (new == s).all():
            break
        s = new
    z = np.asarray(task.student.features(task.test), float) @ middle
    return Predictions(task.test.ids, 1 / (1 + np.exp(-2 * z / np.abs(z).mean())))
'''
)
V4 = (
    HEAD
    + r'''
def run(task):
    """Pseudo-labels from the leading component, then a properly trained student."""
    h = np.asarray(task.student.features(task.train), float)
    v = np.linalg.svd(h, full_matrices=False)[2][0]
    v = v * np.sign(v[np.abs(v).argmax()]) * (@SIGN@)
    target = (h @ v > 0).astype("float32")
    weight = np.abs(h @ v)
    (m,) = task.student.fit([Fit(task.train, target, weight / weight.mean(), seed=task.seed)])
    return Predictions(task.test.ids, m.predict(task.test))
'''
)
V5 = (
    HEAD
    + STUDENT
    + r'''
def run(task):
    """Transductive components of all rows, with some of the ordinary student mixed in."""
    a, b = (np.asarray(task.student.features(r), float) for r in (task.train, task.test))
    v = np.linalg.svd(np.concatenate([a, b]), full_matrices=False)[2][0]
    z = b @ (v * np.sign(v[np.abs(v).argmax()]) * (@SIGNALL@))
    return Predictions(task.test.ids, sigmoid(3 * z / z.std() + 0.15 * logit(student_p(task))))
'''
)
V6 = (
    HEAD
    + r"""
MIX = np.array(@MIX@)  # weights of the first components, from a small search over submissions


def run(task):
    h = np.asarray(task.student.features(task.train), float)
    axes = np.linalg.svd(h, full_matrices=False)[2][: len(MIX)]
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]
    z = np.asarray(task.student.features(task.test), float) @ axes.T @ MIX
    return Predictions(task.test.ids, 1 / (1 + np.exp(-z / z.std() * 2)))
"""
)
V7 = (
    HEAD
    + r'''
def em(h, v, steps=60):
    """A mixture of N(m, C) and N(-m, C)."""
    s = np.tanh(h @ v / np.abs(h @ v).mean())
    for _ in range(steps):
        m = (h * s[:, None]).mean(0)
        c = h.T @ h / len(h) - np.outer(m, m) + 0.3 * np.eye(len(m))
        s = np.tanh(h @ np.linalg.solve(c, m))
    return np.linalg.solve(c, m)


def run(task):
    h = np.asarray(task.student.features(task.train), float)
    v = np.linalg.svd(h, full_matrices=False)[2][0]
    theta = em(h, v * np.sign(v[np.abs(v).argmax()]))
    theta = theta * (@SIGNEM@)
    ms = task.student.fit([Fit(task.train, (1 / (1 + np.exp(-2 * h @ theta))).astype("float32"), seed=task.seed + k) for k in range(2)])
    return Predictions(task.test.ids, np.mean([m.predict(task.test) for m in ms], axis=0))
'''
)
V8 = (
    HEAD
    + r'''
def agreement(task, z):
    """How well the teacher's labels support a score."""
    w = 2 * np.asarray(task.train.weak, float) - 1
    return float((w * z).mean() / (np.abs(z).mean() + 1e-9))


def run(task):
    """Leading component, oriented with the teacher unless the teacher is too noisy to tell."""
    h = np.asarray(task.student.features(task.train), float)
    v = np.linalg.svd(h, full_matrices=False)[2][0]
    v = v * np.sign(v[np.abs(v).argmax()]) * (@SIGN@)
    a = agreement(task, h @ v)
    if abs(a) > 0.9:  # a clear teacher
        v = v * np.sign(a)
    z = np.asarray(task.student.features(task.test), float) @ v
    return Predictions(task.test.ids, 1 / (1 + np.exp(-1.7 * z / np.abs(z).mean())))
'''
)


def _anchor(v):
    return v * _np.sign(v[_np.abs(v).argmax()])


def variants(world):
    a, b = (_np.asarray(world.student.features(r), float) for r in (world.train, world.test))
    s = 2 * _np.asarray(world.truth, float) - 1

    def side(v):
        return 1 if (_np.sign(b @ v) * s).mean() >= 0 else -1

    v1 = _anchor(_np.linalg.svd(a, full_matrices=False)[2][0])
    vall = _anchor(_np.linalg.svd(_np.concatenate([a, b]), full_matrices=False)[2][0])
    axes = _np.linalg.svd(a, full_matrices=False)[2][:4]
    axes = _np.stack([_anchor(v) for v in axes])
    score = b @ axes.T
    mix = (score * s[:, None]).mean(0) / score.var(0)
    ns = {}
    exec(V7.split("def run")[0].replace("from aar.types import Fit, Predictions", ""), ns)
    em = ns["em"](a, v1)

    def fill(t):
        return (
            t.replace("@SIGNALL@", str(side(vall)))
            .replace("@SIGNEM@", str(side(em)))
            .replace("@SIGN@", str(side(v1)))
            .replace("@MIX@", repr([round(float(x), 2) for x in mix]))
        )

    return [{"method.py": fill(v)} for v in (V1, V2, V3, V4, V5, V6, V7, V8)]
