"""Budgets under pressure: many at once, and others' shares."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from aar.attacks.field import undefended
from aar.attacks.field.attack import Feat, attack
from aar.attacks.field.ground import Ground, Outside, Reply, codes
from aar.scoring.gate import DAY

FAMILY = "races"
RACERS = 50
ROWS = 400


@attack("fifty on the last unit", FAMILY, off=undefended.look_then_charge)
def fifty(ground: Ground) -> Feat:
    """Spend a budget down to its last evaluation, then let fifty clients ask for it at once."""
    small = ground.small()
    rng = np.random.default_rng(0)
    problem, ids = small.draw(rng.integers(0, 2, ROWS), "rows")
    eve = small.person("eve")
    own = eve.client.budget(problem)["evaluations"][0]["left"]
    for _ in range(own - 1):
        _send(eve, problem, ids, rng.integers(0, 2, ROWS))
    vectors = [rng.integers(0, 2, ROWS) for _ in range(RACERS)]
    small.server  # noqa: B018  (started before the race)
    with ThreadPoolExecutor(RACERS) as pool:
        replies = list(pool.map(lambda v: _send(eve, problem, ids, v), vectors))
    answered = sum(r.status == 200 for r in replies)
    with small.lab.store.transaction():
        exam = small.scorer.exam(problem)
    charged = small.scorer.gate.spent(exam)
    loot = [f"{answered} answers for one unit"] if answered > 1 else []
    loot += [f"{charged} charged of {own}"] if charged != own else []
    loot += [f"{r.status}" for r in replies if r.status in (0, 500)][:1]
    return Feat(loot=tuple(loot), met=codes(replies), queries=own - 1 + RACERS)


@attack("fifty times one key", FAMILY, off=undefended.keys_forgotten)
def one_key(ground: Ground) -> Feat:
    """Send one vector fifty times at once under one Idempotency-Key, so that it is charged, or answered, in two ways."""
    small = ground.small()
    rng = np.random.default_rng(0)
    problem, ids = small.draw(rng.integers(0, 2, ROWS), "rows")
    eve, vector = small.person("eve"), rng.integers(0, 2, ROWS)
    small.server  # noqa: B018
    with ThreadPoolExecutor(RACERS) as pool:
        replies = list(pool.map(lambda _: _send(eve, problem, ids, vector, key="k"), range(RACERS)))
    with small.lab.store.transaction():
        exam = small.scorer.exam(problem)
    logged = len(small.scorer.gate.store.entries(exam.label_set, 0))
    loot = [f"{logged} entries for one key"] if logged > 1 else []
    loot += [f"{len({r.data for r in replies})} answers to one key"] if len({r.data for r in replies}) > 1 else []
    return Feat(loot=tuple(loot), met=("one Idempotency-Key, one act",), queries=RACERS)


@attack("draining others' budgets", FAMILY, off=undefended.no_shares)
def draining(ground: Ground) -> Feat:
    """Spend all one can, day after day, under three names, so that nothing is left for who comes late."""
    small = ground.small()
    rng = np.random.default_rng(0)
    problem, ids = small.draw(rng.integers(0, 2, ROWS), "rows")
    late, sent, replies = small.person("ann"), 0, []
    for name in ("eve", "mallory", "trudy"):
        who, refused = small.person(name), 0
        while refused < 2:
            reply = _send(who, problem, ids, rng.integers(0, 2, ROWS))
            replies.append(reply)
            sent += 1
            if reply.status == 429:
                refused += 1
                small.waited_s += DAY
    kept = int(small.scorer.gate.rules.pool(ROWS) * 0.8 / 10)
    left = late.client.budget(problem)["evaluations"][0]["left"]
    loot = (f"{left} evaluations are left for the one who comes late, of {kept} kept for each",) if left < kept else ()
    return Feat(loot=loot, met=codes(replies), queries=sent)


def _send(who: Outside, problem: str, ids: tuple[str, ...], vector: np.ndarray, key: str | None = None) -> Reply:
    body = json.dumps({"problem": problem, "predictions": dict(zip(ids, vector.tolist(), strict=True))}).encode()
    return who.raw(
        "POST", "evaluations", body, Content_Type="application/json", **({"Idempotency_Key": key} if key else {})
    )
