"""The whole way of a result, with real processes: a token, a socket, a snapshot, a rerun in the sandbox, the board."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aar.errors import ProviderDown
from aar.lab import tokens
from aar.lab.service import running
from aar.lab.store import Store
from aar.sandboxes import available
from aar.settings import LabFolder
from aar.task.client import LabClient


@pytest.fixture(scope="module", autouse=True)
def _needs_sandbox() -> None:
    try:
        available()
    except ProviderDown as error:
        pytest.skip(error.message)


def aar(lab: LabFolder, *args: str) -> Any:
    """Run a command as a user would, with --json; its answer."""
    command = [sys.executable, "-m", "aar.cli", *args, "--lab", str(lab.root), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_hello_method_is_verified_and_repeats(tiny_lab: LabFolder, repository: Path) -> None:
    """Submitted from a researcher's own socket, rerun by the server, on the board, and repeated to the last digit."""
    with running(tiny_lab) as owner:
        token = tokens.create(Store(tiny_lab.database), "alice")
        researcher = LabClient(owner.where, token)
        sent = researcher.submit("toy", "hello", repository / "examples" / "hello_method")
        row = researcher.wait(sent["id"], timeout_s=200)
        assert (row["state"], row["fault"]) == ("verified", None)
        assert "acc" not in json.dumps(row["verdict"]).replace('"accuracy"', ""), "exact figures stay with the owner"
        board = researcher.leaderboard("toy")
        assert "hello" in [r["name"] for r in board["rows"] if r["kind"] == "submission"]
        again = aar(tiny_lab, "verify", str(sent["id"]))
        assert again["same"] is True
    report = aar(tiny_lab, "audit", "verify")
    assert report["ok"]
    assert report["entries"] > 3


def test_library_methods_run_on_a_prepared_problem(tiny_lab: LabFolder) -> None:
    """`aar method run --json` gives every field that programs rely on; toy has no gap, so no PGR is made up."""
    result = aar(tiny_lab, "method", "run", "vanilla", "toy", "--seeds", "0-1")
    assert set(result) >= {"problem", "method", "seeds", "acc", "pgr", "floor", "ceiling", "by_subset", "seconds"}
    assert result["seeds"] == [0, 1]
    assert (result["pgr"] is None) == ("not_scored" in result)


def test_baselines_print_one_line_a_method(tiny_lab: LabFolder) -> None:
    """Every quick human baseline, each with a result or the reason why it was not run."""
    table = aar(tiny_lab, "baseline", "run", "toy", "--seeds", "0-1")
    names = {line["method"] for line in table["methods"]}
    assert names >= {"vanilla", "soft", "confident", "logconf", "ccs"}
    assert all(line["result"] or line["not_run"] for line in table["methods"])
