"""The setting in which records are taken in, whoever brings them: a push, a requeue, a repair."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from backend.forms.catalogue import FormCatalogue
from backend.http.context import Runtime
from backend.identity.keys import Keyring, Sealer, derive_key
from backend.identity.models import Membership, Token
from backend.identity.permissions import strength
from backend.inspections.record_kinds import Intake, RecordKinds
from mobile_contract.forms import Form
from mobile_contract.sync.clock import Anchor, is_genuine

ANCHOR_KEY: Final = "anchor"


def anchor_key(secret_key: bytes) -> bytes:
    """The key that signs clock anchors; never rotated, or records would move in the order."""
    return derive_key(secret_key, ANCHOR_KEY)


def anchors_json(anchors: Sequence[Anchor]) -> str:
    """As kept in the archive: each with the installation it was given to."""
    return orjson.dumps([kept_anchor(anchor) for anchor in anchors]).decode() if anchors else "[]"


def kept_anchor(anchor: Anchor) -> dict[str, Any]:
    """An anchor with the installation it was given to."""
    return {"install_id": anchor.install_id, **anchor.wire()}


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
    authors: dict[str, tuple[UUID, str | None]] = field(default_factory=dict)
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
        """Authors as the records name them, each with the strongest role it holds now: it is frozen into the record.

        Only who serves (or served) this community and has signed in on this very installation may be an author here;
        anybody else is left out. Otherwise a field worker's phone could sign with a supervisor's name.
        """
        asked = {name: UUID(name) for name in names if name not in self.authors}
        if not asked:
            return
        signed_in = exists().where(Token.account_id == Membership.account_id, Token.install_id == self.install_id)
        rows = self.session.execute(
            select(Membership.account_id, Membership.role, Membership.revoked_at).where(
                Membership.community_id == self.community_id,
                Membership.account_id == func.any(list(asked.values())),
                signed_in,
            )
        )
        held: dict[UUID, str | None] = {}
        for account_id, role, revoked_at in rows:
            known = held.setdefault(account_id, None)
            if revoked_at is None and (known is None or strength(role) < strength(known)):
                held[account_id] = role
        self.authors.update({name: (author, held[author]) for name, author in asked.items() if author in held})
