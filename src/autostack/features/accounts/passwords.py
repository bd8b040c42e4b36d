"""Argon2, off the event loop and only a few at a time: each costs memory and a core."""

import os
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from anyio import CapacityLimiter, to_thread
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

from autostack.features.accounts.errors import SignInsBusy

WAITING = 512
"""How many may wait for their turn; more are told to come back."""

# OWASP Password Storage Cheat Sheet, Argon2id with 19 MiB.
_MEMORY, _ROUNDS, _LANES = 19456, 2, 1
_BCRYPT_LONGEST = 72
"""Bytes; bcrypt knows nothing of what follows, so nothing longer ever matches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`renewed` replaces the stored hash when that was made in an older way."""

    right: bool
    renewed: str | None = field(default=None, repr=False)


class Passwords:
    """Makes argon2id hashes; bcrypt's of other systems are still read. A core stays free for
    those who are signed in.
    """

    def __init__(self, *, at_once: int | None = None, waiting: int = WAITING) -> None:
        hasher = Argon2Hasher(memory_cost=_MEMORY, time_cost=_ROUNDS, parallelism=_LANES)
        self._hash = PasswordHash((hasher, BcryptHasher()))
        self._limiter = CapacityLimiter(at_once or max(1, (os.cpu_count() or 1) - 1))
        self._waiting = waiting
        self._nobody = self._hash.hash("the password of nobody")

    async def hash(self, password: str) -> str:
        self._refuse_crowds()
        return await to_thread.run_sync(self._hash.hash, password, limiter=self._limiter)

    async def check(self, password: str, stored: str | None) -> Checked:
        """Takes as long without an account as with one."""
        self._refuse_crowds()
        check = partial(self._check, password, stored or self._nobody)
        checked = await to_thread.run_sync(check, limiter=self._limiter)
        return checked if stored is not None else Checked(right=False)

    def _check(self, password: str, stored: str) -> Checked:
        if stored.startswith("$2") and len(password.encode()) > _BCRYPT_LONGEST:
            return Checked(right=False)
        right, renewed = self._hash.verify_and_update(password, stored)
        return Checked(right=right, renewed=renewed)

    def _refuse_crowds(self) -> None:
        if self._limiter.statistics().tasks_waiting >= self._waiting:
            raise SignInsBusy(timedelta(seconds=5))
