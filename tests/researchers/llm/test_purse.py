"""The caps hold whatever is killed when; what is on disk bounds what was spent."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from aar.errors import InputError
from aar.researchers.base import Llm, Stopped
from aar.researchers.llm.prices import Prices, Tokens
from aar.researchers.llm.purse import Purse, Waiting

CAPS = Llm(usd=1.0, usd_study=1.0, usd_day=100.0)


@pytest.fixture(scope="module")
def dead() -> tuple[int, float]:
    """(pid, start) of a process that is gone."""
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    born = psutil.Process(child.pid).create_time()
    child.communicate()
    return child.pid, born


def schedule(path: Path, seed: int, dead: tuple[int, float], reserving: bool = True) -> float:
    """Nine researchers on one dollar, each request billed between nothing and its worst case, one in five killed in the
    middle: before or after the provider billed it. Returns what the provider billed. `reserving` off: the attack, a
    ledger that knows only what was settled when the request is sent."""
    rng, billed, idle = random.Random(seed), 0.0, 0
    purses = [Purse(path) for _ in range(4)]  # of four processes; the last one is killed with every request it makes
    purses[3]._me = dead
    under_way: list[tuple[Purse, str, float]] = []
    while idle < 20:
        purse, who, usd = rng.choice(purses), f"r{rng.randrange(9)}", rng.uniform(0.005, 0.09)
        if rng.random() < 0.6:
            try:
                under_way.append((purse, purse.reserve(f"s/{who}", "s", who, usd if reserving else 0.0, CAPS), usd))
                idle = 0
            except (Stopped, Waiting):
                idle += 1
        elif under_way:
            purse, ref, most = under_way.pop(rng.randrange(len(under_way)))
            real = most * rng.choice((0.0, rng.random(), 1.0))
            billed += real
            if purse is not purses[3]:
                purse.settle(ref, real)
            elif rng.random() < 0.5:
                with path.open("ab") as file:
                    file.write(b'{"settle": "s/r')
        else:
            idle += 1
    return billed + sum(most for _, _, most in under_way)  # the provider bills what is still on its way, too


@pytest.mark.parametrize("schedules", [20, pytest.param(100, marks=pytest.mark.soak)])
def test_the_cap_is_never_passed(tmp_path: Path, dead: tuple[int, float], schedules: int) -> None:
    """Hard: the bill never exceeds the dollar, and the purse says no less than the bill."""
    worst = 0.0
    for seed in range(schedules):
        path = tmp_path / f"{seed}.jsonl"
        billed = schedule(path, seed, dead)
        assert billed <= Purse(path).spent("s") + 1e-9 <= CAPS.usd_study + 2e-9
        worst = max(worst, billed)
    assert worst > 0.8  # the cap was really reached


def spend(path: Path, bills: int, who: str, seed: int) -> None:
    """The life of one process: it reserves, the provider bills, it settles, until the cap; it never returns."""
    rng, purse = random.Random(seed), Purse(path)
    while True:
        usd = rng.uniform(0.005, 0.09)
        try:
            ref = purse.reserve(f"s/{who}/{seed}", "s", who, usd, CAPS)
        except Stopped:
            os._exit(0)
        except Waiting:
            time.sleep(0.001)
            continue
        real = usd * rng.random()
        os.write(bills, f"{real!r}\n".encode())
        purse.settle(ref, real)


def killed_schedule(folder: Path, seed: int) -> tuple[float, int]:
    """Nine real processes on one dollar, one of them killed every few milliseconds. (what the provider billed, kills)"""
    rng, path, kills = random.Random(seed), folder / f"{seed}.jsonl", 0
    bills = os.open(folder / f"{seed}.bill", os.O_CREAT | os.O_RDWR | os.O_APPEND)

    def start(who: int, life: int) -> int:
        if pid := os.fork():
            return pid
        try:
            spend(path, bills, f"r{who}", 1000 * seed + life)
        finally:
            os._exit(1)

    alive = {start(who, who): who for who in range(9)}
    while alive:
        time.sleep(rng.uniform(0.0, 0.01))
        if kills < 15:
            pid = rng.choice(list(alive))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            kills += 1
            who = alive.pop(pid)
            alive[start(who, 9 + kills)] = who
        alive = {pid: who for pid, who in alive.items() if os.waitpid(pid, os.WNOHANG) == (0, 0)}
    lines = os.pread(bills, 1 << 20, 0).split()
    os.close(bills)
    return sum(map(float, lines)), kills


@pytest.mark.parametrize("schedules", [3, pytest.param(100, marks=pytest.mark.soak)])
def test_real_processes_that_are_killed(tmp_path: Path, schedules: int) -> None:
    """kill -9 at any moment: the bill never exceeds what the purse says, nor the purse the dollar."""
    spent, kills = [], 0
    for seed in range(schedules):
        billed, killed = killed_schedule(tmp_path, seed)
        spent.append(Purse(tmp_path / f"{seed}.jsonl").spent("s"))
        assert 0 < billed <= spent[-1] + 1e-9 <= CAPS.usd + 2e-9
        kills += killed
    assert max(spent) > 0.9
    assert kills >= 5 * schedules


def test_without_reservations_the_cap_is_passed(tmp_path: Path, dead: tuple[int, float]) -> None:
    """The attack succeeds on a ledger that counts only what has settled."""
    assert max(schedule(tmp_path / f"{seed}.jsonl", seed, dead, reserving=False) for seed in range(5)) > CAPS.usd_study


def test_every_cap_is_its_own(tmp_path: Path) -> None:
    """Of the researcher, of the study, of the day; the error names which."""
    purse = Purse(tmp_path / "p.jsonl")
    caps = Llm(usd=1.0, usd_study=1.5, usd_day=2.0)
    purse.settle(purse.reserve("a", "s", "ann", 0.9, caps), 0.9)
    with pytest.raises(Stopped, match="this researcher"):
        purse.reserve("b", "s", "ann", 0.2, caps)
    purse.settle(purse.reserve("c", "s", "bob", 0.6, caps), 0.6)
    with pytest.raises(Stopped, match="this study"):
        purse.reserve("d", "s", "cat", 0.1, caps)
    purse.settle(purse.reserve("e", "t", "dan", 0.4, caps), 0.4)
    with pytest.raises(Stopped, match="this day"):
        purse.reserve("f", "t", "eve", 0.2, caps)


def test_room_that_comes_back_is_waited_for(tmp_path: Path) -> None:
    """While a request is under way there may be room again; once it has settled there is, or there is not."""
    purse = Purse(tmp_path / "p.jsonl")
    ref = purse.reserve("a", "s", "ann", 0.9, CAPS)
    with pytest.raises(Waiting):
        purse.reserve("b", "s", "bob", 0.5, CAPS)
    purse.settle(ref, 0.1)
    purse.settle(ref, 0.8)  # a second word changes nothing
    purse.release(purse.reserve("c", "s", "bob", 0.8, CAPS))
    assert purse.spent("s") == pytest.approx(0.1)
    assert Purse(purse.path).spent("s") == pytest.approx(0.1)


def test_a_line_cut_short_never_happened(tmp_path: Path) -> None:
    """A writer that was killed in the middle of a line: the rest is read, and the next line is whole."""
    purse = Purse(tmp_path / "p.jsonl")
    purse.settle(purse.reserve("a", "s", "ann", 0.5, CAPS), 0.25)
    with purse.path.open("ab") as file:
        file.write(b'{"reserve": "b/0", "stu')
    other = Purse(purse.path)
    assert other.reserve("b", "s", "ann", 0.5, CAPS) == "b/0"
    assert purse.spent("s") == pytest.approx(0.75)


def test_prices(tmp_path: Path) -> None:
    """Published ones, the owner's own, and none: an unknown model is asked about, never free."""
    (tmp_path / "prices.toml").write_text(
        '["vllm/mine"]\ninput = 0.0\noutput = 0.0\n["openai/gpt-4o"]\ninput = 100.0\noutput = 200.0\n'
    )
    prices = Prices(tmp_path / "prices.toml")
    used = Tokens(fresh=1_000_000, out=1_000_000)
    assert prices.usd("vllm/mine", used) == 0
    assert prices.usd("openai/gpt-4o", used) == 300
    assert Prices().usd("openai/gpt-4o", used) == pytest.approx(12.5)
    assert prices.most("anthropic/claude-sonnet-4-5", 1000, 0) == pytest.approx(
        prices.usd("anthropic/claude-sonnet-4-5", Tokens(written=1000))
    )
    with pytest.raises(InputError, match="nobody knows") as caught:
        prices.usd("vllm/other", used)
    assert "prices.toml" in caught.value.hint
