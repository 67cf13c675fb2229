"""Which features a testbed needs, and getting them computed: public rows in the public store, the rest sealed.

Both stores are content addressed, so that a text that appears in both is found in either. Only trusted processes call
`ensure`; sandboxes read what is there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from aar.models import frozen
from aar.models import texts as spelled
from aar.models.features import FeatureStore, extract
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.testbeds.rows import Split

PUBLIC_SPLITS: tuple[Split, ...] = ("unlabeled", "test")
SEALED_SPLITS: tuple[Split, ...] = ("private", "ood")
Progress = Callable[[str, int, int, float], None]  # (what, done, all, seconds left); in tokens or prompts

DEPTH = 2 / 3  # of the student's layers: what was measured to matter for probing lies at 1/2 to 2/3


def deepest(layers: int) -> int:
    """The layer at which the forward pass stops, for a model of `layers` layers."""
    return layers if layers <= 12 else round(layers * DEPTH)


def store(lab: LabFolder, model_id: str, *, sealed: bool = False) -> FeatureStore:
    """sealed=True also finds private rows: for trusted code and rerun sandboxes, never for researchers."""
    return FeatureStore([lab.features, lab.sealed_features] if sealed else [lab.features], model_id)


def ensure(
    lab: LabFolder, testbed: str, model: str, *, labelled: bool, processes: int = 2, progress: Progress | None = None
) -> None:
    """Extract what is missing of this model for every split of the testbed. `labelled`: the teacher's rows too.

    Safe to kill and to run twice: finished chunks stay.
    """
    rows, lm = Sealed(lab).rows, frozen.load(model)
    sealed_splits = (*SEALED_SPLITS, "labeled") if labelled else SEALED_SPLITS
    public = [t for split in PUBLIC_SPLITS for t in spelled.flat(rows(testbed, split).texts)]
    hidden = [t for split in sealed_splits for t in spelled.flat(rows(testbed, split).texts)]
    layers = range(deepest(lm.layers) + 1)
    for root, texts in ((lab.features, public), (lab.sealed_features, hidden)):
        which = "public" if root == lab.features else "sealed"
        report = partial(progress, f"{testbed}: {which} rows read by {model}, tokens") if progress else None
        root.mkdir(parents=True, exist_ok=True)
        missing = store(lab, lm.id, sealed=root == lab.sealed_features).missing(texts, deepest(lm.layers))
        if missing:
            extract(model, missing, root, layers=tuple(layers), processes=processes, progress=report)
