"""The server as it runs: real processes, real sockets, and what is left after kill -9."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aar.errors import Conflict, NotFound, ProviderDown, Refused
from aar.lab import tokens
from aar.lab.client import owner_client
from aar.lab.fakes import METHOD, FakeScorer
from aar.lab.server import LabServer, serving
from aar.lab.services import Lab, open_lab
from aar.settings import LabFolder
from aar.task.client import LabClient
from aar.task.pack import pack_files

SERVE = """
import sys
from pathlib import Path
from aar.lab.fakes import FakeScorer
from aar.lab.server import LabServer
from aar.lab.services import open_lab
from aar.settings import LabFolder
LabServer(open_lab(LabFolder(Path(sys.argv[1])), FakeScorer())).run()
"""


@contextlib.contextmanager
def process(folder: LabFolder) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process of its own, ready to answer."""
    running = subprocess.Popen([sys.executable, "-c", SERVE, str(folder.root)], stderr=subprocess.PIPE)
    try:
        end = time.monotonic() + 60
        while True:
            with contextlib.suppress(NotFound, ProviderDown):
                client = owner_client(folder)
                client.retries = 0
                client.call("GET", "health")
                break
            assert running.poll() is None, running.stderr and running.stderr.read().decode()
            assert time.monotonic() < end
            time.sleep(0.05)
        yield running
    finally:
        running.kill()
        running.wait()


def make_researcher(folder: LabFolder, name: str = "ann") -> LabClient:
    """Over the owner's socket, as the command line does."""
    made = owner_client(folder).call("POST", "tokens", {"name": name})
    path = folder.sockets / name / "api.sock"
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    return LabClient(path, made["token"])


def test_a_researchers_socket(lab: Lab) -> None:
    """Its folder is for its owner alone, it serves researcher routes alone, and takes its own token alone."""
    with serving(lab) as server:
        ann = make_researcher(lab.folder)
        path = server.add_researcher("ann")
        assert path == server.socket_of("ann")
        assert [stat.S_IMODE(p.stat().st_mode) for p in (path.parent, path)] == [0o700, 0o600]
        assert [p.name for p in path.parent.iterdir()] == ["api.sock"]
        assert stat.S_IMODE((lab.folder.sockets / "owner.sock").stat().st_mode) == 0o600
        assert ann.findings() == []
        with pytest.raises(NotFound):
            ann.call("GET", "studies")
        for token in (lab.owner_token(), tokens.create(lab.store, "bob")):
            with pytest.raises(Refused):
                LabClient(path, token).findings()
    assert not (lab.folder.sockets / "owner.sock").exists()
    assert not path.parent.exists()


def test_sockets_follow_tokens(lab: Lab) -> None:
    """A token made or revoked anywhere, also straight in the database, opens or closes its researcher's socket."""
    with serving(lab) as server:
        tokens.create(lab.store, "ann")
        path = server.add_researcher("ann")
        for token in tokens.listed(lab.store):
            if token.researcher == "ann":
                tokens.revoke(lab.store, token.id)
        end = time.monotonic() + 20
        while path.exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        with pytest.raises(ProviderDown, match="got no socket"):
            server.add_researcher("nobody", timeout_s=0.3)


def test_tcp_takes_every_scope(lab: Lab) -> None:
    """On loopback a token's scope decides."""
    with serving(lab, port=0) as server:
        where = f"http://127.0.0.1:{server.port}"
        assert LabClient(where, lab.owner_token()).call("GET", "studies") == []
        ann = LabClient(where, tokens.create(lab.store, "ann"))
        assert ann.findings() == []
        with pytest.raises(Refused):
            ann.call("GET", "studies")


def test_a_whole_day_over_the_socket(lab: Lab) -> None:
    """Evaluate, submit, post, vote, snapshot, events, budget through the client that sandboxes use."""
    with serving(lab):
        ann, bob = make_researcher(lab.folder), make_researcher(lab.folder, "bob")
        assert ann.evaluate("toy", {f"r{i}": 1 for i in range(10)})["duplicate"] is False
        id_ = ann.submit("toy", "mine", pack_files(METHOD), claimed=0.5)["id"]
        assert ann.submission(id_)["state"] == "queued"
        finding = ann.post_finding("result", "t", "b", runs=[id_])["id"]
        assert bob.vote(finding, 1)["votes"] == 1
        assert bob.comment(finding, "nice")["body"] == "nice"
        code = bob.upload_snapshot(pack_files({"a.txt": b"1"}), note="n")["id"]
        assert code in [s["id"] for s in ann.snapshots()]
        assert bob.download_snapshot(code) == pack_files({"a.txt": b"1"})
        assert ann.budget("toy")["evaluations"][0]["spent"] == 1
        kinds = [e["kind"] for e in bob.events(follow=False)]
        assert kinds == ["snapshot.new", "submission", "finding.new", "comment.new", "snapshot.new"]


def test_a_follower_hears_what_happens_next(lab: Lab) -> None:
    """An open event stream gets a later finding, and its token's revocation ends it."""
    with serving(lab):
        ann = make_researcher(lab.folder)
        heard: list[str] = []
        listener = threading.Thread(target=lambda: heard.append(next(ann.events())["body"]["title"]), daemon=True)
        listener.start()
        time.sleep(0.3)
        ann.post_finding("insight", "news", "b")
        listener.join(10)
        assert heard == ["news"]


def test_one_server_a_lab(lab: Lab) -> None:
    """A second one is refused, by the first one's process id; after the first has ended it can start."""
    with serving(lab):
        second = open_lab(lab.folder, FakeScorer())
        with pytest.raises(Conflict, match=f"already served by process {os.getpid()}"):
            LabServer(second).run()
    with serving(second):
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_clean_stop(tmp_path: Path, number: signal.Signals) -> None:
    """On either signal, also with an event stream open, it leaves within seconds, with code 0 and no sockets."""
    folder = LabFolder(tmp_path / "lab")
    with process(folder) as running:
        ann = make_researcher(folder)
        ann.budget()  # its retries wait for a socket that is bound and does not listen yet
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(ann.where)
        stream.sendall(
            f"GET /api/v1/events HTTP/1.1\r\nHost: lab\r\nAuthorization: Bearer {ann.token}\r\n\r\n".encode()
        )
        assert stream.recv(100).startswith(b"HTTP/1.1 200")
        start = time.monotonic()
        running.send_signal(number)
        assert running.wait(15) == 0
        assert time.monotonic() - start < 10
        assert list(folder.sockets.iterdir()) == []


def test_kill_9_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    """A server killed in the middle of posts: every finding that was answered is there, whole, exactly once, after
    the restart; a repeated post under its key is not doubled; the audit log is whole; stale sockets do no harm."""
    folder = LabFolder(tmp_path / "lab")
    answered: list[int] = []
    body = "x" * 20_000
    with process(folder) as running:
        ann = make_researcher(folder)
        ann.retries = 0

        def post() -> None:
            with contextlib.suppress(ProviderDown):
                for i in range(10_000):
                    answered.append(ann.post_finding("insight", f"n{i}", body, key=f"k{i}")["id"])

        poster = threading.Thread(target=post)
        poster.start()
        while len(answered) < 15:
            time.sleep(0.01)
        running.kill()
        poster.join(30)
    with process(folder):
        end = time.monotonic() + 20
        while not Path(ann.where).exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        count = len(answered)
        retried = [ann.post_finding("insight", f"n{i}", body, key=f"k{i}")["id"] for i in range(count + 1)]
        assert retried[:count] == answered
        there = {f["id"]: f for f in ann.findings(sort="old", limit=200)}
        assert set(answered) <= set(there)
        assert all(len(f["body"]) == 20_000 for f in there.values())
        assert len({f["title"] for f in there.values()}) == len(there) == count + 1
        report = owner_client(folder).call("GET", "audit")
        assert report["ok"], report
        logged = [json.loads(line) for line in (folder.database.parent / "audit.jsonl").read_bytes().splitlines()]
        posts = [e["body"]["id"] for e in logged if e["action"] == "finding.post"]
        assert posts == sorted(there)


def test_evaluations_side_by_side(lab: Lab) -> None:
    """50 at once all answer, and soon (the reference system: p95 8 s)."""
    with serving(lab):
        ann = make_researcher(lab.folder)
        seconds: list[float] = []

        def one(i: int) -> None:
            start = time.monotonic()
            ann.evaluate("toy", {f"r{j}": (i >> j) & 1 for j in range(10)})
            seconds.append(time.monotonic() - start)

        threads = [threading.Thread(target=one, args=(i,)) for i in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seconds) == 50
        assert sorted(seconds)[47] < 8.0


def test_a_foreign_sockets_folder_is_not_used(lab: Lab, tmp_path: Path) -> None:
    """A link that somebody put where the sockets go is refused: they would land in a folder of theirs."""
    (tmp_path / "theirs").mkdir()
    lab.folder.sockets.symlink_to(tmp_path / "theirs")
    with pytest.raises(Refused, match="somebody else"):
        LabServer(lab).run()


def test_a_taken_port(lab: Lab) -> None:
    """The error names the port and the way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Conflict, match="taken"):
            LabServer(lab, port=taken.getsockname()[1]).run()


def test_what_a_dead_server_left_is_cleared(lab: Lab) -> None:
    """Sockets of a server that was killed, also of researchers who are gone since, are not there after a start."""
    ghost = lab.folder.sockets / "ghost"
    ghost.mkdir(parents=True)
    for path in (ghost / "api.sock", lab.folder.sockets / "owner.sock"):
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(path))
    with serving(lab):
        assert [p.name for p in lab.folder.sockets.iterdir()] == ["owner.sock"]
        assert owner_client(lab.folder).call("GET", "studies") == []
