"""Findings as files: synced from the forum for sandboxes to read, and read back as data.

A file is `<id>.json`, one finding as the API gives it. A body may carry one fenced JSON block for programs; it is its
author's word, parsed strictly, never executed, and worth only what a reader can check against the board.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from aar.errors import MethodError
from aar.researchers.base import Finding
from aar.sandboxes import results

PAGE = 200
MAX_FILE = 1 << 20
_FENCE = re.compile(r"^```json\n(.{1,20000}?)\n```$", re.DOTALL | re.MULTILINE)


class Forum(Protocol):
    """The part of the lab's client that syncing needs."""

    def findings(self, **query: Any) -> list[dict[str, Any]]: ...


def sync_findings(forum: Forum, folder: Path) -> int:
    """Write every finding that is new or whose standing or votes changed. Returns how many. Killed, it loses nothing.

    `forum`: a client of the study whose findings these are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written, offset = 0, 0
    while page := forum.findings(sort="old", limit=PAGE, offset=offset):
        for row in page:
            path, text = folder / f"{int(row['id'])}.json", json.dumps(row, sort_keys=True)
            if not path.exists() or path.read_text() != text:
                part = path.with_suffix(".part")
                part.write_text(text)
                os.replace(part, path)
                written += 1
        if len(page) < PAGE:
            break
        offset += PAGE
    return written


def read_findings(folder: Path) -> list[Finding]:
    """All of the folder, oldest first. A file that is none is left out."""
    found = []
    for path in folder.glob("*.json"):
        try:
            found.append(as_finding(results.read_json(folder, path.name, MAX_FILE)))
        except MethodError:
            continue
    return sorted(found, key=lambda f: f.id)


def as_finding(raw: Any) -> Finding:
    """MethodError unless the form fits."""
    try:
        texts = {k: str(raw[k]) for k in ("kind", "title", "body", "researcher", "standing")}
        runs, builds_on = tuple(int(r) for r in raw["runs"]), tuple(str(b) for b in raw["builds_on"])
        return Finding(id=int(raw["id"]), runs=runs, builds_on=builds_on, **texts)
    except (KeyError, TypeError, ValueError) as error:
        raise MethodError(f"not a finding: {error!r}", code="bad_finding") from error


def as_json(finding: Finding) -> dict[str, Any]:
    return asdict(finding)


def with_data(text: str, data: Mapping[str, Any]) -> str:
    """A body that people and programs can read."""
    return f"{text}\n\n```json\n{json.dumps(dict(data), sort_keys=True)}\n```"


def data_of(body: str) -> dict[str, Any]:
    """The fenced JSON object of a body, {} where there is none that is valid."""
    match = _FENCE.search(body)
    if not match:
        return {}
    try:
        data = results.parse_json(match[1].encode(), "the block", max_depth=8)
    except (MethodError, UnicodeEncodeError):
        return {}
    return data if isinstance(data, dict) else {}
