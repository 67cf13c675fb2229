"""The system call filter: what no program in a sandbox needs and what kernel exploits start from.

A deny list on top of namespaces (or Landlock), not a boundary by itself: it stops sockets other than unix ones,
tracing, mounting, new namespaces, kernel keyrings, bpf, perf, io_uring, userfaultfd and module loading. Everything
else is allowed, so that torch and any compiler run. Needs libseccomp (`pyseccomp` wraps it).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import socket
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

# clone flags that make a namespace (linux/sched.h): cgroup, uts, ipc, user, pid, net, mount
NAMESPACES = (0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x00020000)
MAX_FAMILY = 64  # more than Linux knows of address families
TERMINAL_INPUT = (0x5412, 0x541C)  # ioctls TIOCSTI and TIOCLINUX type into the terminal of whoever looks on

DENIED = {
    "other processes": "ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd process_madvise",
    "mounts": "mount umount umount2 pivot_root chroot fsopen fsconfig fsmount fspick move_mount open_tree"
    " mount_setattr open_by_handle_at name_to_handle_at fanotify_init quotactl quotactl_fd swapon swapoff",
    "namespaces": "unshare setns sethostname setdomainname",
    "large kernel surfaces": "bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register"
    " keyctl add_key request_key personality lookup_dcookie nfsservctl",
    "the machine": "kexec_load kexec_file_load reboot init_module finit_module delete_module acct syslog vhangup"
    " settimeofday clock_settime clock_adjtime adjtimex iopl ioperm mbind set_mempolicy move_pages migrate_pages",
    "system-wide messages": "shmget shmat msgget semget mq_open",
}
# where files of the host are visible and owned by our uid these succeed and do nothing, as copying tools expect
PRETENDED = "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat"
ATTRIBUTES = "setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat"

# where processes of the host are our uid's too: only on oneself, which is 0 in this argument
ONESELF = {
    **dict.fromkeys(("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"), (0,)),
    "setpriority": (0, 1),  # 0 is "a process", 0 is "this one"
}


@dataclass(frozen=True)
class Rule:
    """These calls end with this error number: always, or where argument `arg` compares so with `value` (under `mask`)."""

    names: str
    error: int = errno.EPERM
    arg: int | None = None
    compare: Literal["EQ", "NE", "GE", "MASKED_EQ"] = "EQ"
    value: int = 0
    mask: int = 0


def rules(shares_host: bool = False, loopback: bool = False) -> Iterator[Rule]:
    """What is refused. `shares_host`: there are no namespaces, so modes, owners and times of files and the limits of other
    processes must be out of reach as well. `loopback`: there is a network namespace, and TCP and UDP may be used in it."""
    yield from map(Rule, DENIED.values())
    for call in ("socket", "socketpair"):
        if loopback:
            for family in set(range(MAX_FAMILY)) - {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6}:
                yield Rule(call, arg=0, value=family)
            yield Rule(call, arg=0, compare="GE", value=MAX_FAMILY)
        else:
            yield Rule(call, arg=0, compare="NE", value=socket.AF_UNIX)
    for flag in NAMESPACES:
        yield Rule("clone", arg=0, compare="MASKED_EQ", value=flag, mask=flag)
    for request in TERMINAL_INPUT:
        yield Rule("ioctl", arg=1, compare="MASKED_EQ", value=request, mask=0xFFFFFFFF)
    # clone3 hides its flags behind a pointer; libc falls back to clone when it is "not there"
    yield Rule("clone3", errno.ENOSYS)
    if shares_host:
        yield from (Rule(PRETENDED, 0), Rule(ATTRIBUTES, errno.ENOTSUP), Rule("ioprio_set"))
        for call, positions in ONESELF.items():
            yield from (Rule(call, arg=position, compare="NE") for position in positions)


@functools.cache
def program(shares_host: bool = False, loopback: bool = False) -> bytes:
    """The filter as the kernel takes it (cBPF), the same for every run. See `rules`."""
    return compiled(rules(shares_host, loopback))


def compiled(refused: Iterable[Rule]) -> bytes:
    import pyseccomp as sc  # finds libseccomp by running ldconfig: 30 ms, so not at import

    made = sc.SyscallFilter(defaction=sc.ALLOW)
    for rule in refused:
        values = (rule.mask, rule.value) if rule.compare == "MASKED_EQ" else (rule.value,)
        args = [] if rule.arg is None else [sc.Arg(rule.arg, getattr(sc, rule.compare), *values)]
        for name in rule.names.split():
            with contextlib.suppress(OSError):  # unknown to this libseccomp or this architecture
                made.add_rule(sc.ERRNO(rule.error), name, *args)
    with tempfile.TemporaryFile() as file:
        made.export_bpf(file)
        file.seek(0)
        return file.read()


@functools.cache
def profile(loopback: bool = False) -> str:
    """The same as container engines take it: JSON with the actions and arguments of the OCI runtime specification."""
    return json.dumps(
        {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [_oci(rule) for rule in rules(loopback=loopback)]}
    )


def _oci(rule: Rule) -> dict[str, Any]:
    made = {"names": rule.names.split(), "action": "SCMP_ACT_ERRNO", "errnoRet": rule.error}
    if rule.arg is None:
        return made
    masked = rule.compare == "MASKED_EQ"
    values = {"value": rule.mask, "valueTwo": rule.value} if masked else {"value": rule.value}
    return {**made, "args": [{"index": rule.arg, "op": f"SCMP_CMP_{rule.compare}", **values}]}
