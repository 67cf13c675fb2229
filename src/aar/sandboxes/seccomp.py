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

DENIED = """ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd process_madvise
    mount umount umount2 pivot_root chroot fsopen fsconfig fsmount fspick move_mount open_tree mount_setattr
    unshare setns personality keyctl add_key request_key bpf perf_event_open userfaultfd
    io_uring_setup io_uring_enter io_uring_register kexec_load kexec_file_load reboot
    init_module finit_module delete_module swapon swapoff quotactl quotactl_fd acct syslog
    open_by_handle_at name_to_handle_at lookup_dcookie vhangup fanotify_init nfsservctl
    settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname iopl ioperm
    set_mempolicy mbind move_pages migrate_pages""".split()


def _filter() -> Any:
    import pyseccomp as sc  # finds libseccomp by running ldconfig: 30 ms, so not at import

    rules = sc.SyscallFilter(defaction=sc.ALLOW)
    refuse = sc.ERRNO(errno.EPERM)
    for name in DENIED:
        try:
            rules.add_rule(refuse, name)
        except OSError:  # unknown to this libseccomp or this architecture
            continue
    for call in ("socket", "socketpair"):
        rules.add_rule(refuse, call, sc.Arg(0, sc.NE, socket.AF_UNIX))
    for flag in NAMESPACES:
        rules.add_rule(refuse, "clone", sc.Arg(0, sc.MASKED_EQ, flag, flag))
    for request in TERMINAL_INPUT:
        rules.add_rule(refuse, "ioctl", sc.Arg(1, sc.MASKED_EQ, 0xFFFFFFFF, request))
    # clone3 hides its flags behind a pointer; libc falls back to clone when it is "not there"
    rules.add_rule(sc.ERRNO(errno.ENOSYS), "clone3")
    return rules


@functools.cache
def program() -> bytes:
    """The filter as the kernel takes it (cBPF), the same for every run."""
    with tempfile.TemporaryFile() as file:
        _filter().export_bpf(file)
        file.seek(0)
        return file.read()


def load() -> None:
    """Put this very process, and what it starts, under the filter. No way back."""
    _filter().load()
