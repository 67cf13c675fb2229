"""Finetuning, scoring and features at full size, beside stock transformers and PEFT in the same run.

    python bench/gpu.py [--json]        the shapes of Qwen3-4B on a GPU; a tiny model of the same make on a CPU

Weights are random, built from the configuration, so nothing is downloaded; rows have random tokens and the lengths of
chat comparisons. Only useful tokens and useful work count: no padding, no recomputation. The ceilings (matrix product
and copy) are those of this very device, measured first. Both sides start from the same adapters and see the same rows
in the same order, so that their final losses can be compared.
"""

from __future__ import annotations

import copy
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aar.bench.base import Figure, Say, benches
from aar.models.packing import by_length
from aar.models.tuned import lora
from aar.models.tuned.base import Base
from aar.models.tuned.loop import train
from aar.models.tuned.rules import Tuning
from aar.settings import LabFolder
from aar.types import Claim, Fit, Rows, Text

QWEN3_4B = {
    "hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36, "num_attention_heads": 32,
    "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936, "tie_word_embeddings": True,
}  # fmt: skip
TINY = QWEN3_4B | {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 512,
}  # fmt: skip
PLAIN = "Trainer + PEFT, stock"
LR = 1e-3  # ten times the study's: eight steps must show whether both learn


class RandomBase(Base):
    """A base of random weights; a row's tokens are drawn from its text, which says how many. The last one tells the label."""

    def __init__(self, shape: dict[str, Any], device: torch.device) -> None:
        from transformers import Qwen3Config, Qwen3ForCausalLM

        self.device, self.folder, self.context, self.adapters = device, Path(), 8192, []
        self.dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
        config = Qwen3Config(**shape, max_position_embeddings=8192)
        before = torch.get_default_dtype()
        torch.set_default_dtype(self.dtype)
        torch.manual_seed(0)
        try:
            with device:
                built: Any = Qwen3ForCausalLM(config)
        finally:
            torch.set_default_dtype(before)
        self.__dict__["model"] = built.eval().requires_grad_(False)
        self.__dict__["_label_ids"] = {"pair": (1, 2), "binary": (1, 2)}
        self.words = shape["vocab_size"]

    def encode(self, rows: Sequence[Text]) -> list[list[int]]:
        out = []
        for row in rows:
            number, length = map(int, row.question.split())
            out.append([*np.random.default_rng(number).integers(5, self.words, length - 1).tolist(), 3 + number % 2])
        return out


def drawn(n: int, longest: int, seed: int = 0) -> tuple[Rows, np.ndarray]:
    """n rows with the spread of lengths of chat comparisons (log-normal, median 500 tokens at full size), and labels [n]
    that can be learned: else training and not training would look alike."""
    draw = np.random.default_rng(seed)
    lengths = np.clip(draw.lognormal(np.log(longest / 4), 0.6, n), 16, longest).astype(int)
    numbers = np.arange(n) + seed * 10**6
    texts = tuple(Claim(f"{number} {length}", "") for number, length in zip(numbers, lengths, strict=True))
    return Rows("binary", tuple(str(i) for i in range(n)), texts), (numbers % 2).astype(np.float32)


@dataclass
class Bench:
    """One device, one model, one set of rows."""

    base: RandomBase
    rules: Tuning
    rows: Rows
    truth: np.ndarray
    say: Say

    @property
    def cuda(self) -> bool:
        return self.base.device.type == "cuda"

    @property
    def lengths(self) -> np.ndarray:
        return np.array([len(i) for i in self.base.encode(self.rows.texts)])

    def work(self, passes: float) -> float:
        """Useful FLOP of `passes` forward passes over the rows: linear layers and causal attention. LoRA's backward pass
        is one more, for no gradient goes to the frozen weights."""
        config = self.base.model.config
        linear = 2.0 * sum(d_in * d_out for _, d_in, d_out in lora.linears(self.base).values())
        attention = 2.0 * config.num_attention_heads * config.head_dim * config.num_hidden_layers
        return float(passes * (linear * self.lengths.sum() + attention * np.square(self.lengths.astype(float)).sum()))

    @contextmanager
    def measured(self) -> Iterator[dict[str, float]]:
        """Seconds and peak MB of the block."""
        found: dict[str, float] = {}
        self.wait()
        if self.cuda:
            torch.cuda.reset_peak_memory_stats()
        start = time.perf_counter()
        yield found
        self.wait()
        found["s"] = time.perf_counter() - start
        found["mb"] = torch.cuda.max_memory_allocated() / 2**20 if self.cuda else 0.0

    def wait(self) -> None:
        gc.collect()
        if self.cuda:
            torch.cuda.synchronize()


def ceilings(device: torch.device) -> tuple[float, float]:
    """(TFLOP/s of a large matrix product, GB/s of a copy) that this device reaches."""
    size, dtype = (8192, torch.bfloat16) if device.type == "cuda" else (1024, torch.float32)
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in "ab")
    product = 2 * size**3 / _seconds(lambda: a @ b, device) / 1e12
    big = torch.empty(2**28 if device.type == "cuda" else 2**24, device=device, dtype=torch.uint8)
    return product, 2 * big.numel() / _seconds(big.clone, device) / 1e9


def _seconds(act: Callable[[], Any], device: torch.device, times: int = 10) -> float:
    sync = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    for _ in range(3):
        act()
    sync()
    start = time.perf_counter()
    for _ in range(times):
        act()
    sync()
    return (time.perf_counter() - start) / times


def ours(b: Bench, seeds: int) -> tuple[dict[str, float], float]:
    """(seconds and memory, mean loss of the last step) of one epoch by our loop, `seeds` fits side by side."""
    losses: list[float] = []
    jobs = [Fit(b.rows, b.truth, seed=s) for s in range(seeds)]
    with b.measured() as found:
        train(b.base, jobs, "binary", b.rules, report=lambda loss, **_: losses.append(loss / seeds))
    return found, losses[-1]


def stock(b: Bench) -> tuple[dict[str, float], float]:
    """The same epoch by transformers' Trainer on a PEFT model: batches in order, padded, all logits of all positions."""
    import tempfile

    from peft import LoraConfig, get_peft_model
    from torch.nn.functional import binary_cross_entropy_with_logits
    from torch.utils.data import SequentialSampler
    from transformers import Trainer, TrainingArguments

    start = lora.initial(b.base, [0], b.rules.rank)  # before PEFT wraps the layers
    config = LoraConfig(
        r=b.rules.rank, lora_alpha=int(b.rules.alpha), use_rslora=b.rules.rslora, target_modules="all-linear"
    )
    model: Any = get_peft_model(b.base.model, config)
    for name, module in model.base_model.model.model.layers.named_modules():
        if f"{name}.A" in start:
            module.lora_A["default"].weight.data = start[f"{name}.A"][0].T.contiguous()
    ids, order = b.base.encode(b.rows.texts), np.random.default_rng(0).permutation(len(b.rows))
    data = [{"input_ids": ids[i], "label": float(b.truth[i])} for i in order]

    def collate(some: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        longest = max(len(x["input_ids"]) for x in some)
        tokens = torch.zeros(len(some), longest, dtype=torch.long)
        mask = torch.zeros_like(tokens)
        for row, x in enumerate(some):
            tokens[row, : len(x["input_ids"])], mask[row, : len(x["input_ids"])] = torch.tensor(x["input_ids"]), 1
        return {"input_ids": tokens, "attention_mask": mask, "label": torch.tensor([x["label"] for x in some])}

    class Plain(Trainer):
        def _get_train_sampler(self, *args: Any, **kwargs: Any) -> Any:
            return SequentialSampler(data)  # type: ignore[arg-type]

        def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            target = inputs.pop("label")
            logits = model(**inputs).logits
            last = logits[torch.arange(len(target)), inputs["attention_mask"].sum(1) - 1].float()
            return binary_cross_entropy_with_logits(last[:, 2] - last[:, 1], target)

    micro = 4 if b.cuda else b.rules.batch_size
    with tempfile.TemporaryDirectory() as place:
        args = TrainingArguments(
            place, per_device_train_batch_size=micro, gradient_accumulation_steps=b.rules.batch_size // micro,
            num_train_epochs=1, learning_rate=b.rules.lr, lr_scheduler_type="linear", warmup_steps=b.rules.warmup,
            bf16=b.cuda, use_cpu=not b.cuda, report_to=[], save_strategy="no", logging_steps=1, disable_tqdm=True,
            remove_unused_columns=False, weight_decay=0.0,
        )  # fmt: skip
        trainer = Plain(model, args, train_dataset=data, data_collator=collate)  # type: ignore[arg-type]
        with b.measured() as found:
            trainer.train()
        last = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry][-1]
    model.unload()
    return found, float(last)


def scored(b: Bench) -> float:
    """Seconds to score all rows: batches of alike length, the state at the label position alone, two label tokens."""
    ids = b.base.encode(b.rows.texts)
    with torch.inference_mode(), b.measured() as found:
        for index in by_length(ids, b.rules.tokens):
            b.base.logits(b.base.states([ids[i] for i in index]), "binary").cpu()
    return found["s"]


def scored_plainly(b: Bench, states: bool = False) -> float:
    """Seconds of a plain loop: batches of 8 as they come, with a mask, every logit of every position; `states`: every
    layer's states instead, as output_hidden_states gives them."""
    ids = b.base.encode(b.rows.texts)
    with torch.inference_mode(), b.measured() as found:
        for start in range(0, len(ids), 8):
            tokens, mask = _padded(ids[start : start + 8], b.base.device)
            if states:
                out = b.base.model.base_model(
                    tokens, attention_mask=mask, output_hidden_states=True, use_cache=False
                ).hidden_states
                torch.stack([(h.float() * mask[..., None]).sum(1) / mask.sum(1, keepdim=True) for h in out]).cpu()
            else:
                logits = b.base.model(tokens, attention_mask=mask, use_cache=False).logits
                logits[torch.arange(len(tokens)), mask.sum(1) - 1][:, 1:3].float().cpu()
    return found["s"]


def features(b: Bench) -> float:
    """Seconds to read mean states of every layer as the lab does: pooled by hooks, no layer's states kept."""
    import tempfile
    from types import SimpleNamespace

    from aar.models.frozen import FrozenLM

    config = b.base.model.config
    with tempfile.TemporaryDirectory() as place:
        config.architectures = ["Qwen3ForCausalLM"]
        config.save_pretrained(place)
        lm = FrozenLM("bench", Path(place), str(b.base.device))
    lm.model = b.base.model if b.cuda else copy.deepcopy(b.base.model).bfloat16()  # features are read in bfloat16
    lm.tokenizer = SimpleNamespace(pad_token_id=0, eos_token_id=0, bos_token_id=0)
    ids = b.base.encode(b.rows.texts)
    with b.measured() as found:
        for _ in lm.pooled(ids, range(config.num_hidden_layers + 1), ("mean",), b.rules.tokens):
            pass
    return found["s"]


def _padded(some: Sequence[list[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    tokens = torch.zeros(len(some), max(map(len, some)), dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for row, ids in enumerate(some):
        tokens[row, : len(ids)], mask[row, : len(ids)] = torch.tensor(ids), 1
    return tokens.to(device), mask.to(device)


@benches.register("gpu")
def run(lab: LabFolder, say: Say) -> list[Figure]:
    """Training, scoring and features of a finetuned student at full size (on a CPU: of a tiny one)."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    cuda = device.type == "cuda"
    say("measuring the ceilings of this device")
    product, moved = ceilings(device)
    say("building a model of random weights" + (", the shapes of Qwen3-4B" if cuda else ""))
    base = RandomBase(QWEN3_4B if cuda else TINY, device)
    rows, truth = drawn(32 * 8, 2048 if cuda else 64)
    b = Bench(base, Tuning(epochs=1, lr=LR, warmup=0.0, tokens=16_384 if cuda else 4096, lanes=5), rows, truth, say)
    small = replace(b, rows=rows.take(range(32)), truth=truth[:32])
    useful = int(b.lengths.sum())
    say(f"training on {len(rows)} rows of {useful} tokens, batches of 32")
    ours(small, 1)
    (mine, my_loss), (five, _) = ours(b, 1), ours(b, 5)
    say("the same by transformers' Trainer and PEFT")
    stock(small)
    theirs, their_loss = stock(b)
    say("scoring and features")
    scored(small), scored_plainly(small)
    score, plain = scored(b), scored_plainly(b)
    read, read_plainly = features(b), scored_plainly(b, states=True)
    share = 100 / (product * 1e12)
    return [
        Figure("matrix product", product, "TFLOP/s"),
        Figure("copy", moved, "GB/s"),
        Figure("LoRA training", useful / mine["s"], "tokens/s", PLAIN, useful / theirs["s"]),
        Figure(
            "LoRA training, share of the matrix product",
            share * b.work(2) / mine["s"],
            "%",
            PLAIN,
            share * b.work(2) / theirs["s"],
            45.0,
        ),
        Figure("LoRA training, peak memory", mine["mb"], "MB", PLAIN, theirs["mb"]),
        Figure("LoRA training, loss of the last batch", my_loss, "nats", PLAIN, their_loss),
        Figure("five seeds at once", five["s"], "s", "five times one", 5 * mine["s"]),
        Figure("scoring", useful / score, "tokens/s", "plain loop", useful / plain),
        Figure(
            "scoring, share of the matrix product",
            share * b.work(1) / score,
            "%",
            "plain loop",
            share * b.work(1) / plain,
            60.0,
        ),
        Figure("features", useful / read, "tokens/s", "plain loop", useful / read_plainly),
    ]
