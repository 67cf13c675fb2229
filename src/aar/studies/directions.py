"""From where a study's researchers start: packaged directions by name, a file's words, or ones that a model draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from aar.errors import InputError
from aar.researchers import starts

DRAWN = "draw"
MOST = 600  # characters: a few sentences
SUFFIXES = (".md", ".txt")


def choose(wanted: Sequence[str], draw: Callable[[], list[str]]) -> tuple[list[str], dict[str, str]]:
    """Names to go round, and the words of those that are not packaged. Nothing wanted: the nine and `none`."""
    names: list[str] = []
    words: dict[str, str] = {}
    for one in wanted:
        if one == DRAWN:
            words |= {f"{DRAWN}-{i}": text for i, text in enumerate(draw(), 1)}
            names += [name for name in words if name.startswith(f"{DRAWN}-")]
        elif one.endswith(SUFFIXES):
            names.append(Path(one).stem)
            words[names[-1]] = _file(Path(one))
        else:
            names.append(starts.direction(one).name)
    return names or starts.names(), words


def _file(path: Path) -> str:
    text = path.read_text().strip() if path.is_file() else ""
    if not 0 < len(text) <= MOST:
        what = f"is longer than {MOST} characters" if text else "is not there, or is empty"
        raise InputError(f"{path} {what}", code="bad_direction", hint="a direction is a file of a few vague sentences")
    return text
