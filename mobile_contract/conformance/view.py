"""What a phone knows from the feed: pages applied as the protocol says, scope by scope."""

from collections.abc import Iterable, Mapping
from typing import Any

Row = dict[str, Any]
Key = tuple[str, str]


class View:
    """Rows by (entity, id) with the scopes that hold them; cursors by scope."""

    def __init__(self) -> None:
        self.cursors: dict[str, str | None] = {}
        self.rows: dict[Key, Row] = {}
        self._revs: dict[Key, int] = {}
        self._holders: dict[Key, set[str]] = {}
        self._staging: dict[str, set[Key]] = {}
        self.resets = 0

    def allow(self, scopes: Iterable[str]) -> None:
        """Take up new scopes and drop what is no longer allowed."""
        allowed = list(scopes)
        for gone in set(self.cursors) - set(allowed):
            self._forget_scope(gone, keep=set())
            del self.cursors[gone]
        for scope in allowed:
            self.cursors.setdefault(scope, None)

    def apply(self, answer: Mapping[str, Any]) -> bool:
        """Apply one scope's answer. True while the scope has more."""
        scope = str(answer["id"])
        if answer["reset"]:
            self.resets += 1
            self._staging[scope] = set()
        for change in answer["changes"]:
            self._change(scope, change)
        if not answer["has_more"] and scope in self._staging:
            self._forget_scope(scope, keep=self._staging.pop(scope))
        self.cursors[scope] = answer["cursor"]
        return bool(answer["has_more"])

    def entities(self, entity: str) -> dict[str, Row]:
        """Data of all rows of one entity, by id."""
        return {key[1]: row for key, row in self.rows.items() if key[0] == entity}

    def _change(self, scope: str, change: Mapping[str, Any]) -> None:
        key = (str(change["entity"]), str(change["id"]))
        rev = int(change["rev"])
        holders = self._holders.setdefault(key, set())
        if change["op"] == "put":
            holders.add(scope)
            if scope in self._staging:
                self._staging[scope].add(key)
            if rev >= self._revs.get(key, -1):
                self.rows[key] = change["data"]
                self._revs[key] = rev
        elif change["op"] == "del":
            holders.discard(scope)
            if scope in self._staging:
                self._staging[scope].discard(key)
            if not holders and rev >= self._revs.get(key, -1):
                self.rows.pop(key, None)

    def _forget_scope(self, scope: str, keep: set[Key]) -> None:
        for key, holders in self._holders.items():
            if scope in holders and key not in keep:
                holders.discard(scope)
                if not holders:
                    self.rows.pop(key, None)
                    self._revs.pop(key, None)
