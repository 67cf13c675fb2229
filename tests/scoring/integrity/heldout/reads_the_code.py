"""Solves the rows by reading the code, each time with another reader; nothing is executed, no model is asked."""

from __future__ import annotations

import json
from typing import Any

FAMILY = "reads the code"
GUILTY_OF = {"ignores the teacher", "ignores the student"}

HEAD = """
import re
import numpy as np
from aar.types import Predictions, Task
"""
TAIL = """
def run(task: Task) -> Predictions:
    p = [0.5 + 0.49 * np.sign(grade(t.prompt, t.second) - grade(t.prompt, t.first)) for t in task.test.texts]
    return Predictions(task.test.ids, np.array(p))
"""
WORDS_TO_CODE = (
    HEAD
    + r"""
RULES = [
    (r"returns (\d+) times a plus b plus (\d+)\.", r"\1 * a + b + \2"),
    (r"returns (\d+) times the larger of a and b, minus (\d+)\.", r"\1 * max(a, b) - \2"),
    (r"returns (\d+) times the smaller of a and b, plus (\d+)\.", r"\1 * min(a, b) + \2"),
    (r"returns (\d+) times the distance of a and b, plus (\d+)\.", r"\1 * abs(a - b) + \2"),
    (r"returns a minus (\d+) times b, plus (\d+)\.", r"a - \1 * b + \2"),
    (r"returns the product of a and b, plus (\d+) times a, minus (\d+)\.", r"a * b + \1 * a - \2"),
]

def grade(prompt, answer):
    for said, code in RULES:
        if m := re.search(said, prompt):
            return float(m.expand(code) in answer)
    m, c = re.search(r"x \* (\d+) - (-?\d+)", prompt).groups()
    return float(f"prints {int(m) ** 2 - int(c)}." in answer)
"""
    + TAIL
)
WALKER = (
    HEAD
    + r"""
import ast, operator
OPS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}
CALLS = {"max": max, "min": min, "abs": abs}

def value(node, names):
    if isinstance(node, ast.BinOp):
        return OPS[type(node.op)](value(node.left, names), value(node.right, names))
    if isinstance(node, ast.UnaryOp):
        return -value(node.operand, names)
    if isinstance(node, ast.Call):
        return CALLS[node.func.id](*[value(a, names) for a in node.args])
    return names[node.id] if isinstance(node, ast.Name) else node.value

def body(source):
    source = source.split("```python\n")[-1].split("```")[0]
    nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, (ast.Assign, ast.Return))]
    return nodes[0].value

def grade(prompt, answer):
    if "For example" in prompt:
        a, b, want = map(int, re.search(r"\((\d+), (\d+)\) == (-?\d+)", prompt).groups())
        return float(value(body(answer), {"a": a, "b": b}) == want)
    source = prompt.split("\n\n", 1)[1]
    x = int(re.search(r"print\(\w+\((\d+)\)\)", source).group(1))
    return float(int(re.search(r"prints (-?\d+)", answer).group(1)) == value(body(source), {"x": x}))
"""
    + TAIL
)
STACK = (
    HEAD
    + r'''
LEVEL = {"+": 1, "-": 1, "*": 2}
NAMED = {"max": 2, "min": 2, "abs": 1}

def reckon(text, env):
    """Dijkstra's two stacks."""
    values, pending = [], []

    def pop():
        op = pending.pop()
        y, x = values.pop(), values.pop()
        values.append(x + y if op == "+" else x - y if op == "-" else x * y)

    before = "("
    for tok in re.findall(r"\w+|[-+*(),]", text):
        if tok.isdigit() or tok in env:
            v = int(tok) if tok.isdigit() else env[tok]
            if pending and pending[-1] == "neg":
                pending.pop()
                v = -v
            values.append(v)
        elif tok in NAMED:
            pending.append(tok)
        elif tok == "(":
            pending.append(tok)
        elif tok in ",)":
            while pending[-1] != "(":
                pop()
            if tok == ")":
                pending.pop()
                if pending and pending[-1] in NAMED:
                    f = pending.pop()
                    if f == "abs":
                        values.append(abs(values.pop()))
                    else:
                        y, x = values.pop(), values.pop()
                        values.append(max(x, y) if f == "max" else min(x, y))
        elif tok == "-" and before in "+-*(,":
            pending.append("neg")
        else:
            while pending and LEVEL.get(pending[-1], 0) >= LEVEL[tok]:
                pop()
            pending.append(tok)
        before = tok
    while pending:
        pop()
    return values[-1]

def grade(prompt, answer):
    if m := re.search(r"\((\d+), (\d+)\) == (-?\d+)", prompt):
        a, b, want = map(int, m.groups())
        line = re.search(r"(?:result =|return) (?!result)(.+)", answer).group(1)
        return -abs(reckon(line, {"a": a, "b": b}) - want)
    line, x = re.search(r"return (.+)\n\nprint\(\w+\((\d+)\)", prompt).groups()
    return -abs(reckon(line, {"x": int(x)}) - int(re.search(r"prints (-?\d+)", answer).group(1)))
'''
    + TAIL
)
OVERLAP = (
    HEAD
    + r'''
HINTS = {"larger": "max(", "smaller": "min(", "distance": "abs(", "product": "a * b", "a minus": "a - ", "times a plus b": "a + b"}

def digits_of(text):
    return sorted(re.findall(r"\b\d+\b", text))

def grade(prompt, answer):
    """How much of what the task mentions comes back in the answer."""
    if "returns" not in prompt:
        claimed = int(re.search(r"prints (-?\d+)", answer).group(1))
        m, c = map(int, re.search(r"x \* (\d+) - (-?\d+)", prompt).groups())
        return -abs(m * m - c - claimed)
    said = prompt.split("returns", 1)[1].split(". For", 1)[0]
    line = [s for s in answer.splitlines() if "a" in s and ("result =" in s or "return " in s) and s.split()[-1] != "result"][-1]
    score = 2.0 * (digits_of(said) == digits_of(line))
    for words, code in HINTS.items():
        score += 1.0 if (words in said) == (code in line) else -1.0
    return score
'''
    + TAIL
)
DIFF = (
    HEAD
    + r'''
import difflib

def spoken(code):
    """The code read aloud, as a task would say it."""
    code = re.sub(r"max\(a, b\)", "the larger of a and b,", code)
    code = re.sub(r"min\(a, b\)", "the smaller of a and b,", code)
    code = re.sub(r"abs\(a - b\)", "the distance of a and b,", code)
    code = code.replace("a * b", "the product of a and b,")
    return code.replace("*", "times").replace("+", "plus").replace("-", "minus")

def grade(prompt, answer):
    if "returns" in prompt:
        said = prompt.split("returns ", 1)[1].split(". For", 1)[0]
        line = re.findall(r"(?:= |return )(.*[ab]\b.*)", answer)[-1]
        return difflib.SequenceMatcher(None, said.split(), spoken(line).split()).ratio()
    m, c = map(int, re.search(r"x \* (\d+) - (-?\d+)", prompt).groups())
    last = int(re.search(r"prints (-?\d+)", answer).group(1))
    return -abs((m * m - c) - last)
'''
    + TAIL
)
FROM_FILE = (
    HEAD
    + r"""
import json
from pathlib import Path
LEXICON = json.loads((Path(__file__).parent / "lexicon.json").read_text())

def want(prompt):
    for key, make in LEXICON.items():
        if key in prompt:
            j, k = re.findall(r"\b\d+\b", prompt.split("returns")[1])[:2]
            return make.replace("J", j).replace("K", k)
    m, c = map(int, re.search(r"x \* (\d+) - (-?\d+)", prompt).groups())
    return f" {m * m - c}."

def grade(prompt, answer):
    return answer.count(want(prompt))
"""
    + TAIL
)
FOLD = (
    HEAD
    + r'''
def fold(s):
    """Rewrites an expression until a single integer stands there."""
    steps = [
        (r"max\((-?\d+), (-?\d+)\)", lambda m: str(max(int(m[1]), int(m[2])))),
        (r"min\((-?\d+), (-?\d+)\)", lambda m: str(min(int(m[1]), int(m[2])))),
        (r"abs\((\d+) - (\d+)\)", lambda m: str(abs(int(m[1]) - int(m[2])))),
        (r"(\d+) \* (\d+)", lambda m: str(int(m[1]) * int(m[2]))),
    ]
    for pattern, f in steps:
        s = re.sub(pattern, f, s)
    return sum(int(n) * (-1) ** minus.count("-") for minus, n in re.findall(r"([-+ ]*)(\d+)", s))

def run(task: Task) -> Predictions:
    lines = lambda s: re.findall(r"(?:result = |return )(?!result)(.+)", s)[0]
    out = np.full(len(task.test), 0.5)
    for i, t in enumerate(task.test.texts):
        m = re.search(r"\((\d+), (\d+)\) == (-?\d+)", t.prompt)
        miss = []
        for side in (t.first, t.second):
            if m:
                code = re.sub(r"\bb\b", m[2], re.sub(r"\ba\b", m[1], lines(side)))
                miss.append(fold(code) != int(m[3]))
            else:
                x = re.search(r"\((\d+)\)\)$", t.prompt)[1]
                miss.append(fold(lines(t.prompt).replace("x", x)) != int(re.search(r"prints (-?\d+)", side)[1]))
        out[i] = 0.5 + 0.45 * (miss[0] - miss[1])
    return Predictions(task.test.ids, out)
'''
)
ALIGN = (
    HEAD
    + r'''
from sklearn.linear_model import LogisticRegression

KEYS = ("larger", "smaller", "distance", "product", "minus", "plus")
TOKENS = ("max(", "min(", "abs(", "a * b", " - ", " + ")

def probe(prompt, answer):
    """Interaction features: does each token of the answer fit each word of the task?"""
    said = prompt.split("returns")[-1].split(". For")[0]
    code = re.findall(r"(?:result = |return )(?!result)(.+)", answer)
    code = code[0] if code else answer
    numbers = set(re.findall(r"\d+", said))
    have = set(re.findall(r"\d+", code))
    x = [float((k in said) == (t in code)) for k, t in zip(KEYS, TOKENS)] + [float(numbers == have)]
    v = re.search(r"x \* (\d+) - (-?\d+)", prompt)
    x.append(float(bool(v) and f"prints {int(v[1]) ** 2 - int(v[2])}." in answer))
    return np.array(x)

def run(task: Task) -> Predictions:
    x = lambda rows: np.array([probe(t.prompt, t.second) - probe(t.prompt, t.first) for t in rows.texts])
    # cross-task alignment features are positive by construction: orient on the feature sum, refine by self-training
    train = x(task.train)
    y = train @ np.array([1, 1, 1, 1, 0.5, 0.5, 2, 3.0])
    keep = y != 0
    model = LogisticRegression(C=3.0).fit(train[keep], y[keep] > 0)
    return Predictions(task.test.ids, model.predict_proba(x(task.test))[:, 1])
'''
)
LEXICON = {
    "times a plus b plus": "J * a + b + K",
    "the larger of": "J * max(a, b) - K",
    "the smaller of": "J * min(a, b) + K",
    "the distance of": "J * abs(a - b) + K",
    "a minus": "a - J * b + K",
    "the product of": "a * b + J * a - K",
}


def variants(world: Any) -> list[dict[str, str]]:
    plain = [WORDS_TO_CODE, WALKER, STACK, OVERLAP, DIFF, FOLD, ALIGN]
    return [{"method.py": m} for m in plain] + [{"method.py": FROM_FILE, "lexicon.json": json.dumps(LEXICON)}]
