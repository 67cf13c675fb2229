"""Requests that are broken, huge or odd. What they are after is a fault of the lab: no answer, or a 5xx."""

from __future__ import annotations

import json

from aar.attacks.field import undefended
from aar.attacks.field.attack import Feat, attack
from aar.attacks.field.ground import Ground, Reply, codes

FAMILY = "requests"
JSON = {"Content_Type": "application/json"}
HUGE = 50_000_000


@attack("malformed bodies", FAMILY, off=undefended.any_body, remote=True)
def malformed(ground: Ground) -> Feat:
    """Send broken, deep, doubled, non-finite and mistyped JSON, half surrogates, NULs, wrong ids and lengths."""
    eve, problem = ground.outside()
    shell = json.dumps({"problem": problem, "predictions": "HERE"}).replace('"HERE"', "%s")
    predictions = ("{}", "[]", "null", '{"x":1}', '{"x":NaN}', '{"x":1e999}', '{"x":-1}', '{"x":"1"}', '{"x":1,"x":0}',
                   '{"\\ud800":1}', '{"\\u0000":1}', '{"x":true}', json.dumps({str(i): 1 for i in range(3000)}))  # fmt: skip
    bodies = [(shell % p).encode() for p in predictions]
    bodies += [b"", b"{", b"\xff\xfe{}", b"[" * 100_000, b'{"a":' * 50_000, b"9" * 5_000, b"\x1f\x8b\x08\0"]
    finding = '{"kind":"result","title":"%s","body":"b"}'
    texts = [(finding % t).encode() for t in ("\\ud800", "\\u0000", "t" * 400)] + [b'{"kind":"spell","title":"t"}']
    replies = [eve.raw("POST", "evaluations", b, **JSON) for b in bodies]
    replies += [eve.raw("POST", "findings", b, **JSON) for b in texts]
    return _judged(replies)


@attack("an oversized body", FAMILY, off=undefended.any_body)
def oversized(ground: Ground) -> Feat:
    """Send 50 MB of JSON and of tar, and hope that the lab takes them in."""
    eve, _ = ground.outside()
    replies = [eve.raw("POST", path, bytes(HUGE), **JSON) for path in ("evaluations", "findings")]
    replies.append(eve.raw("POST", "snapshots", bytes(HUGE), Content_Type="application/octet-stream"))
    taken = tuple(f"50 MB taken in, then {r.status} {r.code}" for r in replies if r.status not in (0, 413))
    return Feat(loot=taken[:1], met=codes(replies) or ("hung up before it was sent",), queries=3)


@attack("odd addresses", FAMILY, off=undefended.files_by_name, remote=True)
def addresses(ground: Ground) -> Feat:
    """Climb out of a folder in ids, names, problems and parameters."""
    eve, _ = ground.outside()
    up = "..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd"
    paths = [f"snapshots/{up}", f"snapshots/{up}/archive", f"findings/{up}", f"submissions/{up}", up,
             f"leaderboard?problem={up}", f"budget?problem={up}", "leaderboard?problem=..%2f..%2fsealed",
             "findings/99999999999999999999999", "findings/-1", "findings?limit=-1", "snapshots/HEAD",
             "snapshots/HEAD/archive", "snapshots/--help", "findings?search=%00"]  # fmt: skip
    replies = [eve.raw("GET", path) for path in paths]
    read = tuple(f"read {p}" for p, r in zip(paths, replies, strict=True) if b"root:" in r.data)
    judged = _judged(replies)
    return Feat(loot=read + judged.loot, met=judged.met, queries=len(replies))


def _judged(replies: list[Reply]) -> Feat:
    faults = {f"{r.status} {r.code}" for r in replies if r.status == 0 or r.status >= 500}
    return Feat(
        loot=tuple(f"a fault of the lab: {f}" for f in sorted(faults)), met=codes(replies), queries=len(replies)
    )
