"""Giving up root for good, and tying a child to its parent's life."""

import ctypes
import os
import sys
from collections.abc import Sequence

from autostack.drivers.machine.users import Account

# linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_READ = 23
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_MOST_CAPABILITIES = 64


class StillPrivileged(RuntimeError):
    """Root could not be given up; the program must not go on."""


def become(account: Account, *, groups: Sequence[int] = ()) -> None:
    """Run as `account` from here on, with no capability and no way to get one back."""
    forbid_new_privileges()
    _empty_bounding_set()
    os.setgroups(list(groups))
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)
    # Other programs of the same user may neither read our memory nor attach to us.
    _prctl(_PR_SET_DUMPABLE, 0)
    _prove(account)


def die_with_parent(parent: int, signal: int) -> None:
    """Get `signal` when the process that forked us ends, however it ends.

    Call it after `become`: changing the user clears the wish.
    """
    _prctl(_PR_SET_PDEATHSIG, signal)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal)


def outlive_parent() -> None:
    """Take back what `die_with_parent` asked for."""
    _prctl(_PR_SET_PDEATHSIG, 0)


def forbid_new_privileges() -> None:
    """Whatever is started from here on gets no more rights than we have."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)


def _empty_bounding_set() -> None:
    for capability in range(_MOST_CAPABILITIES):
        if _prctl(_PR_CAPBSET_READ, capability) == 1:
            _prctl(_PR_CAPBSET_DROP, capability)


def _prove(account: Account) -> None:
    if os.getresuid() != (account.uid,) * 3 or os.getresgid() != (account.gid,) * 3:
        raise StillPrivileged(account.name)


def _prctl(option: int, value: int) -> int:
    if sys.platform != "linux":
        return 0
    return int(_libc().prctl(option, value, 0, 0, 0))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
