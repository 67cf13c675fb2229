"""One small prepared lab for the whole session: real models, real features, a toy testbed of a few dozen rows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aar.settings import LabFolder

TOY = {"labeled": 24, "unlabeled": 64, "test": 40, "private": 20, "ood": 10}


@pytest.fixture(scope="session")
def tiny_lab(tmp_path_factory: pytest.TempPathFactory) -> LabFolder:
    """A lab with the problem `toy` prepared. Read it, rerun on it, submit to it; do not rebuild it."""
    from aar.models import packaged
    from aar.scoring.prepare import prepare
    from aar.scoring.problem import Problem
    from aar.testbeds.build import build
    from aar.testbeds.split import Sizes

    packaged.path("smollm2-135m")  # says `make setup` where it is missing
    lab = LabFolder(tmp_path_factory.mktemp("tiny") / "lab")
    os.environ.setdefault("AAR_STATE", str(lab.root.parent / "outside"))
    build(lab, "toy", Sizes(**TOY))
    prepare(lab, Problem.parse("toy"), seeds=5, processes=1)
    return lab


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short name: the path of a unix socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="a-") as name:
        yield Path(name)


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).parent.parent
