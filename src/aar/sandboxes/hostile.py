"""Small hostile programs, one for each way out of a sandbox: the contract runs them, and so does `aar attack`.

Each is Python source that needs nothing but the standard library and prints, as JSON, the list of what it got away
with: `[]` is what a sandbox must make of it. Those that only burn resources print nothing. All are finite: outside a
sandbox they would be a nuisance, not a disaster.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from aar.sandboxes.base import PYTHON

PRELUDE = """
import ctypes, json, os, resource, signal, socket, sys, time
libc, won = ctypes.CDLL(None, use_errno=True), []
sys.argv = [bytes.fromhex(word[4:]).decode() if word.startswith("hex:") else word for word in sys.argv]
def attempt(name, action, *args):
    try:
        if action(*args) not in (False, -1):
            won.append(name)
    except (OSError, ValueError, ImportError):
        pass
def done():
    print(json.dumps(won))
"""


@dataclass(frozen=True)
class Program:
    """`what` it tries; `source` reads its arguments from sys.argv."""

    name: str
    what: str
    source: str

    def argv(self, *args: object) -> list[str]:
        """The command line. A str is a path inside; a Path is one of the host, spelled so that no provider that
        translates paths does the program the favour of pointing it elsewhere."""
        words = (f"hex:{str(a).encode().hex()}" if isinstance(a, Path) else str(a) for a in args)
        return [PYTHON, "-I", "-c", PRELUDE + self.source, *words]


HOSTILE: dict[str, Program] = {}


def _program(title: str, source: str) -> None:
    """`title` is "name of it: what it tries"."""
    name, _, what = title.partition(": ")
    name = name.replace(" ", "_")
    HOSTILE[name] = Program(name, what, dedent(source))


_program(
    "fork bomb: 2000 processes that sleep",
    """
    for i in range(2000):
        try:
            if os.fork() == 0:
                time.sleep(60); os._exit(0)
        except OSError:
            time.sleep(0.01)
    won.append("2000 processes"); done()
    """,
)
_program(
    "memory hog: 100 GB, by the megabyte, touched",
    """
    hold = []
    for i in range(100_000):
        hold.append(bytearray(os.urandom(1024) * 1024))
    won.append("100 GB"); done()
    """,
)
_program(
    "memory child: the same in a child, while the parent goes on",
    """
    if os.fork() == 0:
        hold = [bytearray(os.urandom(1024) * 1024) for i in range(100_000)]
    os.wait(); time.sleep(5); won.append("outlived its child"); done()
    """,
)
_program(
    "disk filler: 1 GB of 1 MB files in the folder argv[1]",
    """
    for i in range(1000):
        open(f"{sys.argv[1]}/{i}", "wb").write(os.urandom(1 << 20))
    won.append("1 GB"); done()
    """,
)
_program(
    "unlinked filler: 1 GB of files that no folder shows, in argv[1]",
    """
    hold, path = [], sys.argv[1] + "/gone"
    for i in range(500):
        hold.append(open(path, "wb", buffering=0)); os.unlink(path)
        for j in range(2): hold[-1].write(os.urandom(1 << 20))
    won.append("1 GB"); done()
    """,
)
_program(
    "output flood: 10 GB on stdout",
    """
    for i in range(10_000):
        os.write(1, b"x" * (1 << 20))
    """,
)
_program(
    "infinite loop: burns one core for a minute",
    """
    end = time.time() + 60
    while time.time() < end: pass
    """,
)
_program(
    "survivor: a double-forked child in its own session beats into the file argv[1]; the parent sleeps argv[2] s",
    """
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if os.fork() == 0:
            for fd in (0, 1, 2): os.close(fd)
            for i in range(600):
                open(sys.argv[1], "w").write(str(i)); time.sleep(0.02)
        os._exit(0)
    while not os.path.exists(sys.argv[1]): time.sleep(0.01)
    time.sleep(float(sys.argv[2]))
    """,
)
_program(
    "socket opener: TCP and UDP to the host's loopback port argv[1], DNS, raw, netlink, vsock",
    """
    port = int(sys.argv[1])
    def tcp():
        socket.create_connection(("127.0.0.1", port), timeout=2).sendall(b"out")
    def udp():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"out", ("127.0.0.1", port))
    attempt("tcp", tcp); attempt("udp", udp)
    attempt("dns", socket.getaddrinfo, "example.com", 443)
    attempt("raw", socket.socket, socket.AF_PACKET, socket.SOCK_RAW)
    attempt("netlink", socket.socket, socket.AF_NETLINK, socket.SOCK_RAW)
    attempt("vsock", socket.socket, socket.AF_VSOCK, socket.SOCK_STREAM)
    done()
    """,
)
_program(
    "sealed reader: reads, lists or reaches through /proc the paths in argv",
    """
    for path in sys.argv[1:]:
        attempt(f"list {path}", os.listdir, path)
        attempt(f"read {path}", lambda p: open(p, "rb").read(1), path)
        for pid in (1, os.getppid()):
            attempt(f"proc {pid} {path}", lambda p: open(f"/proc/{pid}/root{p}", "rb").read(1), path)
        attempt(f"link {path}", lambda p: (os.link(p, "stolen"), open("stolen", "rb").read(1)), path)
        attempt("", lambda: os.unlink("stolen") or False)
    done()
    """,
)
_program(
    "privilege seeker: mounts, traces, new namespaces, kernel interfaces",
    """
    call = lambda number, *args: libc.syscall(number, *args)
    machine = os.uname().machine
    if machine == "x86_64":
        attempt("bpf", call, 321, 0, 0, 0); attempt("keyctl", call, 250, 0, -3, 1)
        attempt("io_uring", call, 425, 8, ctypes.create_string_buffer(256)); attempt("userfaultfd", call, 323, 1)
        attempt("perf", call, 298, ctypes.create_string_buffer(128), 0, -1, -1, 0)
        attempt("clone3", call, 435, ctypes.create_string_buffer(8), 88)
    attempt("mount", libc.mount, b"none", b"/tmp", b"tmpfs", 0, None)
    for name, flag in dict(user=0x10000000, mount=0x20000, net=0x40000000, pid=0x20000000).items():
        attempt(f"unshare {name}", libc.unshare, flag)
    attempt("ptrace", libc.ptrace, 16, os.getppid(), 0, 0)
    attempt("chroot", os.chroot, "/tmp"); attempt("hostname", socket.sethostname, "x")
    attempt("personality", libc.personality, 0x0040000)
    attempt("real root file", lambda: os.stat("/proc/sysrq-trigger") and open("/proc/sysrq-trigger", "w"))
    attempt("mknod", os.mknod, "device", 0o60600, os.makedev(254, 0))
    if libc.prctl(39, 0, 0, 0, 0) != 1: won.append("new privileges")
    caps = ctypes.create_string_buffer(24)
    libc.capget((ctypes.c_uint32 * 2)(0x20080522, 0), caps)
    if any(caps.raw): won.append("capabilities")
    done()
    """,
)
_program(
    "kernel tuner: finds what is writable in /proc and /sys besides processes; core_pattern would run code on the host",
    """
    for top in ("/proc", "/sys"):
        for folder, folders, files in os.walk(top):
            folders[:] = [f for f in folders if not f.isdigit() and not os.path.islink(f"{folder}/{f}")]
            paths = (f"{folder}/{file}" for file in files if not os.path.islink(f"{folder}/{file}"))
            paths = (path for path in paths if os.stat(path).st_rdev != os.stat("/dev/null").st_rdev)  # masked by it
            won += [path for path in paths if os.access(path, os.W_OK)][:3]
    attempt("core_pattern", lambda: open("/proc/sys/kernel/core_pattern", "r+"))
    done()
    """,
)
_program(
    "signaller: kills, starves and looks at the host's process argv[1]",
    """
    pid = int(sys.argv[1])
    attempt("kill", lambda: os.kill(pid, signal.SIGTERM) or True)
    attempt("limits", lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, 0)))
    attempt("priority", lambda: os.setpriority(os.PRIO_PROCESS, pid, 19) or True)
    attempt("affinity", lambda: os.sched_setaffinity(pid, [0]) or True)
    attempt("cmdline", lambda: b"bystander" in open(f"/proc/{pid}/cmdline", "rb").read())
    attempt("environ", lambda: b"bystander" in open(f"/proc/{pid}/environ", "rb").read())
    done()
    """,
)
_program(
    "scribbler: writes wherever argv names a folder, and changes the mode of the file argv[1]",
    """
    attempt("chmod", lambda: os.chmod(sys.argv[1], 0o777) or os.stat(sys.argv[1]).st_mode & 0o777 == 0o777)
    attempt("overwrite", lambda: open(sys.argv[1], "w"))
    for folder in sys.argv[2:]:
        attempt(folder, lambda: open(folder + "/aar-was-here", "w"))
    done()
    """,
)
_program(
    "bank finder: looks for the lab's own code: generators, checks, sealed access",
    """
    import importlib
    for name in ("testbeds", "teachers", "sandboxes", "scoring", "lab", "cli"):
        attempt(name, importlib.import_module, "aar." + name)
    for root in sys.path + sys.argv[1:]:
        for module in ("testbeds/__init__.py", "scoring/sealed.py", "testbeds/generators"):
            path = f"{root}/aar/{module}"
            attempt(path, lambda: os.listdir(path) if os.path.isdir(path) else open(path).read(1))
    done()
    """,
)
_program(
    "linker: leaves links to the file argv[1], a fifo and an endless file where results are expected",
    """
    os.symlink(sys.argv[1], "predictions.json")
    os.symlink(os.path.dirname(sys.argv[1]), "folder")
    os.mkfifo("fifo.json")
    open("long.json", "w").truncate(1 << 30)
    """,
)
