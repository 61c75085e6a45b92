"""Forms with their rules as phones see them in the feed. Published versions never change: each is made once."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.forms.catalogue import Override, load_overrides
from backend.forms.models import FormVersion, RuleVersion
from mobile_contract.forms import FormUnknown, answers_schema, form_document, get_form, parse_form
from mobile_contract.rules import RuleSet, parse_rules
from mobile_contract.rules.thresholds import condition_with


class FeedForm(NamedTuple):
    """A form version as the feed sends it; ``id`` is ``<code>/<version>``. ``rev`` rises with every publication that
    concerns the form, and with every change that a community makes to its rules."""

    id: str
    rev: int
    data: orjson.Fragment


class _Made(NamedTuple):
    """A form version for the wire, but for the community's own changes. ``body`` is an open JSON object."""

    body: bytes
    rules: RuleSet | None


class _Version(NamedTuple):
    """What is published about one form version: all that its row depends on. ``rules``: the newest rule set that can
    judge it, 0 when there is none."""

    code: str
    version: int
    current: bool
    rules: int
    rev: int

    @property
    def id(self) -> str:
        return f"{self.code}/{self.version}"


class PublishedForms:
    """All published forms, made for the wire once a process. Thread-safe."""

    def __init__(self) -> None:
        self._made: dict[_Version, _Made] = {}
        self._lock = Lock()

    def load(self, session: Session, community_id: UUID, ids: Iterable[str]) -> dict[str, FeedForm]:
        """The forms of these ids that are published, with the community's changes to their rules."""
        wanted = set(ids)
        return {form.id: form for form in self._all(session, community_id) if form.id in wanted}

    def list_after(self, session: Session, community_id: UUID, after_id: str | None, limit: int) -> list[FeedForm]:
        """The next forms, by id as text."""
        return [form for form in self._all(session, community_id) if after_id is None or form.id > after_id][:limit]

    def _all(self, session: Session, community_id: UUID) -> list[FeedForm]:
        published = _published(session)
        missing = [version for version in published if version not in self._made]
        if missing:
            with self._lock:
                for version in missing:
                    self._made[version] = _make(session, version)
        overrides = load_overrides(session, community_id)
        found = [_with_overrides(version, self._made[version], overrides) for version in published]
        return sorted(found, key=lambda form: form.id)


def _published(session: Session) -> list[_Version]:
    forms: dict[str, list[int]] = {}
    for code, version in session.execute(select(FormVersion.code, FormVersion.version)):
        forms.setdefault(code, []).append(version)
    rules: dict[str, list[tuple[int, list[int]]]] = {}
    judged = RuleVersion.definition["form_versions"]
    for code, version, form_versions in session.execute(select(RuleVersion.form_code, RuleVersion.version, judged)):
        rules.setdefault(code, []).append((version, form_versions))
    return [
        _Version(
            code,
            version,
            version == max(versions),
            max((n for n, judges in rules.get(code, ()) if version in judges), default=0),
            len(versions) + len(rules.get(code, ())),
        )
        for code, versions in forms.items()
        for version in versions
    ]


def _with_overrides(version: _Version, made: _Made, overrides: Mapping[str, tuple[Override, ...]]) -> FeedForm:
    """The form with the community's changes to its rules, oldest first, each with the condition as it then reads."""
    rules = () if made.rules is None else made.rules.rules
    changes = [
        {
            "rule": rule.code,
            "effective_from_ms": override.effective_from_ms,
            "enabled": override.enabled,
            "due": override.due or rule.due,
            "when": condition_with(rule, dict(override.thresholds)),
        }
        for rule in rules
        for override in overrides.get(rule.code, ())
    ]
    data = made.body + b',"overrides":' + orjson.dumps(changes) + b"}"
    # All of the community's changes count: a newer rule set without some of these rules must not lower the revision.
    return FeedForm(version.id, version.rev + sum(map(len, overrides.values())), orjson.Fragment(data))


def _as_written(version: _Version, definition: dict[str, Any]) -> dict[str, Any]:
    """The definition with its choices in the order of its file, which the database does not keep."""
    with suppress(FormUnknown):
        shipped = form_document(get_form(version.code, version.version))
        return shipped if shipped == definition else definition
    return definition


def _make(session: Session, version: _Version) -> _Made:
    definition = _as_written(version, session.get_one(FormVersion, (version.code, version.version)).definition)
    rule_set = session.get(RuleVersion, (version.code, version.rules)) if version.rules else None
    data = {
        "code": version.code,
        "version": version.version,
        "current": version.current,
        "definition": definition,
        "schema": answers_schema(parse_form(definition, version.id)),
        "rules": None if rule_set is None else rule_set.definition,
    }
    rules = None if rule_set is None else parse_rules(rule_set.definition, version.id)
    return _Made(orjson.dumps(data).removesuffix(b"}"), rules)
