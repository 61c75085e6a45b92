"""What the community of the source reported of its year, and what the paper of the simulated one says."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from backend.meetings.sentences import rate

Values = Mapping[str, int]


class Line(NamedTuple):
    """A figure as reported. ``keys``: the paper's figures that it is read from."""

    what: str
    reported: str
    keys: tuple[str, ...]
    printed: Callable[..., str]


class Printed(NamedTuple):
    """A figure as it came out."""

    what: str
    reported: str
    printed: str
    ok: bool


def about_500(homes: int) -> bool:
    """The source rounds this one."""
    return 490 <= homes <= 510


LINES: Final = (
    Line("专项行动发现并销号隐患 hazards found and closed", "53处", ("sweep_closed",), "{}处".format),
    Line("防盗网开窗 windows opened", "87户", ("windows_opened",), "{}户".format),
    Line("感烟报警器 smoke alarms", "17户", ("alarm_homes",), "{}户".format),
    Line(
        "危房劝离、撤离 notices, evacuated",
        "7份、13户",
        ("notices_to_leave", "homes_evacuated"),
        "{}份、{}户".format,
    ),
    Line(
        "自建房鉴定 houses appraised",
        "全部",
        ("houses_appraised", "houses_known"),
        lambda done, all_: "全部" if done == all_ > 0 else f"{done}／{all_}",
    ),
    Line(
        "燃气上门 gas visits",
        "14栋、约500户、19天",
        ("gas_buildings", "gas_homes", "gas_days"),
        lambda b, h, d: f"{b}栋、{'约500' if about_500(h) else h}户、{d}天",
    ),
    Line("办结急难愁盼 requests solved", "55件", ("requests_solved",), "{}件".format),
    Line("低保复查 low-income review", "42户、67人", ("welfare_homes", "welfare_persons"), "{}户、{}人".format),
    Line("老年人接种率 vaccinated", "98.3%", ("elderly_vaccinated", "elderly_eligible"), rate),
    Line("一对一帮代办 one-to-one helper", "4人", ("helped_persons",), "{}人".format),
    Line("学习主题活动 study sessions", "9次", ("study_sessions",), "{}次".format),
    Line(
        "演练 drills",
        "2次、14个乡镇、200余人",
        ("drills", "drill_units", "drill_people"),
        lambda n, u, p: f"{n}次、{u}个乡镇、{'200余' if 200 <= p < 300 else p}人",
    ),
)


def figures_of(values: Values) -> dict[str, int]:
    """The figures that the report is read from; -1 for one that the paper does not have."""
    return {key: values.get(key, -1) for line in LINES for key in line.keys}


def printed_lines(values: Values) -> list[Printed]:
    """Each figure as the paper has it, beside what was reported."""
    lines = []
    for line in LINES:
        printed = line.printed(*(figures_of(values)[key] for key in line.keys))
        lines.append(Printed(line.what, line.reported, printed, printed == line.reported))
    return lines
