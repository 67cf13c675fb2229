"""How a student is finetuned: the numbers of the reference study unless said otherwise."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Tuning:
    """`how`: adapters or all weights. rank, alpha: LoRA's; `rslora` scales by alpha / sqrt(rank) instead of alpha / rank.
    warmup: share of the steps. clip: norm of one fit's gradient. `tokens`: padded tokens of one forward pass, all fits
    together; halved when memory runs out. `lanes`: fits side by side. save_s: seconds between checkpoints. `optimizer`: with
    its moments in 32 or 8 bits (bitsandbytes). compile: the blocks by torch.compile, slow at first, then faster."""

    how: Literal["lora", "full"] = "lora"
    rank: int = 32
    alpha: float = 32.0
    rslora: bool = True
    epochs: int = 5
    lr: float = 1e-4
    batch_size: int = 32
    warmup: float = 0.1
    decay: float = 0.0
    optimizer: Literal["adamw", "adamw_8bit"] = "adamw"
    clip: float = 1.0
    tokens: int = 16_384
    lanes: int = 5
    save_s: float = 120.0
    compile: bool = False

    @property
    def scale(self) -> float:
        return self.alpha / (self.rank**0.5 if self.rslora else self.rank)

    @property
    def together(self) -> int:
        """Fits that one forward pass may serve: all weights exist once."""
        return self.lanes if self.how == "lora" else 1

    @property
    def id(self) -> str:
        """8 hex digits of everything that changes what comes out, not how fast."""
        kept = {k: v for k, v in asdict(self).items() if k not in ("tokens", "lanes", "save_s", "compile")}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:8]
