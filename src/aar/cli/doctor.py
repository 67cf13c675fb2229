"""Check this machine: starts a sandbox, loads a model, reaches a server, and says how to mend what fails."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import typer

from aar.cli.console import Json, Lab, run_command, table
from aar.errors import AarError, LabError, ProviderDown
from aar.settings import DEFAULT_STUDENT, LabFolder, models_folder

app = typer.Typer()
MIN_DISK_GB = 3


@app.command()
def doctor(lab: Lab = None, json: Json = False) -> None:
    """Check this machine: starts a sandbox, loads a model, reaches a server, and says how to mend what fails."""
    with run_command(json) as out:
        folder = LabFolder.find(lab)
        checks: dict[str, Callable[[], str]] = {
            "python": _python,
            "disk": lambda: _disk(folder),
            "packages": _packages,
            "sandbox": _sandbox,
            "method in sandbox": _method,
            "model": _model,
            "server": lambda: _server(folder),
        }
        rows = []
        for name, check in checks.items():
            with out.progress(f"checking {name}"):
                rows.append(_tried(name, check))
        failed = [r for r in rows if not r["ok"]]
        out.show(
            {"ok": not failed, "checks": rows},
            table(
                "Doctor",
                ["check", "", "found", "mend with"],
                [(r["check"], "ok" if r["ok"] else "FAILS", r["found"], r["mend"]) for r in rows],
            ),
        )
        if failed:
            raise typer.Exit(1)


def _tried(name: str, check: Callable[[], str]) -> dict[str, object]:
    try:
        return {"check": name, "ok": True, "found": check(), "mend": ""}
    except AarError as error:
        return {"check": name, "ok": False, "found": error.message, "mend": error.hint}
    except Exception as error:  # whatever is broken on this machine is an answer here
        return {"check": name, "ok": False, "found": f"{type(error).__name__}: {error}", "mend": "make setup"}


def _python() -> str:
    return f"{platform.python_version()} at {sys.prefix}"


def _disk(folder: LabFolder) -> str:
    place = next(p for p in (folder.root, *folder.root.parents) if p.exists())
    free = shutil.disk_usage(place).free / 1e9
    if free < MIN_DISK_GB:
        raise LabError(
            f"{free:.1f} GB free at {place}", hint=f"free {MIN_DISK_GB} GB, or choose another folder with --lab"
        )
    return f"{free:.0f} GB free at {place}"


def _packages() -> str:
    import torch
    import transformers

    return f"torch {torch.__version__}, transformers {transformers.__version__}"


def _sandbox() -> str:
    """Runs the quick behaviours of the shipped contract on the best provider."""
    from aar.sandboxes import survey

    tried = [(sandbox.name, reason) for sandbox, reason in survey()]
    working = [name for name, reason in tried if reason is None]
    if not working:
        raise ProviderDown("; ".join(f"{n}: {r}" for n, r in tried), hint="apt-get install bubblewrap")
    missing = "; ".join(f"{n} does not work: {r}" for n, r in tried if r)
    return f"{working[0]}" + (f" ({missing})" if missing else "")


def _method() -> str:
    """The whole way of a method: imports numpy, torch and aar.types inside, and finds no network and no checker."""
    from aar.sandboxes import PYTHON, WORKSPACE, Mount, available

    program = (
        "import importlib.util, socket, numpy, torch, aar.types\n"
        "assert importlib.util.find_spec('aar.scoring') is None, 'the checkers are visible'\n"
        "try: socket.create_connection(('127.0.0.1', 9), 1); print('network')\n"
        "except OSError: print('ok')"
    )
    with tempfile.TemporaryDirectory() as place:
        ended = available().run([PYTHON, "-I", "-c", program], [Mount(Path(place), WORKSPACE, writable=True)])
    if ended.stdout.strip() != b"ok":
        raise ProviderDown(
            ended.stderr.decode(errors="replace").strip()[-300:] or ended.stdout.decode(), hint="make setup"
        )
    return f"imports and isolation as they should be, {ended.seconds:.1f} s"


def _model() -> str:
    from aar.models import frozen

    lm = frozen.load(DEFAULT_STUDENT)
    h = lm.hidden(["two plus two is four"], [1])
    return f"{DEFAULT_STUDENT} from {models_folder()}: {lm.layers} layers, width {h.shape[-1]}"


def _server(folder: LabFolder) -> str:
    """The lab's own server where one runs, else one on a lab made for this check."""
    from aar.lab.service import running

    if folder.database.exists():
        with running(folder, workers=0) as client:
            client.call("GET", "health")
            return f"answers for {folder.root}"
    with tempfile.TemporaryDirectory() as place, running(LabFolder(Path(place)), workers=0) as client:
        client.call("GET", "health")
    return "starts and answers (no lab here yet: make demo)"
