"""What the platform's programs get as their environment. Pure."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from autostack.core.settings import Settings

SECRET = frozenset({"secret_key", "database_url", "redis_url", "smtp_url"})

_KEPT = frozenset({"LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DOCKER_HOST", "KUBECONFIG"})
# How registries, proxies and certificates are found; COVERAGE_ lets tests measure children.
_KEPT_PREFIXES = ("AUTOSTACK_", "LC_", "SSL_CERT_", "UV_", "PIP_", "NPM_CONFIG_", "COVERAGE_")
_KEPT_ANY_CASE = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"})
_CERTIFICATES = frozenset(
    {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO"}
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def clean(environ: Mapping[str, str], *, home: Path) -> dict[str, str]:
    """Of the caller's environment only what the platform needs: a shell holds many secrets."""
    kept = {name: value for name, value in environ.items() if _needed(name)}
    return {
        **kept,
        "AUTOSTACK_HOME": str(home),
        "HOME": str(home),
        "PATH": environ.get("PATH") or _PATH,
        "PYTHONUNBUFFERED": "1",
        "PYTHONSAFEPATH": "1",
    }


def without_secrets(environ: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """All settings but the secret ones, for a program that may not read the settings file."""
    secret = {f"AUTOSTACK_{name.upper()}" for name in SECRET}
    shown = {name: value for name, value in environ.items() if name not in secret}
    return {**shown, **as_environ(settings)}


def as_environ(settings: Settings) -> dict[str, str]:
    values: dict[str, object] = settings.model_dump(exclude=set(SECRET), exclude_none=True)
    return {f"AUTOSTACK_{name.upper()}": _text(value) for name, value in values.items()}


def _needed(name: str) -> bool:
    upper = name.upper()
    if name.startswith(_KEPT_PREFIXES) or upper.startswith("NPM_CONFIG_"):
        return True
    return name in _KEPT or name in _CERTIFICATES or upper in _KEPT_ANY_CASE


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, cast("tuple[object, ...]", value)))
    return str(value)
