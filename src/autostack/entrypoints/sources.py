"""Where the worker takes source from, and as whom."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from autostack.core.addresses import private_hosts
from autostack.core.home import Home
from autostack.core.settings import Settings
from autostack.drivers.machine import users
from autostack.drivers.sources.either import EitherSource
from autostack.drivers.sources.git import GitLimits, GitSource
from autostack.drivers.sources.tree import TreeLimits
from autostack.drivers.sources.upload import UploadSource
from autostack.engine.release import MIB

# In the order of their rank: git's own variable, then what TLS libraries agree on.
_CERTIFICATES = ("GIT_SSL_CAINFO", "SSL_CERT_FILE")
_UNPACKED = 2
"""A tree may be this much larger than what it was fetched as."""


def build_source(settings: Settings, environ: Mapping[str, str] = os.environ) -> EitherSource:
    """Git runs as a user of its own where we are root."""
    home = settings.layout
    size = settings.source_limit_mb * MIB
    tree = TreeLimits(size=size * _UNPACKED)
    git = GitSource(
        home,
        private_hosts(settings.private_hosts),
        limits=GitLimits(mirror=size, tree=tree),
        ca_file=_readable(home, certificates(environ)),
        uid=users.ensure_user(users.GIT).uid if os.geteuid() == 0 else None,
    )
    return EitherSource(git=git, upload=UploadSource(home, limits=tree))


def certificates(environ: Mapping[str, str]) -> Path | None:
    """The bundle of authorities the administrator chose; None is the system's own."""
    named = (environ.get(name) for name in _CERTIFICATES)
    return next((Path(one) for one in named if one and Path(one).is_file()), None)


def _readable(home: Home, bundle: Path | None) -> Path | None:
    """A copy where git's user can read it; the original may lie in somebody's home."""
    if bundle is None or os.geteuid() != 0:
        return bundle
    home.run.mkdir(parents=True, exist_ok=True)
    copy, draft = home.run / "certificates.pem", home.run / "certificates.new"
    shutil.copyfile(bundle, draft)
    draft.chmod(0o644)
    draft.rename(copy)
    return copy
