"""The referee: runs attacks with their defence on and off and says what became of each.

An attack *works undefended* if, with its own defence off, it gains five accuracy points, reads or reaches what it may
not, or forges something; one that does not is no attack. With the defence on it is `prevented`, `flagged` (its gain is
real, and a person is shown evidence) or has `succeeded`. A control is `passed`, or was `hindered`.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from aar.attacks.field.attack import Attack, Feat, attacks
from aar.attacks.field.ground import Ground, Outside
from aar.attacks.field.range import Range
from aar.errors import AarError, InputError
from aar.scoring.siege import upper_bound

WORTH = 5.0  # accuracy points that make an attack one
FULL, QUICK = 50, 6  # redraws of the labels
CONTROL = 2  # redraws of a control run
PATIENCE = 120  # queries: paid ones end much earlier, and free ones are near-duplicates that tell nothing new
Result = Literal["prevented", "flagged", "succeeded", "no attack", "passed", "hindered", "not run"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """`gain`: mean accuracy points over the honest answer with the defence on, None where an attack is after something
    else; `bound`: its one-sided 95 % upper bound, None from one run. `by`: what stopped or flagged it. `undefended`: what
    it got with its own defence off, and the points among it; `works_undefended` None where that cannot be tried, on a target."""

    name: str
    family: str
    what: str
    works_undefended: bool | None
    undefended: str
    undefended_gain: float | None
    result: Result
    by: str
    gain: float | None
    bound: float | None
    redraws: int
    queries: int
    seconds: float

    @property
    def bad(self) -> bool:
        return self.result in ("succeeded", "hindered", "not run")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def chosen(names: Sequence[str], *, remote: bool) -> list[Attack]:
    """The attacks of these names or families, all where none is named; on a target those that need a token alone."""
    every = [a for _, a in attacks if a.remote or not remote]
    if not names:
        return sorted(every, key=lambda a: (a.honest, a.family, a.name))
    known = {a.name for a in every} | {a.family for a in every}
    if unknown := [n for n in names if n not in known]:
        where = " against a target" if remote else ""
        raise InputError(f"no attack or family {unknown[0]!r}{where}", hint=f"known: {', '.join(sorted(known))}")
    return [a for a in every if a.name in names or a.family in names]


def run(
    wanted: Sequence[Attack], *, redraws: int = FULL, target: tuple[Outside, str] | None = None, say: Say = print
) -> Iterator[Outcome]:
    """One outcome after the other, with progress and the time left. Makes and removes its own labs."""
    start, made = time.monotonic(), list[Range]()

    def shared() -> Range:
        if not made:
            made.append(Range(say=say))
            _ = made[0].honest  # measured before any defence is switched off
        return made[0]

    try:
        with _quiet():
            for k, attack in enumerate(wanted):
                left = f", about {_minutes((time.monotonic() - start) / k * (len(wanted) - k))} left" if k else ""
                say(f"[{k + 1}/{len(wanted)}{left}] {attack.name}: {attack.what}")
                yield one(attack, redraws, shared, target, say)
    finally:
        for arena in made:
            arena.close()


def one(
    attack: Attack,
    redraws: int,
    shared: Callable[[], Range],
    target: tuple[Outside, str] | None = None,
    say: Say = print,
) -> Outcome:
    """An attack in both modes; a control, and an attack on a target, in one."""
    start = time.monotonic()
    try:
        with Ground(redraws, PATIENCE, shared=shared, target=target, say=say).over() as ground:
            feat = attack.act(ground)
        seconds = time.monotonic() - start
        off = None if target or attack.honest else _undefended(attack, feat, redraws, shared, say)
    except Exception as error:  # the round's boundary: one that breaks does not take the others' results with it
        why = f"{error.code}: {error.message}" if isinstance(error, AarError) else repr(error)
        return Outcome(attack.name, attack.family, attack.what, None, "", None, "not run", why, None, None, 0, 0,
                       time.monotonic() - start)  # fmt: skip
    works = None if off is None else bool(off.loot) or _mean(off) >= WORTH
    bound = upper_bound(feat.gains) if len(feat.gains) > 1 else None
    result = judge(attack, feat, works)
    return Outcome(attack.name, attack.family, attack.what, works, _in_words(off), _gain(off), result, "; ".join(_by(feat, result)),
                   _gain(feat), bound, len(feat.gains), feat.queries, seconds)  # fmt: skip


def _by(feat: Feat, result: Result) -> tuple[str, ...]:
    """What decided the result: the loot, the flags, or what stood in the way."""
    if result == "succeeded":
        return feat.loot or ("nothing saw it",)
    return feat.flags if result in ("flagged", "hindered", "passed") and feat.flags else feat.met


def _undefended(attack: Attack, feat: Feat, redraws: int, shared: Callable[[], Range], say: Say) -> Feat:
    if attack.off is None:
        return feat  # a detector changes no gain
    say("  and with its defence off")
    with attack.off(), Ground(min(redraws, CONTROL), 0, True, shared, say=say).over() as ground:
        return attack.act(ground)


def judge(attack: Attack, feat: Feat, works: bool | None) -> Result:
    if attack.honest:
        # a board of one's own is a place, not a hindrance
        return "hindered" if not feat.gains or any(not f.startswith("board ") for f in feat.flags) else "passed"
    if feat.loot:
        return "succeeded"
    if len(feat.gains) > 1:
        # few redraws say little: then only what is surely over the limit has succeeded
        over = upper_bound(feat.gains) if len(feat.gains) >= FULL else 2 * _mean(feat) - upper_bound(feat.gains)
        return "succeeded" if over > attack.limit else "no attack" if works is False else "prevented"
    if _mean(feat) >= WORTH:
        return "flagged" if feat.flags else "succeeded"
    return "no attack" if works is False else "prevented"


def _mean(feat: Feat) -> float:
    return float(np.mean(feat.gains)) if feat.gains else 0.0


def _gain(feat: Feat | None) -> float | None:
    return _mean(feat) if feat and feat.gains else None


def _in_words(feat: Feat | None) -> str:
    if feat is None:
        return ""
    gain = [f"{_mean(feat):+.1f} points"] if feat.gains else []
    return "; ".join([*feat.loot, *gain]) or "nothing"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{math.ceil(seconds / 60)} min"


@contextmanager
def _quiet() -> Iterator[None]:
    """A lab without a defence fails loudly in its log, as it should; here that is expected."""
    loggers = {logging.getLogger(name): logging.getLogger(name).level for name in ("aar", "uvicorn")}
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in loggers.items():
            logger.setLevel(level)
