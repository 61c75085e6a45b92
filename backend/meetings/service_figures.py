"""What a community did for its people, in figures: sweeps, windows, alarms, dangerous houses, gas, requests, welfare.

They are figures of every paper, whatever its period: a year is one more period. What hangs on answers is made in
``answer_figures``; the rest are queries of what the office keeps.
"""

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import BigInteger, and_, cast, exists, func, literal, null, select, true, union_all
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased
from sqlalchemy.types import Text

from backend.campaigns.models import Campaign, CampaignTarget
from backend.evacuations.models import EvacuationMove
from backend.hazards.models import Hazard, Transition
from backend.meetings import answer_figures as answered
from backend.meetings.figures import AMOUNT, Figure, Rows, Scope
from backend.meetings.hazard_figures import BOTH, opened
from backend.notices.models import Notice, NoticeService

HOUSES: Final = "self_built_house"
Rowing = Callable[[Scope], Rows]
#: 敲门、扫楼、扫街: the forms of the sweeps whose hazards are counted together.
SWEPT: Final = ("street_shop", "multi_use_premises", "ebike_charging")


def swept(scope: Scope) -> Rows:
    """Hazards first registered in a started sweep: with one of its forms, at one of its doors, in its time."""
    t, h, c, door = Transition, Hazard, Campaign, CampaignTarget
    in_sweep = exists().where(
        and_(h.community_id == t.community_id, h.id == t.hazard_id),
        and_(door.community_id == h.community_id, door.place_id == h.place_id),
        and_(c.community_id == door.community_id, c.id == door.campaign_id, c.started_ms.is_not(None)),
        and_(t.effective_ms >= c.starts_ms, t.effective_ms < func.coalesce(c.ended_ms, c.ends_ms)),
        and_(t.form.in_(SWEPT), c.forms.has_key(t.form)),
    )
    return opened(scope).where(in_sweep)


def swept_and_closed(scope: Scope) -> Rows:
    """Those of them that were struck off when the period ended; at the time of it."""
    found, t = swept(scope).subquery("found"), aliased(Transition)
    last = (
        select(t.to_state, t.effective_ms, t.severity, t.n)
        .where(t.community_id == scope.community_id, t.hazard_id == found.c.row_id, t.effective_ms < scope.end_ms)
        .order_by(t.n.desc())
        .limit(1)
        .lateral("last")
    )
    return (
        select(
            found.c.row_id,
            last.c.effective_ms.label("at_ms"),
            found.c.category,
            last.c.severity,
            last.c.to_state.label("state"),
            cast(last.c.n, Text).label("detail"),
        )
        .select_from(found.join(last, true()))
        .where(last.c.to_state == "closed")
    )


def notices_to_leave(scope: Scope) -> Rows:
    """Notices to leave first served in the period; one that was replaced counts as the one that replaced it."""
    n, s, newer = Notice, NoticeService, aliased(Notice)
    first = (
        select(s.notice_id, func.min(s.served_ms).label("served_ms"))
        .where(s.community_id == scope.community_id)
        .group_by(s.notice_id)
        .subquery("first")
    )
    replaced = exists().where(
        newer.community_id == n.community_id, newer.replaces == n.id, newer.issued_ms < scope.end_ms
    )
    return (
        select(
            n.id.label("row_id"),
            first.c.served_ms.label("at_ms"),
            n.kind.label("category"),
            cast(null(), Text).label("severity"),
            literal("served", Text).label("state"),
            n.number.label("detail"),
        )
        .join(first, first.c.notice_id == n.id)
        .where(
            n.community_id == scope.community_id,
            n.kind == "evacuation",
            first.c.served_ms >= scope.start_ms,
            first.c.served_ms < scope.end_ms,
            ~replaced,
        )
    )


def homes_evacuated(scope: Scope) -> Rows:
    """Households whose last move before the period's end was out of a dangerous house, and lies in the period."""
    m = EvacuationMove
    last = (
        select(m.household_id, m.kind, m.moved_ms)
        .where(m.community_id == scope.community_id, m.moved_ms >= scope.start_ms, m.moved_ms < scope.end_ms)
        .ext(distinct_on(m.household_id))
        .order_by(m.household_id, m.moved_ms.desc(), m.fact_id.desc())
        .subquery("last")
    )
    return select(
        last.c.household_id.label("row_id"),
        last.c.moved_ms.label("at_ms"),
        literal("household", Text).label("category"),
        cast(null(), Text).label("severity"),
        last.c.kind.label("state"),
        cast(null(), Text).label("detail"),
    ).where(last.c.kind == "left")


def houses(scope: Scope, *, appraised: bool) -> Rows:
    """Self-built houses: described in the period, or on the list of a sweep of houses that ran in it.

    ``appraised``: of which the last description says so. A house that nobody described is known and not appraised.
    """
    described = answered.houses(scope, appraised=appraised)
    if appraised:
        return described
    c, door = Campaign, CampaignTarget
    listed = (
        select(
            door.place_id.label("row_id"),
            c.started_ms.label("at_ms"),
            literal(HOUSES, Text).label("category"),
            cast(null(), Text).label("severity"),
            cast(null(), Text).label("state"),
            cast(null(), Text).label("detail"),
            cast(null(), BigInteger).label(AMOUNT),
        )
        .join(c, and_(c.community_id == door.community_id, c.id == door.campaign_id))
        .where(
            door.community_id == scope.community_id,
            door.kind == "building",
            door.state != "not_applicable",
            c.forms.has_key(HOUSES),
            c.starts_ms < scope.end_ms,
            func.coalesce(c.ended_ms, c.ends_ms) > scope.start_ms,
        )
    )
    either = union_all(described, listed).subquery("either")
    return select(either).ext(distinct_on(either.c.row_id)).order_by(either.c.row_id, either.c.detail.nulls_last())


def _figure(key: str, label: str, unit: str, kind: str, meaning: str, rows: Rowing, detail: str = "") -> Figure:
    return Figure(key, label, unit, kind, meaning, rows, BOTH if kind == "hazard" else (), detail)


SERVICE_FIGURES: Sequence[Figure] = (
    _figure(
        "sweep_found",
        "专项行动发现隐患",
        "处",
        "hazard",
        "本期专项行动（门店、合用场所、电动车）首次发现的隐患",
        swept,
    ),
    _figure(
        "sweep_closed",
        "专项行动发现并销号",
        "处",
        "hazard",
        "上列隐患中至本期结束已销号的",
        swept_and_closed,
    ),
    _figure(
        "windows_opened",
        "防盗网开窗",
        "户",
        "place",
        "本期内开设逃生口的住户，按户计",
        answered.windows_opened,
        "改造日期",
    ),
    _figure(
        "alarm_homes",
        "安装感烟报警器",
        "户",
        "case",
        "本期内安装独立式感烟报警器的住户，按户计不按只计",
        answered.alarm_homes,
    ),
    _figure(
        "notices_to_leave",
        "送达危房劝离通知书",
        "份",
        "notice",
        "本期首次送达的危房劝离通知书；更正的只计一份",
        notices_to_leave,
        "文号",
    ),
    _figure(
        "homes_evacuated",
        "危房撤离",
        "户",
        "place",
        "本期自危房撤离且期末未返住的住户",
        homes_evacuated,
    ),
    _figure(
        "houses_known",
        "自建房",
        "栋",
        "place",
        "本期排查登记或列入房屋专项行动的自建房",
        lambda s: houses(s, appraised=False),
        "鉴定",
    ),
    _figure(
        "houses_appraised",
        "已鉴定自建房",
        "栋",
        "place",
        "其中最近一次排查为已鉴定的",
        lambda s: houses(s, appraised=True),
        "鉴定",
    ),
    _figure(
        "gas_buildings",
        "燃气上门楼栋",
        "栋",
        "place",
        "本期上门动员安装燃气管道的楼栋",
        answered.gas_buildings,
        "最早上门",
    ),
    _figure(
        "gas_homes",
        "燃气上门住户",
        "户",
        "place",
        "本期上门动员安装燃气管道的住户，按户计",
        answered.gas_homes,
        "最近上门",
    ),
    _figure(
        "gas_days",
        "燃气上门天数",
        "天",
        "visit",
        "本期有燃气上门的天数，每天列最早一次",
        answered.gas_days,
        "日期",
    ),
    _figure(
        "requests_solved",
        "办结急难愁盼",
        "件",
        "visit",
        "答复日期在本期且有办理结果的居民诉求",
        answered.requests_solved,
        "答复日期",
    ),
    _figure(
        "welfare_homes",
        "复查低保户",
        "户",
        "case",
        "本期复查的低保户，按案计",
        answered.welfare_homes,
    ),
    _figure(
        "welfare_persons",
        "复查低保人口",
        "人",
        "case",
        "上列低保户最近一次复查的实际人口之和",
        answered.welfare_persons,
    ),
    _figure(
        "elderly_eligible",
        "应接种老年人",
        "人",
        "case",
        "本期走访的60岁以上老年人，医务暂缓的除外",
        lambda s: answered.elderly(s, vaccinated=False),
    ),
    _figure(
        "elderly_vaccinated",
        "已接种老年人",
        "人",
        "case",
        "其中最近一次登记为已接种的",
        lambda s: answered.elderly(s, vaccinated=True),
    ),
    _figure(
        "helped_persons",
        "一对一帮代办",
        "人",
        "case",
        "本期有帮办人的帮扶对象",
        answered.helped_persons,
    ),
    _figure(
        "study_sessions",
        "学习主题活动",
        "次",
        "visit",
        "本期举办的学习主题活动",
        answered.events("study"),
        "日期",
    ),
    _figure(
        "drills",
        "演练",
        "次",
        "visit",
        "本期举办的演练",
        answered.events("drill"),
        "日期",
    ),
    _figure(
        "drill_units",
        "演练参加单位",
        "个",
        "visit",
        "各次演练参加的乡镇（单位）数之和",
        answered.events("drill", "units"),
        "日期",
    ),
    _figure(
        "drill_people",
        "演练参加人数",
        "人",
        "visit",
        "各次演练参加的人数之和",
        answered.events("drill", "people"),
        "日期",
    ),
)
