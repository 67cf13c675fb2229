"""The referee: what counts as an attack, what as success; and that switched-off defences come back."""

from __future__ import annotations

import json
from pathlib import Path

import grimp
import pytest

from aar.attacks.field import campaign, report, undefended, unwalled
from aar.attacks.field.attack import Attack, Feat, attacks
from aar.attacks.field.campaign import judge
from aar.attacks.field.ground import Ground
from aar.cli.main import main
from aar.errors import InputError
from aar.scoring.gate import Gate, GateRules


def nothing(ground: Ground) -> Feat:
    return Feat()


CHEAT, CONTROL = Attack("x", "f", "w", nothing), Attack("x", "f", "w", nothing, honest=True)


@pytest.mark.parametrize(
    ("feat", "works", "result"),
    [
        (Feat(loot=("a label",)), True, "succeeded"),
        (Feat(met=("401",)), True, "prevented"),
        (Feat(met=("401",)), False, "no attack"),
        (Feat((9.0,), flags=("a check",)), True, "flagged"),
        (Feat((9.0,)), True, "succeeded"),
        (Feat((4.0,)), True, "prevented"),
        (Feat((1.0,) * 49 + (1.1,)), True, "prevented"),
        (Feat((2.0,) * 49 + (2.1,)), True, "succeeded"),
        (Feat((0.0, 5.0)), True, "prevented"),  # two draws prove nothing
        (Feat((9.0, 9.5)), True, "succeeded"),
    ],
)
def test_the_judge(feat: Feat, works: bool, result: str) -> None:
    """Loot is success; a gain of five points needs a flag; the bound counts where there are enough draws for one."""
    assert judge(CHEAT, feat, works) == result


def test_the_judge_of_controls() -> None:
    """A control passes if it has a verdict and no flag."""
    assert judge(CONTROL, Feat((9.0,)), None) == "passed"
    assert judge(CONTROL, Feat((9.0,), flags=("board unsupervised",)), None) == "passed"
    assert judge(CONTROL, Feat((9.0,), flags=("a check",)), None) == "hindered"
    assert judge(CONTROL, Feat(met=("timed_out",)), None) == "hindered"


def test_every_attack_says_what_it_does_and_has_a_control_run() -> None:
    """A sentence each; a defence to switch off, or a detector."""
    for name, one in attacks:
        assert one.what.endswith("."), name
        assert one.off is not None or one.honest or one.family == "cheating methods", name
    assert len({one.family for _, one in attacks}) >= 9


@pytest.mark.parametrize("off", [a.off for _, a in attacks if a.off], ids=lambda off: off.__name__)
def test_a_defence_comes_back_whatever_happens(off) -> None:  # type: ignore[no-untyped-def]
    """What the block replaced is there again after it, also when it raises."""
    seen: list[tuple[object, str, object]] = []
    original = undefended.replaced

    def noted(owner: object, **new: object):  # type: ignore[no-untyped-def]
        seen.extend((owner, name, getattr(owner, name)) for name in new)
        return original(owner, **new)

    def fail() -> None:
        with off():
            assert any(getattr(owner, name) is not was for owner, name, was in seen)
            raise KeyError

    with original(undefended, replaced=noted), original(unwalled, replaced=noted), pytest.raises(KeyError):
        fail()
    assert seen
    assert all(getattr(owner, name) is was for owner, name, was in seen)


def test_no_lab_can_reach_the_switches() -> None:
    """Only attacks, their command and benches import from `aar.attacks`, only commands import benches, and no environment
    variable is read there."""
    graph = grimp.build_graph("aar", cache_dir=None)
    inside = graph.find_descendants("aar.attacks")
    users = {u for m in inside for u in graph.find_modules_directly_imported_by(m) if u.startswith("aar.cli")}
    benches = graph.find_descendants("aar.bench")
    importers = {i for m in inside for i in graph.find_modules_that_directly_import(m)} - inside
    assert importers - benches == {"aar.cli.attack"}
    assert {i for m in benches for i in graph.find_modules_that_directly_import(m)} - benches <= {"aar.cli.bench"}
    assert not users
    for path in Path(undefended.__file__).parent.glob("*.py"):
        assert "os.environ.get" not in path.read_text()


def test_choosing() -> None:
    """By name or family; an unknown one is answered with the known ones."""
    assert {a.family for a in campaign.chosen(["races"], remote=False)} == {"races"}
    with pytest.raises(InputError) as caught:
        campaign.chosen(["telepathy"], remote=False)
    assert "single flip" in caught.value.hint


def test_the_shipped_rules_are_what_is_attacked() -> None:
    """No attack loosens the gate: the rules of a lab that is made for one are the default ones, for fewer people."""
    with Ground().over() as ground:
        assert ground.small().scorer.gate.rules == GateRules()
        assert Gate.answer.__module__ == "aar.scoring.gate"


def test_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One JSON document, a table on disk, exit 0; wrong names and a missing token are errors with a hint."""
    page = tmp_path / "attacks.md"
    assert main(["attack", "guessed tokens", "--json", "--quick", "--write", str(page)]) == 0
    (told,) = json.loads(capsys.readouterr().out)["attacks"]
    assert (told["result"], told["works_undefended"], told["gain"]) == ("prevented", True, None)
    assert "| **guessed tokens**" in page.read_text()
    assert main(["attack", "telepathy"]) == 1
    assert main(["attack", "--target", "http://127.0.0.1:1"]) == 1


def test_a_success_is_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command fails when an attack gets through."""
    won = campaign.Outcome("x", "f", "w", True, "", None, "succeeded", "y", None, None, 0, 1, 0.1)
    monkeypatch.setattr(campaign, "one", lambda *args: won)
    assert main(["attack", "guessed tokens", "--json"]) == 1


def test_the_table(tmp_path: Path) -> None:
    """Gains with their bound and the number of draws, and as a picture; pipes do not break the table."""
    made = campaign.Outcome("x", "f", "a | b.", True, "z", 7.0, "prevented", "gate", 0.5, 1.25, 50, 9, 2.0)
    report.write(tmp_path / "a.md", [made], "One.")
    assert (
        "| **x** a \\| b. | z | prevented | gate | +0.5 (≤ 1.2, 50 redraws) | 9 | 2 |"
        in (tmp_path / "a.md").read_text()
    )
    assert (tmp_path / "a.png").stat().st_size > 1000
