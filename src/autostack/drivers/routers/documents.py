"""What Traefik is told, as data. Pure: values in, text out; `traefik.py` writes it.

Every file is JSON, which is YAML too. Traefik runs each through Go templates before it parses it
and that cannot be turned off, so no `{{` may reach it from anybody's text (`encode`).
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from autostack.core.errors import Invalid
from autostack.drivers.routers.certificates import Certificate
from autostack.drivers.routers.holder import READY
from autostack.drivers.routers.pages import address_of
from autostack.engine.release import Routes
from autostack.engine.tally import BOUNDS

Document = Mapping[str, Any]

ASK = "X-Autostack-Ask"
VISIT = "X-Autostack-Visit"
RELEASE = "X-Release"
SITE = "X-Autostack-Site"
KEY = "X-Autostack-Key"
WEB, INSIDE = "web", "metrics"
"""Entry points: the door for everybody, and a loopback port for the platform's own questions.
Traefik tries the routers of an entry point one after the other for each request, so what only
the platform asks is kept away from the door.
"""
PAGES = "pages"
"""Name of the service that serves the platform's own pages, made by the edge at its start."""
VISITS = "visits"
"""Name of the router that takes the platform's own requests to apps, and asks those of the
environments: a visitor's request passes it once, and not a router more for each environment.
"""

CATCH_ALL, APP, VISITED = 1, 10, 14
"""Priorities. Set by us alone: by default a longer rule in another file would steal a host.
Earlier versions' files have a router at 15 for each environment's visits, which goes first.
"""

UNCOUNTED = {"metrics": False, "accessLogs": False, "tracing": False}

# Traefik replaces the X-Forwarded-* and X-Real-IP it makes; these it would pass on from anyone,
# and apps believe them: an address, a user, or a word of the platform itself. Written the way Go
# writes names, as it would rewrite them for each request.
FORGED = (
    *("Forwarded", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip"),
    *("X-Client-Ip", "X-Cluster-Client-Ip", "X-Forwarded-Tls-Client-Cert"),
    *(f"X-Forwarded-{name}" for name in ("User", "Email", "Groups", "Preferred-Username")),
    *(f"X-Auth-Request-{name}" for name in ("User", "Email", "Groups", "Preferred-Username")),
    *(f"Remote-{name}" for name in ("User", "Email", "Groups", "Name")),
    *("X-Remote-User", "X-Webauth-User", "X-Authenticated-User"),
    *(ASK, SITE, KEY, VISIT),
)
LOOPBACK = ("127.0.0.0/8", "::1/128")

_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
)
_TARGET = re.compile(r"([a-z0-9.-]{1,253}|\[[0-9a-f:]{2,39}\]):[0-9]{1,5}")
_HEAD = re.compile(r"# autostack generation=([0-9]{1,18})\n")


class RouteRefused(Invalid):
    hint = "Use a plain lower-case host name or address."

    def __init__(self, what: str) -> None:
        super().__init__(f"{what[:100]!r} cannot be routed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """The one server of all static sites: its `host:port`, the directory it serves below, and
    the word it answers to.
    """

    address: str
    root: Path
    key: str = field(repr=False)


def encode(document: Document, *, generation: int) -> str:
    """The text of a route file. Its first line is a comment that carries the generation."""
    body = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1)
    # A lone surrogate has no UTF-8 form; a pair written as two escapes breaks Traefik's parser.
    body = body.encode("utf-8", "replace").decode()
    return f"# autostack generation={generation}\n{body}\n".replace("{{", "\\u007b\\u007b")


def generation_of(text: str) -> int | None:
    """The generation a route file carries; None when the file is not one of ours."""
    head = _HEAD.match(text)
    return int(head[1]) if head else None


def is_whole(text: str) -> bool:
    """Whether this is a complete file of ours: one broken file stops all changes at the edge."""
    try:
        return isinstance(json.loads(text.partition("\n")[2]), dict) and "{{" not in text
    except ValueError:
        return False


def question(routes: Routes) -> str:
    """What to ask the edge to learn whether it serves exactly these routes.

    Nobody outside can form it: it depends on the release's random id.
    """
    facts = [
        str(routes.environment_id),
        str(routes.release_id),
        routes.name,
        sorted(routes.hosts),
        sorted(routes.targets),
        str(routes.directory),
        routes.loopback_only,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def visit(environment_id: UUID) -> str:
    """The word that marks a request as the platform's own: it goes the way of all others and is
    not counted. The same for all releases, so that a visit survives a switch.
    """
    return hashlib.sha256(f"visit {environment_id}".encode()).hexdigest()


def route(routes: Routes, *, sites: Sites | None = None) -> Document:
    """One environment: its app, and a way to ask which release the edge serves.

    The question goes to an entry point of its own and never reaches an app, so the answer is
    right whatever the app says, and visitors cannot ask it. Traefik takes a file as a whole: when
    the question is answered, the app's router in the same file is in force.
    """
    if not routes.hosts:
        return {}
    parts = {
        "routers": _routers(routes),
        "middlewares": _middlewares(routes, sites),
        "services": _services(routes, sites),
    }
    # An empty part is an error to Traefik, and an error in one file stops all.
    return {"http": {name: part for name, part in parts.items() if part}}


def _routers(routes: Routes) -> Document:
    env, hosts = routes.environment_id, _rule(routes.hosts)
    app = {
        "service": _service(routes),
        "middlewares": [f"{name}-{env}" for name in _chain(routes)],
    }
    visited = f"({hosts}) && Header(`{VISIT}`, `{visit(env)}`)"
    return {
        f"app-{env}": {"entryPoints": [WEB], "rule": hosts, "priority": APP, **app},
        f"visited-{env}": {"parentRefs": [VISITS], "rule": visited, **app},
        f"answer-{env}": {
            "entryPoints": [INSIDE],
            "rule": f"({hosts}) && Header(`{ASK}`, `{question(routes)}`)",
            "service": "noop@internal",
            "middlewares": [f"release-{env}"],
        },
    }


def _chain(routes: Routes) -> list[str]:
    first = ["near"] if routes.loopback_only else []
    last = "down" if routes.targets or routes.directory else "stopped"
    return [*first, "headers", last]


def _service(routes: Routes) -> str:
    if routes.targets or routes.directory:
        return service_name(routes)
    return PAGES


def service_name(routes: Routes) -> str:
    """Services are named for their release, so that each release has figures of its own."""
    return f"release-{routes.release_id}"


def _middlewares(routes: Routes, sites: Sites | None) -> Document:
    env = routes.environment_id
    blank = dict.fromkeys(FORGED, "")
    site = _headers(routes.directory, sites) if routes.directory else {}
    near = {f"near-{env}": {"ipAllowList": {"sourceRange": list(LOOPBACK)}}}
    return (near if routes.loopback_only else {}) | {
        f"headers-{env}": {"headers": {"customRequestHeaders": blank | site}},
        f"release-{env}": {"headers": {"customResponseHeaders": {RELEASE: str(routes.release_id)}}},
        f"stopped-{env}": {"replacePath": {"path": address_of("stopped", routes.name)}},
        # Only 502, which is what Traefik says when the app cannot be reached: it replaces the
        # body whoever made it, and an app's own 500, 503 and 504 must reach the visitor.
        f"down-{env}": {
            "errors": {
                "status": ["502"],
                "service": PAGES,
                "query": address_of("down", routes.name),
                "errorRequestHeaders": ["Accept"],
            }
        },
    }


def _services(routes: Routes, sites: Sites | None) -> Document:
    if routes.targets:
        return {service_name(routes): balance([_target(each) for each in routes.targets])}
    if routes.directory and sites:
        return {service_name(routes): balance([_target(sites.address)])}
    return {}


def balance(targets: Sequence[str]) -> Document:
    servers = [{"url": f"http://{target}"} for target in targets]
    return {"loadBalancer": {"servers": servers, "passHostHeader": True}}


def _headers(directory: Path, sites: Sites | None) -> dict[str, str]:
    """What the static server is told: the directory, relative to its root."""
    if sites is None or not directory.is_relative_to(sites.root):
        raise RouteRefused(str(directory))
    return {SITE: directory.relative_to(sites.root).as_posix(), KEY: sites.key}


def _rule(hosts: Sequence[str]) -> str:
    return " || ".join(f"Host(`{_host(host)}`)" for host in hosts)


def _host(host: str) -> str:
    if not _HOST.fullmatch(host):
        raise RouteRefused(host)
    return host


def _target(target: str) -> str:
    if not _TARGET.fullmatch(target):
        raise RouteRefused(target)
    return target


def pages(address: str, *, certificate: Certificate) -> Document:
    """The platform's own pages, and the answer for hosts nobody has.

    No entry point speaks TLS yet. Without a default certificate Traefik makes one of its own, with
    an RSA key, each time any file changes: nine tenths of what a switch cost it.
    """
    shown = {"certFile": certificate.chain, "keyFile": certificate.key}
    return {
        "tls": {"stores": {"default": {"defaultCertificate": shown}}},
        "http": {
            "routers": {
                "unknown": {
                    "rule": "PathPrefix(`/`)",
                    "priority": CATCH_ALL,
                    "service": PAGES,
                    "middlewares": ["unknown"],
                },
                VISITS: {
                    "entryPoints": [WEB],
                    "rule": f"HeaderRegexp(`{VISIT}`, `^[0-9a-f]{{64}}$`)",
                    "priority": VISITED,
                    "observability": UNCOUNTED,
                },
                "ready": {
                    "entryPoints": [INSIDE],
                    "rule": f"Path(`{READY}`)",
                    "service": "noop@internal",
                },
            },
            "middlewares": {"unknown": {"replacePath": {"path": address_of("unknown", "")}}},
            "services": {PAGES: balance([_target(address)])},
        },
    }


def static(*, port: int, directory: Path, trusted_proxies: Sequence[str] = ()) -> str:
    """Traefik's start-up configuration. Both entry points get their sockets handed over."""
    document = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "WARN", "format": "json"},
        "entryPoints": {
            WEB: _web(port, trusted_proxies),
            INSIDE: {"address": "127.0.0.1:0", "http": {"aliasHeadersStrategy": "delete"}},
        },
        "providers": {
            "providersThrottleDuration": "100ms",
            "file": {"directory": str(directory), "watch": True},
        },
        "serversTransport": {
            # One global transport that lets go of idle connections soon: what is left open to
            # an old release is a request in flight, which is what the drain counts.
            "maxIdleConnsPerHost": 200,
            "forwardingTimeouts": {"dialTimeout": "5s", "idleConnTimeout": "1s"},
        },
        "metrics": {
            "prometheus": {
                "entryPoint": INSIDE,
                # Nobody reads them, and they cost each request a tenth.
                "addEntryPointsLabels": False,
                "addServicesLabels": True,
                "buckets": list(BOUNDS),
            }
        },
    }
    return json.dumps(document, indent=1) + "\n"


def _web(port: int, trusted_proxies: Sequence[str]) -> Document:
    return {
        "address": f"0.0.0.0:{port}",
        "asDefault": True,
        "forwardedHeaders": {"trustedIPs": list(trusted_proxies)},
        # Servers behind CGI-like interfaces read X_Forwarded_For as X-Forwarded-For.
        "http": {"maxHeaderBytes": 65536, "aliasHeadersStrategy": "delete"},
        "transport": {
            # The read timeout covers a whole upload.
            "respondingTimeouts": {"readTimeout": "15m", "idleTimeout": "3m"},
            "lifeCycle": {"graceTimeOut": "10s"},
        },
    }
