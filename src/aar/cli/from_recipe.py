"""`aar study new --recipe NAME`: an experiment from a ready configuration, its plan first, in one command."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aar.cli.console import Output, table
from aar.errors import InputError
from aar.settings import EMBEDDED_TESTBEDS, LabFolder

if TYPE_CHECKING:
    from aar.scoring.problem import Problem
    from aar.studies.recipe import Missing, Recipe


def start(out: Output, lab: LabFolder, recipe: str, name: str | None, dry_run: bool) -> None:
    """Show the plan, or refuse, or measure what is not measured yet and run the study."""
    from aar.cli.study import run_here
    from aar.studies.recipe import load, missing
    from aar.studies.spec import StudyFolder

    wanted = load(recipe)
    spec, lacks = wanted.spec(name or recipe), missing(lab, wanted)
    if dry_run:
        plan = {"recipe": recipe, "title": wanted.title, "estimate": wanted.estimate, "study": spec.as_json()}
        out.show(plan | {"missing": [m._asdict() for m in lacks]}, *_plan(wanted, lacks))
        return
    if lacks:
        raise InputError(
            f"recipe {recipe!r} cannot start here, it lacks: {'; '.join(m.what for m in lacks)}",
            code="recipe_lacks",
            hint="; ".join(m.get for m in lacks) + f". The plan: aar study new --recipe {recipe} --dry-run",
        )
    for place, problem in enumerate(wanted.problems):
        _measure(out, lab, wanted, problem, transfer=place > 0)
    StudyFolder(lab, spec.name).create(spec)
    os.environ.update({k: v for k, v in wanted.environment.items() if k not in os.environ})
    run_here(out, lab, spec.name)


def _plan(recipe: Recipe, lacks: Sequence[Missing]) -> list[Any]:
    what, study, needs = recipe.estimate, recipe.study, recipe.needs
    team = ", ".join(f"{n} {arm}" for arm, n in recipe.arms)
    unit = "GPU hours" if needs.gpus else "hours"
    costs = [(c.what, c.times, f"{c.seconds:,.0f}", f"{c.hours:,.1f}", c.source) for c in recipe.costs]
    gpus = f"{needs.gpus} GPU(s) of {needs.gpu_gb:g} GB, " if needs.gpus else "no GPU, "
    return [
        recipe.title,
        f"problems: {', '.join(p.short for p in recipe.problems)}",
        f"team: {team}; each {study['trials']} trials on {study['seeds']} seed(s), at most {study['minutes'] / 60:g} h",
        table("Expected", ["what", "times", "s each", unit, "where the figure comes from"], costs),
        f"memory: {gpus}{needs.memory_gb:g} GB, disk {needs.disk_gb:g} GB",
        f"in all: {what['work_hours']:,.1f} {unit}, {what['hours']:,.1f} h by the clock if nothing waits",
        f"dollars: {what['usd']:,.0f}" + (f", of them {what['usd_models']:,.0f} for models at most" if what["usd_models"] else "")
        + (f"; {recipe.gpu_hour:g} a GPU hour ({recipe.rent})" if needs.gpus else ""),
        table("Missing", ["what", "how to get it"], lacks) if lacks else "nothing is missing: it can start",
    ]  # fmt: skip


def _measure(out: Output, lab: LabFolder, recipe: Recipe, problem: Problem, *, transfer: bool) -> None:
    """Floor, ceiling and human baselines; an embedded testbed is built first. What is there is left alone."""
    from aar.cli.demo import TRANSFER_ROWS
    from aar.cli.progress import feature_progress
    from aar.scoring.baselines import human_methods, run_baselines, saved
    from aar.scoring.prepare import prepare
    from aar.testbeds.build import build
    from aar.testbeds.split import Sizes

    if problem.testbed in EMBEDDED_TESTBEDS and not lab.testbed(problem.testbed).exists():
        with out.progress(f"building testbed {problem.testbed}"):
            build(lab, problem.testbed, Sizes(*TRANSFER_ROWS) if transfer else None)
    plan = recipe.baselines
    with feature_progress(out) as progress:
        prepare(lab, problem, seeds=plan.teachers, ceilings=plan.ceilings, progress=progress)
        if not saved(lab, problem).exists():
            methods = plan.methods or human_methods()
            run_baselines(
                lab, problem, methods, range(plan.seeds), lambda m: out.say(f"{m} on {problem.short}"), progress
            )
