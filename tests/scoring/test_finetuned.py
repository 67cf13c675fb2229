"""Methods of the library run unchanged on a finetuned student: a tiny model of Qwen3's make, on the toy testbed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aar.errors import InputError
from aar.models.tuned.fakes import tiny_qwen3
from aar.scoring.prepare import prepare
from aar.scoring.problem import Problem
from aar.scoring.trial import Cut, run_trial
from aar.settings import LabFolder, models_folder

METHODS = [
    "vanilla", "soft", "confident", "logconf", "label_smoothing", "gce", "elr", "peer", "reverse_kl", "temperature",
]  # fmt: skip


@pytest.fixture(scope="module")
def problem(tiny_lab: LabFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Problem]:
    """`toy` with the tiny student, beside the embedded models."""
    models = tmp_path_factory.mktemp("models")
    for known in models_folder().iterdir():
        (models / known.name).symlink_to(known)
    (models / "tiny-qwen3").unlink(missing_ok=True)
    tiny_qwen3(models / "tiny-qwen3")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AAR_MODELS", str(models))
        found = Problem.parse("toy").with_student("tiny-qwen3").with_student("lora")
        prepare(tiny_lab, found, seeds=5, processes=1)
        yield found


def test_the_name_says_how_a_student_learns() -> None:
    named = Problem.parse("code").with_student("lora")
    assert (named.name, named.lm, named.how) == ("code@minilm/smollm2-135m-lora", "smollm2-135m", "lora")
    assert Problem.parse("code").how == "head"
    assert named.with_student("full").student == "smollm2-135m-full"


@pytest.mark.parametrize("method", METHODS)
def test_a_method_runs_unchanged(method: str, tiny_lab: LabFolder, problem: Problem) -> None:
    """One epoch on a few rows; without a ceiling the accuracy is told and no PGR."""
    result = run_trial(tiny_lab, problem, method, [0], cut=Cut(rows=16, epochs=1)).as_json()
    assert 0 <= result["acc"]["mean"] <= 1
    assert result["pgr"] is None
    assert "ceiling" in result["not_scored"]


def test_a_ceiling_is_trained_when_asked_for(tiny_lab: LabFolder, problem: Problem) -> None:
    """Also after the problem was prepared without one, which `aar method run --student` does."""
    assert prepare(tiny_lab, problem, seeds=5, processes=1).ceiling is None
    with pytest.raises(InputError, match="one seed has no error"):
        prepare(tiny_lab, problem, seeds=5, ceilings=1, processes=1)
    ceiling = prepare(tiny_lab, problem, seeds=5, ceilings=2, processes=1).ceiling
    assert ceiling is not None
    assert ceiling["se"] >= 0
