"""Recipes: complete, costed, honest about what is missing; the small ones really start."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from aar.cli.main import main
from aar.models.tuned.fakes import tiny_qwen3
from aar.researchers.base import researchers
from aar.settings import EMBEDDED_TESTBEDS, LabFolder
from aar.studies import recipe as recipes
from aar.studies.recipe import Needs, load, missing, names
from aar.studies.spec import StudyFolder
from aar.teachers.base import teachers


@pytest.fixture
def run(capsys: pytest.CaptureFixture, tmp_path: Path):
    """run(*args) -> (exit code, parsed JSON), in a lab of its own."""

    def run_json(*args: str, lab: Path = tmp_path / "lab") -> tuple[int, Any]:
        code = main(["study", "new", *args, "--lab", str(lab), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run_json


def test_the_five_sizes_are_there() -> None:
    assert names() == ["cluster", "eight-gpus", "embedded", "gpu-12gb", "qwen-chat"]


@pytest.mark.parametrize("name", names())
def test_a_recipe_is_complete(name: str) -> None:
    """It names what exists, its study is sound, and every figure says where it comes from."""
    recipe = load(name)
    spec = recipe.spec("try")
    assert {member.arm for member in spec.researchers} <= set(researchers.names())
    assert all(problem.teacher in teachers.names() for problem in recipe.problems)
    assert all(cost.source and cost.hours > 0 for cost in recipe.costs)
    assert recipe.needs.gpus == 0 or recipe.rent
    assert all(problem.testbed in EMBEDDED_TESTBEDS or recipe.needs.gpus for problem in recipe.problems)
    if recipe.needs.gpus:
        assert recipe.problems[0].lm in recipe.needs.models
    assert (Path(__file__).parents[2] / "studies" / f"{name}.toml").exists()


def test_the_estimate_adds_up() -> None:
    """Hours of all work; by the clock less with more GPUs; dollars of GPUs and of models at their cap."""
    recipe = load("qwen-chat")
    work = (463 * 16 + 6282 * 4 + 2 * 6353 * 24 + 5 * 6353 * 6) / 3600
    assert recipe.estimate["work_hours"] == pytest.approx(work)
    assert recipe.estimate["usd"] == pytest.approx(work * 3.5 + 60)
    eight = load("eight-gpus").estimate
    assert eight["hours"] == pytest.approx(eight["work_hours"] / 8)
    assert load("embedded").estimate["usd"] == 0


def test_what_is_missing_is_named_with_the_way_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GPU, key, package, model, data: each disappears from the list once it is there."""
    monkeypatch.setenv("AAR_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.setattr(recipes, "gpus_gb", list)
    lab, recipe = LabFolder(tmp_path / "lab"), load("qwen-chat")
    lacks = dict(missing(lab, recipe))
    assert lacks["1 GPU with 70 GB (0 found)"]
    assert "aar testbed prepare chat-full" in lacks["the testbed chat-full"]
    assert "hf download Qwen/Qwen3-4B-Base --local-dir" in lacks["the model Qwen3-4B-Base"]
    assert lacks["the key $ANTHROPIC_API_KEY"].startswith("export")
    monkeypatch.setattr(recipes, "gpus_gb", lambda: [80.0])
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    tiny_qwen3(tmp_path / "models" / "Qwen3-4B-Base")
    lab.testbed("chat-full").mkdir(parents=True)
    now = dict(missing(lab, recipe))
    assert not any(word in what for what in now for word in ("GPU", "key", "Qwen3-4B", "testbed"))
    assert "the model Qwen1.5-0.5B-Chat" in now
    needs = Needs(packages=("no_such_package",), memory_gb=10**6, disk_gb=10**9)
    monkeypatch.setattr(recipes, "load", lambda name: recipe)
    found = [m.what for m in (*recipes._software(needs), *recipes._hardware(lab, needs))]
    assert [text.split(" (")[0] for text in found] == [
        "the package no_such_package", "1e+06 GB of memory", "1e+09 GB of disk",
    ]  # fmt: skip


def test_a_dry_run_starts_nothing(run: Any, tmp_path: Path) -> None:
    """The plan, its cost and what is missing, as one document; without --dry-run the same recipe refuses."""
    code, plan = run("--recipe", "eight-gpus", "--dry-run")
    assert code == 0
    assert plan["study"]["problem"] == "chat-full@qwen1.5-0.5b-chat/Qwen3-4B-Base-lora"
    assert math.isfinite(plan["estimate"]["usd"])
    assert {m["what"] for m in plan["missing"]} >= {"the testbed code-full", "the model Qwen3-4B-Base"}
    code, refused = run("--recipe", "eight-gpus")
    assert (code, refused["error"]["code"]) == (1, "recipe_lacks")
    assert "the model Qwen3-4B-Base" in refused["error"]["message"]
    assert "hf download" in refused["error"]["hint"]
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize(
    ("args", "hint"), [(["--recipe", "huge"], "embedded"), ([], "--recipe"), (["--dry-run"], "--recipe")]
)
def test_wrong_calls_name_the_recipes(run: Any, args: list[str], hint: str) -> None:
    code, answer = run(*args)
    assert code == 1
    assert hint in answer["error"]["hint"]


@pytest.mark.soak
def test_a_recipe_really_starts(run: Any, tiny_lab: LabFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From one command to a finished study: `embedded`, on the toy testbed and with one researcher."""
    text = (recipes.FOLDER / "embedded.toml").read_text()
    small = {'"code", "chat", "math"': '"toy"', "search = 6\nrandom = 3": "random = 1", "trials = 12": "trials = 1",
             "methods = []": 'methods = ["vanilla"]', "seeds = 5": "seeds = 1"}  # fmt: skip
    for before, after in small.items():
        assert before in text
        text = text.replace(before, after)
    (tmp_path / "small.toml").write_text(text)
    monkeypatch.setattr(recipes, "FOLDER", tmp_path)
    code, ended = run("--recipe", "small", lab=tiny_lab.root)
    assert (code, ended["study"], ended["complete"], ended["trials"]) == (0, "small", True, 1)
    assert StudyFolder(tiny_lab, "small").load().problem == "toy"


def test_a_large_student_gets_the_room_it_needs() -> None:
    """Sandboxes of researchers and of reruns: time for a training, memory, GPUs. The worker reads what a recipe says."""
    from aar.lab.worker import rules_of

    for name in names():
        recipe = load(name)
        spec, rules = recipe.spec("try"), rules_of(recipe.environment, place=1)
        assert tuple(spec.grants.gpus) == tuple(range(recipe.needs.gpus))
        if recipe.needs.gpus:
            training = max(cost.seconds for cost in recipe.costs if "training" in cost.what or "ceiling" in cost.what)
            assert (spec.grants.trial_s or 0) > 2 * training
            assert rules.limits.wall_s > rules.seeds * training
            assert rules.limits.gpus == (1 % recipe.needs.gpus,)
