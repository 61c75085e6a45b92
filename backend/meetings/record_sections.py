"""Sections 一 to 四: what was visited, what was found and put right, how that compares, what is grave."""

from backend.meetings.charts import Series, Share, by_severity, by_share, trend
from backend.meetings.figures import PLACE_KINDS, SEVERITIES
from backend.meetings.grid_figures import GridLine
from backend.meetings.labels import PLACE_KIND_ZH, SEVERITY_ZH
from backend.meetings.paper_blocks import (
    Block,
    Cell,
    Findings,
    chart,
    cut_short,
    heading,
    note,
    paragraph,
    short_day,
    table,
)
from backend.meetings.periods import Period
from backend.meetings.sentences import COVERAGE, GAPS, HAZARDS, IDENTITY, ON_TIME, Part, compared, rate, say

#: Figures of section 三, in order.
COMPARED = ("new", "new.red", "closed", "overdue", "open_end")
DOOR_FIGURES = ("registered", "visited", "reached", "completed", "not_met", "refused", "wrong_address")
TREND = ("new", "closed", "open_end")


def coverage_blocks(found: Findings) -> list[Block]:
    """一: the sentence of the domain, doors by kind, doors by grid."""
    values, words = found.values, found.words
    rows: list[list[Cell]] = []
    for kind in (*PLACE_KINDS, None):
        suffix = f".{kind}" if kind else ""
        row: list[Cell] = [PLACE_KIND_ZH[kind] if kind else "合计"]
        row += [found.number(key + suffix) for key in DOOR_FIGURES]
        rows.append([*row, rate(values.get(f"completed{suffix}", 0), values.get(f"registered{suffix}", 0))])
    head = ["对象", "登记", "走访", "入户", "完成", "未见面", "拒访", "地址不符", "完成率"]
    done = rate(values.get("completed", 0), values.get("registered", 0))
    blocks = [
        paragraph(say(COVERAGE, values, this=words.this, rate=done)),
        paragraph(say(ON_TIME, values)),
        table("排查情况统计", head, rows),
        *_coverage_by_grid(found),
    ]
    if not values.get("visits"):
        blocks.insert(1, paragraph([f"{words.this}无走访记录。"]))
    return blocks


def _coverage_by_grid(found: Findings) -> list[Block]:
    lines = [line for line in found.grids if line.values.get("registered")]
    if not lines:
        return []
    shares = [Share(line.name, line.values.get("completed", 0), line.values["registered"]) for line in lines]
    caption = "各网格完成率（完成／登记）"
    rates = [rate(share.part, share.whole) for share in shares]
    rows: list[list[Cell]] = [
        [
            line.name,
            *(line.number(key) for key in ("registered", "completed", "not_met", "refused")),
            rate(share.part, share.whole),
        ]
        for line, share in zip(lines, shares, strict=True)
    ]
    head = ["网格", "登记", "完成", "未见面", "拒访", "完成率"]
    return [table("各网格排查情况", head, rows), chart(caption, by_share(caption, shares, rates))]


def hazard_blocks(found: Findings) -> list[Block]:
    """二: the sentence of the domain, the identity, then what is new, struck off, overdue and referred."""
    values = found.values
    return [
        paragraph(say(HAZARDS, values)),
        paragraph(say(IDENTITY, values)),
        heading("（一）新增"),
        paragraph(say("新增隐患{new}处，另有反弹{rebound}处（销号后再次出现，沿用原编号）。", values)),
        *matrix(found, "new", "新增隐患分类统计"),
        *_new_by_form(found),
        *matrix(found, "rebound", "反弹隐患分类统计"),
        heading("（二）整改销号"),
        paragraph(say("整改销号{closed}处，因误报或合并撤销{void}处。", values)),
        *matrix(found, "closed", "整改销号分类统计"),
        *_closing_by_grid(found),
        heading("（三）逾期未整改"),
        paragraph(say("期末已过整改期限而未销号{overdue}处，其中重大{overdue.red}处。", values)),
        *matrix(found, "overdue", "逾期未整改分类统计"),
        *_overdue_list(found),
        heading("（四）移交反馈"),
        paragraph(say("移交上级部门{referred}处，收到反馈{answered}处，期末待反馈{awaiting}处。", values)),
        *matrix(found, "referred", "移交分类统计"),
        paragraph(say(GAPS, values)),
    ]


def matrix(found: Findings, key: str, caption: str) -> list[Block]:
    """A figure by form and severity; nothing when it is 0."""
    if not found.values.get(key):
        return []
    rows: list[list[Cell]] = [
        [
            found.labels.form(form),
            *(found.number(f"{key}.{form}.{severity}") for severity in SEVERITIES),
            found.number(f"{key}.{form}"),
        ]
        for form in _forms(found, key)
    ]
    rows.append(["合计", *(found.number(f"{key}.{severity}") for severity in SEVERITIES), found.number(key)])
    return [table(caption, ["类别", *(SEVERITY_ZH[s] for s in SEVERITIES), "合计"], rows)]


def _forms(found: Findings, key: str) -> list[str]:
    """The forms that have rows under a figure, in their order of publication."""
    forms = [code for code in found.labels.forms if f"{key}.{code}" in found.values]
    parts = (k.split(".") for k in found.values)
    others = {p[1] for p in parts if len(p) == 2 and p[0] == key and p[1] not in SEVERITIES}
    return forms + sorted(others - set(forms))


def _new_by_form(found: Findings) -> list[Block]:
    if not found.values.get("new"):
        return []
    rows = [
        (found.labels.form(form), {s: found.values.get(f"new.{form}.{s}", 0) for s in SEVERITIES})
        for form in _forms(found, "new")
    ]
    caption = "新增隐患按类别和等级（处）"
    return [chart(caption, by_severity(caption, rows, SEVERITY_ZH))]


def _due(line: GridLine) -> int:
    """How many there were to be struck off."""
    return sum(line.values.get(key, 0) for key in ("open_start", "new", "rebound"))


def _closing_by_grid(found: Findings) -> list[Block]:
    lines = [line for line in found.grids if _due(line)]
    if not lines:
        return []
    shares = [Share(line.name, line.values.get("closed", 0), _due(line)) for line in lines]
    rates = [rate(share.part, share.whole) for share in shares]
    keys = ("open_start", "new", "rebound", "closed", "open_end", "overdue")
    rows: list[list[Cell]] = [
        [line.name, *(line.number(key) for key in keys), said] for line, said in zip(lines, rates, strict=True)
    ]
    head = ["网格", "期初", "新增", "反弹", "销号", "期末", "逾期", "销号率"]
    caption = "各网格销号率（销号／期初、新增与反弹之和）"
    return [table("各网格整改情况", head, rows), chart(caption, by_share(caption, shares, rates))]


def _overdue_list(found: Findings) -> list[Block]:
    if not found.overdue:
        return []
    rows: list[list[Cell]] = [[e.number, e.place, e.title, e.severity, e.deadline, e.progress] for e in found.overdue]
    head = ["编号", "地点", "隐患", "等级", "期限", "进展"]
    return [
        table("逾期未整改清单", head, rows, widths=[25, 19, 24, 8, 14, 10]),
        *cut_short(found, "overdue", len(rows)),
    ]


def comparison_blocks(found: Findings) -> list[Block]:
    """三: the sentence of the domain, and the trend of the last periods. A first period is compared with nothing."""
    last = found.words.last
    if found.is_first:
        return [paragraph([f"本期为首期，{last}无记录，不作对比。"])]
    sentences: list[Part] = []
    for index, key in enumerate(COMPARED):
        now, before = found.values.get(key, 0), found.before.get(key, 0)
        end = "。" if index == len(COMPARED) - 1 else "；"
        sentences += say("{label}{" + key + "}处，{compared}{end}", found.values, label=found.label(key),
                         compared=compared(now, before, last), end=end)  # fmt: skip
    return [paragraph(sentences), *_trend(found)]


def _trend(found: Findings) -> list[Block]:
    if not found.trend:
        return []
    periods = [*(_named(period) for period, _ in found.trend), _named(found.period)]
    values = [*(values for _, values in found.trend), found.values]
    lines = [Series(found.label(key), [v.get(key, 0) for v in values]) for key in TREND]
    if not any(any(line.values) for line in lines):
        return []
    caption = f"近{len(periods)}期变化（处）"
    return [chart(caption, trend(caption, periods, lines))]


def _named(period: Period) -> str:
    if period.kind == "weekly":
        return f"第{period.issue:02d}期（{short_day(period.first)}起）"
    return f"{period.year}年{period.issue}月" if period.kind == "monthly" else f"{period.year}年"


def major_blocks(found: Findings) -> list[Block]:
    """四: every grave hazard that is open, with who does what by when."""
    if not found.major:
        return [paragraph(say("期末未销号的重大隐患{open_end.red}处。", found.values))]
    rows: list[list[Cell]] = [
        [e.number, e.place, e.title, e.responsible, e.measures, e.deadline, e.progress] for e in found.major
    ]
    head = ["编号", "地点", "隐患", "责任人", "措施", "期限", "进展"]
    return [
        paragraph(say("期末未销号的重大隐患{open_end.red}处，列表如下。", found.values)),
        table("重大隐患清单", head, rows, widths=[18, 14, 16, 10, 18, 14, 10]),
        *cut_short(found, "open_end.red", len(rows)),
        note("注：表列重大隐患在主管部门认定前均为疑似重大。"),
    ]
