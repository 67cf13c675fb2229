"""Benches: found by their file, told as figures with a ratio that means the same for rates and for seconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aar.bench.base import Figure, benches
from aar.cli.main import main


def test_faster_is_more_than_one_for_rates_and_for_seconds() -> None:
    """Twice the tokens a second and half the seconds are both 2; without a baseline there is no ratio."""
    assert Figure("x", 200, "tokens/s", "plain", 100).times_faster == 2
    assert Figure("x", 1, "s", "plain", 2).times_faster == 2
    assert Figure("x", 1, "s").as_json()["times_faster"] is None


def test_the_command_lists_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    """Every bench with its line of help."""
    assert main(["bench", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"extraction", "heads", "method"} <= set(told) == set(benches.names())
    assert all(told.values())


def test_an_unprepared_lab_is_told_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not a crash in the middle of a measurement."""
    assert main(["bench", "method", "--lab", str(tmp_path), "--json"]) == 1
    assert "aar baseline run code" in json.loads(capsys.readouterr().out)["error"]["hint"]


def test_a_bench_runs_and_answers_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real one, on fewer heads."""
    from aar.bench import heads

    monkeypatch.setattr(heads, "HEADS", 3)
    monkeypatch.setattr(heads, "ROWS", 60)
    assert main(["bench", "heads", "--lab", str(tmp_path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["heads"]
    assert [f["baseline"] for f in figures] == ["one by one", "scikit-learn LogisticRegression"]
    assert all(f["value"] > 0 and f["times_faster"] > 0 for f in figures)
