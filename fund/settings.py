"""The fund's settings, read from the environment (`.env.example` lists every one)."""

from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

DEMO_PHONE = "0161 496 0000"  # one of the numbers kept for stories: it rings nowhere
DEMO_SECRET = "only-for-the-demo-on-this-machine"  # noqa: S105  refused in production, below

DEMO_IBAN = "GB29NWBK60161331926819"  # the IBAN standard's own example: it belongs to nobody


class Settings(BaseSettings):
    """Every setting. Production refuses to start with a debug flag, a default secret or a demo person."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    fund_env: Literal["demo", "test", "production"] = "demo"
    debug: bool = False
    secret_key: SecretStr = SecretStr(DEMO_SECRET)
    field_key: SecretStr = SecretStr("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
    database_url: str = ""
    migration_database_url: str = ""
    redis_url: str = ""
    s3_endpoint_url: str = ""
    s3_bucket: str = "fund"
    s3_access_key: str = "demo"
    s3_secret_key: SecretStr = SecretStr(DEMO_SECRET)
    smtp_url: str = "smtp://127.0.0.1:8025"
    mail_from: str = "The Levelling Up Communities Fund <fund@example.org>"
    bank_url: str = ""
    bank_account_name: str = "Levelling Up Communities Fund"
    bank_account_iban: str = DEMO_IBAN
    public_url: str = "http://127.0.0.1:8000"
    mailbox_url: str = ""
    port: int = 8000
    trusted_hosts: list[str] = Field(default_factory=lambda: ["127.0.0.1", "localhost"])
    proxies: int = Field(default=0, ge=0, le=5)
    log_origin: str = "demo.fund.example/ledger"
    log_bucket: str = "fund-log"
    log_key_file: str = ""
    log_policy_file: str = ""
    rehearsal: bool = False
    help_phone: str = DEMO_PHONE
    source_url: str = ""
    demo_sign_in: bool = True

    @property
    def payer_name(self) -> str:
        """Who pays, as a payment file names them; a rehearsal's file says what it is."""
        if self.rehearsal:
            return "Rehearsal: real grants, invented scores and payments"
        return self.bank_account_name

    @field_validator("database_url", "migration_database_url")
    @classmethod
    def spoken_by_psycopg(cls, address: str) -> str:
        """Take an address as hosts hand it out (`postgres://…`), and say which driver speaks to it."""
        scheme, separator, rest = address.partition("://")
        return f"postgresql+psycopg://{rest}" if separator and scheme in {"postgres", "postgresql"} else address

    @model_validator(mode="after")
    def production_is_safe(self) -> "Settings":
        """Refuse to be production with anything that belongs to a demo."""
        if self.fund_env != "production":
            return self
        wrong = []
        if self.debug:
            wrong.append("DEBUG is on")
        if self.secret_key.get_secret_value() == DEMO_SECRET or len(self.secret_key.get_secret_value()) < 32:
            wrong.append("SECRET_KEY is the demo's, or shorter than 32 characters")
        if self.field_key.get_secret_value() == type(self).model_fields["field_key"].default.get_secret_value():
            wrong.append("FIELD_KEY is the demo's")
        if self.s3_secret_key.get_secret_value() == DEMO_SECRET:
            wrong.append("S3_SECRET_KEY is the demo's")
        if self.bank_account_iban == DEMO_IBAN:
            wrong.append("BANK_ACCOUNT_IBAN is the demo's")
        if self.demo_sign_in:
            wrong.append("DEMO_SIGN_IN is on")
        if self.help_phone == DEMO_PHONE:
            wrong.append("HELP_PHONE is the demo's")
        if not self.source_url.startswith(("https://", "http://")):
            wrong.append("SOURCE_URL is not an address of the web")
        wrong += [f"{name.upper()} is not set" for name in ("database_url", "redis_url", "s3_endpoint_url")
                  if not getattr(self, name)]
        if wrong:
            raise ValueError("Production refuses to start: " + "; ".join(wrong))
        return self


_in_use: list[Settings] = []


def use(given: Settings) -> None:
    """Let `given` be the settings of this process from now on. `create_app` says so; tests say so for one test."""
    _in_use[:] = [given]


def settings() -> Settings:
    """The settings of this process: those in use, else those of the environment, read once.

    Settings that are wrong end the process with sentences: the library's own report prints every secret.
    """
    if not _in_use:
        use(read())
    return _in_use[0]


def read() -> Settings:
    """The environment's settings, or the end of the process with a sentence for each that is wrong."""
    try:
        return Settings()
    except (ValidationError, SettingsError) as error:
        raise SystemExit("\n".join(wrong_settings(error))) from None


def wrong_settings(error: ValidationError | SettingsError) -> list[str]:
    """What is wrong with the settings, a sentence each, without any value."""
    if isinstance(error, SettingsError):
        return [f"The settings cannot be read: {error}."]
    return [(f"{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}." if one["loc"] else
             f"{one['msg'].removeprefix('Value error, ')}.") for one in error.errors(include_input=False)]
