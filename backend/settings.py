"""All configuration, read once from the environment into one frozen object.

Missing, malformed and unknown ``SAOLOU_*`` variables are reported together, so that an administrator fixes them in
one go. Secrets never have a default: embedded runs generate them (``backend.secret_file``), servers must be given them.
"""

import os
import re
from base64 import b64decode
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

from environs import Env, EnvValidationError, ValidationError, validate

from backend.errors import ConfigurationError

#: Every variable this program reads, with what it is for (printed by ``doctor`` and checked against the README).
VARIABLES = {
    "DATABASE_URL": "the application role's database; set it and nothing embedded starts",
    "DATABASE_OWNER_URL": "the owner role's database, for migrate, backup and restore",
    "REDIS_URL": "the broker (Redis or Valkey)",
    "SAOLOU_SECRET_KEY": "base64 of 32 bytes: seals the archive and signs clock anchors",
    "SAOLOU_DATA_DIR": "embedded servers, secrets and files",
    "SAOLOU_FILES_URL": "S3-compatible store of photos, s3://bucket/path; AWS_* give the access (default: a folder)",
    "SAOLOU_HOST": "address the API listens on (default 127.0.0.1)",
    "SAOLOU_PORT": "port the API listens on (default 8000)",
    "SAOLOU_LOG_LEVEL": "DEBUG, INFO, WARNING or ERROR (default INFO)",
    "SAOLOU_API_WORKERS": "gunicorn processes (default 2)",
    "SAOLOU_WORKER_PROCESSES": "processes of the worker (default 2)",
    "SAOLOU_METRICS_FROM": "networks that may read /metrics, by comma (default 127.0.0.0/8,::1/128)",
    "SAOLOU_TRUSTED_PROXIES": "how many proxies stand in front (default 0)",
    "SAOLOU_WEBHOOK_HOSTS": "hosts of robots that messages may be sent to, by comma (default 企业微信's and 钉钉's)",
    "SAOLOU_WEBHOOK_LOOPBACK": "true lets messages go to http://127.0.0.1 too, for tests (default false)",
    "SAOLOU_SMTP_URL": "mail server: smtp://user:password@host:587 or smtps://… (without it no e-mail is sent)",
    "SAOLOU_MAIL_FROM": "sender's address of e-mails",
    "SAOLOU_POSTGRES_BIN": "folder of PostgreSQL 18 programs to use instead of the wheel's",
    "SAOLOU_VALKEY_BIN": "a Valkey or Redis server program to use instead of the wheel's",
    "SAOLOU_VENV": "folder of the virtual environment to use",
}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
ROBOT_HOSTS = ("qyapi.weixin.qq.com", "oapi.dingtalk.com")
LOOPBACK = ("127.0.0.0/8", "::1/128")
PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration of one process. URLs are SQLAlchemy's and Celery's."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: bytes = field(repr=False)
    data_dir: Path
    database_owner_url: str | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    log_level: str = "INFO"
    api_workers: int = 2
    trusted_proxies: int = 0
    worker_processes: int = 2
    metrics_from: tuple[str, ...] = LOOPBACK
    webhook_hosts: tuple[str, ...] = ROBOT_HOSTS
    webhook_loopback: bool = False
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    files_url: str | None = None


def default_data_dir() -> Path:
    """Where embedded servers keep their data when ``SAOLOU_DATA_DIR`` is not set."""
    return Path(os.environ.get("SAOLOU_DATA_DIR") or PROJECT / "data")


def sqlalchemy_url(url: str) -> str:
    """``postgres://`` (as many hosts hand it out) in the spelling SQLAlchemy knows."""
    return "postgresql://" + url.split("://", 1)[1] if url.startswith("postgres://") else url


def redis_py_url(url: str) -> str:
    """Celery's spelling of a broker on a Unix socket in redis-py's: ``unix://…?db=``."""
    if not url.startswith("redis+socket://"):
        return url
    return url.replace("redis+socket://", "unix://", 1).replace("virtual_host=", "db=")


def _secret_key(value: str) -> bytes:
    key = b64decode(value, validate=True)
    if len(key) != 32:
        raise ValidationError(f"must be base64 of 32 bytes, not of {len(key)}")
    return key


def _networks(values: list[str]) -> None:
    for value in values:
        try:
            ip_network(value.strip())
        except ValueError as error:
            raise ValidationError(f"{value!r} is no network such as 10.0.0.0/8") from error


def _mail_url(value: str | None) -> None:
    if value and not value.startswith(("smtp://", "smtps://")):
        raise ValidationError("must begin with smtp:// or smtps://")


def _bucket(value: str) -> None:
    if not re.fullmatch(r"s3://[a-z0-9.-]{3,63}(/[\w./-]*)?", value):
        raise ValidationError("must be s3://bucket or s3://bucket/path")


def load_settings() -> Settings:
    """Read the environment; ConfigurationError names every variable that is missing, wrong or unknown."""
    env = Env(eager=False)
    env.add_parser("secret_key", _secret_key)
    owner = env.str("DATABASE_OWNER_URL", None)
    settings = Settings(
        database_url=sqlalchemy_url(env.str("DATABASE_URL") or ""),
        redis_url=env.str("REDIS_URL"),
        secret_key=env.secret_key("SAOLOU_SECRET_KEY"),
        data_dir=default_data_dir(),
        database_owner_url=sqlalchemy_url(owner) if owner else None,
        host=env.str("SAOLOU_HOST", "127.0.0.1"),
        port=env.int("SAOLOU_PORT", 8000, validate=validate.Range(0, 65535)),
        log_level=env.str("SAOLOU_LOG_LEVEL", "INFO", validate=validate.OneOf(LOG_LEVELS)),
        api_workers=env.int("SAOLOU_API_WORKERS", 2, validate=validate.Range(1, 64)),
        trusted_proxies=env.int("SAOLOU_TRUSTED_PROXIES", 0, validate=validate.Range(0, 8)),
        worker_processes=env.int("SAOLOU_WORKER_PROCESSES", 2, validate=validate.Range(1, 64)),
        webhook_hosts=tuple(filter(None, env.list("SAOLOU_WEBHOOK_HOSTS", []) or ())) or ROBOT_HOSTS,
        webhook_loopback=env.bool("SAOLOU_WEBHOOK_LOOPBACK", False),
        smtp_url=env.str("SAOLOU_SMTP_URL", None, validate=_mail_url) or None,
        mail_from=env.str("SAOLOU_MAIL_FROM", None) or None,
        files_url=env.str("SAOLOU_FILES_URL", None, validate=_bucket),
        metrics_from=tuple(env.list("SAOLOU_METRICS_FROM", list(LOOPBACK), validate=_networks) or ()),
    )
    problems = [f"{name}: unknown variable" for name in sorted(os.environ) if _is_unknown(name)]
    try:
        env.seal()
    except EnvValidationError as error:
        messages = error.error_messages
        problems += [f"{k}: {' '.join(v)}" for k, v in messages.items()] if isinstance(messages, dict) else messages
    if problems:
        raise ConfigurationError("The environment is not right:\n  " + "\n  ".join(problems))
    return settings


def _is_unknown(name: str) -> bool:
    return name.startswith("SAOLOU_") and name not in VARIABLES
