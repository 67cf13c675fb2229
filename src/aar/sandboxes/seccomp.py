"""The system call filter: what no program in a sandbox needs and what kernel exploits start from.

A deny list on top of namespaces (or Landlock), not a boundary by itself: it stops sockets other than unix ones,
tracing, mounting, new namespaces, kernel keyrings, bpf, perf, io_uring, userfaultfd and module loading. Everything
else is allowed, so that torch and any compiler run. Needs libseccomp (`pyseccomp` wraps it).
"""

from __future__ import annotations

import errno
import functools
import socket
import tempfile
from typing import Any

# clone flags that make a namespace (linux/sched.h): cgroup, uts, ipc, user, pid, net, mount
NAMESPACES = (0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x00020000)
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


def _add(rules: Any, action: int, names: str) -> None:
    for name in names.split():
        try:
            rules.add_rule(action, name)
        except OSError:  # unknown to this libseccomp or this architecture
            continue


def _filter(shares_host: bool) -> Any:
    import pyseccomp as sc  # finds libseccomp by running ldconfig: 30 ms, so not at import

    rules = sc.SyscallFilter(defaction=sc.ALLOW)
    refuse = sc.ERRNO(errno.EPERM)
    for names in DENIED.values():
        _add(rules, refuse, names)
    for call in ("socket", "socketpair"):
        rules.add_rule(refuse, call, sc.Arg(0, sc.NE, socket.AF_UNIX))
    for flag in NAMESPACES:
        rules.add_rule(refuse, "clone", sc.Arg(0, sc.MASKED_EQ, flag, flag))
    for request in TERMINAL_INPUT:
        rules.add_rule(refuse, "ioctl", sc.Arg(1, sc.MASKED_EQ, 0xFFFFFFFF, request))
    # clone3 hides its flags behind a pointer; libc falls back to clone when it is "not there"
    rules.add_rule(sc.ERRNO(errno.ENOSYS), "clone3")
    if shares_host:
        _add(rules, sc.ERRNO(0), PRETENDED)
        _add(rules, sc.ERRNO(errno.ENOTSUP), ATTRIBUTES)
        _add(rules, refuse, "ioprio_set")
        for call, positions in ONESELF.items():
            for position in positions:
                rules.add_rule(refuse, call, sc.Arg(position, sc.NE, 0))
    return rules


@functools.cache
def program(shares_host: bool = False) -> bytes:
    """The filter as the kernel takes it (cBPF), the same for every run. `shares_host`: there are no namespaces, so
    modes, owners and times of files and the limits of other processes must be out of reach as well."""
    with tempfile.TemporaryFile() as file:
        _filter(shares_host).export_bpf(file)
        file.seek(0)
        return file.read()
