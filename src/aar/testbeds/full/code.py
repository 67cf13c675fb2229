"""Code: programs of several generators for TACO's problems, graded by its tests in a sandbox; harder problems are OOD.

Training rows come from TACO's training split, test and OOD rows from its test split. The reference study does not say how
its 2,567 test rows divide: here two thirds are easy or medium. Layout: BAAI/TACO (parquet, configuration ALL).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from aar.errors import InputError
from aar.testbeds.full.beds import Folders, FullBed, Problem, Run, Solving, full_beds
from aar.testbeds.full.sources import Source, blank, file_name, text

TACO = Source(
    "TACO",
    "BAAI/TACO",
    "1257571d3ae21509282a69a0e34d85cb6d85b594",
    ("ALL/*.parquet",),
    ("question", "starter_code", "input_output", "difficulty"),
)
FAMILIAR, HARDER = ("EASY", "MEDIUM"), ("MEDIUM_HARD", "HARD", "VERY_HARD")
TESTS = 20  # of a problem that are run
BLOCK = re.compile(r"```(?:python|py)?[^\S\n]*\n(.*?)```", re.S | re.I)
PROMPT = (
    "Write a Python 3 program for this task. It reads standard input and prints the result, or completes the given code."
    "\n\n{question}\n\nGive the whole program in one ```python block.\n"
)

HARNESS = r"""
import json, subprocess, sys
job = json.load(sys.stdin)
CALL = '''
import json, sys
given = json.load(sys.stdin); space = {"__name__": "solution"}
exec("from typing import *\\nimport math, collections, itertools, heapq, bisect, functools", space)
exec(given["code"], space)
name = given["name"]
act = space[name] if name in space else getattr(space["Solution"](), name)
print("\\n" + json.dumps(act(*given["input"])))
'''
def said(program, fed):
    done = subprocess.run([sys.executable, "-I", "-c", program], input=fed, capture_output=True, text=True, timeout=4)
    if done.returncode: raise RuntimeError(done.stderr[-200:])
    return done.stdout
def same(a, b):
    a, b = a.split(), b.split()
    def near(x, y):
        try: return abs(float(x) - float(y)) <= 1e-6 * max(1.0, abs(float(y)))
        except ValueError: return False
    return len(a) == len(b) and all(x == y or near(x, y) for x, y in zip(a, b))
def passes(fed, wanted):
    if job["name"]:
        call = json.dumps({"code": job["code"], "name": job["name"], "input": fed})
        got = json.loads(said(CALL, call).splitlines()[-1])
        return got == wanted or [got] == wanted
    text = lambda lines: lines if isinstance(lines, str) else "\n".join(map(str, lines))
    return same(said(job["code"], text(fed)), text(wanted))
try: print(json.dumps(all(passes(i, o) for i, o in zip(job["inputs"], job["outputs"]))))
except Exception: print("false")
"""


def problems(folders: Folders) -> Iterator[Problem]:
    for record in TACO.records(folders["TACO"]):
        difficulty = text(record, "difficulty")
        if blank(record, "question", "input_output") or difficulty not in (*FAMILIAR, *HARDER):
            continue
        given = str(record.fields.get("starter_code") or "").strip()
        question = text(record, "question") + (f"\n\nComplete this code:\n{given}" if given else "")
        train = file_name(record).startswith("train")
        if difficulty in FAMILIAR or not train:
            pool = "train" if train else "test" if difficulty in FAMILIAR else "harder"
            yield Problem(record.where, pool, question, text(record, "input_output"), difficulty)


def program(solution: str) -> str:
    """The last code block, else the whole text."""
    blocks = BLOCK.findall(solution)
    return blocks[-1] if blocks else solution


def right(problem: Problem, solution: str, run: Run) -> bool:
    """Whether the program passes the problem's first TESTS tests."""
    try:
        tests = json.loads(problem.key)
        inputs, outputs = tests["inputs"][:TESTS], tests["outputs"][:TESTS]
    except (ValueError, KeyError, TypeError):
        what = f"{problem.where}: 'input_output' must be JSON with inputs and outputs"
        raise InputError(what, code="wrong_type") from None
    job = {"code": program(solution), "name": tests.get("fn_name"), "inputs": inputs, "outputs": outputs}
    return bool(inputs) and run(HARNESS, json.dumps(job).encode()).strip() == b"true"


full_beds.register("code-full")(
    FullBed(
        (TACO,),
        {"test": {"test": 1711}, "ood": {"harder": 856}, "labeled": {"train": 897}, "unlabeled": {"train": 8166}},
        solving=Solving(problems, PROMPT, right),
    )
)
