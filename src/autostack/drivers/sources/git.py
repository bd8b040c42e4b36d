"""Git repositories over https, ssh and (for listed hosts) http, as a Source."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO
from uuid import UUID

from autostack.core.addresses import HostRefused, IPAddress, PrivateHosts
from autostack.core.errors import AutostackError
from autostack.core.home import Home
from autostack.core.outbound import Lookup, Unresolvable, look_up, resolve
from autostack.drivers.sources import command, export, messages, notes
from autostack.drivers.sources.command import Place, Remote
from autostack.drivers.sources.mirror import WANTED, Mirror, locked, private_place, used
from autostack.drivers.sources.refs import (
    HEADS,
    LOG_FORMAT,
    Commit,
    Refs,
    parse_commit,
    parse_refs,
    printable,
)
from autostack.drivers.sources.running import (
    Bounds,
    Done,
    GrewTooLarge,
    TookTooLong,
    in_thread,
    run,
)
from autostack.drivers.sources.tree import TREE_LIMITS, TreeLimits
from autostack.drivers.sources.writing import disk_size, remove
from autostack.engine.address import Address, checked_ref, is_sha, parse_address
from autostack.engine.errors import (
    BranchNotFound,
    RepositoryEmpty,
    RepositoryRefused,
    RepositoryTooLarge,
    RepositoryUnreachable,
    ToolchainUnavailable,
)
from autostack.engine.ports import LogSink
from autostack.engine.release import MIB, Checkout, Repository, Step

PROGRAMS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLimits:
    """Sizes in bytes, times in seconds. `quiet` is how long a server may send next to nothing."""

    mirror: int = 1024 * MIB
    tree: TreeLimits = TREE_LIMITS
    ask: float = 30
    fetch: float = 600
    quiet: int = 15


class _Absent(Exception):  # the remote has no such ref; told apart further up
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One piece of work with one remote: everything a git process is started with."""

    mirror: Mirror
    remote: Remote
    place: Place
    lock: tuple[int, ...] = ()

    @property
    def url(self) -> str:
        return self.remote.address.url


class GitSource:
    """A `Source`. With `uid`, given to a process of root, git runs as that user and owns the
    mirrors; it needs to be able to reach `home` (and, for ssh, an entry in passwd).
    """

    def __init__(
        self,
        home: Home,
        private: PrivateHosts,
        *,
        limits: GitLimits | None = None,
        ca_file: Path | None = None,
        uid: int | None = None,
        lookup: Lookup = look_up,
        path: str = PROGRAMS,
    ) -> None:
        self._home = home
        self._private = private
        self._limits = limits or GitLimits()
        self._uid = uid if os.geteuid() == 0 else None
        self._lookup = lookup
        git = shutil.which("git", path=path) or "git"
        self._base = Place(home=home.mirrors, git=git, path=path, ca_file=ca_file)
        self._checked = False

    async def fetch(self, repository: Repository, *, log: LogSink) -> Checkout:
        address = parse_address(repository.url, self._private)
        ref = repository.ref and _checked(repository.ref)
        log.say(f"Fetching {ref or 'the default branch'} of {address.url}", step=Step.FETCH)
        async with self._call(repository, address, write=True) as call:
            branch, commit = await self._obtain(call, ref)
            tree = await self._exported(call, commit.sha)
        log.say(f"{commit.sha[:10]} {printable(commit.message)}", step=Step.FETCH)
        for warning in await asyncio.to_thread(notes.warnings, tree):
            log.say(warning, step=Step.FETCH, level="warning")
        return Checkout(
            tree=tree,
            sha=commit.sha,
            branch=branch,
            message=commit.message,
            author=commit.author,
            committed_at=commit.committed_at,
        )

    async def default_branch(self, repository: Repository) -> str:
        address = parse_address(repository.url, self._private)
        async with self._call(repository, address, write=False) as call:
            return _default(await self._refs(call), call.url)

    async def forget(self, key: UUID) -> None:
        """Free the disk of a repository nobody uses any more."""
        mirror = Mirror(self._home, key)
        async with locked(mirror, seconds=self._limits.fetch):
            await asyncio.to_thread(remove, mirror.trees)
            await asyncio.to_thread(remove, mirror.folder)

    @asynccontextmanager
    async def _call(
        self, repository: Repository, address: Address, *, write: bool
    ) -> AsyncGenerator[_Call]:
        await self._check_version()
        mirror = Mirror(self._home, repository.key)
        remote = Remote(
            address=address, at=await self._found(address), credential=repository.credential
        )
        with private_place(mirror, remote, self._base, uid=self._uid) as place:
            call = _Call(mirror=mirror, remote=remote, place=place)
            try:
                if not write:
                    yield call
                    return
                async with locked(mirror, seconds=self._limits.fetch) as lock:
                    await asyncio.to_thread(mirror.sweep)
                    await asyncio.to_thread(mirror.prune)
                    yield replace(call, lock=(lock,))
            except TookTooLong as error:
                reason = "it took too long"
                raise RepositoryUnreachable(address.host, reason) from error

    async def _found(self, address: Address) -> tuple[IPAddress, ...]:
        try:
            return await resolve(
                address.host, address.port, private=self._private, lookup=self._lookup
            )
        except HostRefused as error:
            raise RepositoryRefused(f"its host: {error.reason}") from None
        except Unresolvable:
            raise RepositoryUnreachable(address.host, "its name has no address") from None

    async def _obtain(self, call: _Call, ref: str | None) -> tuple[str, Commit]:
        """The commit, in the mirror. A mirror that has become too large or does not work is
        made anew, once.
        """
        had = call.mirror.usable
        try:
            return await self._bring(call, ref)
        except (GrewTooLarge, export.MirrorDamaged) as error:
            await asyncio.to_thread(call.mirror.discard)
            if not had:
                raise self._giving_up(call, error) from error
        try:
            return await self._bring(call, ref)
        except (GrewTooLarge, export.MirrorDamaged) as error:
            await asyncio.to_thread(call.mirror.discard)
            raise self._giving_up(call, error) from error

    def _giving_up(self, call: _Call, error: Exception) -> AutostackError:
        if isinstance(error, GrewTooLarge):
            return RepositoryTooLarge(self._limits.mirror)
        return RepositoryUnreachable(call.remote.address.host, str(error))

    async def _bring(self, call: _Call, ref: str | None) -> tuple[str, Commit]:
        if not call.mirror.usable:
            await self._make(call)
        if ref is not None and is_sha(ref):
            return "", await self._bring_commit(call, ref)
        if ref is None:
            branch = _default(await self._refs(call), call.url)
            await self._pull(call, HEADS + branch)
            return branch, await self._commit(call, WANTED)
        branch = await self._bring_name(call, ref)
        return branch, await self._commit(call, WANTED)

    async def _bring_name(self, call: _Call, ref: str) -> str:
        """A branch is asked for straight away; only when there is none do we ask what there is."""
        try:
            await self._pull(call, HEADS + ref)
        except _Absent:
            refs = await self._refs(call)
            full = refs.named(ref)
            if full is None:
                raise _unknown(ref, refs, call.url) from None
            await self._pull(call, full)
            return ref if full.startswith(HEADS) else ""
        return ref

    async def _bring_commit(self, call: _Call, sha: str) -> Commit:
        known = await self._git(call, ("cat-file", "-e", f"{sha}^{{commit}}"))
        if known.code == 0:
            return await self._commit(call, sha)
        try:
            await self._pull(call, sha)
        except _Absent:
            raise _unknown(sha, await self._refs(call), call.url) from None
        return await self._commit(call, sha)

    async def _make(self, call: _Call) -> None:
        repo = call.mirror.repo
        repo.mkdir(parents=True)
        if self._uid is not None:
            os.chown(repo, self._uid, self._uid)
        done = await self._git(call, ("init", "--quiet", "--bare", "--template=", "."), bare=False)
        if done.code:
            raise export.MirrorDamaged(messages.last_line(done.err))

    async def _pull(self, call: _Call, full: str) -> None:
        """One ref or commit into WANTED, without its history."""
        args = command.fetch_args(call.url, [f"+{full}:{WANTED}"], depth=1)
        done = await self._git(call, args, contact=True)
        if done.code and messages.is_unadvertised(done.err):
            await self._pull_history(call, full)
        elif done.code and messages.is_absent(done.err):
            raise _Absent
        elif done.code:
            raise self._failure(done, call)

    async def _pull_history(self, call: _Call, sha: str) -> None:
        everything = ["+refs/heads/*:refs/autostack/heads/*", "+refs/tags/*:refs/autostack/tags/*"]
        args = command.fetch_args(call.url, everything, depth=None)
        done = await self._git(call, args, contact=True)
        if done.code:
            raise self._failure(done, call)
        if (await self._git(call, ("cat-file", "-e", f"{sha}^{{commit}}"))).code:
            raise _Absent

    async def _refs(self, call: _Call) -> Refs:
        args = command.ls_remote_args(call.url)
        done = await self._git(call, args, contact=True, bare=False, seconds=self._limits.ask)
        if done.code:
            raise self._failure(done, call)
        return parse_refs(done.out)

    async def _commit(self, call: _Call, name: str) -> Commit:
        args = ("log", "-1", "--no-show-signature", "--no-color", f"--format={LOG_FORMAT}")
        done = await self._git(call, (*args, "--end-of-options", name))
        if done.code:
            raise export.MirrorDamaged(messages.last_line(done.err))
        return parse_commit(done.out)

    async def _exported(self, call: _Call, sha: str) -> Path:
        final = call.mirror.tree(sha)
        if used(final):
            return final
        listed = await self._git(call, export.ls_tree_args(sha))
        if listed.code:
            raise self._damaged(call)
        entries = export.parse_tree(listed.out, self._limits.tree)
        with tempfile.TemporaryFile(dir=call.mirror.folder) as content:
            await self._contents(call, export.wanted(entries), content)
            try:
                await in_thread(
                    lambda stopped: export.write_export(final, entries, content, stopped=stopped)
                )
            except export.MirrorDamaged:
                raise self._damaged(call) from None
        return final

    async def _contents(self, call: _Call, wanted: bytes, content: IO[bytes]) -> None:
        with tempfile.TemporaryFile(dir=call.mirror.folder) as asked:
            asked.write(wanted)
            asked.seek(0)
            await self._git(call, export.cat_file_args(), stdin=asked, stdout=content)
        content.seek(0)

    def _damaged(self, call: _Call) -> RepositoryUnreachable:
        """What is here of the repository is incomplete; the next attempt starts afresh."""
        call.mirror.discard()
        return RepositoryUnreachable(call.remote.address.host, "its content arrived damaged")

    def _failure(self, done: Done, call: _Call) -> Exception:
        known = messages.explain(done.err, call.remote.address)
        return known or export.MirrorDamaged(messages.last_line(done.err))

    async def _git(
        self,
        call: _Call,
        args: Sequence[str],
        *,
        contact: bool = False,
        bare: bool = True,
        seconds: float | None = None,
        stdin: IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
    ) -> Done:
        repo = call.mirror.repo
        remote = call.remote if contact else None
        env = dict(command.git_env(call.place, remote, low_speed=self._limits.quiet))
        if bare:
            env["GIT_DIR"] = str(repo)
        watched = contact and bare
        return await run(
            (self._base.git, *args),
            env=env,
            cwd=repo if repo.is_dir() else call.place.home,
            bounds=Bounds(
                seconds=seconds or self._limits.fetch,
                size=(lambda: disk_size(repo)) if watched else None,
                limit=self._limits.mirror,
            ),
            uid=self._uid,
            stdin=stdin,
            stdout=stdout,
            keep=call.lock,
        )

    async def _check_version(self) -> None:
        """Once a process: an older git would quietly ignore the address we pin."""
        if self._checked:
            return
        oldest = ".".join(map(str, command.OLDEST_GIT))
        try:
            env = {"PATH": self._base.path, "LC_ALL": "C"}
            done = await run(
                (self._base.git, "version"), env=env, cwd=Path("/"), bounds=Bounds(seconds=10)
            )
        except OSError:
            raise ToolchainUnavailable("git", oldest) from None
        if command.version(done.out) < command.OLDEST_GIT:
            raise ToolchainUnavailable("git", oldest, (done.out.decode().strip(),))
        self._checked = True


def _checked(ref: str) -> str:
    return ref if is_sha(ref) else checked_ref(ref)


def _default(refs: Refs, url: str) -> str:
    if refs.empty:
        raise RepositoryEmpty(url)
    if refs.default is None or refs.default not in refs.heads:
        raise BranchNotFound(refs.default or "HEAD", refs.known)
    return refs.default


def _unknown(ref: str, refs: Refs, url: str) -> AutostackError:
    return RepositoryEmpty(url) if refs.empty else BranchNotFound(ref, refs.known)
