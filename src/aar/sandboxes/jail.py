"""The launcher of the Landlock sandbox: `python -I jail.py CONFIG_FD STATUS_FD`. Imports nothing of aar.

Forks; the child gives up its privileges, restricts itself for good and becomes the program; the parent adopts
whatever the program leaves behind (child subreaper) and kills all of it when the program ends, when it is told
to (SIGTERM), or when the lab dies. A process that forks as fast as it is killed outlives this only as long as the
pids limit lets it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import sys
from typing import Any

from landlock.plumbing import FSAccess, landlock_abi_version

PDEATHSIG, SET_SECCOMP, CAPBSET_DROP, CHILD_SUBREAPER, NO_NEW_PRIVS = 1, 22, 24, 36, 38
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
NET_ABI, SCOPE_ABI = 4, 6  # the Landlock versions that know TCP, and abstract sockets and signals

READ = FSAccess.EXECUTE | FSAccess.READ_FILE | FSAccess.READ_DIR
DEVICES = FSAccess.READ_FILE | FSAccess.WRITE_FILE

libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        ctypes.set_errno(0)  # the landlock package takes a left-over errno for its own
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def _prctl(option: int, *values: Any) -> None:
    wide = [ctypes.c_ulong(v) if isinstance(v, int) else v for v in (*values, 0, 0, 0)[:4]]
    _call(f"prctl {option}", libc.prctl(ctypes.c_int(option), *wide))


def _syscall(name: str, number: int, *arguments: Any) -> int:
    return _call(name, libc.syscall(ctypes.c_long(number), *arguments))


def drop_capabilities() -> None:
    """Nothing of root's power is left but its uid. Without no_new_privs an exec would bring it back."""
    with contextlib.suppress(OSError):  # ends with EINVAL behind the last capability, EPERM for a plain user
        for capability in range(64):
            _prctl(CAPBSET_DROP, capability)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, ourselves
    _call("capset", libc.capset(header, (ctypes.c_uint32 * 6)()))
    _prctl(NO_NEW_PRIVS, 1)


def restrict_files(rules: dict[str, list[str]]) -> None:
    """Landlock: `read` and `list` (names only) and `device` paths, `write` folders; all else is out of reach."""
    abi = landlock_abi_version()
    everything = FSAccess.all()
    network, scope = (3 if abi >= NET_ABI else 0), (3 if abi >= SCOPE_ABI else 0)
    handled = (ctypes.c_uint64 * 3)(int(everything), network, scope)
    size = 8 * (3 if scope else 2 if network else 1)
    ruleset = _syscall("landlock_create_ruleset", CREATE_RULESET, handled, ctypes.c_size_t(size), ctypes.c_uint32(0))
    write = everything & ~(FSAccess.MAKE_CHAR | FSAccess.MAKE_BLOCK)
    rights = {"read": READ, "list": FSAccess.READ_DIR, "device": DEVICES, "write": write}
    for kind, paths in rules.items():
        for path in paths:
            allow(ruleset, path, rights[kind] & everything)
    _syscall("landlock_restrict_self", RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))


def allow(ruleset: int, path: str, rights: int) -> None:
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = int(rights) if os.path.isdir(path) else int(rights) & int(FSAccess.all_file())
        rule = ctypes.create_string_buffer(rights.to_bytes(8, "little") + fd.to_bytes(4, "little"), 12)
        beneath, flags = ctypes.c_int(1), ctypes.c_uint32(0)
        _syscall("landlock_add_rule", ADD_RULE, ctypes.c_int(ruleset), beneath, rule, flags)
    finally:
        os.close(fd)


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def restrict_calls(program: bytes) -> None:
    """Load a seccomp filter, in the kernel's own form."""
    _prctl(SET_SECCOMP, 2, ctypes.byref(_Filter(len(program) // 8, program)))


def become(config: dict[str, Any]) -> None:
    """In the child: lock ourselves in and turn into the program. Returns only by an exception."""
    os.setsid()
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # memory runs out: the program goes, not the launcher
    os.chdir(config["cwd"])
    drop_capabilities()
    _prctl(PDEATHSIG, signal.SIGKILL)
    restrict_files(config["rules"])
    restrict_calls(bytes.fromhex(config["filter"]))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.execvpe(config["argv"][0], config["argv"], config["env"])
    except OSError as error:
        raise OSError(f"cannot execute {config['argv'][0]}: {error.strerror}") from None


def _family() -> list[int]:
    """Everything that descends from us, nearest first."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as file:
            parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
    family = [os.getpid()]
    for pid in family:
        family += [child for child, parent in parents.items() if parent == pid]
    return family[1:]


def sweep() -> None:
    """Kill all our descendants until none is left: orphans fall to us."""
    while family := _family():
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def supervise(program: int) -> int:
    """Reap until the program ends or we are told to end; its exit code, 128 + signal if it was killed."""
    while signal.sigwait({signal.SIGTERM, signal.SIGCHLD}) != signal.SIGTERM:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == program:
                code = os.waitstatus_to_exitcode(status)
                return 128 - code if code < 0 else code
            if pid == 0:
                break
    return 128 + signal.SIGTERM


def main(config_fd: int, status_fd: int) -> int:
    with open(config_fd) as file:
        config = json.load(file)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
    _prctl(CHILD_SUBREAPER, 1)
    _prctl(PDEATHSIG, signal.SIGTERM)
    if os.getppid() != config["parent"]:
        return 1  # the lab died while we came up
    os.set_inheritable(status_fd, False)
    program = os.fork()
    if program == 0:
        try:
            become(config)
        except OSError as error:
            print(f"jail: {error}", file=sys.stderr, flush=True)
        os.write(status_fd, b"failed")
        os._exit(127)
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)  # the program's pipes end with the program
    code = supervise(program)
    sweep()
    shutil.rmtree(config["scratch"], ignore_errors=True)
    os.write(status_fd, b"ended")
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
