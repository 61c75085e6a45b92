"""The setting in which records are taken in, whoever brings them: a push, a requeue, a repair."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Uuid, any_, bindparam, select
from sqlalchemy.orm import Session

from backend.bulk import array_text
from backend.forms.catalogue import FormCatalogue
from backend.http.context import Runtime
from backend.identity.frozen_scopes import frozen, strongest
from backend.identity.keys import Keyring, Sealer, derive_key
from backend.identity.models import DeviceAccount, Membership
from backend.identity.permissions import FIELD_ROLES
from backend.inspections.record_kinds import Intake, RecordKinds
from mobile_contract.forms import Form
from mobile_contract.sync.clock import Anchor, is_genuine

ANCHOR_KEY: Final = "anchor"
#: Any role, also one that ended, of accounts that signed in on the installation. Which account a phone belongs to was
#: proved there and then, with its password; a record's own word for its author proves nothing.
_AUTHORS: Final = (
    select(Membership.account_id, Membership.role, Membership.place_id, Membership.revoked_at.is_not(None))
    .join(DeviceAccount, DeviceAccount.account_id == Membership.account_id)
    .where(
        DeviceAccount.install_id == bindparam("install_id"),
        Membership.community_id == bindparam("community_id"),
        Membership.account_id == any_(bindparam("account_ids", type_=ARRAY(Uuid()))),
        Membership.role.in_(sorted(FIELD_ROLES)),
    )
)


def anchor_key(secret_key: bytes) -> bytes:
    """The key that signs clock anchors; never rotated, or records would move in the order."""
    return derive_key(secret_key, ANCHOR_KEY)


def anchors_json(anchors: Sequence[Anchor]) -> str:
    """As kept in the archive: each with the installation it was given to."""
    return orjson.dumps([kept_anchor(anchor) for anchor in anchors]).decode() if anchors else "[]"


def kept_anchor(anchor: Anchor) -> dict[str, Any]:
    """An anchor with the installation it was given to."""
    return {"install_id": anchor.install_id, **anchor.wire()}


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a record: the roles held now, the strongest of them, and both as the archive keeps them."""

    id: UUID
    scopes: tuple[str, ...]
    role: str | None
    scopes_text: str

    @classmethod
    def of(cls, account_id: UUID, roles: Iterable[tuple[str, UUID | None]]) -> "Author":
        """From the roles and the places they are held over."""
        scopes = frozen(roles)
        return cls(account_id, scopes, strongest(scopes), array_text(scopes) or "{}")


@dataclass(slots=True)
class Taking:
    """One taking-in: the open transaction, whose community, from which installation, with what knowledge.

    ``repaired_from`` is set when the office stores a repaired payload.
    """

    session: Session
    community_id: UUID
    push_id: UUID
    install_id: UUID
    account_id: UUID | None
    now_ms: int
    sealer: Sealer
    kinds: RecordKinds
    forms: FormCatalogue
    anchor_key: bytes
    authors: dict[str, Author] = field(default_factory=dict)
    repaired_from: UUID | None = None
    _last: tuple[Anchor | None, tuple[Anchor, ...], str] | None = None
    _forms: dict[tuple[str, int], Form | None] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        session: Session,
        runtime: Runtime,
        community_id: UUID,
        *,
        push_id: UUID,
        install_id: UUID,
        account_id: UUID | None,
        now_ms: int,
        repaired_from: UUID | None = None,
    ) -> "Taking":
        """With the parts the application was wired with."""
        return cls(
            session,
            community_id,
            push_id,
            install_id,
            account_id,
            now_ms,
            runtime.part(Keyring).sealer(session, community_id),
            runtime.part(RecordKinds),
            runtime.part(FormCatalogue),
            anchor_key(runtime.settings.secret_key),
            repaired_from=repaired_from,
        )

    def intake(self) -> Intake:
        """What record kinds are given."""
        return Intake(self.session, self.community_id, self.sealer, self.now_ms)

    def form(self, code: str, version: int) -> Form | None:
        """A published form, asked for once a taking-in; :meth:`forget_unknown_forms` makes it ask again."""
        key = (code, version)
        if key not in self._forms:
            self._forms[key] = self.forms.form(self.session, code, version)
        return self._forms[key]

    def forget_unknown_forms(self) -> None:
        """Look again for what was not published a moment ago."""
        self._forms = {key: form for key, form in self._forms.items() if form is not None}

    def genuine(self, anchor: Anchor | None) -> tuple[tuple[Anchor, ...], str]:
        """``(anchor,)`` if this server signed it, else nothing; and the JSON that the archive keeps of it.

        All records of a boot share their anchor, so the last answer is nearly always the next one.
        """
        if self._last is None or self._last[0] != anchor:
            genuine = (anchor,) if anchor is not None and is_genuine(self.anchor_key, anchor) else ()
            self._last = (anchor, genuine, anchors_json(genuine))
        return self._last[1], self._last[2]

    def learn_authors(self, names: Collection[str]) -> None:
        """Authors as the records name them, each with the roles it holds now: these are frozen into the record.

        Only those who signed in on this installation and ever had a role here that goes into the field are authors.
        """
        asked = {name: UUID(name) for name in names if name not in self.authors}
        if not asked:
            return
        rows = self.session.execute(
            _AUTHORS,
            {"install_id": self.install_id, "community_id": self.community_id, "account_ids": list(asked.values())},
        )
        known: dict[UUID, list[tuple[str, UUID | None]]] = {}
        for account_id, role, place_id, ended in rows:
            held = known.setdefault(account_id, [])
            if not ended:
                held.append((role, place_id))
        self.authors.update({name: Author.of(who, known[who]) for name, who in asked.items() if who in known})
