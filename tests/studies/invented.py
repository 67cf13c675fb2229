"""A whole lab within seconds: real rows, a real gate, invented features in the place of the student's.

A text's feature at every layer is a random projection of its words, so that heads learn what a bag of words can.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from aar.models import frozen, shards
from aar.models import texts as spelled
from aar.scoring.features import deepest
from aar.scoring.prepare import prepare
from aar.scoring.problem import Problem
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.testbeds.build import build
from aar.testbeds.secret import private_folder
from aar.testbeds.split import Sizes

PROBLEM = Problem("toy", "tfidf", "smollm2-135m")
SIZES = Sizes(labeled=16, unlabeled=140, test=300, private=60, ood=10)
WIDTH = 24
SECRET = bytes([1]) * 32  # fixed, so that the draw has a gap on every split that a test scores


def make_lab(root: Path) -> LabFolder:
    lab = LabFolder(root)
    private_folder(lab.sealed)
    lab.secret.write_bytes(SECRET)
    build(lab, PROBLEM.testbed, SIZES)
    lm, sealed = frozen.load(PROBLEM.student), Sealed(lab)
    for folder, splits in ((lab.features, ("unlabeled", "test")), (lab.sealed_features, ("private", "ood"))):
        texts = list(dict.fromkeys(t for s in splits for t in spelled.flat(sealed.rows(PROBLEM.testbed, s).texts)))
        made = np.stack([invented(t) for t in texts])
        layers = {("mean", layer): made for layer in range(deepest(lm.layers) + 1)}
        shards.write(folder / lm.id, [shards.key_of(t) for t in texts], layers)
    prepare(lab, PROBLEM, seeds=4)
    return lab


def invented(text: str) -> np.ndarray:
    """f32 [WIDTH]."""
    words = [np.random.default_rng(zlib.crc32(w.encode())).normal(size=WIDTH) for w in text.split()]
    return np.asarray(np.mean(words, axis=0), dtype=np.float32)
