"""Settings: environment (`PASSERELLE_…`), a TOML file, and defaults that suit a laptop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

TRUST_SUFFIX = "mssante.fr"


class StorageSettings(BaseModel):
    """Where exchanges live. An empty URL means a SQLite file in the data directory."""

    model_config = ConfigDict(extra="forbid")

    url: str = ""


class PortSettings(BaseModel):
    """First ports of each door; `--port-offset` shifts them all. Operators take `smtp`, `smtp + 1`, …"""

    model_config = ConfigDict(extra="forbid")

    smtp: int = 2525
    submission: int = 2587
    imap: int = 2143
    imaps: int = 2993
    https: int = 8443
    http: int = 8080

    def shifted(self, offset: int) -> PortSettings:
        """All ports moved by `offset`."""
        return PortSettings(**{name: port + offset for name, port in self.model_dump().items()})


class PolicySettings(BaseModel):
    """The default workspace's policy."""

    model_config = ConfigDict(extra="forbid")

    vigilance: Literal["refuse", "observe"] = "refuse"
    profile: Literal["strict", "official-samples", "lenient_canonical"] = "strict"
    ins_environment: Literal["test", "insi-editor-base", "production"] = "test"
    insi_verification_days: Annotated[int, Field(ge=0, description="how long an answer of INSi holds; 0: for ever")] = 0
    tls_mode: Literal["application", "production"] = "application"
    dmp_signature: Literal["off", "present", "verify"] = "present"
    mdn: Literal["off", "errors", "all"] = "errors"
    partial: bool = False
    mail_bytes: int = 25 * 1024 * 1024
    dmp_document_bytes: int = 5 * 1024 * 1024


class Settings(BaseSettings):
    """Everything that can be set. Names in the environment: `PASSERELLE_STORAGE__URL`, `PASSERELLE_PORTS__HTTP`, …"""

    model_config = SettingsConfigDict(env_prefix="PASSERELLE_", env_nested_delimiter="__", extra="forbid")

    data: Path = Path("data")
    bind: str = "127.0.0.1"
    port_offset: int = 0
    hostnames: tuple[str, ...] = ()
    lang: Literal["fr", "en"] = "fr"
    allow: tuple[str, ...] = Field(("127.0.0.1", "::1", "localhost"), description="hosts the gateway may connect to")
    token: str = ""
    retry_speed: float = 1.0
    lease_s: float = Field(120.0, gt=0, description="after which another worker takes over a delivery under way")
    workers: int = Field(0, ge=0, description="processes that judge mails; 0: one on each processor, four at most")
    storage: StorageSettings = StorageSettings()
    ports: PortSettings = PortSettings()
    policy: PolicySettings = PolicySettings()

    @property
    def storage_url(self) -> str:
        """The URL in force."""
        return self.storage.url or f"sqlite:///{(self.data / 'passerelle.sqlite').resolve()}"

    @property
    def reachable(self) -> str:
        """Where this gateway reaches its own doors: the bound address, loopback when it listens on all of them."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.bind, self.bind)  # noqa: S104  # compared, not bound

    @property
    def open_to_others(self) -> bool:
        """Listening beyond this machine: the token is then required everywhere and a warning is printed."""
        return self.bind not in ("127.0.0.1", "::1", "localhost")


def load_settings(config: Path | None = None, **given: Any) -> Settings:
    """Settings from the command line first, then the environment, then a TOML file. Raises ValueError in plain words."""

    class _WithFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
            return (*sources, TomlConfigSettingsSource(settings_cls, toml_file=config)) if config else sources

    if config is not None and not config.is_file():
        raise ValueError(f"{config}: file not found")
    return _WithFile(**{name: value for name, value in given.items() if value is not None})
