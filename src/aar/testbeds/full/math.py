"""Maths: solutions of several generators to DAPO-Math-17K, and to AIME 2024 and 2025 out of distribution.

All answers are integers, so a solution is graded by its last answer. Difficulty is the share of solutions that are right.
Layouts: BytedTsinghua-SIA/DAPO-Math-17k (a copy without its hundredfold repeats), HuggingFaceH4/aime_2024,
opencompass/AIME2025.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aar.testbeds.full.beds import Folders, FullBed, Problem, Run, Solving, full_beds, plain
from aar.testbeds.full.sources import Source, text, transcript
from aar.testbeds.jsonl import Record

DAPO = Source(
    "DAPO-Math-17k",
    "YouJiacheng/DAPO-Math-17k-dedup",
    "6e26a33abdabd3e6aaa1d742326b790758f7dbc5",
    ("*.parquet", "data/*.parquet"),
    ("prompt", "reward_model"),
)
AIME_2024 = Source(
    "aime_2024", "HuggingFaceH4/aime_2024", "2fe88a2f1091d5048c0f36abc874fb997b3dd99a", ("data/*.parquet",)
)
AIME_2025 = Source("AIME2025", "opencompass/AIME2025", "a6ad95f611d72cf628a80b58bd0432ef6638f958", ("*.jsonl",))

BEFORE = re.compile(r"^Solve the following math problem.*?\n\n", re.S)  # what DAPO wraps each problem in
AFTER = re.compile(r"\n\nRemember to put your answer on its own line.*$", re.S)
PROMPT = (
    "Work out the following problem step by step. Close with a line `Answer: N`, where N is an integer.\n\n"
    "Problem: {question}\n\nSolution:"
)
SAID = re.compile(r"(?:answer\s*(?:\*\*)?\s*(?:is|:|=)|\\boxed\s*(?=\{))(.*)", re.I)
BOXED = re.compile(r"\\boxed\s*\{([^{}]*)\}|^\{([^{}]*)\}")


def problems(folders: Folders) -> Iterator[Problem]:
    seen: set[str] = set()
    for record in DAPO.records(folders["DAPO-Math-17k"]):
        problem = dapo(record)
        if plain(problem.question) not in seen:
            seen.add(plain(problem.question))
            yield problem
    for record in AIME_2024.records(folders["aime_2024"]):
        yield Problem(record.where, "aime", text(record, "problem"), text(record, "answer"))
    for record in AIME_2025.records(folders["AIME2025"]):
        yield Problem(record.where, "aime", text(record, "question"), text(record, "answer"))


def dapo(record: Record) -> Problem:
    """{prompt: [{content, role}], reward_model: {ground_truth, style}}, the problem between two fixed instructions."""
    question = AFTER.sub("", BEFORE.sub("", transcript(record, "prompt")))
    key = Record(record.where, record.fields.get("reward_model") or {})
    return Problem(record.where, "dapo", question, text(key, "ground_truth"))


def answer(solution: str) -> int | None:
    """The integer that was given as the answer last; None where that is no integer."""
    said = SAID.findall(solution)
    if not said:
        return None
    boxed = BOXED.findall(said[-1])
    last = "".join(boxed[-1]) if boxed else said[-1]
    bare = re.sub(r"\^\\circ|°|\\[!,;]|[,$*\s]", "", last.rpartition("=")[2]).strip(".(){}\\[]")
    return int(bare) if re.fullmatch(r"-?\d{1,18}", bare, re.A) else None


def right(problem: Problem, solution: str, run: Run) -> bool:
    return answer(solution) == answer(f"answer: {problem.key}")


full_beds.register("math-full")(
    FullBed(
        (DAPO, AIME_2024, AIME_2025),
        {"test": {"dapo": 598}, "ood": {"aime": 717}, "labeled": {"dapo": 2061}, "unlabeled": {"dapo": 4735}},
        solving=Solving(problems, PROMPT, right),
    )
)
