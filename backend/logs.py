"""Structured JSON logs, one event a line, without personal data.

Bind identifiers (request_id, community_id, job), never names, phones, addresses or payloads. Exceptions are logged as
their kind and the lines of code they came through: their messages may quote rows, parameters and input.
"""

import logging
import sys
import traceback

import structlog

#: Loggers of libraries whose INFO lines say nothing that ours do not.
CHATTY = ("celery", "kombu", "amqp", "alembic", "sqlalchemy.engine", "urllib3")


def configure_logs(level: str = "INFO") -> None:
    """Send structlog and the standard library's loggers as JSON lines to stderr."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        exception_facts,
    ]
    render = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        # One write a line: processes share the stream, and a line must not be broken by another's.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def fact_of(error: BaseException) -> str:
    """What went wrong and where, without the message: ``IntegrityError 23505 at ledger.py:84``."""
    # SQLAlchemy wraps the driver's error, which alone knows the SQLSTATE.
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "site-packages" not in f.filename] or frames
    at = f"{ours[-1].filename.rsplit('/', 1)[-1]}:{ours[-1].lineno}" if ours else ""
    return " ".join(filter(None, (type(error).__name__, state, "at" if at else None, at)))


def exception_facts(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """structlog processor: ``exc_info`` becomes ``exception`` (fact) and ``trace`` (lines of code)."""
    error = _exception(event.pop("exc_info", None))
    if error is not None:
        event["exception"] = fact_of(error)
        event["trace"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
        cause = error.__cause__ or error.__context__
        if cause is not None:
            event["cause"] = fact_of(cause)
    return event


def _exception(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


log = structlog.get_logger()
