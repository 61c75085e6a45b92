"""Puts a paper together: headings, paragraphs and tables as plain data, from which every output format is made.

A block is ``{"type": "heading"|"paragraph"|"table"|"note", …}``; a number is always ``{"figure": key, "value": n}``, so
any reader can reach the rows behind it. Source: domain, meeting paper (sections 一 to 四).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.clock import local_day
from backend.meetings.annual_blocks import HEADING, annual_blocks
from backend.meetings.data_state import DataState
from backend.meetings.figures import PLACE_KINDS, SEVERITIES, Figure, identity_of
from backend.meetings.labels import PLACE_KIND_ZH, SEVERITY_ZH, Labels
from backend.meetings.listing import HazardEntry
from backend.meetings.periods import Period
from backend.meetings.receipts import figure_label
from backend.meetings.sentences import COVERAGE, GAPS, HAZARDS, IDENTITY, ON_TIME, WORDS, Part, compared, rate, say

Block = dict[str, Any]
Cell = str | dict[str, Any]

#: Figures of section 三, in order.
COMPARED = ("new", "new.red", "closed", "overdue", "open_end")
DOOR_FIGURES = ("registered", "visited", "reached", "completed", "not_met", "refused", "wrong_address")


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a paper says, before it is put into words."""

    community: str
    period: Period
    cutoff_ms: int
    values: Mapping[str, int]
    before: Mapping[str, int]
    labels: Labels
    figures: Sequence[Figure]
    data: DataState
    major: Sequence[HazardEntry] = ()
    overdue: Sequence[HazardEntry] = ()
    corrections: Sequence[dict[str, Any]] = ()
    reconciliation: dict[str, Any] | None = None

    def label(self, key: str) -> str:
        """``新增隐患（电动车违规充电·重大）`` for ``new.ebike_charging.red``."""
        return figure_label(self.figures, self.labels, key)

    def number(self, key: str) -> Cell:
        """A linked number; plain ``0`` where no row made the figure, for it has no receipts to link to."""
        return {"figure": key, "value": self.values[key]} if key in self.values else "0"


def compose(found: Findings) -> dict[str, Any]:
    """The paper's content: JSON values only (no floats), so that its seal is the same wherever it is computed."""
    words = WORDS[found.period.kind]
    of_year = [{"heading": HEADING, "blocks": annual_blocks(found.values)}] if found.period.kind == "annual" else []
    sections = [
        {"heading": f"一、{words.this}排查情况", "blocks": coverage_blocks(found)},
        {"heading": "二、隐患及整改情况", "blocks": hazard_blocks(found)},
        {"heading": f"三、与{words.last}对比", "blocks": comparison_blocks(found)},
        {"heading": "四、重大隐患清单", "blocks": major_blocks(found)},
    ]
    return {
        "title": f"{found.community}安全隐患排查整治工作{words.title}",
        "community": found.community,
        "kind": found.period.kind,
        "number": found.period.number,
        "period": {"first": found.period.first.isoformat(), "last": found.period.last.isoformat()},
        "cutoff_ms": found.cutoff_ms,
        "figures": dict(found.values),
        "before": dict(found.before),
        "identity": identity_of(dict(found.values)),
        "data": found.data._asdict(),
        "sections": sections,
        "annexes": [
            *of_year,
            {"heading": "对以前各期的更正", "blocks": correction_blocks(found)},
            {"heading": "数据说明", "blocks": data_blocks(found)},
        ],
        "corrections": list(found.corrections),
        "reconciliation": found.reconciliation,
    }


def paragraph(parts: list[Part]) -> Block:
    return {"type": "paragraph", "parts": parts}


def note(text: str) -> Block:
    return {"type": "note", "parts": [text]}


def heading(text: str) -> Block:
    return {"type": "heading", "text": text}


def table(caption: str, head: list[str], rows: list[list[Cell]], *, widths: list[int] | None = None) -> Block:
    return {"type": "table", "caption": caption, "head": head, "rows": rows, "widths": widths}


def coverage_blocks(found: Findings) -> list[Block]:
    values, words = found.values, WORDS[found.period.kind]
    rows: list[list[Cell]] = []
    for kind in (*PLACE_KINDS, None):
        suffix = f".{kind}" if kind else ""
        row: list[Cell] = [PLACE_KIND_ZH[kind] if kind else "合计"]
        row += [found.number(key + suffix) for key in DOOR_FIGURES]
        rows.append([*row, rate(values.get(f"completed{suffix}", 0), values.get(f"registered{suffix}", 0))])
    head = ["对象", "登记", "走访", "入户", "完成", "未见面", "拒访", "地址不符", "完成率"]
    done = rate(values.get("completed", 0), values.get("registered", 0))
    return [
        paragraph(say(COVERAGE, values, this=words.this, rate=done)),
        paragraph(say(ON_TIME, values)),
        table("排查情况统计", head, rows),
    ]


def hazard_blocks(found: Findings) -> list[Block]:
    values = found.values
    return [
        paragraph(say(HAZARDS, values)),
        paragraph(say(IDENTITY, values)),
        heading("（一）新增"),
        paragraph(say("新增隐患{new}处，另有反弹{rebound}处（销号后再次出现，沿用原编号）。", values)),
        *matrix(found, "new", "新增隐患分类统计"),
        *matrix(found, "rebound", "反弹隐患分类统计"),
        heading("（二）整改销号"),
        paragraph(say("整改销号{closed}处，因误报或合并撤销{void}处。", values)),
        *matrix(found, "closed", "整改销号分类统计"),
        heading("（三）逾期未整改"),
        paragraph(say("期末已过整改期限而未销号{overdue}处，其中重大{overdue.red}处。", values)),
        *matrix(found, "overdue", "逾期未整改分类统计"),
        *overdue_list(found),
        heading("（四）移交反馈"),
        paragraph(say("移交上级部门{referred}处，收到反馈{answered}处。", values)),
        *matrix(found, "referred", "移交分类统计"),
        paragraph(say(GAPS, values)),
    ]


def matrix(found: Findings, key: str, caption: str) -> list[Block]:
    """A figure by form and severity; nothing when it is 0."""
    if not found.values.get(key):
        return []
    forms = [code for code in found.labels.forms if f"{key}.{code}" in found.values]
    forms += sorted(form_codes(found, key) - set(forms))
    rows: list[list[Cell]] = [
        [
            found.labels.form(form),
            *(found.number(f"{key}.{form}.{severity}") for severity in SEVERITIES),
            found.number(f"{key}.{form}"),
        ]
        for form in forms
    ]
    rows.append(["合计", *(found.number(f"{key}.{severity}") for severity in SEVERITIES), found.number(key)])
    return [table(caption, ["类别", *(SEVERITY_ZH[s] for s in SEVERITIES), "合计"], rows)]


def form_codes(found: Findings, key: str) -> set[str]:
    """The forms that have rows under a figure."""
    parts = (k.split(".") for k in found.values)
    return {p[1] for p in parts if len(p) == 2 and p[0] == key and p[1] not in SEVERITIES}


def comparison_blocks(found: Findings) -> list[Block]:
    last = WORDS[found.period.kind].last
    sentences: list[Part] = []
    for index, key in enumerate(COMPARED):
        now, before = found.values.get(key, 0), found.before.get(key, 0)
        end = "。" if index == len(COMPARED) - 1 else "；"
        sentences += say("{label}{" + key + "}处，{compared}{end}", found.values, label=found.label(key),
                         compared=compared(now, before, last), end=end)  # fmt: skip
    return [paragraph(sentences)]


def major_blocks(found: Findings) -> list[Block]:
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


def overdue_list(found: Findings) -> list[Block]:
    if not found.overdue:
        return []
    rows: list[list[Cell]] = [[e.number, e.place, e.title, e.severity, e.deadline, e.progress] for e in found.overdue]
    head = ["编号", "地点", "隐患", "等级", "期限", "进展"]
    return [
        table("逾期未整改清单", head, rows, widths=[25, 19, 24, 8, 14, 10]),
        *cut_short(found, "overdue", len(rows)),
    ]


def cut_short(found: Findings, key: str, shown: int) -> list[Block]:
    """Says so when a list does not hold all its rows."""
    if found.values.get(key, 0) <= shown:
        return []
    return [
        {
            "type": "note",
            "parts": say("（仅列前{shown}处，全部{" + key + "}处见台账。）", found.values, shown=str(shown)),
        }
    ]


def correction_blocks(found: Findings) -> list[Block]:
    blocks: list[Block] = []
    reconciled = found.reconciliation
    if reconciled is not None:
        start = found.values.get("open_start", 0)
        same = reconciled["printed"] == start
        text = f"{reconciled['number']}期末未销号{reconciled['printed']}处，与本期期初"
        text += "{open_start}处相符。" if same else "{open_start}处不符，系下列迟到记录所致。"
        blocks.append(paragraph(say(text, found.values)))
    rows: list[list[Cell]] = [
        [correction["number"], found.label(entry["key"]), str(entry["printed"]), str(entry["now"])]
        for correction in found.corrections
        for entry in correction["entries"]
    ]
    if rows:
        blocks.append(
            table("因迟到记录更正的数字", ["期号", "项目", "原公布", "更正为"], rows, widths=[22, 50, 14, 14])
        )
    else:
        blocks.append(paragraph(["无。"]))
    return blocks


def data_blocks(found: Findings) -> list[Block]:
    data, identity = found.data, identity_of(dict(found.values))
    day = local_day(found.cutoff_ms)
    check = "核对相符" if identity["holds"] else f"核对不符（推算为{identity['reckoned']}处），不得印发"
    lines = [
        f"统计期间{chinese_date(found.period.first)}至{chinese_date(found.period.last)}，以现场发生时间为准；"
        f"数据截至{chinese_date(day)}。",
        f"期初未销号、新增、反弹、销号、撤销与期末未销号{check}。",
        f"截至时尚有{data.pending}处地点的新记录待汇总，{data.failed}处地点汇总失败，{data.waiting}条记录待补资料，"
        f"{data.quarantined}条记录在隔离区待处理，均未计入本期。",
    ]
    return [paragraph([line]) for line in lines]


def chinese_date(day: Any) -> str:
    """``2026年1月9日``, without leading zeros."""
    return f"{day.year}年{day.month}月{day.day}日"
