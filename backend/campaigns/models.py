"""Campaigns, their frozen denominators, steps about buildings, and the projection of coverage."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Integer, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class Campaign(Base):
    """Fact: a sweep. Never changed but by being started once and ended early at most once.

    ``forms``: form code → kinds of places it is due at. ``scope``: places below which its doors stand. ``rules``:
    when not empty, only places with an open hazard of one of these rules when it starts. The period is
    ``[starts_ms, ends_ms)``; ``cadence`` cuts it into rounds. ``rev`` counts for the feed.
    """

    __tablename__ = "campaign"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    scope: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    forms: Mapped[dict[str, list[str]]] = mapped_column(JSONB)
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    rules: Mapped[list[str]] = mapped_column(ARRAY(Text))
    cadence: Mapped[str] = mapped_column(Text)
    starts_ms: Mapped[int] = mapped_column(BigInteger)
    ends_ms: Mapped[int] = mapped_column(BigInteger)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[UUID]
    started_ms: Mapped[int | None] = mapped_column(BigInteger)
    started_by: Mapped[UUID | None]
    ended_ms: Mapped[int | None] = mapped_column(BigInteger)
    ended_by: Mapped[UUID | None]
    rev: Mapped[int] = mapped_column(Integer, default=1)


class CampaignBase(Base):
    """Fact: a door of the denominator, frozen when the campaign started, with where it stood then."""

    __tablename__ = "campaign_base"
    __table_args__ = (Index(None, "community_id", "place_id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[UUID] = mapped_column(primary_key=True)
    grid_id: Mapped[UUID | None]
    building_id: Mapped[UUID | None]


class CampaignStep(Base):
    """Fact: somebody declared a building complete in a round, or approved or reopened it."""

    __tablename__ = "campaign_step"
    __table_args__ = (
        Index(
            "ix_campaign_step_building",
            *("community_id", "campaign_id", "round", "building_id", "effective_ms", "id"),
        ),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    round: Mapped[int] = mapped_column(Integer)
    building_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    effective_ms: Mapped[int] = mapped_column(BigInteger)
    actor_id: Mapped[UUID]
    actor_role: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class CampaignTarget(Base):
    """Projection: a door of a campaign's round and how it stands.

    ``frozen``: doors of the frozen denominator that it stands for (those merged into it included); 0 = found in the
    field. ``attempts`` are visits that met nobody or were turned away, ``slots`` their different time slots.
    ``forms_left`` are the forms still due. ``visit_id`` is the visit that says so.
    """

    __tablename__ = "campaign_target"
    __table_args__ = (
        Index("ix_campaign_target_grid", "community_id", "campaign_id", "round", "grid_id", "state"),
        Index("ix_campaign_target_building", "community_id", "campaign_id", "round", "building_id"),
        Index("ix_campaign_target_place", "community_id", "campaign_id", "round", "place_id"),
        Index(
            "ix_campaign_target_due",
            "community_id",
            "place_id",
            postgresql_where=text("state NOT IN ('done', 'vacant', 'not_applicable')"),
        ),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    round: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    grid_id: Mapped[UUID | None]
    building_id: Mapped[UUID | None]
    frozen: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer)
    slots: Mapped[int] = mapped_column(Integer)
    forms_left: Mapped[list[str]] = mapped_column(ARRAY(Text))
    visit_id: Mapped[UUID | None]
    visit_ms: Mapped[int | None] = mapped_column(BigInteger)


class TargetDoor(Base):
    """What phones were told about a door: its revision, its grid now, when its people were last asked."""

    __tablename__ = "target_door"
    __table_args__ = (Index(None, "community_id", "grid_id", "place_id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[UUID] = mapped_column(primary_key=True)
    grid_id: Mapped[UUID | None]
    last_contact_ms: Mapped[int | None] = mapped_column(BigInteger)
    rev: Mapped[int] = mapped_column(Integer)
