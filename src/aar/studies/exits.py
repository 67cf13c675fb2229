"""The proxies of a study whose operator opened hosts: one for each researcher, so that its log says who asked for what."""

from __future__ import annotations

import contextlib
from pathlib import Path
from tempfile import TemporaryDirectory

from aar.researchers.grants import NETWORK
from aar.sandboxes.network import SOCKET
from aar.sandboxes.proxy import Proxy
from aar.studies.spec import StudyFolder, StudySpec


class Exits(contextlib.ExitStack):
    """`with Exits(folder, spec) as exits: exits.of(name)` is the folder with that researcher's socket; None: no host is open."""

    def __init__(self, folder: StudyFolder, spec: StudySpec) -> None:
        super().__init__()
        self.folder, self.spec, self._folders = folder, spec, dict[str, Path]()

    def __enter__(self) -> Exits:
        if self.spec.grants.hosts:
            short = Path(self.enter_context(TemporaryDirectory(prefix="aar-net-")))
            for place, member in enumerate(self.spec.researchers):
                at, home = short / str(place), self.folder.home(member.name)
                at.mkdir()
                home.mkdir(parents=True, exist_ok=True)
                self.enter_context(Proxy(at / SOCKET, self.spec.grants.hosts, home / NETWORK))
                self._folders[member.name] = at
        return self

    def of(self, researcher: str) -> Path | None:
        return self._folders.get(researcher)
