"""`aar testbed prepare` and `aar testbed generate`: the full testbeds from their public sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from aar.cli.console import Json, Lab, run_command
from aar.settings import LabFolder

WALL_S = 100.0  # of all tests of one program
MEMORY_MB = 1024

Bed = Annotated[str, typer.Argument(help="chat-full, math-full or code-full.")]
From = Annotated[
    Path | None, typer.Option("--from", help="Local copies, a folder a dataset; else the hub.", show_default=False)
]


def prepare(
    bed: Bed,
    root: From = None,
    generations: Annotated[
        Path | None, typer.Option(help="Generated solutions; else FROM/generations.", show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name in the lab; else the testbed's.", show_default=False)] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a testbed of that name.", show_default=False)] = False,
    lab: Lab = None,
    json: Json = False,
) -> None:
    """Prepare a full testbed from its public sources: draw, balance, decontaminate, seal."""
    with run_command(json) as out:
        from aar.cli.testbed import card_of, cards_table
        from aar.testbeds.full.prepare import prepare as prepare_bed

        def told(done: int, total: int) -> None:
            if done % 100 == 0 or done == total:
                out.say(f"{done} of {total} solutions graded")

        home = LabFolder.find(lab)
        with out.progress(f"preparing {bed}"):
            made = prepare_bed(home, bed, _sandboxed(), root, generations, name, told, force)
        card = {**card_of(home, made.name), "changed": made.changed}
        out.show(card, cards_table([card]), *(f"note: {note}" for note in made.notes))


def generate(
    bed: Annotated[str, typer.Argument(help="math-full or code-full.")],
    model: Annotated[str, typer.Option(help="A local model or hub id; with --endpoint, the name it goes by there.")],
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Else FROM/generations/MODEL.jsonl.", show_default=False)
    ] = None,
    root: From = None,
    endpoint: Annotated[
        str | None, typer.Option(help="An OpenAI-compatible URL ending in /v1; key: $AAR_ENDPOINT_KEY.")
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="Solutions of each problem.")] = 2,
    limit: Annotated[int | None, typer.Option(min=1, help="Problems; else all that are left.")] = None,
    temperature: Annotated[float, typer.Option(min=0)] = 0.7,
    max_tokens: Annotated[int, typer.Option(min=1)] = 2048,
    json: Json = False,
) -> None:
    """Have a model write the solutions that a full testbed needs. Goes on where it was stopped."""
    with run_command(json) as out:
        from aar.errors import InputError
        from aar.testbeds.full import generate as asking
        from aar.testbeds.full.prepare import GENERATIONS

        if out_file is None and root is None:
            raise InputError("where to write the solutions is not said", hint="give --out FILE or --from FOLDER")
        path = out_file or Path(root or ".") / GENERATIONS / f"{model.strip('/').replace('/', '_')}.jsonl"
        sample = asking.endpoint(endpoint, model) if endpoint else asking.local(model)
        told = lambda written: out.say(f"{written} solutions written")  # noqa: E731
        written = asking.generate(bed, path, model, sample, root, n, temperature, max_tokens, limit, told)
        out.show({"file": str(path), "written": written}, f"{written} solutions in {path}")


def _sandboxed() -> Callable[[str, bytes], bytes]:
    """Runs a program that nobody trusts, in the best sandbox of this host; looked for when first needed."""
    from aar.sandboxes import PYTHON, Limits, available

    limits = Limits(wall_s=WALL_S, memory_mb=MEMORY_MB)
    return lambda program, fed: available().run([PYTHON, "-I", "-c", program], limits=limits, stdin=fed).stdout
