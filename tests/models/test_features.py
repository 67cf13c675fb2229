"""The feature store and its extraction: by content, resumable, unharmed by kills, twins and damage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from aar.errors import NotFound
from aar.models import frozen, shards
from aar.models.extraction import extract
from aar.models.features import FeatureStore

TEXTS = [f"text number {i} " + "x" * (i % 23) for i in range(40)]


def fill(lm: Path, texts: list[str], root: Path, layers: tuple[int, ...] = (2,), **how: object) -> FeatureStore:
    return FeatureStore([root], extract(lm, texts, root, layers, **{"processes": 1, "chunk": 200, **how}))  # type: ignore[arg-type]


def test_what_is_stored_is_what_the_model_says(llama: Path, tmp_path: Path) -> None:
    """Every layer up to the deepest asked for, both poolings, in the order of the question, in float16 precision."""
    store = fill(llama, TEXTS, tmp_path)
    assert set(store.held()) == {(p, x) for p in ("mean", "last") for x in (0, 1, 2)}
    assert store.width == 32
    asked = [TEXTS[7], TEXTS[0], TEXTS[7]]
    for pooling in frozen.POOLINGS:
        want = frozen.load(llama).hidden(asked, [1], pooling)[:, 0]
        got = store.get(asked, 1, pooling)
        assert got.dtype == np.float32
        assert np.linalg.norm(got - want) < 0.02 * np.linalg.norm(want)


def test_only_missing_texts_are_extracted_and_each_once(llama: Path, tmp_path: Path) -> None:
    """Content addressed: duplicates and texts that are there cost nothing."""
    store = fill(llama, TEXTS[:10] * 3, tmp_path)
    assert store.held()["mean", 2] == 10
    done: list[tuple[int, int]] = []
    fill(llama, TEXTS[:12], tmp_path, progress=lambda d, n, eta: done.append((d, n)))
    assert done == [(n := sum(map(len, TEXTS[10:12])), n)]
    assert not fill(llama, TEXTS[:12], tmp_path, progress=lambda *a: pytest.fail("there is nothing to do")).missing(
        TEXTS[:12]
    )


def test_a_deeper_layer_is_extracted_when_it_is_asked_for(llama: Path, tmp_path: Path) -> None:
    """A shallow shard does not hide that a deep one is missing."""
    store = fill(llama, TEXTS[:5], tmp_path, layers=(1,), poolings=("mean",))
    assert store.missing(TEXTS[:5], 3) == TEXTS[:5]
    assert store.missing(TEXTS[:5], 1, "last") == TEXTS[:5]
    fill(llama, TEXTS[:5], tmp_path, layers=(3,))
    assert store.get(TEXTS[:5], 3).shape == (5, 32)


def test_missing_features_say_so(llama: Path, tmp_path: Path) -> None:
    """How many, at which layer; never zeros."""
    store = fill(llama, TEXTS[:5], tmp_path)
    with pytest.raises(NotFound, match="1 of 6 texts have no mean feature at layer 2"):
        store.get([*TEXTS[:5], "new"], 2)
    with pytest.raises(NotFound, match="layer 4"):
        store.get(TEXTS[:5], 4)
    assert store.get([], 2).shape == (0, 32)


def test_several_roots_are_one_store(llama: Path, tmp_path: Path) -> None:
    """Public and sealed texts are found together by those who see both folders, and only by those."""
    public = fill(llama, TEXTS[:5], tmp_path / "public")
    fill(llama, TEXTS[5:9], tmp_path / "sealed")
    both = FeatureStore([tmp_path / "public", tmp_path / "sealed"], public.model_id)
    assert both.get(TEXTS[:9], 2).shape == (9, 32)
    assert public.missing(TEXTS[:9]) == TEXTS[5:9]


def test_a_new_shard_is_seen_by_an_open_store(llama: Path, tmp_path: Path) -> None:
    """A long-lived process need not be restarted when the lab extracts more."""
    store = fill(llama, TEXTS[:5], tmp_path)
    store.get(TEXTS[:5], 2)
    fill(llama, TEXTS, tmp_path)
    assert store.get(TEXTS, 2).shape == (40, 32)


def test_get_reads_one_layer_of_the_shards_concerned(llama: Path, tmp_path: Path) -> None:
    """And keeps it in memory: deleting the files afterwards changes nothing."""
    store = fill(llama, TEXTS, tmp_path)
    before = store.get(TEXTS, 2)
    assert {(p, x) for _, p, x in store._arrays} == {("mean", 2)}
    for file in tmp_path.rglob("*.safetensors"):
        file.unlink()
    np.testing.assert_array_equal(store.get(TEXTS, 2), before)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_shard_is_named_set_aside_and_replaced(
    damage: str, llama: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not a crash, and not wrong features."""
    store = fill(llama, TEXTS, tmp_path)
    before = store.get(TEXTS, 2)
    victim = sorted(tmp_path.rglob("*.safetensors"))[1]
    content = bytearray(victim.read_bytes())
    content[-9] ^= 255
    victim.write_bytes({"cut": content[:-50], "flip": content, "empty": b""}[damage])
    if damage != "flip":  # a reader sees what is not a shard at all; it does not hash every file
        reader = FeatureStore([tmp_path], store.model_id)
        with pytest.raises(NotFound, match=victim.name):
            reader.get(TEXTS, 2)
    again = fill(llama, TEXTS, tmp_path)
    assert victim.name in caplog.text
    assert victim.with_suffix(".damaged").exists()
    assert np.linalg.norm(again.get(TEXTS, 2) - before) < 0.02 * np.linalg.norm(before)


def test_large_values_stay_finite_and_keys_are_of_the_text(tmp_path: Path) -> None:
    """float16 ends at 65,504; a residual stream may not."""
    path = shards.write(tmp_path / "m", [shards.key_of("a")], {("mean", 0): np.array([[1e6, -1e6, 1.0]])})
    np.testing.assert_array_equal(FeatureStore([tmp_path], "m").get(["a"], 0), [[65504, -65504, 1]])
    assert shards.Shard.open(path).keys == (shards.key_of("a"),)
    assert shards.write(tmp_path / "m", [shards.key_of("a")], {("mean", 0): np.array([[1e6, -1e6, 1.0]])}) == path


def _extractor(llama: Path, root: Path, count: int, processes: int) -> subprocess.Popen[bytes]:
    """Another program that extracts `count` texts."""
    code = (
        "import torch; torch.set_num_threads(1)\n"
        "from aar.models.extraction import extract\n"
        f"texts = [f'text {{i}} ' + 'y' * 60 for i in range({count})]\n"
        f"extract({str(llama)!r}, texts, {str(root)!r}, [4], processes={processes}, chunk=500)\n"
    )
    return subprocess.Popen([sys.executable, "-c", code])


def test_killed_at_any_moment_it_resumes(llama: Path, tmp_path: Path) -> None:
    """kill -9 on the parent: the workers go too, finished chunks are whole and kept, a second run does the rest."""
    texts = [f"text {i} " + "y" * 60 for i in range(4000)]
    first = _extractor(llama, tmp_path, len(texts), processes=2)
    _wait(lambda: len(list(tmp_path.rglob("*.safetensors"))) >= 3)
    workers = psutil.Process(first.pid).children(recursive=True)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert workers
    _wait(lambda: not any(w.is_running() and w.status() != psutil.STATUS_ZOMBIE for w in workers))
    kept = {f: f.read_bytes() for f in tmp_path.rglob("*.safetensors")}
    for file in kept:
        shards.Shard.open(file).verify()
    store = FeatureStore([tmp_path], frozen.load(llama).id)
    left = store.missing(texts, 4)
    assert 0 < len(left) < len(texts)
    rest = texts[: len(texts) - len(left) + 200]
    total: list[int] = []
    fill(llama, rest, tmp_path, layers=(4,), progress=lambda done, n, eta: total.append(n))
    assert store.get(rest, 4).shape == (len(rest), 32)
    assert all(f.read_bytes() == content for f, content in kept.items())


def test_two_extractions_at_once_do_no_harm(llama: Path, tmp_path: Path) -> None:
    """Both end well and every text is there."""
    texts = [f"text {i} " + "y" * 60 for i in range(80)]
    both = [_extractor(llama, tmp_path, len(texts), processes=1) for _ in range(2)]
    assert [p.wait(120) for p in both] == [0, 0]
    store = FeatureStore([tmp_path], frozen.load(llama).id)
    assert store.get(texts, 4).shape == (80, 32)
    assert not [f for f in tmp_path.rglob("*") if f.is_file() and f.suffix != ".safetensors"]


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    """Old temporary files go, fresh ones (another extraction's) stay."""
    old, fresh = tmp_path / ".abc.1", tmp_path / ".abd.2"
    old.write_bytes(b"half"), fresh.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    shards.sweep(tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == [".abd.2"]


def _wait(until: object, timeout_s: float = 90) -> None:
    end = time.monotonic() + timeout_s
    while not until():  # type: ignore[operator]
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)
