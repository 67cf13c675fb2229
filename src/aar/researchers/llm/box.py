"""A researcher's sandbox, used from the host: files that lie inside are read by programs inside, so a link that is planted
there leads nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aar.sandboxes import Limits, Mount, Outcome, Sandbox

SH = "/bin/sh"
PACK = 'cd "$1" && exec tar -czf - --exclude=__pycache__ --exclude="*/.[!.]*" .'
PACKED = f"{{ {PACK}; }} | base64 -w0"
PACKED_CAP = 400_000  # characters of a packed method folder: each version is kept in the journal
JSON_CAP = 2_000_000  # of a file of predictions; the lab takes no more
FILE_S = 60.0


@dataclass(frozen=True)
class Box:
    sandbox: Sandbox
    mounts: Sequence[Mount]
    limits: Limits

    def pack(self, folder: str) -> dict[str, str]:
        """{"tar": base64} or {"error": why not}."""
        done = self._run(PACKED, folder)
        return packed(folder, done.code == 0, done.stdout.decode(), done.stderr.decode(errors="replace"))

    def read(self, path: str) -> dict[str, str]:
        """{"text"} or {"error"}."""
        done = self._run('exec cat "$1"', path)
        if done.code or len(done.stdout) > JSON_CAP:
            why = done.stderr.decode(errors="replace")[:500] if done.code else f"larger than {JSON_CAP:,} bytes"
            return {"error": f"cannot read {path}: {why}"}
        return {"text": done.stdout.decode(errors="replace")}

    def _run(self, script: str, argument: str) -> Outcome:
        limits = replace(self.limits, wall_s=FILE_S, output_mb=JSON_CAP / 1e6 + 1)
        return self.sandbox.run([SH, "-c", script, SH, argument], self.mounts, None, limits)


def packed(folder: str, done: bool, out: str, said: str) -> dict[str, str]:
    if not done or said:
        return {"error": f"cannot pack {folder}: {said[:500]}"}
    if len(out) > PACKED_CAP:
        return {"error": f"{folder} is larger than {PACKED_CAP:,} bytes when packed: keep data out of it"}
    return {"tar": out}
