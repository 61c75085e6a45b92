"""What a community did for its people, in figures: sweeps, windows, alarms, dangerous houses, gas, requests, welfare.

They are figures of every paper, whatever its period: a year is one more period. Here each is named and explained; the
rows of what hangs on answers are made in ``answer_figures``, of what the office keeps in ``office_figures``.
"""

from collections.abc import Callable, Sequence

from backend.meetings import answer_figures as answered
from backend.meetings import office_figures as kept
from backend.meetings.figures import Figure, Rows, Scope
from backend.meetings.hazard_figures import BOTH

Rowing = Callable[[Scope], Rows]


def _figure(key: str, label: str, unit: str, kind: str, meaning: str, rows: Rowing, detail: str = "") -> Figure:
    return Figure(key, label, unit, kind, meaning, rows, BOTH if kind == "hazard" else (), detail)


SERVICE_FIGURES: Sequence[Figure] = (
    _figure(
        "sweep_found",
        "专项行动发现隐患",
        "处",
        "hazard",
        "本期专项行动（门店、合用场所、电动车）首次发现的隐患",
        kept.swept,
    ),
    _figure(
        "sweep_closed",
        "专项行动发现并销号",
        "处",
        "hazard",
        "上列隐患中至本期结束已销号的",
        kept.swept_and_closed,
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
        kept.notices_to_leave,
        "文号",
    ),
    _figure(
        "homes_evacuated",
        "危房撤离",
        "户",
        "place",
        "本期自危房撤离且期末未返住的住户",
        kept.homes_evacuated,
    ),
    _figure(
        "houses_known",
        "自建房",
        "栋",
        "place",
        "本期排查登记或列入房屋专项行动的自建房",
        lambda s: kept.houses(s, appraised=False),
        "鉴定",
    ),
    _figure(
        "houses_appraised",
        "已鉴定自建房",
        "栋",
        "place",
        "其中最近一次排查为已鉴定的",
        lambda s: kept.houses(s, appraised=True),
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
