"""The disk quota counts what lies in a folder, once, links and hidden files included."""

import os
from pathlib import Path

from aar.sandboxes.quota import Quota

MB = 1 << 20


def test_counts_each_file_once_and_follows_no_link(tmp_path: Path) -> None:
    """Hard links share one file, sparse files take no space, symbolic links lead nowhere."""
    box = tmp_path / "box" / "deep"
    box.mkdir(parents=True)
    (tmp_path / "outside").write_bytes(os.urandom(3 * MB))
    (box / "file").write_bytes(os.urandom(MB))
    os.link(box / "file", box / "again")
    os.symlink(tmp_path, box / "out")
    with open(box / "sparse", "wb") as file:
        file.truncate(100 * MB)
    assert MB <= Quota([tmp_path / "box"], 1).used() < 1.2 * MB


def test_sees_unlinked_files_of_processes(tmp_path: Path) -> None:
    """A file that a process holds open counts although no folder shows it."""
    with open(tmp_path / "gone", "wb") as file:
        file.write(os.urandom(2 * MB))
        file.flush()
        os.unlink(tmp_path / "gone")
        quota = Quota([tmp_path], 1)
        assert quota.used() < MB / 2
        assert quota.used([os.getpid()]) >= 2 * MB
        assert quota.exceeded([os.getpid()])


def test_looks_rarely(tmp_path: Path) -> None:
    """Asked in a loop, it walks the folder at most every tenth of a second; without folders never."""
    quota = Quota([tmp_path], 1)
    assert not quota.due([])
    (tmp_path / "big").write_bytes(os.urandom(2 * MB))
    assert not quota.due([])
    assert quota.exceeded()
    assert not Quota([], 0).due([])
