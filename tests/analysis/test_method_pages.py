"""The pages of the library say what the cards say, and the files in the repository are the generated ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from aar.analysis import method_pages, method_plot
from aar.errors import InputError
from aar.methods import library


def test_the_pages_in_the_repository_are_up_to_date(repository: Path) -> None:
    """Otherwise: aar method docs."""
    folder = repository / "docs" / "methods"
    for name, text in method_pages.pages().items():
        assert (folder / name).read_text() == text, f"docs/methods/{name} is stale: aar method docs"
    measured = method_pages.known_results(folder / "table.json")
    if measured is not None:
        assert (folder / "table.md").read_text() == method_pages.table_page(measured), "aar method docs"


def test_every_method_has_its_entry_and_links_hold() -> None:
    """A heading per method, in the page of its family; the index links all; formulas stand in math blocks."""
    pages = method_pages.pages()
    for name in library.methods():
        card = library.card(name)
        assert f"\n## {name}\n" in pages[f"{card.family}.md"]
        assert f"({card.family}.md#{name})" in pages["README.md"]
        if card.formula:
            assert f"\n```math\n{card.formula}\n```\n" in pages[f"{card.family}.md"]


@pytest.mark.parametrize("name", [n for n in library.methods() if library.card(n).formula])
def test_formulas_are_well_formed(name: str) -> None:
    """Braces and \\left, \\right balance, and nothing ends the block early."""
    formula = library.card(name).formula
    depth = 0
    for char in re.sub(r"\\[{}]", "", formula):
        depth += (char == "{") - (char == "}")
        assert depth >= 0
    assert depth == 0
    assert len(re.findall(r"\\left(?![a-z])", formula)) == len(re.findall(r"\\right(?![a-z])", formula))
    assert "`" not in formula
    assert "\n" not in formula


def table() -> dict[str, Any]:
    def cell(mean: float, gain: tuple[float, float] | None = None) -> dict[str, Any]:
        pgr = {"mean": mean, "lo": mean - 0.1, "hi": mean + 0.1}
        told = None if gain is None else {"mean": sum(gain) / 2, "lo": gain[0], "hi": gain[1]}
        return {"acc": 0.8, "pgr": pgr, "together": pgr, "gain": told, "rank": 1.0, "params": {}, "seconds": 1.5}

    code = "code@minilm/smollm2-135m"
    line = {"human": False, "trusted": False, "cost": "seconds", "mean_rank": 1.0}
    return {
        "seeds": [0, 1], "budget": 3,
        "problems": {code: {"short": "code", "testbed": "code", "rows": 400, "floor": 0.6, "ceiling": 0.9, "best_human": "logconf"}},
        "methods": {
            "gce": line | {"family": "loss", "problems": {code: cell(0.8, (0.05, 0.3))}},
            "sce": line | {"family": "loss", "problems": {code: cell(-0.4, (-0.9, -0.6))}},
            "logconf": line | {"family": "loss", "human": True, "problems": {code: cell(0.6)}},
            "dawid_skene": line | {"family": "combination", "mean_rank": None, "problems": {code: {"not_run": "no votes", "failed": False}}},
            "platt": line | {"family": "imitation", "mean_rank": None, "trusted": True, "problems": {code: cell(0.9) | {"rank": None}}},
        },
        "kinds": {code: {"loss": {"mean": 0.12, "lo": 0.02, "hi": 0.22}, "imitation": {"mean": -0.1, "lo": -0.3, "hi": 0.1}}},
        "transfer": {code: {"method": "gce", "params": {"q": 0.4}, "elsewhere": 0.5, "here": 0.8, "human": "logconf", "human_pgr": 0.6,
                            "gain": {"mean": 0.2, "lo": -0.1, "hi": 0.5}}},
    }  # fmt: skip


def test_the_page_says_only_what_the_intervals_show() -> None:
    """Better, worse, worse than the teacher, not run, and a transfer whose interval holds zero."""
    page = method_pages.table_page(table())
    assert "better than `logconf`: `gce`; worse: 1 (`sce`); below the teacher itself: `sce`" in page
    assert "+0.20 [-0.10, 0.50]. No difference is shown." in page
    assert "0.80 [0.70, 0.90] ▲" in page
    assert "`dawid_skene`: no votes" in page
    assert "max-t" in page, "which correction"
    every, trusted = page.split("## With trusted rows")
    assert "[platt]" in trusted
    assert "[platt]" not in every
    assert method_pages.best_known(table(), "gce") == "code 0.80 [0.70, 0.90]"
    assert method_pages.best_known(table(), "dawid_skene") == method_pages.best_known(None, "gce") == ""


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [((0.15, 0.01, 0.3), "It is better; the aim is met."), ((0.05, 0.01, 0.1), "It is better, by less than the aim."),
     ((0.3, -0.1, 0.7), "No difference is shown."), ((-0.3, -0.5, -0.1), "It is worse.")],
)  # fmt: skip
def test_the_aim_is_a_tenth_with_its_interval_above_zero(gain: tuple[float, float, float], verdict: str) -> None:
    told = table()
    (transfer,) = told["transfer"].values()
    transfer["gain"] = dict(zip(("mean", "lo", "hi"), gain, strict=True))
    assert method_pages.table_page(told).count(verdict) == 1


def test_which_kind_wins_is_said_in_words() -> None:
    """Only families whose interval leaves zero out; nothing where the problem is not scored."""
    told = table()
    page = method_pages.table_page(told)
    assert "**code**: better: loss +0.12 [0.02, 0.22]; worse: none." in page
    assert "On every problem better: `loss`." in page
    assert "On every problem worse: none." in page
    assert "| loss | 3 | 0.33; `gce` 0.80 |" in page
    told["kinds"] = {p: {} for p in told["kinds"]}
    assert "**code**: not scored." in method_pages.table_page(told)


def test_the_picture_is_drawn_and_the_same_twice() -> None:
    first = method_plot.picture(table())
    assert first.startswith(b"\x89PNG")
    assert first == method_plot.picture(table())


def test_a_broken_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "table.json").write_text(json.dumps([1]))
    with pytest.raises(InputError, match="not a table"):
        method_pages.known_results(tmp_path / "table.json")
    assert method_pages.known_results(tmp_path / "none.json") is None
