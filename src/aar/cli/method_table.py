"""The table of all methods, and the pages of the library: `aar method table` and `aar method docs`."""

from __future__ import annotations

import json as jsonlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from aar.cli.console import Json, Lab, run_command
from aar.cli.flags import parse_seeds
from aar.settings import LabFolder


def table_(
    problems: Annotated[
        list[str],
        typer.Argument(help="Prepared problems; at least two testbeds, so that settings can be chosen elsewhere."),
    ],
    only: Annotated[list[str], typer.Option(help="Only these methods; repeat.")] = [],  # noqa: B006
    seeds: Annotated[str, typer.Option(help="Seeds: 0-4 or 0,3,7.")] = "0-4",
    slow: Annotated[bool, typer.Option("--slow", help="Also methods that take minutes.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes side by side.")] = 2,
    limit: Annotated[
        float, typer.Option("--limit-s", help="Seconds after which a method in one setting is given up.")
    ] = 900,
    write: Annotated[Path, typer.Option("--out", help="Folder of table.json, table.md and table.png.")] = Path(
        "docs/methods"
    ),
    lab: Lab = None,
    json: Json = False,
) -> None:
    """All methods on these problems, the same budget for each: table, picture and page. Goes on where it was stopped."""
    with run_command(json) as out:
        from aar.analysis import method_pages
        from aar.cli.progress import feature_progress
        from aar.methods import library
        from aar.scoring import method_cells, method_table
        from aar.scoring.problem import Problem

        where, named, wanted = LabFolder.find(lab), [Problem.parse(p) for p in problems], parse_seeds(seeds)
        methods = [
            n
            for n in (only or library.methods())
            if only or ((slow or library.card(n).cost == "seconds") and n != "compose")
        ]
        start, todo = time.monotonic(), method_cells.cells(named, methods, wanted)
        with feature_progress(out) as progress:
            method_cells.run_cells(where, todo, jobs, _timed(progress), limit)
        data = method_table.collect(where, named, methods, wanted)
        write.mkdir(parents=True, exist_ok=True)
        (write / "table.json").write_text(jsonlib.dumps(data, indent=1) + "\n")
        _draw(write, method_pages.table_page(data), data)
        ran = sum(line["mean_rank"] is not None for line in data["methods"].values())
        out.show(
            data,
            f"{ran} of {len(methods)} methods on {len(named)} problems in {time.monotonic() - start:.0f} s: {write}/table.md",
        )


def _timed(report: Callable[[str, int, int, float], None]) -> Callable[[int, int, str], None]:
    """Progress in cells, with the time left at the pace of this run's own cells."""
    start, first = time.monotonic(), -1

    def said(done: int, total: int, last: str) -> None:
        nonlocal first
        first = done if first < 0 else first
        pace = (time.monotonic() - start) / max(1, done - first)
        report("methods, cells", done, total, pace * (total - done))

    return said


def _draw(folder: Path, page: str, data: Any) -> None:
    from aar.analysis import method_plot

    (folder / "table.md").write_text(page)
    (folder / "table.png").write_bytes(method_plot.picture(data))


def docs(
    write: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("docs/methods"), json: Json = False
) -> None:
    """The pages of the library, one a family, from the cards; the table's page too where it was measured."""
    with run_command(json) as out:
        from aar.analysis import method_pages

        pages = method_pages.pages()
        write.mkdir(parents=True, exist_ok=True)
        if (found := method_pages.known_results(write / "table.json")) is not None:
            _draw(write, method_pages.table_page(found), found)
        for name, text in pages.items():
            (write / name).write_text(text)
        out.show({"folder": str(write), "pages": sorted(pages)}, f"wrote {len(pages)} pages to {write}")
