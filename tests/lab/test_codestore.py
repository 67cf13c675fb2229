"""The code store: what goes in comes out, byte for byte, and git is never given a chance to run anything."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aar.errors import AarError, InputError, NotFound
from aar.lab.archive import safe_path
from aar.lab.codestore import CodeStore


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> CodeStore:
    return CodeStore(tmp_path_factory.mktemp("store") / "code.git")


NAMES = st.lists(st.text("ab .é-_", min_size=1, max_size=5), min_size=1, max_size=3).map("/".join)


@settings(max_examples=15, deadline=None)
@given(files=st.dictionaries(NAMES, st.binary(max_size=200), min_size=1, max_size=5))
def test_round_trip(code: CodeStore, files: dict[str, bytes]) -> None:
    """Any files with safe names come back whole, a leading `./` apart; unsafe ones are refused, and nothing in between."""
    try:
        stored = code.put(files)
    except InputError:
        return
    back = code.get(stored.id)
    plain = {safe_path(name): body for name, body in files.items()}
    assert back == plain or any(a.startswith(b + "/") for a in plain for b in plain)


def test_two_files_of_one_name_are_refused(code: CodeStore) -> None:
    """What is stored would be the one or the other."""
    with pytest.raises(InputError, match="one name"):
        code.put({"method.py": b"seen", "./method.py": b"run"})


def test_line_ends_and_attributes_are_left_alone(code: CodeStore) -> None:
    """No filter of git touches a byte, whatever a folder asks for."""
    files = {"method.py": b"a\r\nb\n$Id$\0", ".gitignore": b"*\n", "x/deep/file": bytes(range(256))}
    assert code.get(code.put(files).id) == files


def test_parents_and_trees(code: CodeStore) -> None:
    """Parents are kept in order; the same files have the same tree; nothing of a parent leaks into a child."""
    first = code.put({"a": b"1", "b": b"2"}, message="first")
    second = code.put({"a": b"3"}, message="second")
    child = code.put({"a": b"1", "b": b"2"}, [second.id, first.id], "both\nlines")
    assert code.parents(child.id) == [second.id, first.id]
    assert child.tree == first.tree != second.tree
    assert code.get(code.put({"c": b"4"}, [first.id]).id) == {"c": b"4"}


@pytest.mark.parametrize("bad", ["", "HEAD", "master", "0" * 40, "--help", "a" * 39 + "\n", "../../etc/passwd"])
def test_unknown_snapshots(code: CodeStore, bad: str) -> None:
    """Only the full id of a stored snapshot is one: no ref names, options or other objects."""
    for use in (code.get, code.parents, lambda id_: code.put({"a": b""}, [id_])):
        with pytest.raises(NotFound):
            use(bad)
    with pytest.raises(NotFound):
        code.get(code.put({"a": b"1"}).tree)


@pytest.mark.parametrize(
    "name", ["../a", "/a", "a/../b", ".git/hooks/x", "a/.GIT/x", "a\nb", 'a"b', "", "a//b", "a\\b"]
)
def test_unsafe_names(code: CodeStore, name: str) -> None:
    """A name that could leave the folder, or reach git's own files, is refused."""
    with pytest.raises(InputError):
        code.put({name: b"x"})


def test_write_out(code: CodeStore, tmp_path: Path) -> None:
    """Files land in an empty folder, and only there."""
    snapshot = code.put({"method.py": b"m", "parts/a.py": b"a"}).id
    code.write_out(snapshot, tmp_path)
    assert (tmp_path / "parts" / "a.py").read_bytes() == b"a"
    with pytest.raises(AarError, match="not empty"):
        code.write_out(snapshot, tmp_path)


def test_the_machines_git_settings_are_not_read(
    tmp_path: Path, code: CodeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hostile ~/.gitconfig or GIT_ variable changes nothing and runs nothing."""
    ran = tmp_path / "ran"
    (tmp_path / ".gitconfig").write_text(f"[core]\n\tfsmonitor = touch {ran}\n\tautocrlf = true\n[alias]\n\tx = y\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    own = CodeStore(tmp_path / "own.git")
    assert own.get(own.put({"method.py": b"a\r\n"}).id) == {"method.py": b"a\r\n"}
    assert not ran.exists()
    assert not (tmp_path / "elsewhere").exists()
    assert not list((own.path).glob("hooks/*"))


def test_puts_from_many_threads(code: CodeStore) -> None:
    """Nothing is lost when researchers upload at the same time, and the repository stays whole."""
    ids: list[str] = []
    threads = [threading.Thread(target=lambda i=i: ids.append(code.put({"n": str(i).encode()}).id)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {code.get(id_)["n"] for id_ in ids} == {str(i).encode() for i in range(8)}
    subprocess.run(["git", "--git-dir", str(code.path), "fsck", "--strict"], check=True, capture_output=True)
