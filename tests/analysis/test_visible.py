"""Untrusted text: nothing that acts survives, everything is seen, and its length is bounded."""

from __future__ import annotations

import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from aar.analysis.visible import INVISIBLE, markdown, quoted, visible

ACTING = "".join(
    map(
        chr,
        [*range(32), 127, *range(0x80, 0xA0), 0xAD, 0x200B, 0x200E, 0x202E, 0x2066, 0x2028, 0xFEFF, 0xE0041, 0xE000],
    )
)


def acts(c: str) -> bool:
    return unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or ord(c) in INVISIBLE


@given(st.text(st.characters(codec=None), max_size=80))
def test_nothing_that_acts_comes_through(text: str) -> None:
    """Whatever the text, no control, format, surrogate or invisible character is left."""
    assert not [c for c in visible(text) if acts(c)]


@pytest.mark.parametrize("c", list(ACTING))
def test_what_acts_is_seen(c: str) -> None:
    """It is not dropped: a sign stands for it."""
    shown = visible(f"a{c}b")
    assert shown.startswith("a")
    assert shown.endswith("b")
    assert len(shown) >= 3


@given(st.text(st.characters(exclude_characters="…"), max_size=300), st.integers(0, 100))
def test_long_text_is_cut_with_a_mark(text: str, most: int) -> None:
    """The mark says how many characters are missing; short text is whole."""
    kept, mark, cut = visible(text, most).partition("…")
    assert len(kept) <= most
    if mark:
        missing = int(cut.removeprefix("(+").removesuffix(")"))
        assert kept == visible(text[: len(text) - missing])
        assert missing >= 1
    else:
        assert kept == visible(text, 10_000)


def test_ordinary_text_stays() -> None:
    """Letters of any script, accents, emoji, wide characters: as they were."""
    for text in ("naïve Ünïcode", "研究者", "עברית", "x² ≤ 3", "🙂", "résumé e\u0301"):
        assert visible(text) == text


def test_piles_of_marks_end() -> None:
    """Two marks on a letter are language, more are spelled out."""
    assert visible("e" + "\u0301" * 5).count("\u0301") == 2


def test_lines_stay_where_asked() -> None:
    """A body keeps its newlines and nothing else."""
    assert visible("a\nb\r\x1b", lines=True) == "a\nb␍␛"


HOSTILE = [
    "| a | b |", "a \\| b", "a \\\\| b", "`x` ``y``", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))",
    "![p](http://evil.example/p.png)", "http://evil.example www.evil.example", "**bold** _it_ ~~no~~", "a\n\n# heading", "<http://evil.example>",
    "&lt;script&gt; &#60;b&#62;", "trailing \\", "[ref]: http://evil.example", "$x$",
]  # fmt: skip


def tokens(source: str) -> list[Token]:
    flat: list[Token] = []
    for token in (
        MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"]).parse(source)
    ):
        flat += [token, *(token.children or [])]
    return flat


def acting(source: str) -> set[str]:
    """Kinds of Markdown that do something, in a table of three cells."""
    found = {t.type for t in tokens(source)}
    return found & {
        "html_inline",
        "html_block",
        "link_open",
        "image",
        "heading_open",
        "strong_open",
        "em_open",
        "s_open",
        "fence",
    }


@pytest.mark.parametrize("attack", HOSTILE)
@pytest.mark.parametrize("escape", [markdown, quoted])
def test_markdown_does_not_act_and_cells_hold(attack: str, escape: object) -> None:
    """In a table cell, no tag, link, picture or emphasis is written, and the row keeps its three cells."""
    source = f"| a | b | c |\n| - | - | - |\n| 1 | {escape(attack)} | 3 |\n"  # type: ignore[operator]
    assert acting(source) == set()
    cells = [t for t in tokens(source) if t.type == "td_open"]
    assert len(cells) == 3
    rows = [t.content for t in tokens(source) if t.type == "inline"]
    assert rows[3] == "1"
    assert rows[5] == "3"


def test_the_attacks_would_work_unescaped() -> None:
    """The test above can fail: as they are, these texts act or break the table."""
    working = 0
    for attack in HOSTILE:
        source = f"| a | b | c |\n| - | - | - |\n| 1 | {attack} | 3 |\n"
        rows = [t.content for t in tokens(source) if t.type == "inline"]
        working += bool(acting(source)) or rows[3:6:2] != ["1", "3"]
    assert working >= 7


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)


@pytest.mark.parametrize("attack", HOSTILE)
@pytest.mark.parametrize("escape", [markdown, quoted])
def test_rendered_markdown_has_no_tag_of_theirs(attack: str, escape: object) -> None:
    """Rendered to HTML, only the tags that the sentence itself has are there."""
    reader = Tags()
    reader.feed(MarkdownIt("commonmark", {"html": True}).render(f"Method {escape(attack)} won."))  # type: ignore[operator]
    assert set(reader.found) <= {"p", "code"}
