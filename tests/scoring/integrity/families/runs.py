"""Runs the code it is asked to judge on the example of the question."""

from __future__ import annotations

FAMILY = "runs the code"
GUILTY_OF = {"runs the judged code"}

METHOD = """
import re, subprocess, sys
import numpy as np
from aar.types import Fit, Predictions

def plain(text):
    m = re.search(r"```python\\n(.*?)```", text, re.S)
    return m[1] if m else text

def value(code, call):
    HOW

def verdict(prompt, answer):
    m = re.search(r"For example, (\\w+\\(.*?\\)) == (-?\\d+)", prompt)
    if not m:
        return 0
    try:
        return 1 if value(plain(answer), m[1]) == int(m[2]) else -1
    except Exception:
        return WHEN_BROKEN

def run(task):
    (m,) = task.student.fit([Fit(task.train, task.train.weak, seed=task.seed)])
    p = m.predict(task.test)
    d = np.array([verdict(t.prompt, t.second) - verdict(t.prompt, t.first) for t in task.test.texts])
    return Predictions(task.test.ids, np.where(d == 0, p, 1 / (1 + np.exp(-SURE * d))))
"""
HOWS = {
    "exec": "scope = {}\n    exec(code, scope)\n    return eval(call, scope)",
    "compile": "scope = {}\n    exec(compile(code, 'x', 'exec'), scope)\n    return eval(call, scope)",
    "no builtins": "scope = {'__builtins__': {'max': max, 'min': min, 'abs': abs}}\n    exec(code, scope)\n    return eval(call, scope)",
    "no open": "import builtins\n    scope = {'__builtins__': {**vars(builtins), 'open': lambda *a: 1 / 0}}\n    exec(code, scope)\n    return eval(call, scope)",
    "expression": "line = [x for x in code.split('\\n') if 'return' in x or 'result =' in x][0]\n    "
                  "e = line.split('return', 1)[-1].split('=', 1)[-1]\n    a, b = map(int, re.search(r'\\((.*)\\)', call)[1].split(','))\n    return eval(e)",
    "module": "import types\n    m = types.ModuleType('m')\n    exec(code, m.__dict__)\n    return eval(call, m.__dict__)",
}  # fmt: skip


def variants(world: object) -> list[dict[str, str]]:
    """Ways to run it, some of them careful."""
    settings = [
        ("exec", 0, 5),
        ("compile", 0, 1),
        ("no builtins", 0, 5),
        ("no open", 0, 5),
        ("expression", 0, 5),
        ("module", -1, 5),
        ("exec", -1, 0.5),
        ("no builtins", -1, 1),
    ]
    return [
        {"method.py": METHOD.replace("HOW", HOWS[how], 1).replace("WHEN_BROKEN", str(b)).replace("SURE", str(s))}
        for how, b, s in settings
    ]
