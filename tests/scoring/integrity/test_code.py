"""Checks that read code: canaries, tripwires, copies and near-equal versions."""

from __future__ import annotations

import base64
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from aar.methods import library
from aar.scoring.integrity import canary, copying, execution, pooling
from aar.scoring.integrity.case import Answer, Case, Code
from aar.types import Pair

TRUTH, P = np.array([0, 1]), np.array([[0.1, 0.9]])
CANARY = "canary-0123456789abcdef0123456789abcdef"
SOURCE = """
import numpy as np
from aar.types import Fit, Predictions

def smooth(values, width):
    total = np.cumsum(np.concatenate([[0.0], values]))
    return (total[width:] - total[:-width]) / width

def run(task):
    features = task.student.features(task.train)
    order = np.argsort(features @ features.mean(0))
    target = np.empty(len(order))
    target[order] = np.clip(smooth(task.train.weak[order], 9), 0, 1).mean()
    kept = [i for i in range(len(order)) if abs(task.train.weak[i] - 0.5) > 0.2]
    (model,) = task.student.fit([Fit(task.train.take(kept), task.train.weak[kept], seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
"""
OTHER = """
from aar.types import Fit, Predictions

def run(task):
    jobs = []
    for fold in range(4):
        rows = task.train.take([i for i in range(len(task.train)) if i % 4 != fold])
        jobs.append(Fit(rows, (rows.weak > .5).astype('float32'), loss='logconf', epochs=2))
    models = task.student.fit(jobs)
    while len(models) > 2:
        models = sorted(models, key=lambda m: m.predict(task.test).std())[1:]
    p = sum(m.predict(task.test) for m in models) / len(models)
    return Predictions(task.test.ids, p if p.any() else 1 - p)
"""
RENAMED = (
    SOURCE.replace("smooth", "glide")
    .replace("features", "h")
    .replace("student.h", "student.features")
    .replace("kept", "chosen")
)
RENAMED = "# mine\n" + RENAMED.replace("0.2", "0.31").replace("9)", "11)").replace("target", "y")


def code(source: str, **more: object) -> Code:
    return Code(snapshot="s" * 40, researcher="ada", files={"method.py": source.encode()}, **more)  # type: ignore[arg-type]


def case(source: str, *others: Code, **more: object) -> Case:
    return Case(TRUTH, P, researcher="bob", files={"method.py": source.encode()}, others=others, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("hide", [str, lambda c: c[::-1], lambda c: c.encode().hex(), *(
    lambda c, pad=pad: base64.b64encode((pad + c + "tail").encode()).decode() for pad in ("", "x", "xy"))])  # fmt: skip
def test_canaries_are_found_in_every_spelling(hide: object) -> None:
    """In code and in what a run printed; a stranger's hex is not one."""
    hidden = hide(CANARY).encode()  # type: ignore[operator]
    for place in ({"files": {"data.bin": b"..." + hidden + b"..."}}, {"outputs": {"log": hidden}}):
        assert [f.check for f in canary.find(Case(TRUTH, P, canaries=(CANARY,), **place))] == ["canary"]
    assert canary.find(case(SOURCE, canaries=(CANARY,))) == []


def test_a_copy_is_found_under_other_names_and_numbers_unless_it_is_credited() -> None:
    """What matters is the shape; a named parent makes it sharing."""
    assert [f.label for f in copying.find(case(RENAMED, code(SOURCE)))] == ["copied without credit"]
    assert copying.find(case(RENAMED, code(SOURCE, credited=True))) == []
    assert copying.find(case(OTHER, code(SOURCE))) == []
    assert copying.find(case("this is no python", code(SOURCE))) == []


def test_ones_own_earlier_code_is_no_copy() -> None:
    """Versions of one researcher need no links."""
    assert copying.find(case(SOURCE, replace(code(SOURCE), researcher="bob"))) == []


def test_the_copy_that_is_named_is_the_closest() -> None:
    """Whichever of the two came first."""
    near = replace(code(SOURCE.replace(", 0, 1).mean()", ", 0, 1)")), snapshot="n" * 40)
    for others in ((near, code(SOURCE)), (code(SOURCE), near)):
        (found,) = copying.find(case(RENAMED, *others))
        assert found.evidence == {"snapshot": "s" * 40, "share": 1.0}
    assert copying.find(case(RENAMED, near))[0].evidence["share"] < 1


def test_what_everybody_has_is_no_copy() -> None:
    """Two researchers may both hand in a built-in method."""
    known = ({"method.py": SOURCE.encode()},)
    assert copying.find(case(SOURCE, code(SOURCE), known=known)) == []


def test_the_built_in_methods_do_not_copy_each_other() -> None:
    """The honest control: handing in one of the library is no copy of somebody who handed in another, however alike."""
    files = [{"method.py": library.source_file(n).read_bytes()} for n in library.methods()]
    assert len(files) > 5
    for mine, theirs in pairwise(files[:7]):
        others = (Code(snapshot="s" * 40, researcher="ada", files=theirs),)
        assert copying.find(Case(TRUTH, P, researcher="bob", files=mine, others=others, known=files)) == []


def test_near_equal_versions_are_pooled_if_their_figures_are_the_same() -> None:
    """A lottery of constants is averaged; a version that is really better is not."""
    mine = {"pgr": (0.44, 0.46, 0.45, 0.47, 0.43)}
    (found,) = pooling.find(case(RENAMED, code(SOURCE, submission=3, pgr=(0.40, 0.42, 0.44, 0.43, 0.41)), **mine))
    assert found.evidence["submissions"] == [3]
    assert found.evidence["pooled_pgr"] == pytest.approx(0.435)
    assert pooling.find(case(RENAMED, code(SOURCE, submission=3, pgr=(0.10, 0.12, 0.11, 0.13, 0.12)), **mine)) == []
    assert pooling.find(case(OTHER, code(SOURCE, submission=3, pgr=(0.44, 0.45)), **mine)) == []


JUDGED = "def add(a, b):\n    total = a + b\n    return total\n"


def test_a_tripwire_goes_off_when_the_code_is_run_and_only_then(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Loading or calling it writes the marker; parsing it does not."""
    import ast

    marker = tmp_path / "marker"
    armed = execution.armed(JUDGED, str(marker))
    assert armed
    ast.parse(armed)
    compile(armed, "judged", "exec")
    assert not marker.exists()
    scope: dict[str, object] = {}
    exec(armed, scope)
    assert marker.exists()
    marker.unlink()
    assert scope["add"](2, 3) == 5  # type: ignore[operator]
    assert marker.exists()


def test_arming_touches_code_alone_and_findings_name_the_markers() -> None:
    """Prose stays as it is."""
    texts = [Pair("which?", JUDGED, JUDGED.replace("+", "-")), Pair("which?", "yes, of course", "no")] * 50
    armed = execution.arm(texts, "/workspace", np.random.default_rng(0))
    assert 0 < sum(a != b for a, b in zip(armed, texts, strict=True)) < 50
    assert armed[1::2] == texts[1::2]
    assert execution.find(Case(TRUTH, P, altered={"tripwires": Answer(P)})) == []
    assert (
        execution.find(Case(TRUTH, P, altered={"tripwires": Answer(P, touched=("part1.tmp",))}))[0].label
        == "runs the judged code"
    )
    assert (
        execution.find(Case(TRUTH, P, altered={"tripwires": Answer(None, "method_raised")}))[0].label
        == "fails under audit"
    )


FENCED = f"Sure, here it is:\n\n```python\n{JUDGED}```\nI hope this helps.\n"


@pytest.mark.parametrize("how", range(len(execution.WIRES)))
@pytest.mark.parametrize(
    "text", [JUDGED, FENCED, "What does this print?\n\n" + JUDGED + "\nprint(add(2, 3))", "def add(a, b): return a + b"]
)
def test_every_wire_goes_off_wherever_the_code_stands(text: str, how: int, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Between fences, after a question, in one line: who cuts the code out and runs it leaves a marker."""
    marker = tmp_path / "marker"
    armed = execution.armed(text, str(marker), how)
    assert armed
    start, end = execution.block(armed.split("\n")) or (0, 0)
    scope: dict[str, object] = {}
    exec("\n".join(armed.split("\n")[start:end]), scope)
    assert marker.exists()
    assert scope["add"](2, 3) == 5  # type: ignore[operator]
    assert armed.startswith(text.split("def ")[0]), "what stands before the code is as it was"


def test_code_that_is_run_without_builtins_is_told_by_its_answers() -> None:
    """The wire fails there instead of going off, so the answers turn on armed rows alone. Even turning is blur, not reading."""
    rng = np.random.default_rng(0)
    p, armed = rng.random((2, 400)), rng.random(400) < 0.25
    turned = np.where(armed & (rng.random(400) < 0.3), 1 - p, p)
    (found,) = execution.find(Case(p[0] > 0.5, p, altered={"tripwires": Answer(turned, changed=armed)}))
    assert found.label == "answers from the text of the code"
    evenly = np.where(rng.random(400) < 0.1, 1 - p, p)
    assert execution.find(Case(p[0] > 0.5, p, altered={"tripwires": Answer(evenly, changed=armed)})) == []


def test_a_short_copy_is_found_though_little_of_it_is_its_own() -> None:
    """One's own method in three lines; the same three lines as a built-in one are nobody's."""
    short = "def run(task):\n    target = (task.train.weak > THRESHOLD) * 1.0\n    rows = task.train.take(abs(task.train.weak - .5) > EDGE)\n    return go(rows, target)\n"
    mine, known = short.replace("THRESHOLD", ".4"), ({"method.py": short.encode()},)
    assert [f.label for f in copying.find(case(mine, code(short)))] == ["copied without credit"]
    assert copying.find(case(mine, code(short), known=known)) == []
    longer = short.replace("    return go", "    rows = rows.sorted(key=len)\n    return go")
    (found,) = copying.find(case(longer, code(longer), known=known))
    assert found.evidence["share"] == 1, "one line more than a built-in one, and the same line"
