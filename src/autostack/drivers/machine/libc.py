"""The few system calls Python does not offer. Imported by the launcher: keep its imports few."""

import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
NS_GET_USERNS = 0xB701
MS_NOSUID, MS_NODEV = 2, 4
MS_BIND, MS_REC = 4096, 16384
MS_SLAVE = 1 << 19
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
SECCOMP_MODE_FILTER = 2
BPF_INSTRUCTION = 8  # bytes
IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
IOPRIO_WHO_PROCESS, IOPRIO_IDLE = 1, 3
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def setns(fd: int, kind: int) -> None:
    _check(_libc.setns(fd, kind), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2); empty strings are null pointers."""
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    _check(result, f"mount {target}")


def no_new_privileges() -> None:
    """Nothing executed from now on gains rights by set-uid bits or file capabilities."""
    _check(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def end_with_parent(number: int) -> None:
    """This process gets the signal when its parent dies; a change of user forgets that."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0), "prctl")


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("program", ctypes.c_char_p))


def filter_calls(program: bytes) -> None:
    """As machine.seccomp makes it; for this process and all it starts."""
    told = _Filter(len(program) // BPF_INSTRUCTION, program)
    done = _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(told), 0, 0)
    _check(done, "prctl")


def use_idle_disk() -> None:
    """Of this process and those it starts: the disk serves them when nobody else asks. Where its
    scheduler knows no classes, nothing changes.
    """
    number = IOPRIO_SET.get(os.uname().machine)
    if number is not None:
        _check(_libc.syscall(number, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE << 13), "ioprio_set")


def give_back_freed_memory() -> None:
    """glibc keeps large blocks once freed, for each thread; from now on the kernel gets them
    back at once. Another C library is left as it is.
    """
    mallopt = getattr(_libc, "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 1 << 20)
        mallopt(M_ARENA_MAX, 2)
