"""Settings: one frozen object, read once, in an entrypoint."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from autostack.core import domain, mail
from autostack.core.addresses import is_loopback
from autostack.core.home import Home

_RATE = re.compile(r"[1-9][0-9]{0,8} ?(/|per) ?([1-9][0-9]{0,4} ?)?(second|minute|hour|day)s?")

Port = Annotated[int, Field(ge=0, le=65535)]
HttpUrl = Annotated[str, Field(max_length=300, pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")]


def default_home() -> Path:
    return Path("/var/lib/autostack") if os.geteuid() == 0 else Path.home() / ".autostack"


class Settings(BaseSettings):
    """Read from the environment (`AUTOSTACK_…`), then `$AUTOSTACK_HOME/autostack.toml`.

    docs/settings.md describes each; ARCHITECTURE §6 is the list other programs rely on.
    """

    model_config = SettingsConfigDict(env_prefix="AUTOSTACK_", frozen=True, extra="ignore")

    home: Path = Field(
        default_factory=default_home, description="The platform's directory; it holds everything."
    )
    bind: str = Field(default="127.0.0.1", description="The address the API listens on.")
    port: Port = Field(default=8000, description="The API's port.")
    edge_port: Port = Field(default=8080, description="The port at which apps answer.")
    base_domain: str | None = Field(
        default=None,
        description="Apps answer at `NAME.` + this domain, as in `apps.example.com`. `sslip` takes "
        "a name below sslip.io that is this machine's address.",
    )
    public_url: str | None = Field(
        default=None,
        description="Where people reach the API, as in `https://deploy.example.com`.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses and networks, separated by commas, whose `X-Forwarded-…` headers "
        "are believed.",
    )
    runtime: Literal["auto", "process", "docker", "kubernetes", "gitops"] = Field(
        default="auto",
        description="How apps run. `auto`: projects with a Dockerfile on Docker where an "
        "engine answers, all others as processes. `process`: all as processes. `docker`: all but "
        "static sites on Docker. `kubernetes` and `gitops` are not there yet.",
    )
    builder: Literal["auto", "workspace", "docker", "jenkins"] = Field(
        default="auto", description="How apps are built. Not used yet: the runtime decides."
    )
    build_network: Literal["isolated", "host"] = Field(
        default="isolated",
        description="What builds reach: the internet alone, or all this machine does.",
    )
    docker_host: str | None = Field(
        default=None,
        description="Where a Docker engine listens, as in `unix:///var/run/docker.sock`; by "
        "default what `DOCKER_HOST` says, else that.",
    )
    base_image_python: str = Field(
        default="python:{version}-slim",
        description="What images of Python projects without a Dockerfile begin from.",
    )
    base_image_node: str = Field(
        default="node:{version}-slim",
        description="What images of Node projects without a Dockerfile begin from.",
    )
    base_image_procfile: str = Field(
        default="debian:stable-slim",
        description="What images of projects that have only a Procfile begin from.",
    )
    database_url: str | None = Field(
        default=None,
        description="A PostgreSQL to use instead of the embedded one: `postgresql://…`.",
    )
    redis_url: str | None = Field(
        default=None,
        repr=False,
        description="Where requests are counted when several APIs serve one platform: "
        "`redis://…`, `rediss://…` or `redis+unix://…`. While it is away each counts for itself.",
    )
    registry_url: str | None = Field(
        default=None, description="Where images are pushed. Not used yet."
    )
    secret_key: str | None = Field(
        default=None,
        repr=False,
        description="Signs tokens; by default made at the first start and kept in `secrets/`.",
    )
    private_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Names and networks, separated by commas, that repositories may be fetched "
        "from although they are private; then also over http.",
    )
    api_rate: str = Field(default="100/minute", description="Requests of one user.")
    login_rate: str = Field(default="10/minute", description="Sign-ins from one address.")
    register_rate: str = Field(
        default="10/minute; 100/hour", description="Registrations from one address."
    )
    reset_rate: str = Field(
        default="5/minute; 30/hour", description="Letters asked for from one address."
    )
    webhook_rate: str = Field(
        default="60/minute",
        description="Deliveries from one address, and signed ones for one hook. More where one "
        "forge has many projects here.",
    )
    registration: Literal["auto", "open", "invite", "closed"] = Field(
        default="auto",
        description="Who may make an account. `auto`: anybody while this machine alone reaches the "
        "API (by `bind`, `public_url` and `trusted_proxies`), else `invite`: those the "
        "administrator makes one for, and those a team invites. The first account can always be "
        "made; beyond this machine that needs the code on its console.",
    )
    oauth_github_id: str | None = Field(
        default=None,
        description="With its secret: sign-in with GitHub. Everywhere the callback is the "
        "platform's address and `/dashboard/oauth`.",
    )
    oauth_github_secret: str | None = Field(
        default=None, repr=False, description="The client secret of the OAuth app at GitHub."
    )
    oauth_github_url: HttpUrl = Field(
        default="https://github.com", description="Another one for GitHub Enterprise Server."
    )
    oauth_google_id: str | None = Field(
        default=None, description="With its secret: sign-in with Google."
    )
    oauth_google_secret: str | None = Field(
        default=None, repr=False, description="The client secret at Google."
    )
    oauth_gitlab_id: str | None = Field(
        default=None,
        description="With its secret: sign-in with GitLab; scopes `openid` and `email`.",
    )
    oauth_gitlab_secret: str | None = Field(
        default=None, repr=False, description="The client secret at GitLab."
    )
    oauth_gitlab_url: HttpUrl = Field(
        default="https://gitlab.com", description="Another one for a GitLab of your own."
    )
    oidc_issuer: HttpUrl | None = Field(
        default=None,
        description="With id and secret: sign-in with any OpenID Connect provider, as Keycloak; "
        "exactly as the provider writes its issuer. It may be on a private network.",
    )
    oidc_id: str | None = Field(default=None, description="The client id there.")
    oidc_secret: str | None = Field(
        default=None, repr=False, description="The client secret there."
    )
    oidc_name: str = Field(
        default="OpenID Connect", max_length=40, description="What its button says."
    )
    smtp_url: str | None = Field(
        default=None,
        repr=False,
        description="The mail server for password resets: `smtp://user:password@host:587` "
        "(STARTTLS), `smtps://…:465` (TLS) or `smtp+plain://…:25` (unprotected, for one on this "
        "machine).",
    )
    mail_from: str | None = Field(
        default=None,
        description="The sender of the platform's mail; by default `autostack@` and the host of "
        "`AUTOSTACK_PUBLIC_URL`.",
    )
    unsafe_no_sandbox: bool = Field(
        default=False, description="Run builds and apps without isolation. For trusted code only."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much the control plane writes into control.log."
    )
    watch_seconds: float = Field(
        default=60,
        ge=0,
        le=3600,
        description="How many seconds a new release is watched, and the one before kept ready; 0 "
        "is not at all. An environment may say otherwise.",
    )
    build_slots: int = Field(default=2, ge=1, description="Builds that may run at once.")
    build_memory_mb: int = Field(
        default=4096, ge=64, description="Memory one build may use; it is ended beyond that."
    )
    build_wait_seconds: float = Field(
        default=1800,
        ge=0,
        description="How long a build waits for memory that apps hold, before it fails.",
    )
    build_disk_rate_mb: int = Field(
        default=200,
        ge=0,
        description="Megabytes a second all builds together may read, and may write, with control "
        "groups of version 2; 0 leaves that open.",
    )
    memory_reserve_mb: int | None = Field(
        default=None,
        ge=0,
        description="Memory that builds leave free for apps; by default a tenth of the machine's, "
        "and at least 256.",
    )
    source_limit_mb: int = Field(
        default=1024, ge=1, description="Largest repository or upload; larger ones are refused."
    )

    releases_kept: int = Field(
        default=10,
        ge=2,
        description="Releases of an environment whose builds are kept for a rollback. What runs "
        "and the one before are kept in any case.",
    )
    disk_floor_mb: int | None = Field(
        default=None,
        ge=0,
        description="Free disk space below which nothing new is built. By default 2048 or a "
        "twentieth of the disk, whichever is more; at most 20480, or a fifth of a small disk.",
    )

    @field_validator("private_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("base_domain", mode="after")
    @classmethod
    def _a_domain(cls, value: str | None) -> str | None:
        return domain.checked(value) if value else None

    @field_validator("smtp_url", mode="after")
    @classmethod
    def _a_mail_server(cls, value: str | None) -> str | None:
        if value:
            mail.parse(value)
        return value or None

    @field_validator("redis_url", mode="after")
    @classmethod
    def _a_redis(cls, value: str | None) -> str | None:
        if value and not value.startswith(("redis://", "rediss://", "redis+unix://")):
            raise ValueError("it must begin with redis://, rediss:// or redis+unix://")
        return value or None

    @field_validator(
        "api_rate", "login_rate", "register_rate", "reset_rate", "webhook_rate", mode="after"
    )
    @classmethod
    def _a_rate(cls, value: str) -> str:
        if not all(_RATE.fullmatch(part.strip()) for part in value.split(";")):
            raise ValueError("it must be like `10/minute`, or `10/minute; 100/hour`")
        return value

    @model_validator(mode="after")
    def _whole_sign_ins(self) -> Self:
        """Half a sign-in would be missing without a word."""
        for name in ("oauth_github", "oauth_google", "oauth_gitlab", "oidc"):
            given = [bool(getattr(self, f"{name}_{part}")) for part in ("id", "secret")]
            if name == "oidc":
                given.append(bool(self.oidc_issuer))
            if any(given) and not all(given):
                raise ValueError(f"{name}: some of its settings are missing; see docs/settings.md")
        return self

    @field_validator("home", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @property
    def layout(self) -> Home:
        return Home(self.home)

    @property
    def web_address(self) -> str:
        """Where people find the API and the dashboard; never taken from a request."""
        if self.public_url:
            return self.public_url.rstrip("/")
        bound = "127.0.0.1" if self.bind in {"0.0.0.0", "::"} else self.bind  # noqa: S104
        bound = f"[{bound}]" if ":" in bound else bound
        return f"http://{bound}:{self.port}"

    @property
    def reachable(self) -> bool:
        """Whether others than this machine get to the API, by its address or a proxy before it."""
        public = urlsplit(self.public_url or "").hostname
        beyond = not is_loopback(self.bind) or (public is not None and not is_loopback(public))
        return beyond or bool(self.trusted_proxies)

    @property
    def mail_sender(self) -> str:
        return (
            self.mail_from or f"autostack@{urlsplit(self.public_url or '').hostname or 'localhost'}"
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        home = Path(os.environ.get("AUTOSTACK_HOME") or default_home()).expanduser()
        file = TomlConfigSettingsSource(settings_cls, home / "autostack.toml")
        return init_settings, env_settings, file
