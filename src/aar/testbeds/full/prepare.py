"""Prepare a full testbed: read its sources, grade solutions, draw, and import the rows like any other folder's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aar.errors import InputError
from aar.settings import LabFolder
from aar.testbeds.folder import Imported, import_records
from aar.testbeds.full import solutions
from aar.testbeds.full.beds import Candidate, FullBed, Run, full_beds
from aar.testbeds.full.draw import draw
from aar.testbeds.jsonl import Record
from aar.testbeds.manifest import checked_name
from aar.testbeds.secret import lab_secret

GENERATIONS = "generations"  # below the folder of local copies


def prepare(
    lab: LabFolder,
    bed: str,
    run: Run,
    root: Path | None = None,
    generations: Path | None = None,
    name: str | None = None,
    progress: solutions.Progress | None = None,
    force: bool = False,
) -> Imported:
    """Seal the full testbed `bed` as `name`. root: local copies, a folder a source; None: the hub. generations: where
    solutions lie, if not in `root`. run: a sandbox for the programs that are graded."""
    spec, name = full_beds.get(bed), checked_name(name or bed)
    folders = {source.name: source.at(root) for source in spec.sources}
    found = _candidates(spec, folders, generations or (root / GENERATIONS if root else None), run, progress)
    drawn, notes = draw(found, spec.quotas, lab_secret(lab), name)
    files = {split: [_record(row) for row in rows] for split, rows in drawn.items() if rows or split != "ood"}
    origin = {
        "by": "full",
        "testbed": bed,
        "sources": {s.repo: "a local copy" if root else folders[s.name].name for s in spec.sources},
    }
    return import_records(lab, name, files, origin, notes, force=force)


def _candidates(
    spec: FullBed, folders: dict[str, Path], generations: Path | None, run: Run, progress: solutions.Progress | None
) -> list[Candidate]:
    if spec.read:
        return list(spec.read(folders))
    assert spec.solving
    if generations is None:
        hint = "`aar testbed generate` writes them; then --generations FOLDER"
        raise InputError("the solutions of several generators are needed", code="no_generations", hint=hint)
    return list(solutions.candidates(spec.solving, spec.solving.problems(folders), generations, run, progress))


def _record(row: Candidate) -> Record:
    fields: dict[str, Any] = {**row.text._asdict(), "label": row.label, "subset": row.subset}
    return Record(row.where, {**fields, "difficulty": row.difficulty})
