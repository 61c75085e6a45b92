"""Checks of the three record bodies' frames, hand-written because every push runs them."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from mobile_contract.forms.answers import validate_header
from mobile_contract.forms.definition import PLACE_KINDS
from mobile_contract.sync.clock import MAX_INTEGER
from mobile_contract.sync.fields import is_sha256, is_uuid
from mobile_contract.sync.outcomes import Problem

BODY_NAMES: Final = {"visit": "visit", "place_proposal": "place", "task_step": "step"}
SEVERITIES: Final = frozenset({"red", "orange", "yellow", "blue"})
DATUMS: Final = frozenset({"wgs84", "gcj02", "bd09"})
_PLACE_KINDS: Final = frozenset(PLACE_KINDS)
_MISSING: Final = object()


class Checker:
    """Collects problems below one JSON pointer. Methods return the value when it may be used."""

    __slots__ = ("path", "problems")

    def __init__(self, path: str, problems: list[Problem] | None = None) -> None:
        self.path = path
        self.problems: list[Problem] = [] if problems is None else problems

    def at(self, suffix: str) -> "Checker":
        """A checker for a part; problems go to the same list."""
        return Checker(self.path + suffix, self.problems)

    def report(self, suffix: str, code: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(self.path + suffix, code))

    def wrong(self, data: dict[str, Any], key: str) -> None:
        """Add `required` or `invalid`, whichever is true of `key`."""
        self.report(f"/{key}", "required" if data.get(key) is None else "invalid")

    def uuid(self, data: dict[str, Any], key: str) -> None:
        """A required UUID."""
        if not is_uuid(data.get(key)):
            self.wrong(data, key)

    def optional_uuid(self, data: dict[str, Any], key: str) -> str | None:
        """A UUID or null."""
        value = data.get(key)
        if value is None:
            return None
        if not is_uuid(value):
            self.wrong(data, key)
        return str(value)

    def sha256(self, data: dict[str, Any], key: str) -> None:
        """A required SHA-256."""
        if not is_sha256(data.get(key)):
            self.wrong(data, key)

    def integer(self, data: dict[str, Any], key: str, least: int = -MAX_INTEGER) -> None:
        """A required integer from `least` to 2^53−1; `3.0` counts."""
        value = data.get(key)
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int or not least <= value <= MAX_INTEGER:
            self.wrong(data, key)

    def optional_integer(self, data: dict[str, Any], key: str) -> None:
        """An integer or null."""
        if data.get(key) is not None:
            self.integer(data, key)

    def number(self, data: dict[str, Any], key: str, least: float, most: float) -> None:
        """A required number within limits."""
        value = data.get(key)
        if value is None or type(value) not in (int, float) or not least <= value <= most:
            self.wrong(data, key)

    def text(self, data: dict[str, Any], key: str, longest: int = 2000) -> None:
        """A required text that is not blank."""
        value = data.get(key)
        if type(value) is not str or len(value) > longest or not value.strip():
            self.wrong(data, key)

    def optional_text(self, data: dict[str, Any], key: str, longest: int = 10_000) -> None:
        """A text or null."""
        value = data.get(key)
        if value is not None and (type(value) is not str or len(value) > longest):
            self.wrong(data, key)

    def choice(self, data: dict[str, Any], key: str, choices: frozenset[str]) -> None:
        """A required choice."""
        value = data.get(key)
        if type(value) is not str or value not in choices:
            self.wrong(data, key)

    def mapping(self, data: dict[str, Any], key: str) -> dict[str, Any] | None:
        """A required object."""
        value = data.get(key)
        if type(value) is dict:
            return value
        self.wrong(data, key)
        return None

    def items(self, data: dict[str, Any], key: str) -> Iterator[tuple["Checker", dict[str, Any]]]:
        """Objects of an optional list, each with its own checker."""
        value = data.get(key)
        if value is None:
            return
        if type(value) is not list:
            self.wrong(data, key)
            return
        for index, item in enumerate(value):
            if type(item) is dict:
                yield self.at(f"/{key}/{index}"), item
            else:
                self.report(f"/{key}/{index}", "invalid")

    def uuids(self, data: dict[str, Any], key: str) -> None:
        """An optional list of UUIDs."""
        value = data.get(key)
        if value is not None and (type(value) is not list or not all(map(is_uuid, value))):
            self.wrong(data, key)

    def location(self, data: dict[str, Any], key: str) -> None:
        """A point or null."""
        if data.get(key) is None:
            return
        point = self.mapping(data, key)
        if point is not None:
            inner = self.at(f"/{key}")
            inner.number(point, "lat", -90, 90)
            inner.number(point, "lon", -180, 180)
            inner.choice(point, "datum", DATUMS)
            if point.get("accuracy_m") is not None:
                inner.number(point, "accuracy_m", 0, 1e7)


def _check_visit(check: Checker, visit: dict[str, Any]) -> None:
    header = check.mapping(visit, "header")
    if header is not None:
        for problem in validate_header(header):
            check.report(f"/header{problem.pointer}", problem.code)
        if header.get("outcome") == "done" and not visit.get("blocks"):
            check.report("/blocks", "required")
    for inner, block in check.items(visit, "blocks"):
        inner.text(block, "form", longest=64)
        inner.integer(block, "version", least=1)
        inner.uuid(block, "place_id")
        answers = block.get("answers", _MISSING)
        if type(answers) is not dict and not (answers in (_MISSING, None) and not _is_done(header)):
            inner.wrong(block, "answers")
        if block.get("fixed"):
            for fixed_check, fixed in inner.items(block, "fixed"):
                fixed_check.text(fixed, "rule", longest=64)
                fixed_check.uuids(fixed, "before")
                fixed_check.uuids(fixed, "after")


def _is_done(header: dict[str, Any] | None) -> bool:
    return header is None or header.get("outcome") == "done"


def _check_place(check: Checker, place: dict[str, Any]) -> None:
    check.uuid(place, "id")
    check.choice(place, "kind", _PLACE_KINDS)
    check.uuid(place, "parent_id")
    check.text(place, "name", longest=200)
    check.optional_text(place, "address_raw", longest=1000)
    check.location(place, "location")


def _check_step(check: Checker, step: dict[str, Any]) -> None:
    check.uuid(step, "hazard_id")
    check.uuid(step, "place_id")
    check.text(step, "kind", longest=32)
    kind = step.get("kind")
    if type(kind) is str and kind in _STEP_CHECKS:
        _STEP_CHECKS[kind](check, step)


def _check_assign(check: Checker, step: dict[str, Any]) -> None:
    check.optional_uuid(step, "assignee_account_id")
    check.text(step, "responsible_party", longest=200)
    check.text(step, "measures")
    check.integer(step, "deadline_ms", least=0)
    check.choice(step, "severity", SEVERITIES)
    check.optional_text(step, "funds")
    check.optional_text(step, "plan")


def _check_accept(check: Checker, step: dict[str, Any]) -> None:
    check.optional_uuid(step, "signature")
    check.optional_text(step, "refusal_witness")


def _check_submit(check: Checker, step: dict[str, Any]) -> None:
    check.optional_text(step, "note")
    check.uuids(step, "photos")


def _check_close(check: Checker, step: dict[str, Any]) -> None:
    check.optional_uuid(step, "revisit_id")
    check.uuids(step, "basis")
    check.optional_text(step, "note")
    for inner, item in check.items(step, "evidence"):
        inner.text(item, "kind", longest=32)
        inner.uuids(item, "attachments")


def _check_return(check: Checker, step: dict[str, Any]) -> None:
    check.text(step, "reason")
    check.optional_integer(step, "deadline_ms")


def _check_void(check: Checker, step: dict[str, Any]) -> None:
    check.text(step, "reason")
    check.optional_uuid(step, "duplicate_of")


def _check_extend(check: Checker, step: dict[str, Any]) -> None:
    check.text(step, "reason")
    check.text(step, "interim")
    check.integer(step, "deadline_ms", least=0)


def _check_refer(check: Checker, step: dict[str, Any]) -> None:
    check.text(step, "recipient", longest=200)
    check.text(step, "letter", longest=200)
    check.uuids(step, "pack")
    check.optional_uuid(step, "receipt")
    check.optional_text(step, "note")


def _check_chase(check: Checker, step: dict[str, Any]) -> None:
    check.text(step, "note")
    check.optional_uuid(step, "receipt")


def _check_feedback(check: Checker, step: dict[str, Any]) -> None:
    check.text(step, "outcome")
    check.uuids(step, "attachments")


def _check_relapse(check: Checker, step: dict[str, Any]) -> None:
    check.uuids(step, "photos")
    check.optional_text(step, "note")
    check.optional_integer(step, "deadline_ms")
    if not step.get("photos"):
        check.report("/photos", "required")


def _check_reassign(check: Checker, step: dict[str, Any]) -> None:
    check.uuid(step, "assignee_account_id")
    check.text(step, "reason")


def _check_undo(check: Checker, step: dict[str, Any]) -> None:
    check.uuid(step, "undoes")
    check.optional_text(step, "reason")


BodyCheck = Callable[[Checker, dict[str, Any]], None]
BODY_CHECKS: Final[dict[str, BodyCheck]] = {
    "visit": _check_visit,
    "place_proposal": _check_place,
    "task_step": _check_step,
}
_STEP_CHECKS: Final[dict[str, BodyCheck]] = {
    "assign": _check_assign,
    "accept": _check_accept,
    "submit": _check_submit,
    "close": _check_close,
    "return": _check_return,
    "void": _check_void,
    "extend": _check_extend,
    "refer": _check_refer,
    "chase": _check_chase,
    "feedback": _check_feedback,
    "relapse": _check_relapse,
    "reassign": _check_reassign,
    "undo": _check_undo,
}
