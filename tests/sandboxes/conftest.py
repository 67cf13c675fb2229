"""A container engine: the host's own where one answers, else the fake one."""

from collections.abc import Iterator

import pytest

from aar.sandboxes import sandboxes
from aar.sandboxes.docker import Docker
from aar.sandboxes.fakes import FakeEngine
from aar.sandboxes.limits import known_failures


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """The address of it."""
    pytest.importorskip("docker", reason='the extra "docker" is not installed')
    provider = sandboxes.get("docker")
    if provider.missing() is None:
        yield "the host's own"
        return
    with FakeEngine() as fake, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", fake.address)
        patch.setattr(
            Docker, "known_failures", property(lambda self: known_failures())
        )  # of this host's control groups
        vars(provider).pop("_reason", None)  # what was found out without it
        yield fake.address
        vars(provider).pop("_reason", None)
