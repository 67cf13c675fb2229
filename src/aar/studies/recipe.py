"""Recipes: ready configurations of whole experiments, what each is expected to cost, and what this machine lacks for it.

One TOML file in `recipes/` is one recipe. Figures that nobody measured say so in their `source`. Starts nothing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from aar.errors import LabError, NotFound
from aar.researchers import starts
from aar.researchers.base import Llm
from aar.researchers.grants import Grants
from aar.scoring.problem import Problem
from aar.settings import EMBEDDED_TESTBEDS, LabFolder, models_folder
from aar.studies.spec import StudySpec, team

FOLDER = Path(__file__).parent / "recipes"
LLM = ("model", "think", "usd", "usd_study", "usd_day")
EXTRAS = {"inspect_ai": "llm", "anthropic": "llm", "vllm": "vllm", "peft": "gpu"}


@dataclass(frozen=True)
class Needs:
    """gpu_gb: memory of each GPU. memory_gb: of the host. models: name below the models' folder -> hub id."""

    gpus: int = 0
    gpu_gb: float = 0
    memory_gb: float = 0
    disk_gb: float = 0
    packages: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    models: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cost:
    """`times` pieces of work of `seconds` each, on one GPU (or this machine, where none is asked for)."""

    what: str
    seconds: float
    source: str
    times: int = 1

    @property
    def hours(self) -> float:
        return self.seconds * self.times / 3600


@dataclass(frozen=True)
class Baselines:
    """Seeds of floor and ceiling; methods () are all human baselines, over `seeds`."""

    teachers: int
    ceilings: int
    methods: tuple[str, ...]
    seeds: int


@dataclass(frozen=True)
class Recipe:
    name: str
    title: str
    problems: tuple[Problem, ...]  # the first is worked on, the others are for transfer
    arms: tuple[tuple[str, int], ...]
    llm: Llm
    study: dict[str, Any]  # budgets of `StudySpec`, minutes in place of wall_s
    grants: Grants
    reruns: dict[str, int]  # seeds, wall_s and memory_mb of a rerun, where not the defaults
    baselines: Baselines
    needs: Needs
    costs: tuple[Cost, ...]
    gpu_hour: float  # dollars
    rent: str  # where that figure comes from

    def spec(self, name: str) -> StudySpec:
        budgets = {k: v for k, v in self.study.items() if k != "minutes"}
        people = team(name, self.arms, starts.names())
        worked, *others = (p.short for p in self.problems)
        wall_s = self.study["minutes"] * 60.0
        gpus = tuple(range(self.needs.gpus))
        grants = replace(self.grants, gpus=gpus)
        return StudySpec(name, worked, people, wall_s, **budgets, transfer=tuple(others), llm=self.llm, grants=grants)

    @property
    def environment(self) -> dict[str, str]:
        """What the lab's workers are told (`lab.worker.rules_of`)."""
        gpu = {"gpus": ",".join(map(str, range(self.needs.gpus)))} if self.needs.gpus else {}
        return {f"AAR_RERUN_{name.upper()}": str(value) for name, value in {**self.reruns, **gpu}.items()}

    @property
    def estimate(self) -> dict[str, float]:
        """Machine hours in all; hours by the clock if every GPU is always busy; dollars, models at their caps."""
        work = sum(cost.hours for cost in self.costs)
        thinks = any(arm not in ("search", "random") for arm, _ in self.arms)
        llm = self.llm.usd_study if thinks else 0.0
        rent = work * self.gpu_hour if self.needs.gpus else 0.0
        return {"work_hours": work, "hours": work / max(1, self.needs.gpus), "usd": rent + llm, "usd_models": llm}


class Missing(NamedTuple):
    what: str
    get: str


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Recipe:
    if name not in names():
        raise NotFound(f"no recipe is called {name[:60]!r}", hint=f"known: {', '.join(names())}")
    raw = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    try:
        return _recipe(name, raw)
    except (KeyError, TypeError) as error:
        raise LabError(f"recipe {name!r} is not complete: {error!r}", hint="see the other files in studies/") from error


def _recipe(name: str, raw: dict[str, Any]) -> Recipe:
    members = raw["team"]
    prices = raw.get("prices", {"gpu_hour": 0.0, "source": ""})
    return Recipe(
        name,
        raw["title"],
        tuple(Problem(testbed, raw["teacher"], raw["student"]) for testbed in raw["testbeds"]),
        tuple((arm, n) for arm, n in members.items() if arm not in LLM),
        Llm(**{k: v for k, v in members.items() if k in LLM}),
        raw["study"],
        Grants(**raw.get("grants", {})),
        raw.get("reruns", {}),
        Baselines(**_frozen(raw["baselines"])),
        Needs(**_frozen(raw["needs"])),
        tuple(Cost(**cost) for cost in raw["cost"]),
        prices["gpu_hour"],
        prices["source"],
    )


def _frozen(raw: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}


def missing(lab: LabFolder, recipe: Recipe) -> list[Missing]:
    """What this machine and this lab lack, and how to get each; [] = it can start."""
    return [*_hardware(lab, recipe.needs), *_software(recipe.needs), *_data(lab, recipe.problems)]


def _hardware(lab: LabFolder, needs: Needs) -> Iterator[Missing]:
    import psutil

    found = gpus_gb() if needs.gpus else []
    enough = [gb for gb in found if gb >= needs.gpu_gb]
    if len(enough) < needs.gpus:
        has = f"{len(found)} found" + (f", the largest with {max(found):.0f} GB" if found else "")
        what = f"{needs.gpus} GPU{'s' * (needs.gpus > 1)} with {needs.gpu_gb:g} GB ({has})"
        yield Missing(what, "rent or borrow such a machine, or take another recipe")
    if (memory := psutil.virtual_memory().total / 1e9) < needs.memory_gb:
        yield Missing(f"{needs.memory_gb:g} GB of memory ({memory:.0f} GB found)", "use a larger machine")
    place = next(p for p in (lab.root, *lab.root.parents) if p.exists())
    if (free := shutil.disk_usage(place).free / 1e9) < needs.disk_gb:
        yield Missing(f"{needs.disk_gb:g} GB of disk ({free:.0f} GB free at {place})", "free some, or another --lab")


def gpus_gb() -> list[float]:
    """Memory of each GPU of this machine."""
    import torch

    return [torch.cuda.get_device_properties(i).total_memory / 1e9 for i in range(torch.cuda.device_count())]


def _software(needs: Needs) -> Iterator[Missing]:
    for package in needs.packages:
        if importlib.util.find_spec(package) is None:
            get = f'pip install "aar-lab[{EXTRAS[package]}]"' if package in EXTRAS else f"pip install {package}"
            yield Missing(f"the package {package}", get)
    for key in needs.keys:
        if not os.environ.get(key):
            yield Missing(f"the key ${key}", f"export {key}=... (of your account with the provider)")
    for name, repo in needs.models.items():
        folder = models_folder() / name
        if not any(folder.glob("*.safetensors")):
            yield Missing(f"the model {name}", f"hf download {repo} --local-dir {folder}")


def _data(lab: LabFolder, problems: Sequence[Problem]) -> Iterator[Missing]:
    for problem in problems:
        if problem.testbed not in EMBEDDED_TESTBEDS and not lab.testbed(problem.testbed).exists():
            yield Missing(f"the testbed {problem.testbed}", f"aar testbed prepare {problem.testbed} --lab {lab.root}")
