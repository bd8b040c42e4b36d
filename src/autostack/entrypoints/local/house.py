"""The platform's directory: who owns what, with which mode, and the secrets in it."""

import os
import pwd
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autostack.core import crypto, host
from autostack.core.home import Home
from autostack.core.settings import Settings
from autostack.drivers.machine import network, users
from autostack.entrypoints.local.errors import DiskFull, HomeOfAnother, HomeUnusable

NEEDED = 512 << 20
# sun_path holds 108 bytes with the closing zero (unix(7)).
_LONGEST_SOCKET = 107
_ALLOWED = frozenset({"autostack.toml", "lost+found"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A directory to be: `owner` and `group` count only when the platform runs as root."""

    path: Path
    mode: int
    owner: str = "root"
    group: str | None = None
    """None is the owner's own group."""


def folders(home: Home) -> Sequence[Folder]:
    """Every directory of the platform, parents first. 0711: pass through, do not look around."""
    api, logs, edge, database = users.API, users.LOGS, users.EDGE, users.POSTGRES
    return [
        Folder(path=home.root, mode=0o711),
        Folder(path=home.secrets, mode=0o710, group=api),
        Folder(path=home.run, mode=0o711),
        Folder(path=home.run / "postgres", mode=0o750, owner=database, group=users.GROUP),
        Folder(path=home.postgres, mode=0o700, owner=database),
        Folder(path=home.edge, mode=0o750, group=edge),
        Folder(path=home.mirrors, mode=0o711),
        Folder(path=home.uploads, mode=0o700, owner=api),
        Folder(path=home.trees, mode=0o700),
        Folder(path=home.artifacts, mode=0o711),
        Folder(path=home.caches, mode=0o711),
        Folder(path=home.toolchains, mode=0o755),
        Folder(path=home.instances, mode=0o711),
        Folder(path=home.logs, mode=0o750, owner=logs, group=api),
        Folder(path=home.logs / "platform", mode=0o700),
        Folder(path=home.logs / "spool", mode=0o750, owner=logs, group=api),
        # New files get the group of their directory: written by root, read by `logs` and api.
        Folder(path=home.logs / "spool" / "instances", mode=0o2770, owner=logs, group=logs),
        Folder(path=home.logs / "spool" / "deployments", mode=0o2770, owner=logs, group=api),
        Folder(path=home.logs / "spool" / "runs", mode=0o2770, owner=logs, group=api),
        Folder(path=home.logs / "segments", mode=0o2750, owner=logs, group=api),
    ]


def claim(home: Home) -> None:
    """Make the directory itself, or say in words why it cannot be ours."""
    _check_path(home)
    try:
        home.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HomeUnusable(home.root, (error.strerror or str(error)).lower()) from error
    _check_empty_or_ours(home)
    owner = home.root.stat().st_uid
    if owner != os.geteuid():
        raise HomeOfAnother(home.root, owner=_name(owner), me=_name(os.geteuid()))
    free = shutil.disk_usage(home.root).free
    if free < NEEDED:
        raise DiskFull(home.root, free=free, needed=NEEDED)


def lock_file(home: Home) -> Path:
    """Also the sign that the directory is a platform's."""
    return home.root / "lock"


def furnish(settings: Settings) -> None:
    """Users, directories, secrets and host ranges; what is there already stays as it is."""
    home = settings.layout
    if os.geteuid() == 0:
        users.ensure_group(users.GROUP)
        for name in users.ALL:
            users.ensure_user(name)
    for folder in folders(home):
        _make(folder)
    make_secrets(home, given=settings.secret_key)
    taken = host.load(home)
    if taken is None:
        host.save(home, network.allot(home, root=os.geteuid() == 0))
    else:
        network.ensure(taken)


def setup_code(home: Home) -> Path:
    return home.secrets / "setup.code"


def make_secrets(home: Home, *, given: str | None) -> None:
    """Each once; `given` is a key from the settings, which is written nowhere."""
    home.secrets.mkdir(mode=0o710, exist_ok=True)
    if given is None:
        _write_once(home.secrets / "secret.key", crypto.generate_secret(), owner=users.API)
    _write_once(setup_code(home), _spoken_code(), owner=users.API)
    _make_seal_keys(home)


def _make_seal_keys(home: Home) -> None:
    """The private one comes last: where it is, its public half is too."""
    private, public = home.secrets / "seal.key", home.secrets / "seal.pub"
    if not private.exists():
        opens, seals = crypto.generate()
        public.unlink(missing_ok=True)
        _write_once(public, seals, owner=users.API)
        _write_once(private, opens, owner="root")


def _spoken_code() -> str:
    """Sixty bits in letters nobody confuses on a console."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(3))


def _write_once(file: Path, text: str, *, owner: str) -> None:
    """Whole or not at all: a half-written key would be taken for a key."""
    if file.exists():
        return
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(fd)
    _give(draft, owner=owner, group=None)
    draft.rename(file)


def _make(folder: Folder) -> None:
    folder.path.mkdir(exist_ok=True, mode=0o700)
    _give(folder.path, owner=folder.owner, group=folder.group)
    folder.path.chmod(folder.mode)


def _give(path: Path, *, owner: str, group: str | None) -> None:
    if os.geteuid() != 0:
        return
    account = users.ensure_user(owner)
    gid = account.gid if group is None else users.ensure_group(group)
    os.chown(path, account.uid, gid, follow_symlinks=False)


def _check_empty_or_ours(home: Home) -> None:
    """We set owners and modes in there, so it must not be somebody's home or /tmp."""
    try:
        found = {entry.name for entry in home.root.iterdir()}
    except PermissionError:
        return  # the owner check has the better sentence
    if lock_file(home).name not in found and found - _ALLOWED:
        raise HomeUnusable(home.root, "it is not empty and no platform lies there")


def _check_path(home: Home) -> None:
    longest = home.run / "postgres" / ".s.PGSQL.5432.lock"
    if len(os.fsencode(longest)) > _LONGEST_SOCKET:
        raise HomeUnusable(home.root, "its path is too long for a unix socket")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
