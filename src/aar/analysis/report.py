"""The report of a study: `report.html`, one file that needs nothing else, and `report.md` with its pictures beside it.

Every text that a template prints passes a guard: it is made visible and escaped for its medium unless the template says
that it is ours. The page holds no script, its policy forbids any, and it loads nothing.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from aar.analysis.content import Content, compose
from aar.analysis.material import gather
from aar.analysis.visible import markdown, quoted, visible
from aar.errors import AarError
from aar.lab.client import LabClient, owner_client
from aar.settings import LabFolder

TEMPLATES = Path(__file__).parent / "templates"
MOST, BODY = 300, 4000  # characters of a text, and of a finding's body


def write_report(lab: LabFolder, study: str, client: LabClient | None = None) -> Path:
    """Write both, and return the HTML's path. `client`: the owner's, else the server that runs; without one the board and
    the findings are left out. The look is in the audit log before it is taken."""
    with _client(lab, client) as owner:
        content = compose(gather(lab, study, owner))
    pictures = lab.root / "report"
    pictures.mkdir(exist_ok=True)
    for part in content.parts:
        if part.plot:
            _write(pictures / f"{part.name}.png", part.plot)
    _write(lab.root / "report.md", as_markdown(content).encode())
    page = lab.root / "report.html"
    _write(page, as_html(content).encode())
    return page


def as_html(content: Content) -> str:
    """One self-contained page."""
    style = (TEMPLATES / "report.css").read_text()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    env = _environment(autoescape=True, finalize=_guard_html)
    env.filters["body"] = lambda text: Guarded(visible(text, BODY, lines=True))
    return env.get_template("report.html.j2").render(r=_view(content), style=Markup(style), style_hash=digest, zip=zip)


def as_markdown(content: Content) -> str:
    """CommonMark with tables; pictures are named by their files in `report/`."""
    env = _environment(autoescape=False, finalize=_guard_markdown, trim_blocks=True, lstrip_blocks=True)
    env.filters["quoted"] = lambda text: Guarded(quoted(text, MOST))
    env.filters["trusted"] = Guarded
    return env.get_template("report.md.j2").render(r=_view(content), zip=zip)


class Guarded(str):
    """Text that was made harmless for its medium already."""


def _guard_html(value: Any) -> Any:
    return value if isinstance(value, Markup | Guarded) or not isinstance(value, str) else visible(value, MOST)


def _guard_markdown(value: Any) -> Any:
    return value if isinstance(value, Guarded) or not isinstance(value, str) else Guarded(markdown(value, MOST))


def _environment(**options: Any) -> jinja2.Environment:
    return jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, **options)


def _view(content: Content) -> dict[str, Any]:
    """For the templates: what is ours and longer than any text of a researcher's is marked as guarded."""
    parts = []
    for part in content.parts:
        data = base64.b64encode(part.plot).decode() if part.plot else ""
        parts.append({
            "title": part.title, "caption": Guarded(part.caption), "alt": f"plot: {part.title}", "tables": part.tables,
            "src": Guarded(f"data:image/png;base64,{data}") if data else "", "file": Guarded(f"report/{part.name}.png") if data else "",
        })  # fmt: skip
    return {**content.__dict__, "parts": parts, "looks": Guarded(content.looks), "rule": Guarded(content.rule)}


@contextlib.contextmanager
def _client(lab: LabFolder, given: LabClient | None) -> Iterator[LabClient | None]:
    if given is None:
        with contextlib.suppress(AarError):
            given = owner_client(lab)
    yield given


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    part = path.with_suffix(path.suffix + ".part")
    part.write_bytes(data)
    os.replace(part, path)
