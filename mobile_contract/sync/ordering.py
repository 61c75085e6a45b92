"""The one order of everything, and what amendments and voids make of a set of records.

Pure functions over *sets*: no result depends on the order in which records are given.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

NIL_INSTALL: Final = "00000000-0000-0000-0000-000000000000"
"""Installation of steps taken at the console, whose time is the server's and whose seq is 0."""


class OrderKey(NamedTuple):
    """`(effective_ms, install_id, seq, id)`; ids as canonical lower-case UUID text, which sorts like
    the UUID's bytes. Compare with `<`; two different records never have equal keys."""

    effective_ms: int
    install_id: str
    seq: int
    id: str


def order_key(effective_ms: int, install_id: object, seq: int, record_id: object) -> OrderKey:
    """Key of a record from a phone; accepts UUID objects or text."""
    return OrderKey(effective_ms, str(install_id).lower(), seq, str(record_id).lower())


def console_key(server_ms: int, step_id: object) -> OrderKey:
    """Key of a step taken at the console at server time `server_ms`."""
    return OrderKey(server_ms, NIL_INSTALL, 0, str(step_id).lower())


def first_install(install_ids: Iterable[object]) -> str:
    """Should a record come from several installations, the smallest id is in its key. Never empty."""
    return min(str(install_id).lower() for install_id in install_ids)


@dataclass(frozen=True, slots=True)
class Revision:
    """A record as far as amending is concerned. `key` is the record's own order key.

    `may_supervise`: the author's role, frozen when the record was accepted, may correct the records
    of others. At most one of `amends` and `voids` is set; both name a record id.
    """

    key: OrderKey
    type: str
    author_id: str
    amends: str | None = None
    voids: str | None = None
    reason: str | None = None
    may_supervise: bool = False

    @property
    def target(self) -> str | None:
        """The record this one corrects, or None for a root."""
        target = self.amends or self.voids
        return None if target is None else target.lower()


@dataclass(frozen=True, slots=True)
class Effective:
    """A root as it stands: `key` is always the root's; `content_id` names the record whose body
    counts, or None when voided; `corrections` are all accepted ones in key order, the last wins."""

    root_id: str
    key: OrderKey
    content_id: str | None
    corrections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Versions:
    """All roots in order-key order; refused corrections with their reason (a code of
    `error_codes`, `fold`); corrections that wait for a root not yet here, id → root id."""

    effective: tuple[Effective, ...]
    refused: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)


def effective_versions(records: Iterable[Revision]) -> Versions:
    """Resolve amendments and voids of a set of records (repeats are harmless).

    A correction replaces its root as a whole and takes the root's order key. Among several accepted
    corrections of one root, amendments and voids alike, the greatest own key wins; so an amendment
    made after a void brings the record back. A correction counts when its target is a root of the
    same type and its author is the root's author, or may supervise and gives a reason. One that
    names a correction is refused (`not_root`), whatever else is there.
    """
    by_id = {record.key.id: record for record in records}
    accepted: dict[str, list[Revision]] = {
        record_id: [] for record_id, record in by_id.items() if record.target is None
    }
    refused: dict[str, str] = {}
    waiting: dict[str, str] = {}
    for record_id, record in by_id.items():
        target = record.target
        if target is None:
            continue
        root = by_id.get(target)
        if root is None:
            waiting[record_id] = target
        elif (why := _why_refused(record, root)) is not None:
            refused[record_id] = why
        else:
            accepted[target].append(record)
    roots = [_effective(by_id[root_id], corrections) for root_id, corrections in accepted.items()]
    return Versions(tuple(sorted(roots, key=lambda root: root.key)), refused, waiting)


def _why_refused(correction: Revision, root: Revision) -> str | None:
    if root.target is not None:
        return "not_root"
    if correction.type != root.type:
        return "type_differs"
    if correction.author_id.lower() == root.author_id.lower():
        return None
    if not correction.may_supervise:
        return "not_author"
    return None if (correction.reason or "").strip() else "reason_missing"


def _effective(root: Revision, corrections: list[Revision]) -> Effective:
    ordered = sorted(corrections, key=lambda correction: correction.key)
    content: str | None = root.key.id
    if ordered:
        content = None if ordered[-1].voids is not None else ordered[-1].key.id
    return Effective(root.key.id, root.key, content, tuple(record.key.id for record in ordered))
