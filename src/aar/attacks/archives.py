"""Archives that would write outside their folder, bring more than files, or fill the disk."""

from __future__ import annotations

import gzip
import io
import tarfile
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir

from aar.attacks.field.attack import Feat, attack
from aar.attacks.field.ground import Ground, codes
from aar.attacks.field.undefended import plain_tarfile
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


def _climb(to: Path) -> list[Member]:
    return [("../" * 12 + str(to).lstrip("/"), b"x")]


def _absolute(to: Path) -> list[Member]:
    return [(str(to), b"x")]


def _below_a_link(to: Path) -> list[Member]:
    return [("out", link(tarfile.SYMTYPE, str(to.parent))), (f"out/{to.name}", b"x")]


def _repository(to: Path) -> list[Member]:
    config = f"[core]\n\tfsmonitor = touch {to}; true\n".encode()
    return [
        (".git/HEAD", b"ref: refs/heads/x\n"),
        (".git/objects/x", b""),
        (".git/refs/x", b""),
        (".git/config", config),
    ]


@attack("a climbing name", FAMILY, off=plain_tarfile, remote=True)
def climbing(ground: Ground) -> Feat:
    """Send a tar with a file whose name climbs out by `..`."""
    return _outside(ground, _climb)


@attack("an absolute name", FAMILY, off=plain_tarfile, remote=True)
def absolute(ground: Ground) -> Feat:
    """Send a tar with a file whose name begins at the root."""
    return _outside(ground, _absolute)


@attack("a link to a folder", FAMILY, off=plain_tarfile, remote=True)
def below_a_link(ground: Ground) -> Feat:
    """Send a tar with a link to a folder outside, and a file below the link."""
    return _outside(ground, _below_a_link)


@attack("a repository in the tar", FAMILY, off=plain_tarfile, remote=True)
def repository(ground: Ground) -> Feat:
    """Send a tar with a .git whose configuration runs a program at the next git command."""
    return _outside(ground, _repository)


@attack("links and devices", FAMILY, off=plain_tarfile, remote=True)
def links(ground: Ground) -> Feat:
    """Send tars with a symbolic or hard link to a file of the host, a device, a pipe, a sparse file."""
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, b"S")
    return _sent(ground, *(tar(("x", link(kind, "/etc/passwd"))) for kind in (kinds[:1] if ground.control else kinds)))


@attack("a bomb", FAMILY, off=plain_tarfile)
def bomb(ground: Ground) -> Feat:
    """Send 50 kB that unpack to 50 MB."""
    return _sent(ground, gzip.compress(tar(("data", bytes(BOMB)))))


@attack("five thousand files", FAMILY, off=plain_tarfile)
def many(ground: Ground) -> Feat:
    """Send a tar of more files than a person could review."""
    return _sent(ground, tar(*((f"f{i}", b"") for i in range(5_000)), packed=True))


def _outside(ground: Ground, members: Callable[[Path], list[Member]]) -> Feat:
    """A tar that wants a file to appear at a path outside."""
    marker = Path(gettempdir(), f"aar-escaped-{uuid.uuid4().hex}")
    try:
        feat = _sent(ground, tar(*members(marker)))
        return replace(feat, loot=("a file outside", *feat.loot)) if marker.exists() else feat
    finally:
        marker.unlink(missing_ok=True)


def _sent(ground: Ground, *archives: bytes) -> Feat:
    """Each once as a snapshot and once as a submission."""
    eve, problem = ground.outside()
    routes = ("snapshots", f"submissions?problem={problem}&name=m")
    replies = [
        eve.raw("POST", path, data, Content_Type="application/octet-stream") for data in archives for path in routes
    ]
    loot = tuple(f"accepted: {r.status}" for r in replies if r.status in (201, 202))
    return Feat(loot=loot, met=codes(replies), queries=len(replies))
