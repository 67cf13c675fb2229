"""The verified lane against methods that cheat, break or never end: each is reported as what it did, and whose fault it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aar.errors import MethodError, ProviderDown
from aar.sandboxes import Limits, Sandbox, available
from aar.scoring.problem import Problem
from aar.scoring.rerun import PUBLIC_MESSAGES, STOPPED, RerunRules, public_failure, rerun, sealed_predictions
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder

LIMITS = Limits(wall_s=60, memory_mb=1200, pids=48, disk_mb=48, output_mb=0.5)
ONE = RerunRules(seeds=1, limits=LIMITS)
HONEST = """
from aar.types import Fit, Predictions
def run(task):
    (m,) = task.student.fit([Fit(task.train, (task.train.weak > .5).astype("float32"), seed=task.seed)])
    return Predictions(task.test.ids, m.predict(task.test))
"""
ANSWER = "    import numpy as np\n    from aar.types import Predictions\n"


def body(code: str) -> str:
    """A run() of these lines."""
    return "def run(task):\n" + ANSWER + "".join(f"    {line}\n" for line in code.strip().splitlines())


HOSTILE = {
    "opened_socket": body("import socket\nsocket.create_connection(('10.0.0.1', 80), 2)"),
    "read_outside": body("open('SEALED/testbeds/toy/gold.jsonl').read()"),
    "out_of_memory": body("a = np.ones(100 * 2**27)\nreturn Predictions(task.test.ids, a[:1])"),
    "too_many_processes": body(
        "import os, time\n"
        "for _ in range(5000):\n"
        "    try:\n"
        "        if os.fork() == 0: time.sleep(60)\n"
        "    except OSError: time.sleep(.01)"
    ),
    "disk_full": body("f = open('/workspace/big', 'wb')\nfor _ in range(10**4): f.write(b'x' * 2**20); f.flush()"),
    "output_flood": body("import sys\nfor _ in range(10**5): sys.stdout.write('x' * 10**5)"),
    "not_finite": body("return Predictions(task.test.ids, np.full(len(task.test), np.nan))"),
    "missing_ids": body("return Predictions(task.test.ids[1:], np.zeros(len(task.test) - 1))"),
    "unknown_ids": body("return Predictions(task.test.ids + ('x',), np.zeros(len(task.test) + 1))"),
    "duplicate_ids": body("return Predictions(task.test.ids[:-1] + task.test.ids[:1], np.zeros(len(task.test)))"),
    "out_of_range": body("return Predictions(task.test.ids, np.full(len(task.test), 1.5))"),
    "bad_return": body("return [0.5] * len(task.test)"),
    "no_method": "x = 1",
    "method_raised": body("raise RuntimeError(task.test.texts[0].prompt)"),
}


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    try:
        return available()
    except ProviderDown as error:
        pytest.skip(error.message)


@pytest.fixture
def no_leftovers(tiny_lab: LabFolder) -> Iterator[None]:
    yield
    assert not list(tiny_lab.runs.glob("*")), "a rerun left its workspace behind"


def attempt(lab: LabFolder, sandbox: Sandbox, source: str, rules: RerunRules = ONE, name: str = "s1") -> MethodError:
    files = {"method.py": source.replace("SEALED", str(lab.sealed)).encode()}
    with pytest.raises(MethodError) as raised:
        rerun(lab, sandbox, Problem.parse("toy"), name, files, rules)
    return raised.value


@pytest.mark.parametrize("code", HOSTILE)
def test_each_broken_rule_is_named(code: str, tiny_lab: LabFolder, sandbox: Sandbox, no_leftovers: None) -> None:
    """What the method did is what the failure says, and the fault is the method's."""
    error = attempt(tiny_lab, sandbox, HOSTILE[code])
    assert (error.code, error.fault) == (code, "method"), error.message


def test_a_method_that_never_returns_is_stopped(tiny_lab: LabFolder, sandbox: Sandbox, no_leftovers: None) -> None:
    """At the wall limit, not later."""
    rules = RerunRules(seeds=1, limits=Limits(wall_s=12, memory_mb=1200, pids=48, disk_mb=48, output_mb=0.5))
    assert attempt(tiny_lab, sandbox, body("while True: pass"), rules).code == "timed_out"


def test_the_researcher_hears_nothing_in_the_methods_own_words() -> None:
    """An exception text could carry private rows: what is shown comes from our own list."""
    private = MethodError("the private question", code="the private answer", hint="trace")
    assert public_failure(private, LIMITS) == ("method_raised", PUBLIC_MESSAGES["method_raised"])
    for code, message in STOPPED.values():
        assert public_failure(MethodError("x", code=code), LIMITS) == (code, message.format(**LIMITS.__dict__))


def test_own_modules_do_not_replace_the_labs(tiny_lab: LabFolder, sandbox: Sandbox, no_leftovers: None) -> None:
    """A snapshot with numpy.py or aar/ in it (past the extractor, which refuses them) changes nothing."""
    poison = b"raise SystemExit('replaced')"
    files = {"method.py": HONEST.encode(), "numpy.py": poison, "aar/__init__.py": poison, "sitecustomize.py": poison}
    verdict = rerun(tiny_lab, sandbox, Problem.parse("toy"), "s2", files, ONE)
    assert 0.0 <= verdict.test.mean <= 1.0


def test_an_honest_verdict_repeats_exactly_and_seals_its_predictions(
    tiny_lab: LabFolder, sandbox: Sandbox, no_leftovers: None
) -> None:
    """Same submission, same seeds, same figures; private rows are predicted and nothing about them is told."""
    files = {"method.py": HONEST.encode()}
    first, second = (
        rerun(tiny_lab, sandbox, Problem.parse("toy"), "s3", files, RerunRules(2, LIMITS)) for _ in range(2)
    )
    assert (first.test.acc, first.seeds) == (second.test.acc, second.seeds)
    with np.load(sealed_predictions(tiny_lab, "s3"), allow_pickle=False) as sealed:
        ids = set(sealed["ids"].tolist())
    assert set(Sealed(tiny_lab).gold("toy", ["test", "private", "ood"])) == ids
    assert "private" not in json.dumps(first.as_json())


def test_nothing_in_the_task_tells_private_rows_from_the_others(tiny_lab: LabFolder, tmp_path: Path) -> None:
    """Fresh ids, shuffled rows, no real id and no label anywhere in what a sandbox is shown."""
    from aar.scoring.layout import plain_seeds, rerun_task
    from aar.scoring.problem import Card

    problem = Problem.parse("toy")
    seeds = plain_seeds([0], Card.load(tiny_lab, problem))
    mapping = rerun_task(tiny_lab, problem, tmp_path, seeds, "s4")
    shown = "".join(p.read_text() for p in tmp_path.rglob("*.json*"))
    scored = Sealed(tiny_lab).gold("toy", ["test", "private", "ood"])
    assert set(mapping.values()) == set(scored)
    assert not any(real in shown for real in scored), "a real id is shown"
    order = [json.loads(line)["id"] for line in (tmp_path / "test.jsonl").read_text().splitlines()]
    splits = [scored[mapping[i]].split for i in order]
    assert splits != sorted(splits), "rows come split by split"
    assert '"label"' not in shown


# What the teachers of all seeds said, from the task folder or from notes left for the next seed.
POOLS_TEACHERS = (
    HONEST
    + """
import glob, json, pathlib
honest = run
def run(task):
    seen = glob.glob('/task/**/*weak*', recursive=True) + glob.glob('/task/weak/*')
    notes = [p for place in ('/workspace', '/tmp', '/dev/shm') for p in glob.glob(place + '/note*')]
    if len([p for p in set(seen) if p.endswith('.json')]) > 1 or notes:
        raise RuntimeError('pooled')
    for place in ('/workspace', '/tmp', '/dev/shm'):
        try: pathlib.Path(place, f'note{task.seed}').write_text(json.dumps(task.train.weak.tolist()))
        except OSError: pass
    return honest(task)
"""
)


def test_a_seed_sees_no_other_seeds_teacher(
    tiny_lab: LabFolder, sandbox: Sandbox, no_leftovers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the task folder nor by notes; with one folder for all seeds the attack works."""
    problem, files = Problem.parse("toy"), {"method.py": POOLS_TEACHERS.encode()}
    rerun(tiny_lab, sandbox, problem, "s5", files, RerunRules(2, LIMITS))
    monkeypatch.setattr("aar.scoring.rerun.alone", lambda task, name, folder: shutil.copytree(task, folder))
    assert "pooled" in attempt(tiny_lab, sandbox, POOLS_TEACHERS, RerunRules(2, LIMITS), "s6").message
