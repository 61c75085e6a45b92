"""Servers with one seeded bug each: the real application, its requests or answers altered on the way."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

Wsgi = Callable[..., Any]


@dataclass
class Exchange:
    """One request and what is to be answered. ``body`` is the request's; change the answer's parts at will."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int = 0
    answer_headers: dict[str, str] | None = None
    answer: bytes = b""

    @property
    def json(self) -> Any:
        return orjson.loads(self.answer) if self.answer else None

    @json.setter
    def json(self, value: Any) -> None:
        self.answer = orjson.dumps(value)

    def is_ok(self, path: str) -> bool:
        return self.status == 200 and self.path == f"/sync/v1/{path}"


def passed_on(app: Wsgi, environ: dict[str, Any], exchange: Exchange) -> None:
    """Let the application answer."""
    told: list[Any] = []
    environ["wsgi.input"] = io.BytesIO(exchange.body)
    environ["CONTENT_LENGTH"] = str(len(exchange.body))
    answer = app(environ, lambda status, headers, *_: told.append((status, headers)))
    exchange.answer = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    exchange.status = int(told[0][0].split()[0])
    exchange.answer_headers = {name.lower(): value for name, value in told[0][1]}


class Wrong:
    """A server that is right but for one thing. ``before`` may answer by itself (True) or change the request, ``after``
    may change the answer."""

    def __init__(self, app: Wsgi) -> None:
        self.app = app

    def before(self, exchange: Exchange) -> bool:
        return False

    def after(self, exchange: Exchange) -> None:
        return

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        headers = {name[5:].replace("_", "-").lower(): str(v) for name, v in environ.items() if name[:5] == "HTTP_"}
        exchange = Exchange(environ["REQUEST_METHOD"], environ["PATH_INFO"], headers, body)
        if not self.before(exchange):
            for name, value in exchange.headers.items():
                environ["HTTP_" + name.upper().replace("-", "_")] = value
            passed_on(self.app, environ, exchange)
            self.after(exchange)
        given = dict(exchange.answer_headers or {"content-type": "application/json"})
        if exchange.method != "HEAD" and exchange.status != 204:
            given["content-length"] = str(len(exchange.answer))
        start_response(f"{exchange.status} X", list(given.items()))
        return [exchange.answer]


def results(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Callable[[Any, Exchange], None]:
    """Changes the results of every push."""

    def after(_: Any, exchange: Exchange) -> None:
        if exchange.is_ok("push"):
            exchange.json = {**exchange.json, "results": change(exchange.json["results"])}

    return after


def bug(what: str, **methods: Any) -> type[Wrong]:
    """A kind of wrong server."""
    return type(what, (Wrong,), methods)


def _forget(self: Any, exchange: Exchange) -> bool:
    """Acknowledges single records without looking at them."""
    if exchange.path != "/sync/v1/push" or exchange.body.count(b'"payload"') != 1 or b"no_answer" not in exchange.body:
        return False
    if not exchange.body.startswith(b"{"):
        return False
    record = orjson.loads(exchange.body)["records"][0]
    exchange.status = 200
    result = {"id": record["id"], "status": "stored", "effective_at_ms": 1, "time_quality": "anchored"}
    result |= {"quarantine_id": None, "errors": [], "missing_attachments": []}
    exchange.json = {
        "server_epoch": "e",
        "server_time_ms": 1,
        "safe_through_ms": 0,
        "min_schema": 1,
        "results": [result],
    }
    return True


def _whole_or_nothing(self: Any, exchange: Exchange) -> None:
    if exchange.is_ok("push") and any(r["status"] == "quarantined" for r in exchange.json["results"]):
        exchange.status, exchange.answer_headers = 422, {"content-type": "application/problem+json"}
        exchange.json = {"code": "envelope_invalid"}


def _changed(path: str, **values: Any) -> Callable[[Any, Exchange], None]:
    def after(_: Any, exchange: Exchange) -> None:
        if exchange.is_ok(path):
            exchange.json = {**exchange.json, **values}

    return after


def _pages(change: Callable[[dict[str, Any]], None]) -> Callable[[Any, Exchange], None]:
    def after(_: Any, exchange: Exchange) -> None:
        if exchange.is_ok("pull"):
            answer = exchange.json
            for scope in answer["scopes"]:
                change(scope)
            exchange.json = answer

    return after


def _miss_a_row(scope: dict[str, Any]) -> None:
    """As a cursor over a sequence does: a row that became visible late is passed over."""
    if not scope["reset"] and scope["changes"]:
        scope["changes"].pop(0)


def _once(self: Any, exchange: Exchange) -> bool:
    """A refresh token serves once, and its answer may be lost."""
    if exchange.path != "/sync/v1/auth/refresh":
        return False
    token = orjson.loads(exchange.body)["refresh_token"]
    spent = self.__dict__.setdefault("spent", set())
    if token not in spent:
        spent.add(token)
        return False
    exchange.status, exchange.answer_headers = 401, {"content-type": "application/problem+json"}
    exchange.json = {"code": "refresh_reused"}
    return True


def _no_upgrade(self: Any, exchange: Exchange) -> bool:
    if exchange.path != "/sync/v1/push" or exchange.headers.get("x-protocol") != "0":
        return False
    exchange.status, exchange.answer_headers = 426, {"content-type": "application/problem+json"}
    exchange.json = {"code": "protocol_too_old"}
    return True


def _receipt_time(self: Any, exchange: Exchange) -> None:
    if exchange.is_ok("push"):
        answer = exchange.json
        for result in answer["results"]:
            if result["effective_at_ms"] is not None:
                result["effective_at_ms"] = answer["server_time_ms"]
        exchange.json = answer


def _on_files(method: str, change: Callable[[Exchange], None]) -> Callable[[Any, Exchange], Any]:
    def act(_: Any, exchange: Exchange) -> bool:
        if exchange.path.startswith("/sync/v1/files") and exchange.method == method:
            change(exchange)
        return False

    return act


def _any_offset(exchange: Exchange) -> None:
    if exchange.status == 409 and b"offset_mismatch" in exchange.answer:
        exchange.status, exchange.answer = 204, b""


def _from_nought(exchange: Exchange) -> None:
    if exchange.status == 200:
        exchange.answer_headers = {**(exchange.answer_headers or {}), "upload-offset": "0"}


def _another_location(exchange: Exchange) -> None:
    headers = exchange.answer_headers or {}
    if exchange.status == 201 and headers.get("upload-offset") != "0":
        exchange.answer_headers = {**headers, "location": headers["location"].upper()}


def _any_hash(exchange: Exchange) -> None:
    if b"file_begins_anew" in exchange.answer:
        exchange.status, exchange.answer = 204, b""


def _any_kind(exchange: Exchange) -> None:
    if b"attachment_kind_unknown" in exchange.answer:
        exchange.status, exchange.answer = 204, b""


def _plain_errors(self: Any, exchange: Exchange) -> None:
    if exchange.status >= 400:
        exchange.answer_headers = {**(exchange.answer_headers or {}), "content-type": "application/json"}


def _no_anchor(self: Any, exchange: Exchange) -> None:
    if exchange.is_ok("push"):
        exchange.answer = re.sub(rb',"anchor":\{[^}]*\}', b"", exchange.answer)


def _drop_gzip(self: Any, exchange: Exchange) -> bool:
    if exchange.headers.get("content-encoding") != "gzip" or exchange.path != "/sync/v1/push":
        return False
    exchange.status, exchange.answer_headers = 415, {"content-type": "application/problem+json"}
    exchange.json = {"code": "body_unreadable"}
    return True


def _waits_for_photos(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "status": "retry"} if row["missing_attachments"] else row for row in rows]


def _refuses_unknown_places(self: Any, exchange: Exchange) -> None:
    if exchange.is_ok("push") and b"0197a000-dead" in exchange.body:
        answer = exchange.json
        answer["results"] = [{**row, "status": "retry"} for row in answer["results"]]
        exchange.json = answer


def _drop_checksum(exchange: Exchange) -> None:
    exchange.headers["upload-checksum"] = ""


def _statuses(**names: str) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda rows: [{**row, "status": names.get(row["status"], row["status"])} for row in rows]


#: Name of the bug → the server, and a check that must fail of it.
BUGS: dict[str, tuple[type[Wrong], str]] = {
    "acknowledges and forgets": (bug("Forgets", before=_forget), "push-stored"),
    "a resend is stored again": (bug("Twice", after=results(_statuses(duplicate="stored"))), "push-duplicate"),
    "a result is left out": (
        bug("Short", after=results(lambda rows: rows[:-1] if len(rows) > 2 else rows)),
        "push-order",
    ),
    "results in another order": (bug("Turned", after=results(lambda rows: rows[::-1])), "push-order"),
    "another record under a taken id is a duplicate": (
        bug("Reuses", after=results(_statuses(quarantined="duplicate"))),
        "push-id-reused",
    ),
    "one bad record spoils the push": (bug("AllOrNothing", after=_whole_or_nothing), "poison-nul"),
    "unknown places are refused": (bug("Strict", after=_refuses_unknown_places), "push-unknown-place"),
    "an old app cannot push": (bug("NoUpgrade", before=_no_upgrade), "push-never-too-old"),
    "receipt time orders": (bug("Receipt", after=_receipt_time), "time-anchored"),
    "every time is called anchored": (
        bug("Sure", after=results(lambda rows: [{**row, "time_quality": "anchored"} for row in rows])),
        "time-estimated",
    ),
    "no anchor with a push": (bug("NoAnchor", after=_no_anchor), "clock-everywhere"),
    "gzip is not read": (bug("NoGzip", before=_drop_gzip), "push-encodings"),
    "a refresh token serves once": (bug("Once", before=_once), "refresh-lost-answer"),
    "reconcile finds nothing missing": (bug("Blind", after=_changed("reconcile", missing=[])), "reconcile"),
    "the feed misses rows": (bug("Gaps", after=_pages(_miss_a_row)), "pull-changes"),
    "the feed ends early": (bug("Ends", after=_pages(lambda scope: scope.update(has_more=False))), "pull-pages"),
    "the feed never resets": (bug("Steady", after=_pages(lambda scope: scope.update(reset=False))), "pull-reset"),
    "the feed always resets": (bug("Jumpy", after=_pages(lambda scope: scope.update(reset=True))), "pull-no-reset"),
    "the epoch changes": (
        bug("Moody", after=_changed("pull", server_epoch="e" * 17)),
        "epoch-steady",
    ),
    "errors are plain JSON": (bug("Plain", after=_plain_errors), "envelope-invalid"),
    "records wait for photos": (bug("Waits", after=results(_waits_for_photos)), "files-apart"),
    "photos are never missing": (
        bug("Content", after=results(lambda rows: [{**row, "missing_attachments": []} for row in rows])),
        "files-apart",
    ),
    "a piece is taken at any offset": (bug("AnyOffset", after=_on_files("PATCH", _any_offset)), "files-offset"),
    "uploads begin at nought again": (bug("Nought", after=_on_files("HEAD", _from_nought)), "files-whole"),
    "announced again it is another upload": (
        bug("Elsewhere", after=_on_files("POST", _another_location)),
        "files-same-location",
    ),
    "checksums are not looked at": (bug("NoSum", before=_on_files("PATCH", _drop_checksum)), "files-checksum"),
    "the whole file's hash is not looked at": (bug("AnyHash", after=_on_files("PATCH", _any_hash)), "files-hash"),
    "any file is a picture": (bug("AnyKind", after=_on_files("PATCH", _any_kind)), "files-kind"),
}
