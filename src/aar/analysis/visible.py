"""Untrusted text made harmless and visible: for terminals, HTML, Markdown and plots.

Researchers choose names, method names and what they write. Here a character that would act instead of being seen (control,
escape, direction override, zero width, invisible filler) becomes a sign one can see, piles of combining marks end, and
what is too long is cut with a mark that says how much is missing. Escaping for a medium comes after: HTML by Jinja's
autoescape, Markdown by `markdown`, a terminal needs none once markup is off. Knows nothing of what the text says.
"""

from __future__ import annotations

import re
import unicodedata

# Letters and marks by category, but drawn as nothing.
INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10),
             *range(0xE0100, 0xE01F0)}  # fmt: skip
MARKS = 2  # combining marks on one letter; a pile of them covers the lines above and below
_ACTS = re.compile(
    r"([\\`*_\[\]<>!|~$@&{}#]|:(?=/)|(?<=www)\.)", re.IGNORECASE
)  # inside a line; nothing untrusted starts one


def visible(text: object, most: int = 200, *, lines: bool = False) -> str:
    """At most `most` characters, then "…(+n)" for the n that were cut. `lines`: newlines stay, else they are shown."""
    text, length, marks = str(text), 0, 0
    parts: list[str] = []
    for at, c in enumerate(text):
        marks = marks + 1 if unicodedata.combining(c) else 0
        shown = c if lines and c == "\n" else _coded(c) if marks > MARKS else _shown(c)
        length += len(shown)
        if length > most:
            return "".join(parts) + f"…(+{len(text) - at})"
        parts.append(shown)
    return "".join(parts)


def markdown(text: object, most: int = 200) -> str:
    """Text for the inside of a line or a table cell of Markdown: what could act there is escaped."""
    return _ACTS.sub(r"\\\1", visible(text, most))


def quoted(text: object, most: int = 200) -> str:
    """Untrusted text for Markdown as a code span, in which no link, mention, picture or tag can be written. A code span
    knows no escape, so what would end it or the table cell around it is drawn as its likeness."""
    shown = visible(text, most).replace("`", "ˋ").replace("|", "¦").replace("\\", "⧵").strip()
    return f"`{shown}`" if shown else "-"


def _shown(c: str) -> str:
    code = ord(c)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if unicodedata.category(c) == "Zs":
        return " "
    return _coded(c) if code in INVISIBLE or not c.isprintable() else c


def _coded(c: str) -> str:
    return f"‹U+{ord(c):04X}›"
