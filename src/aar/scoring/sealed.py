"""The only reader of gold labels and sealed rows.

May be called by trusted code alone: the score service and its workers (`aar.scoring`, `aar.lab`), and the owner's
own commands. Teachers and ceilings get arrays handed in; nothing a researcher runs can import a lab folder that
its sandbox does not mount. Every file is compared with its checksum before a row of it is used.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aar.errors import InputError
from aar.settings import LabFolder
from aar.testbeds.manifest import (
    MANIFEST,
    Manifest,
    SealedManifest,
    read_manifest,
    read_sealed_manifest,
    verified,
)
from aar.testbeds.rows import SPLITS, GoldRow, Split, gold_of, text_of
from aar.testbeds.sealing import CANARY, GOLD, PUBLIC, SEALED
from aar.types import Rows


@dataclass(frozen=True)
class Sealed:
    """The sealed side of one lab: `Sealed(lab).labels("code", ids)`. Opens files only when asked."""

    lab: LabFolder

    def gold(self, testbed: str, splits: Iterable[Split] | None = None) -> dict[str, GoldRow]:
        """id -> gold row of these splits (all where None)."""
        wanted = set(SPLITS if splits is None else splits)
        _, sealed = self._manifests(testbed)
        path = self.lab.sealed_testbed(testbed) / GOLD
        return {id_: row for id_, row in _gold(verified(path, sealed.files[GOLD])).items() if row.split in wanted}

    def labels(self, testbed: str, ids: Sequence[str]) -> np.ndarray:
        """[n] int64 gold labels, 0 or 1, in the order of `ids`."""
        gold = self.gold(testbed)
        if unknown := [id_ for id_ in ids if id_ not in gold]:
            raise InputError(
                f"testbed {testbed!r} has no row {unknown[0]!r} ({len(unknown)} unknown)", code="unknown_ids"
            )
        labels = [gold[id_].label for id_ in ids]
        if None in labels:
            raise InputError(
                f"the unlabeled rows of testbed {testbed!r} came without labels, so no ceiling can be measured",
                code="no_ceiling",
                hint="give them labels in train_unlabeled.jsonl and import again: they are sealed, never shown",
            )
        return np.array(labels, dtype=np.int64)

    def rows(self, testbed: str, split: Split) -> Rows:
        """The texts of one split, ordered by id, without labels. Empty for `ood` where the testbed has none."""
        manifest, sealed = self._manifests(testbed)
        public = split in PUBLIC
        file = PUBLIC[split] if public else SEALED[split]
        folder = self.lab.testbed(testbed) if public else self.lab.sealed_testbed(testbed)
        lines = _json_lines(verified(folder / file, (manifest if public else sealed).files[file]))
        return Rows(manifest.kind, tuple(line["id"] for line in lines), tuple(map(text_of, lines)))

    def label_set(self, testbed: str) -> str:
        """The same for all copies of the same test rows: what a query budget is counted on."""
        return self._manifests(testbed)[1].label_set

    def canary(self, testbed: str) -> str:
        """The string whose appearance anywhere outside proves that a sealed file was read."""
        _, sealed = self._manifests(testbed)
        return verified(self.lab.sealed_testbed(testbed) / CANARY, sealed.files[CANARY]).decode().strip()

    def _manifests(self, testbed: str) -> tuple[Manifest, SealedManifest]:
        manifest, sealed = read_manifest(self.lab, testbed), read_sealed_manifest(self.lab, testbed)
        verified(self.lab.testbed(testbed) / MANIFEST, sealed.public_manifest)
        return manifest, sealed


def _gold(data: bytes) -> dict[str, GoldRow]:
    return {line["id"]: gold_of(line) for line in _json_lines(data)}


def _json_lines(data: bytes) -> list[dict[str, Any]]:
    """All lines but the canary's."""
    lines = [json.loads(line) for line in data.splitlines()]
    return [line for line in lines if "canary" not in line]
