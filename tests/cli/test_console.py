"""What commands share: one JSON document, errors with hints, text printed as it is."""

from __future__ import annotations

import json

import pytest
import typer

from aar.cli.console import Output, run_command, table
from aar.errors import InputError


def test_json_result_is_the_whole_output(capsys: pytest.CaptureFixture) -> None:
    """Progress and remarks never mix with the document."""
    with run_command(json=True) as out:
        out.say("a remark")
        with out.progress("working"):
            out.show({"a": [1, None]}, "for people")
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"a": [1, None]}
    assert captured.err == ""


def test_people_get_their_text_unchanged(capsys: pytest.CaptureFixture) -> None:
    """Brackets are no markup and long lines are not cut when the output goes to a file."""
    line = "[red]x[/] " + "long " * 100
    with run_command(json=False) as out:
        out.show({}, line, table("T", ["name", "n"], [["[b]", 1], [None, 22]]))
    shown = capsys.readouterr().out
    assert line.strip() in shown
    assert "[b]" in shown
    assert "-" in shown


def test_error_is_exit_code_one_with_its_hint(capsys: pytest.CaptureFixture) -> None:
    """As JSON on standard output, or as two lines on standard error."""
    for as_json in (True, False):
        with pytest.raises(typer.Exit) as caught, run_command(as_json):
            raise InputError("no [such] thing", code="gone", hint="make it")
        assert caught.value.exit_code == 1
        captured = capsys.readouterr()
        if as_json:
            assert json.loads(captured.out) == {
                "error": {"code": "gone", "message": "no [such] thing", "hint": "make it"}
            }
        else:
            assert captured.err == "error: no [such] thing\n  -> make it\n"


def test_not_a_number_never_becomes_json() -> None:
    """NaN is no JSON: a score that is missing must say so."""
    with pytest.raises(ValueError, match="JSON"):
        Output(json=True).show({"pgr": float("nan")})
