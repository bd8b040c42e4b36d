"""Settings: one frozen object, read once, in an entrypoint."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from autostack.core import domain
from autostack.core.home import Home

Port = Annotated[int, Field(ge=0, le=65535)]


def default_home() -> Path:
    return Path("/var/lib/autostack") if os.geteuid() == 0 else Path.home() / ".autostack"


class Settings(BaseSettings):
    """Read from the environment (`AUTOSTACK_…`), then `$AUTOSTACK_HOME/autostack.toml`.

    docs/settings.md describes each; ARCHITECTURE §6 is the list other programs rely on.
    """

    model_config = SettingsConfigDict(env_prefix="AUTOSTACK_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=default_home)
    bind: str = "127.0.0.1"
    port: Port = 8000
    edge_port: Port = 8080
    base_domain: str | None = None
    public_url: str | None = None
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    runtime: Literal["auto", "process", "docker", "kubernetes", "gitops"] = "auto"
    builder: Literal["auto", "workspace", "docker", "jenkins"] = "auto"
    build_network: Literal["isolated", "host"] = "isolated"
    database_url: str | None = None
    redis_url: str | None = None
    registry_url: str | None = None
    secret_key: str | None = Field(default=None, repr=False)
    private_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    api_rate: str = "100/minute"
    login_rate: str = "10/minute"
    registration: Literal["auto", "open", "invite", "closed"] = "auto"
    unsafe_no_sandbox: bool = Field(
        default=False, description="Run builds and apps without isolation. For trusted code only."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much the control plane writes into control.log."
    )
    watch_seconds: float = Field(default=10, ge=0)
    build_slots: int = Field(default=2, ge=1, description="Builds that may run at once.")
    source_limit_mb: int = Field(
        default=1024, ge=1, description="Largest repository or upload; larger ones are refused."
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

    @field_validator("home", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @property
    def layout(self) -> Home:
        return Home(self.home)

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
