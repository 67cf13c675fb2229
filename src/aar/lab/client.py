"""The lab's own view of its client: the same one that runs in a sandbox, and how to reach a lab as its owner."""

from __future__ import annotations

from aar.errors import NotFound
from aar.settings import LabFolder
from aar.task.client import LabClient

__all__ = ["LabClient", "owner_client"]


def owner_client(folder: LabFolder) -> LabClient:
    """A client on the owner's socket with the owner's token. NotFound if the lab is not being served."""
    token, path = folder.sealed / "owner.token", folder.sockets / "owner.sock"
    if not token.exists() or not path.exists():
        raise NotFound(f"no server runs on the lab at {folder.root}", code="not_serving", hint="start one: `aar serve`")
    return LabClient(path, token.read_text().strip())
