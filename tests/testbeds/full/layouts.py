"""Small local copies of the public data sets, written in exactly their layouts: names of files, columns, nesting."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Row = dict[str, Any]
WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "haven",
    "inlet",
    "jolly",
    "kayak",
    "lunar",
    "maple",
    "north",
    "ocean",
    "pearl",
    "quartz",
    "river",
]


def sentence(n: int, length: int = 20) -> str:
    """Words that two different numbers share no run of 13 of."""
    return " ".join(f"{WORDS[(n * 7 + i * i) % len(WORDS)]}{n}" for i in range(length))


def lines(path: Path, rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def parquet(path: Path, rows: list[Row]) -> None:
    import pyarrow
    from pyarrow import parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pyarrow.Table.from_pylist(rows), path)


# -- chat


def helpsteer2(n: int, split: str, strength: int) -> Row:
    return {
        "split": split, "prompt": f"Tell me about {sentence(n)}", "response_1": f"first {n}", "response_2": f"second {n}",
        "preference_strength": strength, "preference_statement": "", "preference_elaboration": "",
        "three_most_similar_preferences": [], "all_preferences_unprocessed": [],
    }  # fmt: skip


def helpsteer3(n: int, preference: int, domain: str = "general", language: str = "english") -> Row:
    return {
        "domain": domain, "language": language, "context": [{"role": "user", "content": f"Explain {sentence(n)}"}],
        "response1": f"one {n}", "response2": f"two {n}", "overall_preference": preference,
        "individual_preference": [{"score": preference, "reasoning": "", "feedback1": "", "feedback2": ""}],
    }  # fmt: skip


def rm_bench(n: int, domain: str = "chat") -> Row:
    both = {side: [f"{side} {style} {n}" for style in "abc"] for side in ("chosen", "rejected")}
    return {"id": f"rm-{n}", "prompt": f"Describe {sentence(n)}", **both, "domain": domain, "error": {}}


def reward_bench(n: int, subset: str = "Focus") -> Row:
    return {
        "id": str(n), "prompt": f"Focus on {sentence(n)}", "chosen": [f"good {n}"],
        "rejected": [f"bad {n} {i}" for i in range(3)], "num_correct": 1, "num_incorrect": 3, "total_completions": 4,
        "models": ["m"] * 4, "subset": subset, "additional_metadata": None,
    }  # fmt: skip


def chat(root: Path) -> Path:
    """40 + 40 training rows, 20 + 20 test rows, 10 x 3 and 10 rows out of distribution."""
    strengths = [-3, -2, -1, 1, 2, 3, 0]
    two = [helpsteer2(i, "train" if i < 47 else "validation", strengths[i % 7]) for i in range(70)]
    lines(root / "HelpSteer2/preference/preference.jsonl.gz", two)
    lines(root / "HelpSteer3/preference/train.jsonl.gz", [helpsteer3(100 + i, strengths[i % 7]) for i in range(47)])
    validation = [helpsteer3(200 + i, strengths[i % 7]) for i in range(23)]
    lines(root / "HelpSteer3/preference/validation.jsonl.gz", [*validation, helpsteer3(299, 2, "code", "python")])
    (root / "RM-Bench").mkdir()
    (root / "RM-Bench/total_dataset.json").write_text(
        json.dumps([*(rm_bench(300 + i) for i in range(10)), rm_bench(399, "math")])
    )
    bench = [*(reward_bench(400 + i) for i in range(10)), reward_bench(499, "Math")]
    parquet(root / "reward-bench-2/data/test-00000-of-00001.parquet", bench)
    return root


# -- maths


def dapo(n: int) -> Row:
    before = (
        "Solve the following math problem step by step. The last line of your response should be of the form "
        "Answer: $Answer (without quotes) where $Answer is the answer to the problem.\n\n"
    )
    after = '\n\nRemember to put your answer on its own line after "Answer:".'
    return {
        "data_source": "math_dapo", "prompt": [{"content": f"{before}{problem(n)}{after}", "role": "user"}],
        "ability": "MATH", "reward_model": {"ground_truth": str(n), "style": "rule-lighteval/MATH_v2"},
        "extra_info": {"index": f"uuid-{n}"},
    }  # fmt: skip


def problem(n: int) -> str:
    return f"Count {sentence(n)}"


def math(root: Path, generators: Iterable[str] = ("small", "large"), problems: int = 40) -> Path:
    """Each generator answers each problem twice, right and wrong, by different phrases."""
    parquet(root / "DAPO-Math-17k/data/dapo-math-17k.parquet", [dapo(i) for i in range(problems) for _ in range(3)])
    aime = [{"id": i, "problem": problem(i), "solution": "", "answer": str(i), "url": "", "year": "2024"} for i in range(500, 505)]  # fmt: skip
    parquet(root / "aime_2024/data/train-00000-of-00001.parquet", aime)
    for part, start in (("I", 600), ("II", 610)):
        rows = [{"question": problem(i), "answer": str(i)} for i in range(start, start + 3)]
        lines(root / f"AIME2025/aime2025-{part}.jsonl", rows)
    asked = [*range(problems), *range(500, 505), *range(600, 603), *range(610, 613)]
    for generator in generators:
        given = [(n, wrong) for n in asked for wrong in (0, 1)]
        rows = [{"question": problem(n), "solution": f"By {generator}.\nAnswer: {n + wrong}", "generator": generator} for n, wrong in given]  # fmt: skip
        lines(root / f"generations/{generator}.jsonl", rows)
    return root


# -- code


def taco(n: int, difficulty: str, fn_name: str | None = None) -> Row:
    """Add n to a number."""
    tests: Row = {"inputs": [f"{k}\n" for k in (1, 2)], "outputs": [f"{k + n}\n" for k in (1, 2)]}
    if fn_name:
        tests = {"fn_name": fn_name, "inputs": [[1], [2]], "outputs": [1 + n, 2 + n]}
    return {
        "question": f"Add {sentence(n)}", "solutions": "[]", "starter_code": f"def {fn_name}(x):" if fn_name else "",
        "input_output": json.dumps(tests), "difficulty": difficulty, "raw_tags": "[]", "name": None, "source": "s",
        "tags": "[]", "skill_types": "[]", "url": None, "Expected Auxiliary Space": None, "time_limit": None,
        "date": None, "picture_num": None, "memory_limit": None, "Expected Time Complexity": None,
    }  # fmt: skip
