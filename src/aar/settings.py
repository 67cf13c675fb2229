"""Where things are: the lab folder's layout and the few environment variables.

Knows paths, opens nothing. `LabFolder` is the one place that spells the layout; `sealed` and what is below it
is read by trusted code alone (gold labels only by `aar.scoring.sealed`).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

EMBEDDED_TESTBEDS = ("code", "chat", "math")
DEFAULT_STUDENT = "smollm2-135m"
DEFAULT_TEACHER = "minilm"


@dataclass(frozen=True)
class LabFolder:
    """The layout of one lab: `LabFolder(Path("lab"))`."""

    root: Path

    @classmethod
    def find(cls, given: str | Path | None = None) -> LabFolder:
        """`--lab DIR`, else `$AAR_LAB`, else `./lab`. Does not create it."""
        return cls(Path(given or os.environ.get("AAR_LAB") or "lab").expanduser().absolute())

    # -- public: a sandbox may be shown these, read-only
    def testbed(self, name: str) -> Path:
        """Public rows (`train_unlabeled.jsonl`, `test.jsonl`), `manifest.json`; no label, subset or group."""
        return self.root / "testbeds" / name

    def problem(self, name: str) -> Path:
        """Weak labels by teacher seed and the public problem card of one problem (see `aar.types`)."""
        return self.root / "problems" / name.replace("/", "_")

    @property
    def features(self) -> Path:
        return self.root / "features"

    # -- sealed: 0700, trusted processes only
    @property
    def sealed(self) -> Path:
        return self.root / "sealed"

    def sealed_testbed(self, name: str) -> Path:
        """`gold.jsonl`, `train_labeled.jsonl`, `private.jsonl`, `test_ood.jsonl`, `CANARY`."""
        return self.sealed / "testbeds" / name

    @property
    def sealed_features(self) -> Path:
        return self.sealed / "features"

    @property
    def secret(self) -> Path:
        return self.sealed / "lab.key"

    # -- state of the server
    @property
    def database(self) -> Path:
        return self.root / "state" / "lab.db"

    @property
    def spending(self) -> Path:
        """What models cost, and what is reserved for requests under way."""
        return self.root / "state" / "spending.jsonl"

    @property
    def prices(self) -> Path:
        """Dollars of models that no public table knows; written by the owner."""
        return self.root / "prices.toml"

    @property
    def checkpoints(self) -> Path:
        """Finetunings under way: a killed one goes on from there."""
        return self.root / "state" / "checkpoints"

    @property
    def code_store(self) -> Path:
        return self.root / "state" / "code.git"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def sockets(self) -> Path:
        """Short on purpose: a unix socket path holds at most 107 bytes, whatever the lab's own path is."""
        key = hashlib.sha256(str(self.root).encode()).hexdigest()[:12]
        return Path(os.environ.get("AAR_RUNTIME", tempfile.gettempdir())) / f"aar-{os.getuid()}-{key}"


def models_folder() -> Path:
    """Where model weights unpacked from wheels live, shared by all labs: `$AAR_MODELS` or the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("AAR_MODELS") or f"{cache}/aar/models").expanduser().absolute()


def generation_engine() -> str:
    """What generates text with local models: `$AAR_ENGINE`, "transformers" or "vllm"."""
    return os.environ.get("AAR_ENGINE") or "transformers"
