"""Reading JSON lines of unknown make: one clear error with the line, bounded memory."""

from __future__ import annotations

import contextlib
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aar.errors import InputError
from aar.testbeds.jsonl import LINE_CAP, read_jsonl

GOOD = b'{"a": 1}\n'


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (b"not json", "not valid JSON"),
        (b'{"a": 1', "not valid JSON"),
        (b"[1, 2]", "a list where an object must be"),
        (b'"text"', "a str where an object must be"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": 1, "a": 2}', "given twice"),
        (b'{"a": ' + b"1" * 5000 + b"}", "not valid JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 8"),
        (b"\x00", "not valid JSON"),
    ],
)
def test_bad_line_is_named_with_file_and_line(tmp_path: Path, bad: bytes, says: str) -> None:
    """The third line is bad: the message says so, and the hint what to do."""
    path = tmp_path / "test.jsonl"
    path.write_bytes(GOOD * 2 + bad + b"\n" + GOOD)
    with pytest.raises(InputError) as caught:
        list(read_jsonl(path))
    assert f"{path}:3: " in caught.value.message
    assert says in caught.value.message
    assert caught.value.hint


def test_huge_line_is_refused_in_little_memory(tmp_path: Path) -> None:
    """A line of 1 GB (a sparse file here) costs a few MB and no time."""
    path = tmp_path / "test.jsonl"
    with path.open("wb") as file:
        file.write(GOOD)
        file.truncate(1 << 30)
    tracemalloc.start()
    with pytest.raises(InputError, match=r"test\.jsonl:2: the line is longer than 1,000,000 bytes"):
        list(read_jsonl(path))
    assert tracemalloc.get_traced_memory()[1] < 8 * LINE_CAP
    tracemalloc.stop()


def test_line_at_the_cap_is_read(tmp_path: Path) -> None:
    """The cap itself is allowed, one byte more is not."""
    path = tmp_path / "test.jsonl"
    line = b'{"a": "' + b"x" * (LINE_CAP - 10) + b'"}\n'
    assert len(line) == LINE_CAP
    path.write_bytes(line)
    assert len(list(read_jsonl(path))) == 1
    path.write_bytes(line.replace(b"x", b"xx", 1))
    with pytest.raises(InputError):
        list(read_jsonl(path))


def test_blank_lines_byte_order_mark_and_missing_newline_are_fine(tmp_path: Path) -> None:
    """What editors leave behind is not an error, and line numbers still count every line."""
    path = tmp_path / "test.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\n  \n{"a": "\xe2\x80\xa8"}')
    records = list(read_jsonl(path))
    assert [record.fields for record in records] == [{"a": 1}, {"a": "\u2028"}]
    assert records[1].where == f"{path}:4"


def test_folder_in_place_of_a_file_is_an_input_error(tmp_path: Path) -> None:
    """Whatever the system says about opening the file reaches the user as one message."""
    with pytest.raises(InputError, match="cannot be read"):
        list(read_jsonl(tmp_path))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=50).map(str.encode)))
def test_any_bytes_give_records_or_an_input_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """No content of a file escapes as another exception."""
    path = tmp_path_factory.mktemp("any") / "test.jsonl"
    path.write_bytes(data)
    with contextlib.suppress(InputError):
        assert all(isinstance(record.fields, dict) for record in read_jsonl(path))
