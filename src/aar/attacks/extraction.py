"""Reading labels out of the answers: the attackers of `aar.scoring.attackers`, against a real lab's HTTP routes.

The gain is that of the vector an attacker would send last, on the interactive rows, over its honest one. Colluders pool
what eight researchers hear. Not here: an attacker who is sure of some rows and tosses a coin on all others, which
no budget of use holds (docs/bench/gate.json).
"""

from __future__ import annotations

from dataclasses import replace

from aar.attacks.field.arena import after_rerun, besiege
from aar.attacks.field.attack import TOGETHER, Feat, attack
from aar.attacks.field.ground import Ground
from aar.attacks.field.undefended import exact_answers
from aar.scoring import attackers

FAMILY = "extraction"
ONE, EIGHT = 0.5, 0.0  # standard deviations under the next step: what `bench/gate.py` found strongest


@attack("single flip", FAMILY, off=exact_answers)
def single_flip(ground: Ground) -> Feat:
    """Flip one row at a time and keep what is answered higher."""
    return besiege(ground, attackers.single_flip)


@attack("bisection", FAMILY, off=exact_answers)
def bisection(ground: Ground) -> Feat:
    """Flip blocks of 64 rows, count the wrong ones from the answer, halve the blocks that are mixed."""
    return besiege(ground, attackers.bisection)


@attack("block flip", FAMILY, off=exact_answers)
def block_flip(ground: Ground) -> Feat:
    """The same from blocks of three rows."""
    return besiege(ground, attackers.block_flip)


@attack("hill climb", FAMILY, off=exact_answers)
def hill_climb(ground: Ground) -> Feat:
    """Flip random blocks just too big to be near-duplicates and keep what is answered higher."""
    return besiege(ground, attackers.hill_climb, queries=800)


@attack("boosting", FAMILY, off=exact_answers)
def boosting(ground: Ground) -> Feat:
    """Ask about random vectors and let each vote as far as it beat one half."""
    return besiege(ground, attackers.boosting, queries=400)


@attack("regression on answers", FAMILY, off=exact_answers)
def regression(ground: Ground) -> Feat:
    """Flip random tenths of the rows and infer all labels from the answers."""
    return besiege(ground, attackers.regression)


@attack("floor parking", FAMILY, off=exact_answers)
def floor_parking(ground: Ground) -> Feat:
    """Park vectors just under the next step, so that each answer, told or not, is worth up to one bit."""
    return besiege(ground, attackers.parking(ONE))


@attack("collusion of eight", FAMILY, off=exact_answers, limit=TOGETHER)
def collusion(ground: Ground) -> Feat:
    """Eight researchers park vectors under eight Ladders and pool what they hear."""
    return besiege(ground, attackers.parking(EIGHT), accomplices=8, queries=480)


@attack("seed lottery", FAMILY, off=exact_answers)
def seed_lottery(ground: Ground) -> Feat:
    """Run a method under 200 seeds, send each, keep the one that is answered highest, submit its method."""
    if ground.control:  # without a rerun the lucky vector itself would rank
        return besiege(ground, attackers.best_of_seeds, queries=200, rows=300)
    feat = besiege(ground, attackers.best_of_seeds, rows=300, gain=after_rerun)
    return replace(feat, met=("a rerun on the server's seeds", *feat.met))
