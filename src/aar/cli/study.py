"""Studies: teams of researchers at work on a problem; start, watch, stop, go on, open the final lane, report."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated, Any

import typer

from aar.cli import _study_live
from aar.cli.console import Json, Lab, Output, run_command, table
from aar.errors import InputError
from aar.settings import LabFolder

app = typer.Typer(no_args_is_help=True)
app.add_typer(_study_live.app)


@app.command()
def new(
    name: Annotated[str | None, typer.Argument(help="Else the recipe's.", show_default=False)] = None,
    recipe: Annotated[
        str | None, typer.Option(help="A ready configuration, started at once; the options below are then its own.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only a recipe's plan, cost, and what is missing.")
    ] = False,
    problem: Annotated[str, typer.Option(help="What they work on, e.g. code.")] = "code",
    search: Annotated[int, typer.Option(min=0, help="Researchers that search.")] = 6,
    random: Annotated[int, typer.Option(min=0, help="Researchers that draw at random: the control.")] = 3,
    team: Annotated[list[str] | None, typer.Option(help="More researchers as ARM=COUNT; repeatable.")] = None,
    minutes: Annotated[float, typer.Option(help="Wall clock of each researcher.")] = 3.0,
    trials: Annotated[int, typer.Option(min=1, help="Configurations of each researcher.")] = 12,
    evaluations: Annotated[int, typer.Option(min=0, help="Vectors each may ask about; the lab may allow fewer.")] = 2,
    submissions: Annotated[int, typer.Option(min=0, help="Reruns each may ask for.")] = 1,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of a configuration.")] = 3,
    transfer: Annotated[
        list[str] | None, typer.Option(help="Problems for the best method at the end; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all researchers' own choices.")] = 0,
    model: Annotated[str, typer.Option(help="What LLM researchers think with, as Inspect names it, or scripted.")] = "",
    think: Annotated[str, typer.Option(help="The model behind think_hard; the same one if left out.")] = "",
    usd: Annotated[float, typer.Option(min=0, help="Dollars that an LLM researcher may never pass.")] = 1.0,
    usd_study: Annotated[float, typer.Option(min=0, help="The same for the study.")] = 10.0,
    usd_day: Annotated[float, typer.Option(min=0, help="The same for all studies of this lab in a day (UTC).")] = 100.0,
    direction: Annotated[
        list[str] | None,
        typer.Option(
            help="Where researchers start: a packaged name, none, FILE.md, or draw (by the model); repeatable."
        ),
    ] = None,
    sandbox: Annotated[
        str, typer.Option(help="bubblewrap, docker or landlock; k8s[:VALUES.yaml] for arm inspect.")
    ] = "",
    host: Annotated[
        list[str] | None,
        typer.Option(help="A host that sandboxes may reach by https, logged, e.g. pypi.org; repeatable."),
    ] = None,
    gpu: Annotated[list[int] | None, typer.Option(help="A GPU for the researchers, dealt round; repeatable.")] = None,
    memory_mb: Annotated[int | None, typer.Option(help="Of each sandbox.")] = None,
    cpus: Annotated[float | None, typer.Option(help="Cores of each sandbox.")] = None,
    pids: Annotated[int | None, typer.Option(help="Processes and threads of each sandbox.")] = None,
    disk_mb: Annotated[int | None, typer.Option(help="Of each sandbox's workspace.")] = None,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Write down who works how on what. Starts nothing, unless it is a recipe."""
    with run_command(json) as out:
        if recipe or dry_run or not name:
            _from_recipe(out, LabFolder.find(lab), recipe, name, dry_run)
            return
        from aar.researchers.base import Llm
        from aar.researchers.grants import Grants
        from aar.researchers.llm.draw import draw
        from aar.researchers.llm.given import LLM_ARMS, ready
        from aar.researchers.llm.prices import Prices
        from aar.scoring.problem import Card, Problem
        from aar.studies.directions import choose
        from aar.studies.spec import StudyFolder, StudySpec
        from aar.studies.spec import team as make_team

        folder = LabFolder.find(lab)
        for wanted in (problem, *(transfer or [])):
            Card.load(folder, Problem.parse(wanted))
        arms, llm = (
            [("search", search), ("random", random), *parse_arms(team)],
            Llm(model, think, usd, usd_study, usd_day),
        )
        count = sum(number for arm, number in arms if arm != "random")
        starts, words = choose(direction or (), lambda: draw(folder, name, problem, count, llm))
        people = make_team(name, arms, starts, seed)
        spec = StudySpec(
            name,
            problem,
            people,
            minutes * 60,
            trials,
            evaluations,
            submissions,
            seeds,
            transfer=tuple(transfer or ()),
            llm=llm,
            directions=words,
            grants=Grants(tuple(host or ()), tuple(gpu or ()), memory_mb, cpus, pids, disk_mb, sandbox=sandbox),
        )
        spec.grants.check({member.arm for member in people})
        for arm in {m.arm for m in people} & set(LLM_ARMS):
            ready(arm, spec.llm, Prices(folder.prices))
        StudyFolder(folder, name).create(spec)
        out.show(spec.as_json(), _people(spec), f"start it: aar study run {name}")


def _from_recipe(out: Output, lab: LabFolder, recipe: str | None, name: str | None, dry_run: bool) -> None:
    from aar.cli.from_recipe import start
    from aar.studies.recipe import names

    if not recipe:
        what = "--dry-run shows the plan of a recipe" if dry_run else "the study has no name"
        raise InputError(what, hint=f"aar study new NAME, or --recipe with one of: {', '.join(names())}")
    start(out, lab, recipe, name, dry_run)


def parse_arms(given: list[str] | None, each: int | None = None) -> list[tuple[str, int]]:
    """ARM=COUNT or ARM:COUNT; an ARM alone means `each` of them, where that is said."""
    from aar.researchers.base import researchers

    arms = []
    for text in given or []:
        arm, _, count = text.strip().replace(":", "=").partition("=")
        if not (count.isdigit() or (each and not count)):
            raise InputError(f"{text!r} is not ARM=COUNT", hint="e.g. search=2")
        researchers.get(arm)
        arms.append((arm, int(count or each or 0)))
    return arms


def _people(spec: Any) -> Any:
    rows = [[m.name, m.arm, m.direction, m.seed] for m in spec.researchers]
    return table(
        f"{spec.name}: {spec.trials} trials and {spec.wall_s / 60:g} minutes each, on {spec.problem}",
        ["researcher", "arm", "direction", "seed"],
        rows,
    )


@app.command()
def run(name: str, lab: Lab = None, json: Json = False) -> None:
    """Run a study until its budgets are spent. Ctrl-C stops it cleanly."""
    with run_command(json) as out:
        run_here(out, LabFolder.find(lab), name)


@app.command()
def resume(name: str, lab: Lab = None, json: Json = False) -> None:
    """Go on with a study that was stopped or killed: nothing acknowledged is lost, nothing paid is repeated."""
    with run_command(json) as out:
        run_here(out, LabFolder.find(lab), name)


def run_here(out: Output, lab: LabFolder, name: str) -> None:
    from aar.studies.runner import run_study
    from aar.studies.spec import StudyFolder

    spec = StudyFolder(lab, name).load()
    with watching(out, lab, spec) as hear:
        ended = run_study(lab, name, hear)
    next_ = f"aar study finalize {name}" if ended.complete else f"aar study resume {name}"
    out.show(
        ended.__dict__,
        f"{name}: {ended.trials} trials of {ended.configurations} configurations, {ended.evaluations} evaluations, "
        f"{ended.submissions} submissions, {ended.seconds:.0f} s; next: {next_}",
    )
    if not ended.complete:
        raise typer.Exit(1)


def watching(out: Output, lab: LabFolder, spec: Any) -> AbstractContextManager[Any]:
    """What hears of each event while the block lasts: the live view on a terminal, lines elsewhere, nothing with --json."""
    from contextlib import contextmanager, nullcontext

    if out.json:
        return nullcontext(None)
    from aar.dashboard.live import LiveView
    from aar.lab.client import owner_client

    @contextmanager
    def view() -> Any:
        with LiveView(spec, lambda: owner_client(lab)) as live:
            yield live.hear

    return view()


@app.command()
def status(
    name: Annotated[str | None, typer.Argument(help="None: all studies.", show_default=False)] = None,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Who is doing what, what was spent, and where the time went."""
    with run_command(json) as out:
        from aar.studies.spec import studies
        from aar.studies.status import overview

        folder = LabFolder.find(lab)
        found = [overview(folder, one) for one in ([name] if name else studies(folder))]
        out.show([o.__dict__ for o in found], *(part for o in found for part in _shown(o)))


def _shown(o: Any) -> list[Any]:
    rows = [
        [m["name"], m["direction"], m["state"], m["trials"], m["evaluations"], m["submissions"], m["best"]]
        for m in o.researchers
    ]
    columns = ["researcher", "direction", "state", "trials", "evaluations", "submissions", "best PGR told"]
    where = [[kind, t["jobs"], t["seconds"], t["waited"]] for kind, t in o.time.items()]
    return [
        table(f"{o.name}: {o.state}, on {o.problem}", columns, rows),
        table("where the time went", ["jobs", "number", "s at work", "s in the queue"], where),
    ]


@app.command()
def join(
    name: str,
    researcher: Annotated[str | None, typer.Argument(help="Whose seat; the first one if left out.")] = None,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Sit down as a person of a running study (team human=1): a shell in the sandbox, with `lab` for the lab's tools."""
    with run_command(json) as out:
        from aar.researchers.seat.shell import join as sit_down
        from aar.studies.spec import StudyFolder

        folder = StudyFolder(LabFolder.find(lab), name)
        seats = [m.name for m in folder.load().researchers if m.arm == "human"]
        if not seats or (researcher and researcher not in seats):
            raise InputError(
                f"no such seat in {name}", hint=f"known: {', '.join(seats) or 'none: aar study new --team human=1'}"
            )
        who = researcher or seats[0]
        why = sit_down(folder.home(who))
        out.show({"researcher": who, "ended": why}, f"{why}; your workspace stays: aar study join {name} {who}")


@app.command()
def stop(name: str, lab: Lab = None, json: Json = False) -> None:
    """Stop a study, also one that runs in another terminal. `aar study resume` goes on."""
    with run_command(json) as out:
        from aar.lab.service import running
        from aar.studies.spec import StudyFolder

        folder = LabFolder.find(lab)
        StudyFolder(folder, name).load()
        with running(folder, workers=0) as owner:
            made = owner.call("POST", f"studies/{name}/stop")
        out.show(
            {"study": name, "state": made["state"]}, f"{name} is {made['state']}; go on with: aar study resume {name}"
        )


@app.command()
def finalize(name: str, lab: Lab = None, json: Json = False) -> None:
    """Register the primary method, open the private rows once, run the best on the transfer problems."""
    with run_command(json) as out:
        from aar.studies.finalize import finalize as open_final

        result = open_final(LabFolder.find(lab), name, lambda event: out.say(event.text))
        out.show(result, *final_lines(result))


def final_lines(result: dict[str, Any]) -> list[str]:
    """The result in words; a difference is claimed nowhere, the intervals speak."""
    best, final = result["best_verified"], result["final"]
    label = f" ({final['label']})" if "label" in final else ""
    lines = [
        f"primary method: {best['method']} of {best['researcher']}, PGR {interval(best)} when verified",
        f"on {final['n']} private rows{label}: PGR {interval(final)}",
    ]
    lines += [f"on {problem}: PGR {interval(moved)}" for problem, moved in result["transfer"].items()]
    if second := result.get("runner_up"):
        lines.append(f"runner-up: {second['method']} of {second['researcher']}, PGR {interval(second)} when verified")
        lines += [f"runner-up on {problem}: PGR {interval(moved)}" for problem, moved in second["transfer"].items()]
    if human := result["human_baseline"]:
        lines.append(f"best human baseline: {human['method']}, PGR {interval(human)}")
    return lines


def interval(figure: dict[str, Any]) -> str:
    if figure["pgr"] is None:
        return f"not scored ({figure.get('not_scored', '')})"
    return f"{figure['pgr']:.2f} [{figure['lo']:.2f}, {figure['hi']:.2f}]"


@app.command()
def report(name: str, lab: Lab = None, json: Json = False) -> None:
    """Write report.html and report.md into the lab folder."""
    with run_command(json) as out:
        from aar.analysis.report import write_report
        from aar.lab.service import running

        folder = LabFolder.find(lab)
        with out.progress("writing the report"), running(folder, workers=0) as owner:
            path = write_report(folder, name, owner)
        out.show({"report": str(path)}, f"report: {path}")
