"""Forms and rules in the feed."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from backend.forms.feed import FeedForm, PublishedForms
from backend.sync.feed import Change, append_changes, forms_scope
from backend.sync.feed_entities import FeedEntity, FeedRow

NAME: Final = "form"


def form_entity() -> FeedEntity:
    """The feed's entity ``form``; keeps what it has made."""
    published = PublishedForms()

    def load(session: Session, community_id: UUID, ids: Sequence[str]) -> dict[str, FeedRow]:
        return {form.id: _row(form, community_id) for form in published.load(session, community_id, ids).values()}

    def after(session: Session, community_id: UUID, scope_id: str, after_id: str | None, limit: int) -> list[FeedRow]:
        return [_row(form, community_id) for form in published.list_after(session, community_id, after_id, limit)]

    return FeedEntity(NAME, "forms", load, after)


def tell_forms(session: Session, community_id: UUID, codes: Iterable[str]) -> None:
    """Something was published about the forms ``codes``: send all their versions to the community's phones again."""
    wanted = set(codes)
    forms = PublishedForms().list_after(session, community_id, None, 10_000)
    changed = [form for form in forms if form.id.partition("/")[0] in wanted]
    scope = forms_scope(community_id)
    append_changes(session, community_id, [Change(scope, NAME, form.id, "put", form.rev) for form in changed])


def tell_form(session: Session, community_id: UUID, code: str) -> None:
    """The community changed rules of the form ``code``. For ``RuleListeners.on_changed``."""
    tell_forms(session, community_id, [code])


def _row(form: FeedForm, community_id: UUID) -> FeedRow:
    return FeedRow(form.id, form.rev, forms_scope(community_id), form.data)
