"""What a sandbox leaves is read strictly, or refused by a named rule."""

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aar.errors import MethodError
from aar.sandboxes import results


def refused(code: str):  # type: ignore[no-untyped-def]
    return pytest.raises(MethodError, check=lambda error: error.code == code)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def test_reads_plain_files_in_plain_folders(tmp_path: Path) -> None:
    """JSON and arrays come back as they were written, also from a subfolder, also behind a linked workspace."""
    (tmp_path / "ws" / "out").mkdir(parents=True)
    (tmp_path / "ws" / "out" / "p.json").write_text('{"a": [0.5, "x"]}')
    (tmp_path / "ws" / "p.npy").write_bytes(npy(np.arange(6.0, dtype=np.float32).reshape(2, 3)))
    os.symlink(tmp_path / "ws", tmp_path / "link")
    assert results.read_json(tmp_path / "link", "out/p.json") == {"a": [0.5, "x"]}
    assert results.read_npy(tmp_path / "ws", "p.npy").tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("name", ["link.json", "linked/real.json", "fifo", "folder", "socket", "loop"])
def test_refuses_what_is_no_plain_file(name: str, tmp_path: Path) -> None:
    """Links anywhere on the path, fifos (without waiting), folders and sockets."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "real.json").write_text("1")
    os.symlink("folder/real.json", tmp_path / "link.json")
    os.symlink("folder", tmp_path / "linked")
    os.symlink("loop", tmp_path / "loop")
    os.mkfifo(tmp_path / "fifo")
    os.mknod(tmp_path / "socket", 0o140600)
    with refused("not_a_file"):
        results.read_json(tmp_path, name)


@pytest.mark.parametrize("name", ["", "/etc/hosts", "../x", "a/../../x", "."])
def test_refuses_paths_out_of_the_workspace(name: str, tmp_path: Path) -> None:
    """Absolute and upward paths."""
    with refused("bad_path"):
        results.read_bytes(tmp_path, name)


def test_missing_and_large_files(tmp_path: Path) -> None:
    """A file that is not there has its own code; one byte too many is too many."""
    with refused("missing_file"):
        results.read_bytes(tmp_path, "none/p.json")
    (tmp_path / "p").write_bytes(b"x" * 11)
    assert len(results.read_bytes(tmp_path, "p", max_bytes=11)) == 11
    with refused("too_large"):
        results.read_bytes(tmp_path, "p", max_bytes=10)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"a": 1, "a": 2}', "duplicate_keys"),
        (b"[NaN]", "bad_json"),
        (b"[-Infinity]", "bad_json"),
        (b"[1", "bad_json"),
        (b"\xff", "bad_json"),
        (b"9" * 5000, "bad_json"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "too_deep"),
    ],
)
def test_refuses_json_that_is_not(text: bytes, code: str) -> None:
    """Duplicate keys, NaN, broken text, endless integers, deep nesting."""
    with refused(code):
        results.parse_json(text)


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=50, deadline=None)
@given(_json)
def test_any_json_comes_back(value: object) -> None:
    """Strictness refuses no valid document, brackets and quotes inside strings included."""
    assert results.parse_json(json.dumps(value).encode()) == value


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "content",
    [
        npy(np.array([{"a": 1}], dtype=object)),
        npy(np.array(["text"])),
        npy(np.zeros(3, dtype=[("a", "f4")])),
        npy(np.zeros(3))[:-1],
        npy(np.zeros(3)) + b"x",
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}\n"),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}\n"),
        header("__import__('os')\n"),
        header("(" * 5000),
        b"PK\x03\x04",
        b"",
    ],
)
def test_refuses_arrays_that_are_not_plain(content: bytes) -> None:
    """Pickles, text, records, and headers that promise other than what is there."""
    with refused("bad_npy"):
        results.parse_npy(content)


def test_fortran_order_is_kept() -> None:
    """A column-major array reads as the same array."""
    array = np.asfortranarray(np.arange(6).reshape(2, 3))
    assert (results.parse_npy(npy(array)) == array).all()
