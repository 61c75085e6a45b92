"""Histories of what was done for people: visits with light forms, dangerous houses and notices, put in as facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from backend.campaigns.freezing import freeze
from backend.campaigns.models import Campaign
from backend.db import NIL_ID, new_id
from backend.evacuations.models import EvacuationFact
from backend.evacuations.projecting import refold
from backend.http.context import Runtime
from backend.identity.keys import Keyring
from backend.notices.models import Notice, NoticeService
from backend.notices.service import seal_fact
from backend.rectification.compile import compile_places
from mobile_contract.conformance.answers import form_of, present_rules, rules_of
from mobile_contract.rules import hazard_id
from tests.factories.places import Tree
from tests.factories.records import block, put_record, visit_body

Blocks = Sequence[tuple[str, Mapping[str, Any]]]


@dataclass
class Call:
    """A finished visit; ``later``: corrections of it, (time, its blocks instead or None for a void)."""

    place: UUID
    at_ms: int
    blocks: Blocks
    later: list[tuple[int, Blocks | None]] = field(default_factory=list)
    id: UUID = field(default_factory=new_id)


@dataclass
class Services:
    """``ends``: steps that strike off what the first block's first rule found at a place: (time, call, kind)."""

    calls: list[Call] = field(default_factory=list)
    ends: list[tuple[int, Call, str]] = field(default_factory=list)
    campaigns: list[tuple[Sequence[str], Sequence[str], int, int]] = field(default_factory=list)
    facts: list[tuple[int, UUID, str, UUID | None, Mapping[str, Any]]] = field(default_factory=list)
    notices: list[tuple[UUID, str, UUID, int, UUID | None]] = field(default_factory=list)
    served: list[tuple[UUID, UUID | None, int]] = field(default_factory=list)


def write_services(session: Session, runtime: Runtime, community_id: UUID, tree: Tree, history: Services) -> None:
    """Put all facts in and fold them; the transaction must see the community."""
    sealer = runtime.part(Keyring).sealer(session, community_id)
    for forms, kinds, starts_ms, ends_ms in history.campaigns:
        _start(session, community_id, forms, kinds, starts_ms, ends_ms)
    for seq, call in enumerate(history.calls, 1):
        own = {"role": "safety_officer", "seq": seq}
        put_record(session, sealer, community_id, _body(call.place, call.blocks), call.at_ms, record_id=call.id, **own)
        for at_ms, blocks in call.later:
            said = {} if blocks is None else _body(call.place, blocks)
            root = {"voids": call.id} if blocks is None else {"amends": call.id}
            put_record(session, sealer, community_id, said, at_ms, reason="更正", record_type="visit", **root, **own)
    for at_ms, call, kind in history.ends:
        put_record(session, sealer, community_id, _step(community_id, call, kind), at_ms, **_CLOSER)
    _write_houses(session, runtime, community_id, history)
    compile_places(session, runtime, community_id, [community_id, *tree.grid_of, *tree.building_of])
    session.flush()


_CLOSER: Mapping[str, Any] = {"role": "safety_officer", "author_id": UUID(int=0xB)}


def _body(place: UUID, blocks: Blocks) -> dict[str, Any]:
    return visit_body(place, [block(form, place, answers) for form, answers in blocks])


def _step(community_id: UUID, call: Call, kind: str) -> dict[str, Any]:
    form, answers = call.blocks[0]
    rules = rules_of(form_of(form, 1))
    assert rules is not None
    chain = rules.ruleset.by_code[present_rules(form_of(form, 1), dict(answers))[0]].chain
    said = {"hazard_id": str(hazard_id(community_id, call.place, chain, "")), "place_id": str(call.place), "kind": kind}
    more = {"reason": "误报"} if kind == "void" else {"revisit_id": None, "basis": [], "evidence": []}
    return {"step": {**said, **more}}


def _start(
    session: Session, community_id: UUID, forms: Sequence[str], kinds: Sequence[str], starts_ms: int, ends_ms: int
) -> None:
    campaign = Campaign(
        community_id=community_id,
        id=new_id(),
        name="专项行动",
        scope=[community_id],
        forms={form: list(kinds) for form in forms},
        kinds=list(kinds),
        rules=[],
        cadence="once",
        starts_ms=starts_ms,
        ends_ms=ends_ms,
        created_ms=starts_ms,
        created_by=NIL_ID,
        started_ms=starts_ms,
        started_by=NIL_ID,
        rev=1,
    )
    session.add(campaign)
    session.flush()
    freeze(session, campaign)


def _write_houses(session: Session, runtime: Runtime, community_id: UUID, history: Services) -> None:
    for at_ms, house, kind, home, body in history.facts:
        fact_id = new_id()
        session.add(
            EvacuationFact(
                community_id=community_id,
                id=fact_id,
                house_id=house,
                household_id=home,
                kind=kind,
                effective_ms=at_ms,
                install_id=NIL_ID,
                seq=0,
                actor_id=NIL_ID,
                actor_role="street",
                sealed=seal_fact(session, runtime, community_id, fact_id, body),
                recorded_ms=at_ms,
            )
        )
    for seq, (notice_id, kind, place, issued_ms, replaces) in enumerate(history.notices, 1):
        session.add(
            Notice(
                **{"community_id": community_id, "id": notice_id, "kind": kind, "year": 2026, "seq": seq},
                **{"number": f"〔2026〕{seq:02}号", "place_id": place, "deadline_ms": issued_ms, "replaces": replaces},
                **{"snapshot": b"", "issued_ms": issued_ms, "issued_by": NIL_ID},
            )
        )
    for notice_id, home, served_ms in history.served:
        session.add(
            NoticeService(
                **{"community_id": community_id, "id": uuid4(), "notice_id": notice_id, "household_id": home},
                **{"mode": "onsite", "result": "signed", "served_ms": served_ms, "body": b""},
                **{"recorded_ms": served_ms, "recorded_by": NIL_ID},
            )
        )
    session.flush()
    refold(session, runtime.part(Keyring), community_id, {fact[1] for fact in history.facts})
