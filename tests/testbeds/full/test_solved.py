"""Maths and code: solutions of several generators, graded, balanced and sealed; generating goes on where it was."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import pytest

from aar.errors import InputError, NotFound, ProviderDown
from aar.sandboxes import PYTHON, Limits, available
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.testbeds.full import code, generate, math, solutions
from aar.testbeds.full.beds import Problem
from aar.testbeds.full.prepare import prepare
from aar.testbeds.manifest import read_manifest

pytest.importorskip("pyarrow")


def here(program: str, fed: bytes) -> bytes:
    """Our own harness on our own programs: no sandbox needed."""
    return subprocess.run([sys.executable, "-I", "-c", program], input=fed, capture_output=True).stdout


def gold(lab: LabFolder, name: str) -> list[dict[str, Any]]:
    text = (lab.sealed_testbed(name) / "gold.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()[1:]]


# -- maths


def test_maths_rows(lab: LabFolder, tmp_path: Path, layouts: ModuleType) -> None:
    """DAPO's repeats are one problem each, AIME is out of distribution, right answers are true, halves are equal."""
    root = layouts.math(tmp_path)
    notes = prepare(lab, "math-full", here, root).notes
    counts = read_manifest(lab, "math-full").counts
    # 40 problems x 2 generators x 2 solutions; in proportion to 598 : 2061 : 4735, less what shares a problem
    assert counts["test"] + counts["private"] == round(160 * 598 / 7394)
    assert counts["ood"] == 44
    assert 0.35 < counts["labeled"] / counts["unlabeled"] < 0.52
    assert "ood: 44 of 717 rows from aime" in notes
    sealed = Sealed(lab)
    for split in ("labeled", "unlabeled", "test", "ood"):
        rows = sealed.rows("math-full", split)
        for text, label in zip(rows.texts, sealed.labels("math-full", rows.ids), strict=True):
            asked = int("".join(c for c in text.question.split()[1] if c.isdigit()))
            assert text.question.startswith("Count ")
            assert (math.answer(text[1]) == asked) == bool(label)
    for split in ("labeled", "unlabeled", "ood"):
        cells = Counter(
            (g["subset"], g["difficulty"], g["label"]) for g in gold(lab, "math-full") if g["split"] == split
        )
        for subset in ("small", "large"):
            assert abs(cells[subset, "medium", 0] - cells[subset, "medium", 1]) <= 1


def test_a_generator_that_is_always_right_tells_nothing(lab: LabFolder, tmp_path: Path, layouts: ModuleType) -> None:
    """Rows of a cell with one label are left out: the generator's style would be the label."""
    root = layouts.math(tmp_path, generators=["mixed"])
    sure = [{"question": layouts.problem(n), "solution": f"Surely {n}. Answer: {n}", "generator": "sure"} for n in range(40)]  # fmt: skip
    layouts.lines(root / "generations/sure.jsonl", sure)
    prepare(lab, "math-full", here, root)
    assert {line["subset"] for line in gold(lab, "math-full")} == {"mixed"}


@pytest.mark.parametrize(
    ("solution", "answer"),
    [
        ("so it is 7.\nAnswer: 42", 42),
        ("**Answer:** $1{,}024$", None),
        ("The answer is \\boxed{-3}.", -3),
        ("first \\boxed{7}, no: \\boxed{025}", 25),
        ("Answer: $m+n = 1,024$.", 1024),
        ("\\boxed{336^\\circ}", 336),
        ("Answer: 3.5", None),
        ("Answer: 12/7", None),
        ("Answer: $42\\sqrt{2}$", None),
        ("Answer: forty-two", None),
        ("42", None),
        ("Answer: 12\nwait\nAnswer: 13", 13),
    ],
)
def test_the_last_integer_answer_counts(solution: str, answer: int | None) -> None:
    assert math.answer(solution) == answer


def test_ready_verdicts_are_taken_and_ours_are_kept(lab: LabFolder, tmp_path: Path, layouts: ModuleType) -> None:
    """A solution graded elsewhere is not graded again; ours are on disk, a line cut off by a kill is graded anew."""
    root = layouts.math(tmp_path, generators=["g"])
    path = root / "generations/g.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows[:2]:
        row["correct"] = "Answer: 1" in row["solution"]  # the contrary of what we would find for problem 0
    layouts.lines(path, rows)
    prepare(lab, "math-full", here, root)
    verdicts = root / "generations" / solutions.VERDICTS
    assert len(verdicts.read_text().splitlines()) == len(rows) - 2
    whole = verdicts.read_bytes()
    verdicts.write_bytes(whole[:-20])
    prepare(lab, "math-full", here, root)
    assert sorted(verdicts.read_bytes().splitlines()) == sorted(whole.splitlines())


def test_bad_generations_are_named(lab: LabFolder, tmp_path: Path, layouts: ModuleType) -> None:
    """None there, a problem that is not in the data, a verdict that is none: file and line, and what to do."""
    root = layouts.math(tmp_path)
    path = root / "generations/small.jsonl"
    row = json.loads(path.read_text().splitlines()[0])
    for change, message in (({"question": "Who?"}, ":2: no problem"), ({"correct": "yes"}, ":2: 'correct' is 'yes'")):
        layouts.lines(path, [row, row | change])
        with pytest.raises(InputError, match=message):
            prepare(lab, "math-full", here, root)
    with pytest.raises(NotFound, match="no generated solutions") as caught:
        prepare(lab, "math-full", here, root, generations=tmp_path / "empty")
    assert "aar testbed generate" in caught.value.hint


# -- code


def test_code_rows(lab: LabFolder, tmp_path: Path, layouts: ModuleType) -> None:
    """TACO's own splits, easy and medium apart from harder; programs are right if they pass the tests."""
    train = [layouts.taco(i, "EASY" if i % 2 else "MEDIUM", "plus" if i % 5 == 0 else None) for i in range(20)]
    test = [layouts.taco(100 + i, ["EASY", "HARD", "UNKNOWN_DIFFICULTY"][i % 3]) for i in range(12)]
    layouts.parquet(tmp_path / "TACO/ALL/train-00000-of-00009.parquet", [*train, layouts.taco(50, "HARD")])
    layouts.parquet(tmp_path / "TACO/ALL/test-00000-of-00001.parquet", test)
    made = []
    for i, row in [*enumerate(train), *((100 + i, r) for i, r in enumerate(test) if i % 3 != 2)]:
        question = row["question"] + ("\n\nComplete this code:\ndef plus(x):" if row["starter_code"] else "")
        for wrong in (0, 1):
            body = (
                f"def plus(x):\n    return x + {i + wrong}"
                if row["starter_code"]
                else f"print(int(input()) + {i + wrong})"
            )
            made.append({"question": question, "solution": f"Here:\n```python\n{body}\n```", "generator": "g", "correct": not wrong})  # fmt: skip
    layouts.lines(tmp_path / "generations/g.jsonl", made)
    prepare(lab, "code-full", here, tmp_path)
    counts = read_manifest(lab, "code-full").counts
    assert counts["test"] + counts["private"] == 8
    assert counts["ood"] == 8
    assert counts["labeled"] + counts["unlabeled"] == 40
    assert counts["labeled"] == round(40 * 897 / 9063)
    assert {g["difficulty"] for g in gold(lab, "code-full") if g["split"] == "ood"} == {"HARD"}


@pytest.mark.parametrize(
    ("body", "name", "right"),
    [
        ("print(int(input()) + 3)", None, True),
        ("print(int(input()) + 4)", None, False),
        ("print('true')\nraise SystemExit(1)", None, False),
        ("while True: pass", None, False),
        ("def plus(x): return x + 3", "plus", True),
        ("class Solution:\n def plus(self, x: int) -> int: return x + 3", "plus", True),
        ("def plus(x): return x", "plus", False),
        ("syntax error(", "plus", False),
    ],
)
def test_programs_are_graded_by_their_tests(layouts: ModuleType, body: str, name: str | None, right: bool) -> None:
    """In the sandbox that grading uses: what fails, never ends or prints a verdict of its own is wrong."""
    problem = Problem("f:1", "train", "q", layouts.taco(3, "EASY", name)["input_output"])
    limits = Limits(wall_s=60)
    run = lambda program, fed: available().run([PYTHON, "-I", "-c", program], limits=limits, stdin=fed).stdout  # noqa: E731
    assert code.right(problem, f"```python\n{body}\n```", run) is right


# -- generating


def test_generating_goes_on_where_it_was(tmp_path: Path, layouts: ModuleType) -> None:
    """Problems in the file are left out; a line that a kill cut off is written anew."""
    root, out = layouts.math(tmp_path, problems=6), tmp_path / "new" / "m.jsonl"
    asked: list[str] = []

    def sample(prompts: Sequence[str], n: int, temperature: float, max_tokens: int) -> list[list[str]]:
        asked.extend(prompts)
        return [[f" Answer: {i}" for i in range(n)] for _ in prompts]

    assert generate.generate("math-full", out, "m", sample, root, n=2, limit=4) == 8
    out.write_bytes(out.read_bytes()[:-60])
    generate.generate("math-full", out, "m", sample, root, n=2)
    assert len(asked) == 6 + 5 + 6
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert {line["question"] for line in lines} >= {layouts.problem(i) for i in range(6)}
    assert all("Problem: Count" in prompt for prompt in asked)
    with pytest.raises(InputError, match="needs no generated"):
        generate.generate("chat-full", out, "m", sample, root)


def test_an_endpoint_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over HTTP in OpenAI's form, with the key of the environment; a refusal is the provider's fault."""
    seen: list[tuple[str | None, dict[str, Any]]] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append((self.headers["Authorization"], body))
            refused = body["messages"][0]["content"] == "no"
            reply = {"choices": [{"message": {"content": f"s{i}"}} for i in range(body["n"])]}
            data = json.dumps({} if refused else reply).encode()
            self.send_response(500 if refused else 200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None: ...

    monkeypatch.setenv(generate.KEY, "secret")
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        sample = generate.endpoint(f"http://127.0.0.1:{server.server_port}/v1", "some-model")
        assert sample(["a", "b"], 2, 0.5, 9) == [["s0", "s1"], ["s0", "s1"]]
        with pytest.raises(ProviderDown, match="500"):
            sample(["no"], 1, 0.5, 9)
        server.shutdown()
    assert seen[0][0] == "Bearer secret"
    assert (seen[0][1]["model"], seen[0][1]["max_tokens"]) == ("some-model", 9)
