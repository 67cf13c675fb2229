"""Contract behaviours: a program works as usual, and what it was not given is out of reach."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from aar.errors import MethodError
from aar.sandboxes import gpus, results, view
from aar.sandboxes.base import PYTHON, WORKSPACE, Mount, Sandbox
from aar.sandboxes.contract import attack, behaviour, fails, python, workspace

NVIDIA = ("/dev/nvidia0", "/dev/nvidia1", "/dev/nvidiactl")
SECRET = "sealed canary 5e1f"


@behaviour
def executes(sandbox: Sandbox, folder: Path) -> None:
    """A program runs; its stdout, stderr, exit code and stdin are its own."""
    code = "import sys; print('out', sys.stdin.read()); print('err', file=sys.stderr); sys.exit(7)"
    outcome = python(sandbox, folder, code, stdin=b"in")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (7, b"out in\n", b"err\n"), outcome
    assert outcome.stopped_by is None, outcome
    assert python(sandbox, folder, "import os; os.kill(os.getpid(), 9)").code == 137
    assert sandbox.run(["/no/such/program"]).code == 127


@behaviour
def files(sandbox: Sandbox, folder: Path) -> None:
    """A mount is readable, a writable one writable, and what is written there is on the host."""
    (folder / "given").mkdir()
    (folder / "given" / "rows.txt").write_text("rows")
    code = "import sys; open('copy', 'w').write(open(sys.argv[1] + '/rows.txt').read())"
    outcome = python(sandbox, folder, code, "/given", mounts=[Mount(folder / "given", "/given")])
    assert outcome.code == 0, outcome
    assert (folder / "workspace" / "copy").read_text() == "rows"


@behaviour
def own_paths(sandbox: Sandbox, folder: Path) -> None:
    """Mounts lie at their targets, whatever the host's own paths are."""
    outcome = python(sandbox, folder, f"import os; open('{WORKSPACE}/x', 'w'); print(os.getcwd())")
    assert outcome.stdout.strip() == WORKSPACE.encode(), outcome


@behaviour
def read_only(sandbox: Sandbox, folder: Path) -> None:
    """Nothing but the workspace and /tmp can be written, and no file of a read-only mount changed."""
    (folder / "given").mkdir()
    given = folder / "given" / "rows.txt"
    given.write_text("rows")
    given.chmod(0o600)
    places = ["/given", "/", "/usr", "/etc", "/opt/packages", "/opt/aar/aar", "/opt/python", "/dev", "/var/tmp", folder]
    mount = Mount(folder / "given", "/given")
    fails(attack(sandbox, folder, "scribbler", "/given/rows.txt", *places, mounts=[mount]))
    assert given.read_text() == "rows"
    assert given.stat().st_mode & 0o777 == 0o600


@behaviour
def environment(sandbox: Sandbox, folder: Path) -> None:
    """No variable of the lab's is visible, not even of the process that launches."""
    os.environ["AAR_CONTRACT_KEY"] = SECRET
    try:
        code = """import os; print(os.environ)
for pid in (1, os.getppid()):
    try: print(open(f'/proc/{pid}/environ').read(), open(f'/proc/{pid}/cmdline').read())
    except OSError: pass"""
        outcome = python(sandbox, folder, code)
    finally:
        del os.environ["AAR_CONTRACT_KEY"]
    assert outcome.code == 0, outcome
    assert SECRET.encode() not in outcome.stdout, "the lab's environment is visible"


@contextlib.contextmanager
def _listener(family: int, address: object) -> Iterator[socket.socket]:
    """A server of the host that answers each connection's first line with "scored: " and that line."""
    with socket.socket(family, socket.SOCK_STREAM) as server:
        server.bind(address)  # type: ignore[arg-type]
        server.listen()

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.sendall(b"scored: " + connection.recv(100))

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield server
        finally:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)  # wakes accept


@behaviour
def network(sandbox: Sandbox, folder: Path) -> None:
    """No TCP, UDP, DNS or raw socket, not even to the host's loopback."""
    with _listener(socket.AF_INET, ("127.0.0.1", 0)) as server:
        fails(attack(sandbox, folder, "socket_opener", server.getsockname()[1]))


TALK = """
with socket.create_server(("127.0.0.1", 3128)) as server, socket.create_connection(("127.0.0.1", 3128)) as client:
    client.sendall(b"self"); print(server.accept()[0].recv(4).decode(), flush=True)
"""


@behaviour
def loopback(sandbox: Sandbox, folder: Path) -> None:
    """A program that is granted it speaks TCP with itself, and still with nobody else."""
    outcome = python(sandbox, folder, TALK, loopback=True)
    assert outcome.stdout == b"self\n", outcome
    assert python(sandbox, folder, TALK).stdout == b"", "TCP works without the grant"
    with _listener(socket.AF_INET, ("127.0.0.1", 0)) as server, socket.socket(type=socket.SOCK_DGRAM) as ear:
        ear.bind(server.getsockname())
        won = json.loads(attack(sandbox, folder, "socket_opener", ear.getsockname()[1], loopback=True).stdout)
        assert won in ([], ["udp"]), f"got away with: {won}"  # a datagram can be sent to nobody
        assert not select.select([ear], [], [], 0)[0], "a datagram reached the host"


CALL = """s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(b'.61'); print(s.recv(100).decode())"""


@behaviour
def unix_socket(sandbox: Sandbox, folder: Path) -> None:
    """A unix socket in a mounted folder can be talked to."""
    with tempfile.TemporaryDirectory() as short, _listener(socket.AF_UNIX, f"{short}/lab.sock"):
        outcome = python(sandbox, folder, CALL, "/run/aar/lab.sock", mounts=[Mount(Path(short), "/run/aar")])
    assert outcome.stdout == b"scored: .61\n", outcome


@behaviour
def foreign_sockets(sandbox: Sandbox, folder: Path) -> None:
    """A unix socket that is not mounted cannot be reached, nor an abstract one."""
    name = f"\0aar-contract-{os.getpid()}"
    with tempfile.TemporaryDirectory() as short, _listener(socket.AF_UNIX, f"{short}/lab.sock"):
        by_path = python(sandbox, folder, CALL, Path(short, "lab.sock"))
    with _listener(socket.AF_UNIX, name):
        abstract = python(sandbox, folder, CALL.replace("sys.argv[1]", repr(name)))
    assert b"scored" not in by_path.stdout + abstract.stdout, "reached a socket of the host"


@behaviour
def sealed_unreadable(sandbox: Sandbox, folder: Path) -> None:
    """Sealed files, other users' files and the host's accounts can be neither read, listed nor linked."""
    sealed = folder / "sealed"
    sealed.mkdir(0o700)
    (sealed / "gold.jsonl").write_text(SECRET)
    os.symlink(sealed / "gold.jsonl", workspace(folder).source / "shortcut")
    others = [Path(p) for p in ("/etc/shadow", "/etc/ssh", "/root/.ssh", "/var/log", "/sys/fs/cgroup")]
    fails(attack(sandbox, folder, "sealed_reader", sealed / "gold.jsonl", sealed, folder, "shortcut", *others))


@behaviour
def names_invisible(sandbox: Sandbox, folder: Path) -> None:
    """Not even the existence of files outside the mounts can be found out."""
    (folder / "sealed").mkdir(0o700)
    (folder / "sealed" / "gold.jsonl").write_text(SECRET)
    outcome = python(sandbox, folder, "print(os.path.exists(sys.argv[1]))", folder / "sealed/gold.jsonl")
    assert outcome.stdout == b"False\n", outcome


@behaviour
def signals(sandbox: Sandbox, folder: Path) -> None:
    """A process of the host can be neither signalled, nor limited, nor looked at."""
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)", "bystander"]
    with subprocess.Popen(sleeper, env={"NAME": "bystander"}) as bystander:
        try:
            fails(attack(sandbox, folder, "signaller", bystander.pid))
            assert bystander.poll() is None
        finally:
            bystander.kill()


@behaviour
def no_privileges(sandbox: Sandbox, folder: Path) -> None:
    """No capability, no new privileges; mount, ptrace, namespaces, bpf, keyrings and io_uring are refused."""
    fails(attack(sandbox, folder, "privilege_seeker"))


@behaviour
def kernel_settings(sandbox: Sandbox, folder: Path) -> None:
    """No setting of the kernel can be written, even where the lab runs as root."""
    fails(attack(sandbox, folder, "kernel_tuner"))


DEVICES = """import glob; print(sorted(glob.glob("/dev/nvidia*")), os.environ.get("CUDA_VISIBLE_DEVICES"))
for path in sys.argv[1:]: attempt(path, lambda: os.close(os.open(path, os.O_RDONLY)))
done()"""


@behaviour
def granted_gpus(sandbox: Sandbox, folder: Path) -> None:
    """The device files of a GPU that was granted can be opened, those of another cannot. (The files are made up.)"""
    dev, kept = folder / "dev", gpus.DEV
    dev.mkdir()
    for name, device in (("nvidia0", "full"), ("nvidia1", "zero"), ("nvidiactl", "null")):
        (dev / name).symlink_to(f"/dev/{device}")
    gpus.DEV = dev
    try:
        outcomes = [python(sandbox, folder, DEVICES, *NVIDIA, gpus=granted) for granted in ((), (1,))]
    finally:
        gpus.DEV = kept
    without, granted = (o.stdout.decode().splitlines() for o in outcomes)
    assert without == ["[] None", "[]"], outcomes
    assert granted == ["['/dev/nvidia1', '/dev/nvidiactl'] 0", '["/dev/nvidia1", "/dev/nvidiactl"]'], outcomes


@behaviour
def aar_allowed_part(sandbox: Sandbox, folder: Path) -> None:
    """aar.types, task, models and methods can be imported; generators, checks and sealed access are nowhere."""
    outcome = python(
        sandbox, folder, "import aar.types, aar.task, aar.models, aar.methods; print(aar.types.Task.__name__)"
    )
    assert outcome.stdout == b"Task\n", outcome
    fails(attack(sandbox, folder, "bank_finder", view.package().parent))


@behaviour
def libraries(sandbox: Sandbox, folder: Path) -> None:
    """numpy and torch of the lab's environment work."""
    code = "import numpy, torch; print(int(torch.from_numpy(numpy.ones(3)).sum()))"
    outcome = python(sandbox, folder, code, memory_mb=1024, wall_s=120)
    assert outcome.stdout == b"3\n", outcome


@behaviour
def shared_memory(sandbox: Sandbox, folder: Path) -> None:
    """Processes of one program can share memory."""
    code = """from multiprocessing.shared_memory import SharedMemory
m = SharedMemory(create=True, size=10); m.buf[0] = 1; m.close(); m.unlink(); print('shared')"""
    outcome = python(sandbox, folder, code)
    assert outcome.stdout == b"shared\n", outcome


@behaviour
def results_without_links(sandbox: Sandbox, folder: Path) -> None:
    """Links, fifos and endless files that a program leaves as its results are refused, not followed."""
    (folder / "sealed").mkdir()
    (folder / "sealed" / "gold.json").write_text(f'"{SECRET}"')
    assert attack(sandbox, folder, "linker", folder / "sealed" / "gold.json", disk_mb=2048).code == 0
    for name in ("predictions.json", "folder/gold.json", "fifo.json", "long.json", "../sealed/gold.json", "folder"):
        try:
            got = results.read_json(folder / "workspace", name)
        except MethodError:
            continue
        raise AssertionError(f"{name} was read: {got!r}")


@behaviour
def warm_process(sandbox: Sandbox, folder: Path) -> None:
    """A started program answers line by line until it is killed."""
    code = "import sys\nfor line in sys.stdin: print(line.strip()[::-1], flush=True)"
    running = sandbox.start([PYTHON, "-I", "-c", code], [workspace(folder)])
    try:
        for question, answer in ((b"abc\n", b"cba\n"), (b"xy\n", b"yx\n")):
            running.stdin.write(question)
            running.stdin.flush()
            assert running.stdout.readline(100) == answer
        assert running.poll() is None
    finally:
        outcome = running.kill()
    assert outcome.stopped_by == "cancelled", outcome
