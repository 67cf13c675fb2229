"""Reading texts with the default student: the lab's extraction against a plain loop over transformers."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from aar.bench.base import Figure, Say, benches
from aar.models import frozen, texts
from aar.models.extraction import extract
from aar.models.frozen import FrozenLM
from aar.scoring.features import deepest
from aar.settings import DEFAULT_STUDENT, LabFolder
from aar.task.folder import read_rows
from aar.testbeds.build import build
from aar.testbeds.manifest import read_manifest

OURS, PLAIN = 800, 160  # texts that each reads: about half a minute each on a slow machine
PROCESSES, CHUNK = 2, 2048  # small chunks, so that the start of the workers can be told from their work
PLAIN_BATCH = 8
TARGET = 4000.0


@benches.register("extraction")
def run(lab: LabFolder, say: Say) -> list[Figure]:
    """Tokens a second of the texts of `code`, features of every layer up to the student's own."""
    lm = frozen.load(DEFAULT_STUDENT)
    lm.load()
    read = _texts(lab, say)
    ids = lm.encode(read[:OURS])
    say("this machine's bf16 matrix product, one thread")
    figures = [Figure("bf16 matrix product, one thread", gflops(), "GFLOP/s")]
    say(f"plain loop: {PLAIN} texts, batches of {PLAIN_BATCH} in their own order, all {lm.layers} layers, one process")
    plain = _plain(lm, ids[:PLAIN])
    say(f"extraction: {OURS} texts, {PROCESSES} processes of one thread, stopped at layer {deepest(lm.layers)}")
    ours = _ours(lm, read[:OURS])
    tokens = sum(map(len, ids))
    share = sum(map(len, lm.pack(ids))) / tokens
    return [
        *figures,
        Figure("extraction", ours, "tokens/s", "plain transformers loop", plain, TARGET),
        Figure("tokens that are really read", share, "of 1", "every text by itself", 1.0),
    ]


def _texts(lab: LabFolder, say: Say) -> list[str]:
    """Both sides of the public rows of the lab's `code`, or of one that is drawn for the purpose."""
    if not lab.testbed("code").exists():
        say("building a testbed to read")
        with tempfile.TemporaryDirectory(prefix="aar-bench-") as place:
            build(drawn := LabFolder(Path(place)), "code")
            return _texts(drawn, say)
    kind = read_manifest(lab, "code").kind
    return texts.flat(read_rows(lab.testbed("code") / "train_unlabeled.jsonl", kind).texts)


def gflops(size: int = 1024, seconds: float = 1.0) -> float:
    """10^9 operations a second of [size, size] @ [size, size] in bfloat16 on one thread; the best of several rounds."""
    import torch

    from aar.models.heads import one_thread

    with one_thread():
        a, best, end = torch.randn(size, size, dtype=torch.bfloat16), 0.0, time.monotonic() + seconds
        while time.monotonic() < end:
            start = time.perf_counter()
            a @ a
            best = max(best, 2 * size**3 / (time.perf_counter() - start) / 1e9)
    return best


def _ours(lm: FrozenLM, read: list[str]) -> float:
    """Tokens a second between the first chunk that was done and the last."""
    told: list[tuple[float, int]] = []
    with tempfile.TemporaryDirectory(prefix="aar-bench-") as root:
        extract(
            lm.name, read, Path(root), [deepest(lm.layers)], processes=PROCESSES, chunk=CHUNK,
            progress=lambda done, total, left_s: told.append((time.monotonic(), done)),
        )  # fmt: skip
    (start, first), (end, last) = told[0], told[-1]
    return (last - first) / (end - start)


def _plain(lm: FrozenLM, ids: list[list[int]]) -> float:
    """Tokens a second of what one would write first: pad, run the whole model, keep all states, take the mean of one."""
    import torch

    start = time.monotonic()
    for at in range(0, len(ids), PLAIN_BATCH):
        tokens, mask = lm.padded(ids[at : at + PLAIN_BATCH])
        with torch.inference_mode():
            out = lm.model.base_model(input_ids=tokens, attention_mask=mask, output_hidden_states=True)
        states = out.hidden_states[deepest(lm.layers)].float()
        (states * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
    return sum(map(len, ids)) / (time.monotonic() - start)
