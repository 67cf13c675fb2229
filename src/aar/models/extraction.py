"""Fill a folder with features: worker processes, one thread each, one shard per chunk of texts.

Safe to kill at any moment and to start again: a chunk is on disk whole or not at all, and only missing texts are
read. Two extractions at once are harmless. How fast it is: `aar bench extraction`.
"""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.connection
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import cache
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aar.errors import LabError
from aar.models import shards

if TYPE_CHECKING:
    from aar.models.frozen import FrozenLM, Pooling

Progress = Callable[[int, int, float], None]  # tokens done, tokens in all, seconds left
CHUNK = 16_384  # tokens of a shard: what a kill can lose, and how often progress is told (some seconds)
log = logging.getLogger(__name__)


def extract(
    lm: str | Path,
    texts: Sequence[str],
    root: Path,
    layers: Sequence[int],
    poolings: Sequence[Pooling] = ("mean", "last"),
    processes: int = 2,
    progress: Progress | None = None,
    chunk: int = CHUNK,
) -> str:
    """Makes sure that `root` holds the features of all `texts` up to the deepest of `layers`; returns the model id.

    Every layer from 0 to the deepest is kept, since they come for free. `processes=1` works in this process.
    """
    from aar.models import weights

    folder = weights.find(lm)
    model_id = weights.identity(folder)
    store = Path(root) / model_id
    _repair(store)
    todo = _missing(store, texts, max(layers), poolings)
    if not todo:
        return model_id
    shards.sweep(store)
    pieces = _chunks(folder, todo, chunk)
    workers = min(processes, len(pieces))
    report = _Report(sum(n for n, _ in pieces), workers, progress)
    with _runner(folder, workers, store, max(layers), tuple(poolings)) as run:
        for tokens, seconds in run(pieces):
            report.add(tokens, seconds)
    return model_id


def _chunks(folder: Path, texts: Sequence[str], size: int) -> list[tuple[int, list[str]]]:
    """(tokens, texts) of about `size` tokens each; texts that are read together stay together. The longest come first:
    memory trouble shows at once."""
    from aar.models.frozen import FrozenLM

    lm = FrozenLM(folder.name, folder)
    ids = lm.encode(texts)
    chunks: list[tuple[int, list[str]]] = []
    for pack in reversed(lm.pack(ids)):
        tokens, members = sum(len(ids[i]) for i in pack.texts), [texts[i] for i in pack.texts]
        if chunks and chunks[-1][0] + tokens <= size:
            chunks[-1] = (chunks[-1][0] + tokens, chunks[-1][1] + members)
        else:
            chunks.append((tokens, members))
    return chunks


def _repair(store: Path) -> None:
    """Sets damaged shards aside, by name; what they held is then missing and is extracted again."""
    for path in sorted(store.glob(f"[!.]*{shards.SUFFIX}")):
        try:
            shards.Shard.open(path).verify()
        except LabError as error:
            log.warning("%s; set aside as %s", error.message, shards.set_aside(path).name)
        except FileNotFoundError:
            pass  # another extraction set it aside first


def _missing(store: Path, texts: Sequence[str], layer: int, poolings: Sequence[str]) -> list[str]:
    from aar.models.features import FeatureStore

    reader = FeatureStore([store.parent], store.name)
    return list(dict.fromkeys(t for p in poolings for t in reader.missing(texts, layer, p)))


class _Report:
    """Tells progress in tokens, with the seconds left at the speed of the chunks so far (loading a model is not counted)."""

    def __init__(self, total: int, processes: int, progress: Progress | None) -> None:
        self.total, self.processes, self.progress, self.done, self.busy = total, processes, progress, 0, 0.0

    def add(self, tokens: int, seconds: float) -> None:
        self.done, self.busy = self.done + tokens, self.busy + seconds
        if self.progress:
            self.progress(self.done, self.total, self.busy * (self.total - self.done) / self.done / self.processes)


Run = Callable[[Sequence[tuple[int, list[str]]]], Iterator[tuple[int, float]]]


@contextmanager
def _runner(folder: Path, processes: int, store: Path, depth: int, poolings: tuple[Pooling, ...]) -> Iterator[Run]:
    """A function that works through chunks, here or in `processes` workers, and yields (tokens, seconds) of each done."""
    if processes <= 1:
        from aar.models.frozen import FrozenLM

        lm = FrozenLM(folder.name, folder)
        yield lambda pieces: (_work(lm, piece, store, depth, poolings) for piece in pieces)
        return
    pool = ProcessPoolExecutor(processes, workers(), _start, (folder, store, depth, poolings))
    try:
        yield lambda pieces: (done.result() for done in as_completed([pool.submit(_task, p) for p in pieces]))
    except BaseException:  # Ctrl-C or a fault: what is half done is worth nothing, so nobody waits for it
        for worker in list((pool._processes or {}).values()):  # `kill_workers` comes with Python 3.14
            worker.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_worker: tuple[FrozenLM, Path, int, tuple[Pooling, ...]] | None = None  # set once in a worker process, never elsewhere


def _start(folder: Path, store: Path, depth: int, poolings: tuple[Pooling, ...]) -> None:
    global _worker
    leave_with_parent()
    import torch

    from aar.models.frozen import FrozenLM

    torch.set_num_threads(1)
    _worker = (FrozenLM(folder.name, folder), store, depth, poolings)


@cache
def workers() -> BaseContext:
    """Processes are forked from one that has imported torch once and done nothing else."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            "torch",
            "transformers.models.llama.modeling_llama",
            "transformers.models.bert.modeling_bert",
            "aar.models.frozen",
        ]
    )
    return context


def leave_with_parent() -> None:
    """In a worker process: it ends when its parent is gone, however that died."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _task(piece: tuple[int, list[str]]) -> tuple[int, float]:
    assert _worker is not None, "the initializer has run"
    lm, store, depth, poolings = _worker
    return _work(lm, piece, store, depth, poolings)


def _work(
    lm: FrozenLM, piece: tuple[int, list[str]], store: Path, depth: int, poolings: tuple[Pooling, ...]
) -> tuple[int, float]:
    """Extracts one chunk into one shard, unless another extraction has done so meanwhile."""
    tokens, texts = piece
    lm.load()
    start = time.monotonic()
    texts = _missing(store, texts, depth, poolings)
    if texts:
        layers = range(depth + 1)
        out = {p: np.empty((len(texts), len(layers), lm.width), dtype=np.float32) for p in poolings}
        for index, pooled in lm.pooled(lm.encode(texts), layers, poolings):
            for pooling, values in pooled.items():
                out[pooling][index] = values
        tensors: dict[tuple[str, int], np.ndarray] = {(p, x): out[p][:, x] for p in poolings for x in layers}
        shards.write(store, [shards.key_of(t) for t in texts], tensors)
    return tokens, time.monotonic() - start
