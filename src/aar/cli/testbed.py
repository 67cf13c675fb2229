"""Build, import, prepare, list, show and check testbeds; their labels are sealed and never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from aar.cli import full_testbeds
from aar.cli.console import Json, Lab, run_command, table
from aar.errors import LabError
from aar.settings import EMBEDDED_TESTBEDS, LabFolder

app = typer.Typer(no_args_is_help=True)
app.command()(full_testbeds.prepare)
app.command()(full_testbeds.generate)

Force = Annotated[bool, typer.Option("--force", help="Replace a testbed of that name.", show_default=False)]


@app.command()
def build(
    names: Annotated[list[str] | None, typer.Argument(help="Generators; none: code, chat and math.")] = None,
    labeled: Annotated[int, typer.Option(min=2, help="Rows the weak teacher learns from.")] = 200,
    unlabeled: Annotated[int, typer.Option(min=2, help="Rows the student learns from.")] = 550,
    test: Annotated[int, typer.Option(min=2, help="Rows of the interactive and verified lanes.")] = 400,
    private: Annotated[int, typer.Option(min=2, help="Rows of the final lane.")] = 270,
    ood: Annotated[int, typer.Option(min=0, help="Rows of unseen templates, entities or kinds.")] = 150,
    force: Force = False,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Build embedded testbeds with this lab's secret. Does nothing where they are intact."""
    from aar.testbeds.build import build as build_testbed
    from aar.testbeds.split import Sizes

    with run_command(json) as out:
        home, done = LabFolder.find(lab), []
        sizes = Sizes(labeled, unlabeled, test, private, ood)
        for name in names or EMBEDDED_TESTBEDS:
            with out.progress(f"building {name}"):
                changed = build_testbed(home, name, sizes, force)
            done.append({**card_of(home, name), "changed": changed})
        out.show({"testbeds": done}, cards_table(done), *(_unchanged(card) for card in done if not card["changed"]))


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Holds train_labeled, train_unlabeled and test (.jsonl, .parquet).")],
    name: Annotated[str | None, typer.Option(help="Name in the lab; else the folder's.", show_default=False)] = None,
    as_pairs: Annotated[
        bool, typer.Option("--as-pairs", help="Compare right with wrong choices of a question.", show_default=False)
    ] = False,
    force: Force = False,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Import a folder of rows (pairs, or claims to verify) and seal its labels."""
    from aar.testbeds.folder import import_folder

    with run_command(json) as out:
        home = LabFolder.find(lab)
        with out.progress(f"importing {folder}"):
            imported = import_folder(home, folder, name, as_pairs, force)
        card = {**card_of(home, imported.name), "changed": imported.changed}
        notes = [f"note: {note}" for note in imported.notes]
        out.show(card, cards_table([card]), *notes, *([] if imported.changed else [_unchanged(card)]))


@app.command("list")
def list_(lab: Lab = None, json: Json = False) -> None:
    """The testbeds of this lab, and those that can be built."""
    from aar.testbeds.generators.item import generators
    from aar.testbeds.manifest import list_testbeds

    with run_command(json) as out:
        home = LabFolder.find(lab)
        cards = [card_of(home, name) for name in list_testbeds(home)]
        buildable = [name for name in generators.names() if name not in list_testbeds(home)]
        more = f"can be built: {', '.join(buildable)}" if buildable else "every generator is built"
        out.show({"testbeds": cards, "buildable": buildable}, cards_table(cards), more)


@app.command()
def show(
    name: str,
    rows: Annotated[int, typer.Option(min=0, help="Public test rows to show.")] = 2,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """One testbed: its public manifest and a few public rows. Labels stay sealed."""
    import json as jsonlib
    from itertools import islice
    from textwrap import shorten

    with run_command(json) as out:
        home = LabFolder.find(lab)
        card = card_of(home, name)
        with (home.testbed(name) / "test.jsonl").open() as file:
            sample = [jsonlib.loads(line) for line in islice(file, rows)]
        texts = ["\n".join(f"{field}: {shorten(text, 300)}" for field, text in row.items()) + "\n" for row in sample]
        notes = [f"note: {note}" for note in card["notes"]]
        out.show({**card, "sample": sample}, cards_table([card]), f"source: {card['source']}", *notes, "", *texts)


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(help="Testbeds; none: all.")] = None,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Compare contents and permissions with what was sealed; exit code 1 where anything differs."""
    from aar.testbeds.manifest import check as check_testbed
    from aar.testbeds.manifest import list_testbeds

    with run_command(json) as out:
        home = LabFolder.find(lab)
        differs = {name: check_testbed(home, name) for name in names or list_testbeds(home)}
        if faults := [fault for found in differs.values() for fault in found]:
            hint = "`aar testbed build NAME --force`, or import again with --force; chmod where only a mode differs"
            raise LabError("\n".join(faults), code="damaged_testbed", hint=hint)
        out.show({"intact": sorted(differs)}, f"intact: {', '.join(sorted(differs)) or 'no testbed here yet'}")


def card_of(lab: LabFolder, name: str) -> dict[str, Any]:
    from aar.testbeds.manifest import read_manifest

    return read_manifest(lab, name).as_json()


def cards_table(cards: list[dict[str, Any]]) -> Any:
    splits = ("labeled", "unlabeled", "test", "private", "ood")
    rows = [[c["name"], c["kind"], *(c["counts"][s] for s in splits), "yes" if c["ceiling"] else "no"] for c in cards]
    return table("Testbeds (rows)", ["name", "kind", *splits, "ceiling"], rows)


def _unchanged(card: dict[str, Any]) -> str:
    return f"{card['name']}: there already and intact, nothing was done"
