"""The lab secret: drawn once, private, and never readable from what is derived from it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from aar.errors import LabError
from aar.settings import LabFolder
from aar.testbeds.secret import keyed_id, keyed_rng, lab_secret


def test_secret_is_drawn_once_and_private(lab: LabFolder) -> None:
    """The second call gives the same 32 bytes; only the owner may read them."""
    secret = lab_secret(lab)
    assert len(secret) == 32
    assert lab_secret(lab) == secret
    assert lab.secret.stat().st_mode & 0o777 == 0o600
    assert lab.sealed.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in lab.sealed.iterdir()] == [lab.secret.name]


def test_first_use_by_many_at_once_gives_one_secret(lab: LabFolder) -> None:
    """Workers that start together agree on the secret."""
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: lab_secret(lab), range(32)))) == 1


def test_labs_have_different_secrets(tmp_path) -> None:
    """Two labs never share a secret."""
    assert lab_secret(LabFolder(tmp_path / "a")) != lab_secret(LabFolder(tmp_path / "b"))


def test_truncated_secret_is_a_lab_fault(lab: LabFolder) -> None:
    """A damaged key file is reported, not used."""
    lab_secret(lab)
    lab.secret.write_bytes(b"short")
    with pytest.raises(LabError) as caught:
        lab_secret(lab)
    assert caught.value.code == "bad_secret"


def test_derived_values_depend_on_secret_and_every_name() -> None:
    """Same names, same draw; another secret or another cut of the names, another draw."""
    one, other = b"1" * 32, b"2" * 32
    assert keyed_id(one, "a", 1) == keyed_id(one, "a", 1)
    assert (
        len({keyed_id(one, "a", "bc"), keyed_id(one, "ab", "c"), keyed_id(one, "abc"), keyed_id(other, "a", "bc")}) == 4
    )
    draws = [keyed_rng(*key).integers(2**60) for key in ((one, "x"), (one, "y"), (other, "x"))]
    assert len(set(draws)) == 3
    assert keyed_rng(one, "x").integers(2**60) == draws[0]


def test_folder_that_was_open_is_closed(lab: LabFolder) -> None:
    """A sealed folder made by other means is closed before the secret is written into it."""
    lab.sealed.mkdir(parents=True, mode=0o755)
    lab.sealed.chmod(0o755)
    lab_secret(lab)
    assert lab.sealed.stat().st_mode & 0o777 == 0o700
