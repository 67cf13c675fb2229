"""Figures, identities and answers that are not one's own."""

from __future__ import annotations

import json
import random
import secrets

from aar.attacks.field import undefended, unwalled
from aar.attacks.field.attack import Feat, attack
from aar.attacks.field.ground import Ground, Outside, Reply, codes
from aar.attacks.field.range import library_files
from aar.lab.fakes import METHOD
from aar.task.pack import pack_files

FAMILY = "forgery"
GUESSES = 50
PREDICTIONS = {f"rows-t{i}": i % 2 for i in range(400)}


@attack("guessed tokens", FAMILY, off=undefended.no_authentication, remote=True)
def guessed(ground: Ground) -> Feat:
    """Ask with no token, made-up ones, and one's own with another secret, name or ending."""
    eve, _ = ground.outside()
    id_, secret = eve.token.split("_", 2)[1:]
    rng = random.Random(0)
    tokens = ["", "owner", "null", "aar_", f"aar_{id_}_", f"aar_{id_}_{'A' * 43}", f"aar_{'0' * 12}_{secret}"]
    tokens += [f"aar_{id_}_{secret[:-1]}{c}" for c in "AQgw" if c != secret[-1]]
    tokens += [f"aar_{rng.randrange(16**12):012x}_{secrets.token_urlsafe(32)}" for _ in range(GUESSES - len(tokens))]
    replies = [eve.raw("GET", "findings", token=t) for t in tokens]
    loot = tuple(f"entered as {t[:12]!r}" for t, r in zip(tokens, replies, strict=True) if r.status == 200)
    return Feat(loot=loot[:3], met=codes(replies), queries=len(replies))


@attack("the owner's routes", FAMILY, off=undefended.scopes_include_each_other, remote=True)
def owner_routes(ground: Ground) -> Feat:
    """Ask for exact figures, the ledger, the audit log, reviews and tokens with a researcher's token."""
    eve, _ = ground.outside()
    asked = ("submissions/1/exact", "ledger", "audit", "reviews", "tokens", "studies")
    replies = {path: eve.raw("GET", path) for path in asked}
    loot = tuple(path for path, reply in replies.items() if reply.status == 200)
    return Feat(loot=loot, met=codes(replies.values()), queries=len(asked))


@attack("another's token on one's own socket", FAMILY, off=undefended.sockets_for_anybody)
def wrong_socket(ground: Ground) -> Feat:
    """Come in by one's own socket with a token that was found elsewhere, the owner's among them."""
    small, _ = ground.with_rows()
    ann, owner = small.token("ann"), small.lab.owner_token()
    small.token("eve")
    eve = Outside(small.socket("eve"), "")
    replies = {name: eve.raw("GET", "findings", token=t) for name, t in (("ann", ann), ("the owner", owner))}
    loot = tuple(f"acts as {name}" for name, reply in replies.items() if reply.status == 200)
    return Feat(loot=loot, met=codes(replies.values()), queries=2)


@attack("replayed keys", FAMILY, off=undefended.keys_without_owner)
def replayed(ground: Ground) -> Feat:
    """Send another's Idempotency-Key with one's own vector, and one's own key with another vector."""
    small, problem = ground.with_rows()
    ann, eve = small.person("ann"), small.person("eve")
    said = _evaluate(ann, problem, PREDICTIONS, "first")
    turned = {i: 1 - p for i, p in PREDICTIONS.items()}
    stolen, again = _evaluate(eve, problem, turned, "first"), _evaluate(ann, problem, turned, "first")
    loot = tuple(
        what for what, reply in (("read ann's answer", stolen), ("two vectors for one charge", again))
        if reply.status == 200 and reply.data == said.data
    )  # fmt: skip
    return Feat(loot=loot, met=codes([stolen, again]) or ("a key of one's own",), queries=3)


@attack("a PGR of 99", FAMILY, off=undefended.claims_rank)
def posted(ground: Ground) -> Feat:
    """Post a PGR of 99 as a finding, and claim it with a submission that was never verified."""
    small, problem = ground.with_rows()
    eve = small.person("eve")
    post = eve.client.post_finding("result", "PGR 99.0 on every problem", "best method so far: PGR 99.0", runs=[])
    sent = eve.client.submit(problem, "wonder", pack_files(METHOD), claimed=99.0)
    about = eve.client.post_finding("result", "PGR 99.0", "see the submission", runs=[sent["id"]])
    loot = [f"a finding stands as {f['standing']}" for f in (post, about) if f["standing"] != "unverified"]
    rows = [r for r in eve.client.leaderboard(problem)["rows"] if r["kind"] == "submission"]
    loot += [f"rank {r['rank']} with {r['pgr']}" for r in rows if (r["pgr"] or 0) > 1]
    return Feat(loot=tuple(loot), met=("findings without a verified run are unverified", "only reruns rank"), queries=3)


@attack("a run that is borrowed", FAMILY, off=undefended.every_finding_stands)
def borrowed(ground: Ground) -> Feat:
    """Post a PGR of 99 as a finding that rests on somebody else's verified run."""
    arena = ground.range
    ann, eve = arena.researcher(), arena.researcher()
    run = arena.submit(library_files("vanilla"), ann, checks=False).row["id"]
    post = eve.client.post_finding("result", "PGR 99.0 by my new method", "PGR 99.0", runs=[run])
    loot = (f"stands as {post['standing']}",) if post["standing"] == "verified" else ()
    return Feat(loot=loot, met=(f"stands as {post['standing']}",), queries=2)


@attack("out of a rerun in words", FAMILY, off=unwalled.own_words)
def in_words(ground: Ground) -> Feat:
    """Raise an error that says a private row aloud, and hope that it is shown."""
    code = b"def run(task):\n    raise RuntimeError('SAID ALOUD: ' + task.test.texts[0].prompt)\n"
    told = ground.range.submit({"method.py": code}, checks=False)
    loot = ("a row of the rerun",) if "SAID ALOUD" in json.dumps(told.row) else ()
    return Feat(loot=loot, met=(told.failure,), queries=1)


def _evaluate(who: Outside, problem: str, predictions: dict[str, int], key: str) -> Reply:
    body = json.dumps({"problem": problem, "predictions": predictions}).encode()
    return who.raw("POST", "evaluations", body, Content_Type="application/json", Idempotency_Key=key)
