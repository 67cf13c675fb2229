"""Redraw after redraw of the labels, against one real lab: what query attacks are measured on.

Requests go to the lab's own app within this process: each is authenticated, limited, gated, logged and committed as
over a socket. The clock is moved on for an attacker who is told to come back tomorrow. What an attacker knows, and the
attackers themselves, are those of `aar.scoring.siege` and `attackers`, where a bench measures them by the thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from starlette.testclient import TestClient
from threadpoolctl import threadpool_limits

from aar.attacks.field.attack import Feat
from aar.attacks.field.ground import Ground, SmallLab
from aar.errors import BudgetSpent, LabError
from aar.lab.apps import owner_app
from aar.scoring.attackers import Ask, Attack, Heard
from aar.scoring.gate import DAY, HOUR, GateRules
from aar.scoring.siege import World, draw_world

ROWS = 400


def besiege(
    ground: Ground,
    attack: Attack,
    *,
    accomplices: int = 1,
    queries: int = 500,
    rows: int = ROWS,
    gain: Callable[[World, np.ndarray], float] = World.gain,
) -> Feat:
    """Let the attack loose on `ground.redraws` draws of the labels. The gate expects nobody else, so that its whole
    budget is the attacker's. `queries`: how many an attacker who is answered exactly needs."""
    rules = GateRules(researchers=accomplices)
    queries = queries if ground.control else ground.patience
    gains, refused, asked = [], set[str](), 0
    small = ground.small(rules)
    with TestClient(owner_app(small.lab), base_url="http://lab/api/v1") as api, threadpool_limits(1):
        headers = [{"Authorization": f"Bearer {small.token(f'a{k}')}"} for k in range(accomplices)]
        for k, rng in enumerate(np.random.default_rng(0).spawn(ground.redraws)):
            world = draw_world(rng, rows, queries, step=0.0 if ground.control else None)
            problem, ids = small.draw(world.gold, f"draw{k}")
            doors = [_Door(api, small, problem, ids, h, queries // accomplices) for h in headers]
            final = attack([door.ask for door in doors], world.known, rng)
            gains.append(gain(world, final))
            refused |= {code for door in doors for code in door.refused}
            asked += sum(door.asked for door in doors)
            small.forget(problem)
            ground.say(f"redraw {k + 1} of {ground.redraws}: {np.mean(gains):+.1f} points so far")
    return Feat(tuple(gains), (), ("gate", *sorted(refused)), (), round(asked / ground.redraws))


class _Door:
    """One researcher's way of asking; it raises BudgetSpent when it is closed for good or patience is out."""

    def __init__(
        self, api: TestClient, small: SmallLab, problem: str, ids: Sequence[str], headers: dict[str, str], patience: int
    ) -> None:
        self.api, self.small, self.problem, self.ids, self.headers = api, small, problem, ids, headers
        self.patience, self.asked, self.refused = patience, 0, set[str]()

    @property
    def ask(self) -> Ask:
        return self._ask

    def _ask(self, vector: np.ndarray) -> Heard:
        if self.asked >= self.patience:
            raise BudgetSpent("no time for more queries", code="patience")
        body = {"problem": self.problem, "predictions": dict(zip(self.ids, vector.tolist(), strict=True))}
        while True:
            self.asked += 1
            reply = self.api.post("/evaluations", json=body, headers=self.headers)
            said = reply.json()
            if reply.status_code == 200:
                return Heard(said["status"] == "improved", said["accuracy"])
            error = said["error"]
            if reply.status_code != 429:
                raise LabError(
                    f"an evaluation was answered {reply.status_code}: {error['message']}", code=error["code"]
                )
            self.refused.add(error["code"])
            if error["hint"].startswith("submit"):
                raise BudgetSpent(error["message"], code=error["code"])
            self.small.waited_s += HOUR if error["code"] == "too_many_duplicates" else DAY


def after_rerun(world: World, final: np.ndarray) -> float:
    """Points of the method behind `final` once the server has run it again, on seeds of its own."""
    return float(np.mean([world.gain(vector) for vector in world.fresh]))
