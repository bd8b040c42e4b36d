"""The system call filter, run by a small machine as the kernel would."""

import errno
import struct
from hashlib import sha256

import pytest

from autostack.drivers.machine import seccomp
from autostack.drivers.machine.seccomp import ALLOW, ARCHES, ERRNO, KILL, X32

EPERM, ENOSYS = ERRNO | errno.EPERM, ERRNO | errno.ENOSYS
CLONE_THREAD, CLONE_NEWUSER, CLONE_NEWNET = 0x10000, 0x10000000, 0x40000000
TIOCSTI, TIOCGWINSZ = 0x5412, 0x5413
WORDS = {
    "x86_64": {"read": 0, "mount": 165, "ptrace": 101, "bpf": 321, "keyctl": 250},
    "aarch64": {"read": 63, "mount": 40, "ptrace": 117, "bpf": 280, "keyctl": 219},
}
# Whoever changes the filter on purpose writes the new ones down here.
GOLDEN = {
    "x86_64": "28789095f24860ba",
    "aarch64": "aee6abbebdb0366e",
}


def judge(arch: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """Interprets classic BPF over struct seccomp_data; any other instruction is an error."""
    given = (*arguments, *[0] * (6 - len(arguments)))
    data = struct.pack("=IIQ6Q", number, audit or ARCHES[arch].audit, 0, *given)
    code = seccomp.program(arch)
    lines: list[tuple[int, int, int, int]] = [
        struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)
    ]
    at = accumulator = 0
    while True:
        kind, yes, no, value = lines[at]
        at += 1
        if kind == seccomp.RETURN:
            return value
        if kind == seccomp.LOAD:
            accumulator = struct.unpack_from("=I", data, value)[0]
            continue
        holds = {
            seccomp.EQUAL: accumulator == value,
            seccomp.AT_LEAST: accumulator >= value,
            seccomp.ANY_BIT: bool(accumulator & value),
        }[kind]
        at += yes if holds else no


@pytest.mark.parametrize("arch", ARCHES)
def test_ordinary_calls_pass(arch: str) -> None:
    assert judge(arch, WORDS[arch]["read"]) == ALLOW
    assert judge(arch, ARCHES[arch].clone, CLONE_THREAD) == ALLOW
    assert judge(arch, ARCHES[arch].ioctl, 0, TIOCGWINSZ) == ALLOW


@pytest.mark.parametrize("arch", ARCHES)
def test_every_listed_call_is_refused_and_their_neighbours_are_not(arch: str) -> None:
    denied = set(ARCHES[arch].denied.values())
    special = {ARCHES[arch].clone3, ARCHES[arch].unshare}

    assert {number for number in range(500) if judge(arch, number) == EPERM} == {
        *denied,
        ARCHES[arch].unshare,
    }
    assert {number for number in range(500) if judge(arch, number) != ALLOW} == denied | special


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("name", ["mount", "ptrace", "bpf", "keyctl"])
def test_what_reaches_into_the_kernel_has_the_right_number(arch: str, name: str) -> None:
    assert ARCHES[arch].denied[name] == WORDS[arch][name]
    assert judge(arch, WORDS[arch][name]) == EPERM


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("flags", [CLONE_NEWUSER, CLONE_NEWNET | CLONE_THREAD])
def test_namespaces_are_made_by_no_call(arch: str, flags: int) -> None:
    assert judge(arch, ARCHES[arch].clone, flags) == EPERM
    assert judge(arch, ARCHES[arch].unshare, flags) == EPERM
    assert judge(arch, ARCHES[arch].clone3) == ENOSYS


@pytest.mark.parametrize("arch", ARCHES)
def test_nobody_types_into_a_terminal_for_others(arch: str) -> None:
    assert judge(arch, ARCHES[arch].ioctl, 0, TIOCSTI) == EPERM


def test_another_architectures_numbers_end_the_program() -> None:
    assert judge("x86_64", 0, audit=0x40000003) == KILL
    assert judge("aarch64", 0, audit=0x40000028) == KILL


def test_the_second_set_of_numbers_of_x86_is_not_there() -> None:
    assert judge("x86_64", X32) == ENOSYS
    assert judge("x86_64", X32 + ARCHES["x86_64"].denied["ptrace"]) == ENOSYS


@pytest.mark.parametrize("arch", ARCHES)
def test_the_filter_is_the_one_that_was_reviewed(arch: str) -> None:
    assert sha256(seccomp.program(arch)).hexdigest()[:16] == GOLDEN[arch]


def test_elsewhere_there_is_no_filter() -> None:
    with pytest.raises(KeyError):
        seccomp.program("riscv64")
