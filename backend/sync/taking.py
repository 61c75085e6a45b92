"""The setting in which records are taken in, whoever brings them: a push, a requeue, a repair."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.forms.catalogue import FormCatalogue
from backend.http.context import Runtime
from backend.identity.keys import Keyring, Sealer, derive_key
from backend.identity.models import Membership
from backend.identity.permissions import strength
from backend.inspections.record_kinds import Intake, RecordKinds
from mobile_contract.forms import Form
from mobile_contract.sync.clock import Anchor, is_genuine

ANCHOR_KEY: Final = "anchor"


def anchor_key(secret_key: bytes) -> bytes:
    """The key that signs clock anchors; never rotated, or records would move in the order."""
    return derive_key(secret_key, ANCHOR_KEY)


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
    roles: dict[UUID, str | None] = field(default_factory=dict)
    repaired_from: UUID | None = None
    _genuine: dict[Anchor, bool] = field(default_factory=dict)
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

    def is_genuine(self, anchor: Anchor) -> bool:
        """Whether this server signed it; all records of a boot share their anchor, so the answer is kept."""
        known = self._genuine.get(anchor)
        if known is None:
            known = self._genuine[anchor] = is_genuine(self.anchor_key, anchor)
        return known

    def learn_roles(self, authors: Collection[UUID]) -> None:
        """Each author's strongest role now: it is frozen into the record."""
        asked = [author for author in authors if author not in self.roles]
        if not asked:
            return
        rows = self.session.execute(
            select(Membership.account_id, Membership.role).where(
                Membership.community_id == self.community_id,
                Membership.account_id == func.any(asked),
                Membership.revoked_at.is_(None),
            )
        )
        held: dict[UUID, str] = {}
        for account_id, role in rows:
            if account_id not in held or strength(role) < strength(held[account_id]):
                held[account_id] = role
        self.roles.update({author: held.get(author) for author in asked})
