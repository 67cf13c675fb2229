"""Archives from outside: honest ones of every dialect are read, every known attack is refused by its reason."""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aar.errors import InputError
from aar.lab import archive
from aar.lab.archive import extract, extract_method, pack_files
from aar.lab.fakes import METHOD


def tar(*members: tuple[str, bytes | tarfile.TarInfo], fmt: int = tarfile.PAX_FORMAT, packed: bool = True) -> bytes:
    """A tar made by Python's own library, as an attacker would."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz" if packed else "w", format=fmt) as file:
        for name, body in members:
            info = body if isinstance(body, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(body, bytes):
                info.size = len(body)
            info.name = name
            file.addfile(info, io.BytesIO(body) if isinstance(body, bytes) else None)
    return out.getvalue()


def member(kind: bytes, target: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo("x")
    info.type, info.linkname, info.size = kind, target, size
    return info


def refused(data: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        extract_method(data)
    assert caught.value.code == code, caught.value
    assert caught.value.status == 422


@pytest.mark.parametrize("fmt", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("packed", [True, False])
def test_honest_archives_of_every_dialect(fmt: int, packed: bool) -> None:
    """ustar, GNU and pax, packed or not, `./` in front, folders listed, long names."""
    long = "parts/" + "/".join(["folder_" + "x" * 20] * 4) + "/a.py"
    members = [("./", member(b"5")), ("./parts", member(b"5")), ("./method.py", b"m"), (f"./{long}", b"a")]
    assert extract_method(tar(*members, fmt=fmt, packed=packed)) == {"method.py": b"m", long: b"a"}


def test_one_top_folder_is_stripped() -> None:
    """`tar czf m.tgz my_method` works as well as `-C my_method .`; two top folders do not."""
    assert extract_method(pack_files({"mine/method.py": b"m", "mine/a/b.txt": b"b"})) == {
        "method.py": b"m",
        "a/b.txt": b"b",
    }
    refused(pack_files({"mine/method.py": b"m", "other/b": b"b"}), "no_method")


NAMES = st.lists(st.text("abcé_1", min_size=1, max_size=30), min_size=1, max_size=4).map("/".join)


@settings(max_examples=40, deadline=None)
@given(files=st.dictionaries(NAMES, st.binary(max_size=2000), min_size=1, max_size=6))
def test_pack_and_extract_are_inverse(files: dict[str, bytes]) -> None:
    """What is packed comes out, unless a name is a file and a folder at once."""
    both = any(a.casefold() == b.casefold()[: len(a)] for a in files for b in files if a != b)
    with contextlib.suppress(InputError) if both else contextlib.nullcontext():
        assert extract(pack_files(files)) == files


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=3000), at=st.integers(0, 1500), packed=st.booleans())
def test_garbage_never_crashes(data: bytes, at: int, packed: bool) -> None:
    """Random bytes, and random damage to a good tar, give InputError or files, never another exception."""
    good = tar(("method.py", b"x" * 700), ("é" * 60, b"y"), packed=False)
    broken = good[:at] + data[:40] + good[at + len(data[:40]) :]
    for attempt in (data, gzip.compress(data) if packed else broken, broken):
        with contextlib.suppress(InputError):
            extract_method(attempt)


@pytest.mark.parametrize(
    "name",
    ["../up.py", "/etc/passwd", "a/../../b", "a/./b", ".git/hooks/post-checkout", "a/.Git/x", ".gitmodules", "git~1/x",
     "a\\..\\b", "C:evil", "a\x01b", "tab\tname", "trailing ", "dot.", "a" * 200, "/".join("abcdefghij"), "a\u202eb",
     "e\u0301", "a*b"],
)  # fmt: skip
def test_names_that_leave_the_folder(name: str) -> None:
    """Absolute, climbing, git's own, control characters, look-alikes, too long or too deep."""
    refused(tar(("method.py", b"m"), (name, b"x")), "bad_name")


@pytest.mark.parametrize(
    ("kind", "size"), [(b"1", 0), (b"2", 0), (b"3", 0), (b"4", 0), (b"6", 0), (b"7", 0), (b"S", 0), (b"V", 0)]
)
def test_links_and_devices(kind: bytes, size: int) -> None:
    """Hard and symbolic links, devices, pipes and exotic members are refused even next to a good method."""
    refused(tar(("method.py", b"m"), ("x", member(kind, "/etc/passwd", size)), fmt=tarfile.GNU_FORMAT), "not_a_file")


@pytest.mark.parametrize("second", ["method.py", "METHOD.PY", "./method.py"])
def test_the_same_name_twice(second: str) -> None:
    """The second would win in silence on some systems, so neither is taken."""
    refused(tar(("method.py", b"good"), (second, b"evil")), "duplicate_name")


def test_a_file_that_is_also_a_folder() -> None:
    """`a` and `a/b` cannot both be written."""
    refused(tar(("method.py", b"m"), ("a", b"x"), ("a/b", b"y")), "duplicate_name")
    refused(tar(("method.py", b"m"), ("a", b"x"), ("a", member(b"5"))), "duplicate_name")


def test_limits_of_count_and_size() -> None:
    """200 files and 5 MB pass, one more does not."""
    many = {"method.py": b"m"} | {f"f{i}": b"" for i in range(199)}
    assert len(extract_method(pack_files(many))) == 200
    refused(pack_files(many | {"one": b""}), "too_large")
    big = {"method.py": b"m", "data": bytes(i * 7 % 251 for i in range(archive.MAX_BYTES - 1))}
    assert len(extract_method(tar(*big.items(), packed=False))) == 2
    refused(tar(*(big | {"one": b"1"}).items(), packed=False), "too_large")


def test_bombs() -> None:
    """A gzip that unpacks to gigabytes is stopped at its cap, and a nested one is just a file."""
    refused(gzip.compress(bytes(50_000_000)), "too_large")
    refused(tar(("method.py", bytes(4_900_000))), "too_large")
    refused(gzip.compress(pack_files(METHOD)), "bad_archive")


def test_lies_in_headers() -> None:
    """A size in a pax header, a size beyond the end, a bad checksum, a cut or doubled gzip stream."""
    sized = tarfile.TarInfo("method.py")
    sized.pax_headers = {"size": "1"}
    refused(tar(("method.py", sized)), "not_a_file")
    good = tar(("method.py", b"m" * 600), packed=False)
    refused(good[:900], "bad_archive")
    refused(good[:1536], "bad_archive")
    refused(good[:124] + b"77777777777 " + good[136:], "bad_archive")
    packed = pack_files(METHOD)
    refused(packed[:-4], "bad_archive")
    refused(packed + packed, "bad_archive")
    refused(b"", "bad_archive")
    refused(b"PK\x03\x04" + bytes(600), "bad_archive")


def test_ten_thousand_chained_headers() -> None:
    """Long-name headers one after the other, which exhaust the stack of a recursive reader, are read in a loop."""
    header = bytearray(tar(("././@LongLink", member(b"L")), packed=False)[:512])
    with pytest.raises(InputError):
        extract(bytes(header) * 9_000 + bytes(1024))


@pytest.mark.parametrize(
    "name",
    ["numpy.py", "torch/__init__.py", "aar/types.py", "sitecustomize.py", "usercustomize.py", "json.py", "sklearn.py",
     "os.py", "random/x.py"],
)  # fmt: skip
def test_names_that_shadow_a_package(name: str) -> None:
    """A module that would be imported in place of the lab's, Python's or an installed one is named as such."""
    refused(pack_files(METHOD | {name: b"evil"}), "shadows_package")


def test_what_does_not_shadow() -> None:
    """Deeper modules, other names, and data folders are fine."""
    files = METHOD | {"parts/numpy.py": b"", "my_torch.py": b"", "json/data.txt": b"", "random.txt": b""}
    assert extract_method(pack_files(files)) == files


@pytest.mark.parametrize("name", ["method.cpython-311.pyc", "fast.so", "x.pth", "a/b.PYD"])
def test_compiled_code(name: str) -> None:
    """What nobody can read, nobody can review."""
    refused(pack_files(METHOD | {name: b"\0"}), "not_source")


def test_no_method() -> None:
    """An archive without method.py says what to pack."""
    refused(pack_files({"main.py": b""}), "no_method")
    with pytest.raises(InputError, match="no file"):
        extract(tar(("folder", member(b"5"))))
