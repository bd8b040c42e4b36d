"""Argon2, off the event loop and only a few at a time: each costs memory and a core."""

from functools import partial

from anyio import CapacityLimiter, to_thread
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

SHORTEST = 10
LONGEST = 1024
AT_ONCE = 2

# OWASP Password Storage Cheat Sheet, Argon2id with 19 MiB.
_MEMORY, _ROUNDS, _LANES = 19456, 2, 1


class Passwords:
    def __init__(self, *, at_once: int = AT_ONCE) -> None:
        hasher = Argon2Hasher(memory_cost=_MEMORY, time_cost=_ROUNDS, parallelism=_LANES)
        self._hash = PasswordHash((hasher,))
        self._limiter = CapacityLimiter(at_once)
        self._nobody = self._hash.hash("the password of nobody")

    async def hash(self, password: str) -> str:
        return await to_thread.run_sync(self._hash.hash, password, limiter=self._limiter)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Takes as long without an account as with one."""
        check = partial(self._hash.verify, password, stored or self._nobody)
        return await to_thread.run_sync(check, limiter=self._limiter) and stored is not None
