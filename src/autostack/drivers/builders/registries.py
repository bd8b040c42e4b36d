"""How this machine reaches package registries, handed on to builds.

Only what is listed: names the package managers themselves read. Nothing of the platform's own
environment gets in.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

NAMES = frozenset(
    {
        "ALL_PROXY",
        "CURL_CA_BUNDLE",
        "GIT_SSL_CAINFO",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NODE_EXTRA_CA_CERTS",
        "NO_PROXY",
        "NPM_CONFIG_CAFILE",
        "NPM_CONFIG_REGISTRY",
        "PIP_CERT",
        "PIP_DEFAULT_TIMEOUT",
        "PIP_EXTRA_INDEX_URL",
        "PIP_INDEX_URL",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "UV_DEFAULT_INDEX",
        "UV_EXTRA_INDEX_URL",
        "UV_HTTP_TIMEOUT",
        "UV_INDEX",
        "UV_INDEX_URL",
        "UV_NATIVE_TLS",
        "UV_SYSTEM_CERTS",
        "YARN_NPM_REGISTRY_SERVER",
    }
)
_FILES = frozenset(
    {
        "CURL_CA_BUNDLE",
        "GIT_SSL_CAINFO",
        "NODE_EXTRA_CA_CERTS",
        "NPM_CONFIG_CAFILE",
        "PIP_CERT",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
    }
)
SYSTEM_TRUST = {"UV_SYSTEM_CERTS": "true", "NODE_USE_SYSTEM_CA": "1"}
"""uv and Node bring authorities of their own; the machine's may have one more, of a company."""
SHOWN = ("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr")
"""Paths every sandbox shows anyway."""
CONFIGS = ("/etc/pip.conf", "/etc/npmrc", "/etc/uv/uv.toml")


def environment(ours: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Names in any case, as proxies are commonly written small."""
    return {name: value for name, value in ours.items() if name.upper() in NAMES and value}


def files(ours: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Certificates the environment points to and machine-wide settings, read-only."""
    named = (Path(value) for name, value in ours.items() if name.upper() in _FILES and value)
    return tuple(dict.fromkeys(_existing((*named, *map(Path, CONFIGS)))))


def _existing(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if path.exists() and not any(path.is_relative_to(shown) for shown in SHOWN):
            yield path
