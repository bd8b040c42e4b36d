"""The system calls an app may not make, as a BPF program for seccomp(2).

A deny list: what changes the kernel or looks into other processes gives EPERM. `clone3` gives
ENOSYS, because its flags lie in memory no filter can read; the C library then uses `clone`.
"""

import errno
import struct
from collections.abc import Sequence
from dataclasses import dataclass

# From <linux/audit.h>, <linux/seccomp.h> and <linux/bpf_common.h>.
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT, SECOND_ARGUMENT = 0, 4, 16, 24
NAMESPACES = 0x7E020080  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET,TIME}
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
X32 = 0x40000000


@dataclass(frozen=True, slots=True, kw_only=True)
class Arch:
    audit: int
    denied: dict[str, int]
    clone: int
    clone3: int
    unshare: int
    ioctl: int
    x32: bool = False


# Numbers from arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
_NEW = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443,
}  # fmt: skip
_X86 = {
    "ptrace": 101, "syslog": 103, "uselib": 134, "personality": 135, "ustat": 136, "sysfs": 139,
    "vhangup": 153, "modify_ldt": 154, "pivot_root": 155, "_sysctl": 156, "adjtimex": 159,
    "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167,
    "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171, "iopl": 172,
    "ioperm": 173, "create_module": 174, "init_module": 175, "delete_module": 176,
    "get_kernel_syms": 177, "query_module": 178, "quotactl": 179, "nfsservctl": 180,
    "lookup_dcookie": 212, "clock_settime": 227, "mbind": 237, "set_mempolicy": 238,
    "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250, "migrate_pages": 256,
    "move_pages": 279, "perf_event_open": 298, "fanotify_init": 300, "name_to_handle_at": 303,
    "open_by_handle_at": 304, "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310,
    "process_vm_writev": 311, "kcmp": 312, "finit_module": 313, "kexec_file_load": 320,
    "bpf": 321, "userfaultfd": 323,
}  # fmt: skip
_ARM = {
    "lookup_dcookie": 18, "umount2": 39, "mount": 40, "pivot_root": 41, "nfsservctl": 42,
    "vhangup": 58, "quotactl": 60, "chroot": 51, "acct": 89, "personality": 92,
    "kexec_load": 104, "init_module": 105, "delete_module": 106, "clock_settime": 112,
    "syslog": 116, "ptrace": 117, "reboot": 142, "sethostname": 161, "setdomainname": 162,
    "settimeofday": 170, "adjtimex": 171, "add_key": 217, "request_key": 218, "keyctl": 219,
    "swapon": 224, "swapoff": 225, "mbind": 235, "set_mempolicy": 237, "migrate_pages": 238,
    "move_pages": 239, "perf_event_open": 241, "fanotify_init": 262, "name_to_handle_at": 264,
    "open_by_handle_at": 265, "clock_adjtime": 266, "setns": 268, "process_vm_readv": 270,
    "process_vm_writev": 271, "kcmp": 272, "finit_module": 273, "bpf": 280, "userfaultfd": 282,
    "kexec_file_load": 294,
}  # fmt: skip
ARCHES = {
    "x86_64": Arch(
        audit=0xC000003E,
        denied=_X86 | _NEW,
        clone=56,
        clone3=435,
        unshare=272,
        ioctl=16,
        x32=True,
    ),
    "aarch64": Arch(
        audit=0xC00000B7, denied=_ARM | _NEW, clone=220, clone3=435, unshare=97, ioctl=29
    ),
}
_Line = tuple[int, int, int, int]


def program(machine: str) -> bytes:
    """The filter for `uname -m`; KeyError where we have none."""
    arch = ARCHES[machine]
    lines = [
        *_only(arch),
        *_refuse_number(arch.clone3, errno.ENOSYS),
        *_refuse_bits(arch.clone, FIRST_ARGUMENT, NAMESPACES),
        *_refuse_number(arch.unshare, errno.EPERM),
        *_refuse_values(arch.ioctl, SECOND_ARGUMENT, (TIOCSTI, TIOCLINUX)),
        *(line for number in sorted(arch.denied.values()) for line in _refuse_number(number)),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _only(arch: Arch) -> list[_Line]:
    """Kill what speaks another architecture's numbers, and refuse x32 ones."""
    lines = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, arch.audit),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
    ]
    refuse = [(AT_LEAST, 0, 1, X32), (RETURN, 0, 0, ERRNO | errno.ENOSYS)]
    return [*lines, *refuse] if arch.x32 else lines


def _refuse_number(number: int, error: int = errno.EPERM) -> list[_Line]:
    return [(EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | error)]


def _refuse_bits(number: int, argument: int, bits: int) -> list[_Line]:
    return [
        (EQUAL, 0, 4, number),
        (LOAD, 0, 0, argument),
        (ANY_BIT, 0, 1, bits),
        (RETURN, 0, 0, ERRNO | errno.EPERM),
        (LOAD, 0, 0, NUMBER),
    ]


def _refuse_values(number: int, argument: int, values: Sequence[int]) -> list[_Line]:
    checks = [line for value in values for line in _refuse_number(value)]
    return [
        (EQUAL, 0, len(checks) + 2, number),
        (LOAD, 0, 0, argument),
        *checks,
        (LOAD, 0, 0, NUMBER),
    ]
