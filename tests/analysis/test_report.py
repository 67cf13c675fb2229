"""A whole report of a made-up study: what stands in it, and that nothing a researcher wrote runs, escapes or is lost."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest
from markdown_it import MarkdownIt

from aar.analysis import content as contents
from aar.analysis import report
from aar.analysis.claims import Figure
from aar.analysis.content import compose
from aar.analysis.material import Material, gather
from aar.analysis.report import as_html, as_markdown, write_report
from aar.settings import LabFolder
from aar.studies.spec import StudyFolder
from aar.types import NotScored

ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "span", "ul", "li", "dl", "div", "dt", "dd", "figure", "img", "figcaption",
    "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "pre",
}  # fmt: skip


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def labs(fake: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[bool, LabFolder]:
    """A lab with a friendly study and one with a hostile one, each with its report."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AAR_STATE", str(tmp_path_factory.mktemp("outside")))
        for hostile in (False, True):
            made[hostile] = LabFolder(tmp_path_factory.mktemp("lab") / "lab")
            of = fake.write(made[hostile], hostile=hostile)
            write_report(made[hostile], "demo", fake.FakeClient(of, hostile))
    return made


def material(lab: LabFolder, fake: ModuleType) -> Material:
    return gather(lab, "demo", fake.FakeClient(StudyFolder(lab, "demo").load()))


def test_one_file_that_needs_nothing(labs: dict[bool, LabFolder]) -> None:
    """Every picture is inside, nothing is loaded, the policy forbids the rest."""
    page = (labs[False].root / "report.html").read_text()
    seen = Page(page)
    sources = [v for k, v in seen.attributes if k in ("src", "href", "srcset", "action")]
    assert len(sources) == 6
    assert all(v and v.startswith("data:image/png;base64,") for v in sources)
    assert "default-src 'none'" in page
    assert "script-src" not in page
    assert "unsafe" not in page


@pytest.mark.parametrize("hostile", [False, True])
def test_the_page_holds_only_our_tags(labs: dict[bool, LabFolder], hostile: bool) -> None:
    """No tag, no handler and no link of anybody else, and no character that acts."""
    page = (labs[hostile].root / "report.html").read_text()
    seen = Page(page)
    assert seen.tags <= ALLOWED
    assert not [k for k, _ in seen.attributes if k.startswith("on")]
    assert not re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", page)


def test_hostile_text_is_shown(labs: dict[bool, LabFolder]) -> None:
    """It is not dropped: a reader sees what was tried, and how much was cut."""
    text = Page((labs[True].root / "report.html").read_text()).text
    for sign in ("<script>alert(1)</script>", "␛[2J", "‹U+202E›", "[bold red]", "{{ 7 * 7 }}", "…(+"):
        assert sign in text


def test_the_markdown_holds_only_our_marks(labs: dict[bool, LabFolder]) -> None:
    """Rendered with raw HTML allowed: our pictures, no link, no tag; the tables keep their columns."""
    source = (labs[True].root / "report.md").read_text()
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(source)
    flat = [t for token in tokens for t in (token, *(token.children or []))]
    assert not [t for t in flat if t.type in ("html_inline", "html_block", "link_open")]
    pictures = [str(t.attrs["src"]) for t in flat if t.type == "image"]
    assert len(pictures) == 6
    for name in pictures:
        assert (labs[True].root / name).read_bytes().startswith(b"\x89PNG")
    assert len([t for t in flat if t.type == "heading_open"]) == len(
        [t for t in friendly(labs) if t.type == "heading_open"]
    )
    assert len([t for t in flat if t.type == "td_open"]) == len([t for t in friendly(labs) if t.type == "td_open"])


def friendly(labs: dict[bool, LabFolder]) -> list:
    return MarkdownIt("commonmark", {"html": True}).enable("table").parse((labs[False].root / "report.md").read_text())


def test_the_attack_works_without_the_guards(
    labs: dict[bool, LabFolder], fake: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above can fail: with escaping off the same texts run in both reports."""
    lab = labs[True]
    hostile = compose(gather(lab, "demo", fake.FakeClient(StudyFolder(lab, "demo").load(), True)))
    monkeypatch.setattr(report, "_environment", lambda **given: plain(**given))
    monkeypatch.setattr(report, "visible", lambda text, most, lines=False: text)
    monkeypatch.setattr(report, "quoted", lambda text, most: text)

    def plain(**given: object) -> object:
        import jinja2

        options = {k: v for k, v in given.items() if k not in ("autoescape", "finalize")}
        return jinja2.Environment(loader=jinja2.FileSystemLoader(report.TEMPLATES), autoescape=False, **options)

    assert "script" in Page(as_html(hostile)).tags
    assert "\x1b" in as_html(hostile)
    tokens = MarkdownIt("commonmark", {"html": True}).parse(as_markdown(hostile))
    assert [t for t in tokens if t.type == "html_block" or any(c.type == "html_inline" for c in token_children(t))]


def token_children(token: object) -> list:
    return getattr(token, "children", None) or []


def test_a_forgotten_filter_is_caught(labs: dict[bool, LabFolder], fake: ModuleType) -> None:
    """What a template prints without any filter passes the guard all the same."""
    env = report._environment(autoescape=True, finalize=report._guard_html)
    assert env.from_string("{{ x }}").render(x="<b>\x1b" + "y" * 999) == "&lt;b&gt;␛" + "y" * 296 + "…(+703)"
    env = report._environment(autoescape=False, finalize=report._guard_markdown)
    assert env.from_string("{{ x }}").render(x="<b>|\x1b") == "\\<b\\>\\|␛"


def test_claims_carry_intervals(labs: dict[bool, LabFolder], fake: ModuleType) -> None:
    """The made-up study's arms differ, its primary method and the human baseline do not."""
    said = [(c.text, c.shown) for c in contents.claims(material(labs[False], fake))]
    wanted = [("Primary", True), ("the primary method against the best human", False), ("search beat random by", True), ("Primary method on chat", True),
              ("Primary method on math", False),
              ("Runner-up on chat", True), ("Runner-up on math", False)]  # fmt: skip
    assert len(said) == len(wanted)
    for (text, shown), (begin, carried) in zip(said, wanted, strict=True):
        assert text.startswith(begin)
        assert shown == carried


def test_arms_count_researchers_once(labs: dict[bool, LabFolder], fake: ModuleType) -> None:
    """Two opened methods of one researcher are not two researchers."""
    m = material(labs[False], fake)
    one = contents.arms(m)
    doubled = Material(m.spec, m.events, {**m.result, "opened": list(m.result["opened"]) * 2}, m.problems)
    assert contents.arms(doubled) == one


def test_who_delivered_nothing_counts_as_the_floor(labs: dict[bool, LabFolder], fake: ModuleType) -> None:
    """Leaving out a researcher that failed would flatter its arm; one that was verified but not opened is unknown."""
    m = material(labs[False], fake)
    lost = m.spec.researchers[2].name
    result = {**m.result, "opened": [r for r in m.result["opened"] if r["researcher"] != lost]}
    unknown = contents.arms(Material(m.spec, m.events, result, m.problems))
    assert isinstance(unknown, NotScored)
    events = tuple(e for e in m.events if e.researcher != lost)
    counted, before = contents.arms(Material(m.spec, events, result, m.problems)), contents.arms(m)
    assert isinstance(counted, Figure)
    assert isinstance(before, Figure)
    assert counted.mean == pytest.approx(before.mean - 0.36 / 7)


def test_reused_rows_and_seen_testbeds_are_said(labs: dict[bool, LabFolder], fake: ModuleType) -> None:
    """A label set that was opened before, or asked about before, is named so in the sentence."""
    m = material(labs[False], fake)
    moved = {
        "chat": {"pgr": 0.3, "lo": 0.2, "hi": 0.4, "seen": True},
        "math": {"pgr": None, "lo": None, "hi": None, "not_scored": "gap"},
    }
    result = {**m.result, "final": {**m.result["final"], "label": "re-used holdout"}, "transfer": moved}
    said = " ".join(c.text for c in contents.claims(Material(m.spec, m.events, result, m.problems)))
    assert "re-used holdout" in said
    assert "Primary method on chat, which researchers had answers about before" in said
    assert "Primary method on math, unseen by all researchers: not scored" in said
    assert "Runner-up on chat, unseen by all researchers: part of the gap was recovered" in said


def test_multiple_looking_is_told(labs: dict[bool, LabFolder], fake: ModuleType) -> None:
    """How often the lab was asked stands beside the claims."""
    assert "18 evaluations and told 9 verdicts" in contents.looks(material(labs[False], fake))


def test_every_look_is_in_the_audit_log(labs: dict[bool, LabFolder]) -> None:
    """The owner's report reads exact figures, so it leaves an entry."""
    entries = [json.loads(x) for x in (labs[False].database.parent / "audit.jsonl").read_text().splitlines()]
    assert "look.report" in [e["action"] for e in entries]


def test_a_study_under_way_has_a_report(fake: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No result, no server, one researcher: what is missing is left out and said."""
    monkeypatch.setenv("AAR_STATE", str(tmp_path / "outside"))
    lab = LabFolder(tmp_path / "lab")
    of = fake.write(lab, finished=False, arms=(("search", 1),))
    page = Page(write_report(lab, "demo", fake.FakeClient(of, down=True)).read_text()).text
    assert "Not finalized yet" in page
    assert "no difference shown" in page
    assert "None could be read" in page


def test_the_same_study_gives_the_same_bytes(labs: dict[bool, LabFolder], fake: ModuleType) -> None:
    """A report can be compared with another by its bytes."""
    assert as_html(compose(material(labs[False], fake))) == (labs[False].root / "report.html").read_text()
