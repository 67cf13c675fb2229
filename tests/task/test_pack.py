"""Packing a method folder: what is in it, what is left out, and the limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from aar.errors import InputError
from aar.task.pack import MAX_BYTES, pack, read_folder


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_what_is_packed(tmp_path: Path) -> None:
    """Plain files in folders; no hidden ones, no caches, no links to elsewhere."""
    folder = write(tmp_path / "m", method_py="m", parts__a_py="a")
    for name in (".git/config", "__pycache__/method.cpython-311.pyc", ".env", "old.pyc"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("secret")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "key").write_text("secret")
    (folder / "link").symlink_to(outside / "key")
    (folder / "folder").symlink_to(outside)
    assert read_folder(folder) == {"method.py": b"m", "parts/a.py": b"a"}


def test_the_same_folder_gives_the_same_bytes(tmp_path: Path) -> None:
    """Time, order and place do not count."""
    assert pack(write(tmp_path / "a", method_py="m", b_py="b")) == pack(write(tmp_path / "c", b_py="b", method_py="m"))


def test_limits_are_named(tmp_path: Path) -> None:
    """Too much, or no folder, is said before anything is sent."""
    (tmp_path / "big").write_bytes(bytes(MAX_BYTES + 1))
    with pytest.raises(InputError, match="5,000,000 bytes"):
        pack(tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        pack(tmp_path / "none")
