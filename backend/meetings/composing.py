"""Puts a paper together: seven sections and what is annexed, as plain data from which every output format is made.

Source: domain, meeting paper.
"""

from typing import Any

from backend.clock import local_day
from backend.meetings.agenda_sections import livelihood_blocks, matter_blocks, schedule_blocks
from backend.meetings.figures import base_key, identity_of
from backend.meetings.outlook_figures import OUTLOOK_FIGURES
from backend.meetings.paper_blocks import Block, Cell, Findings, chinese_date, paragraph, table
from backend.meetings.record_sections import comparison_blocks, coverage_blocks, hazard_blocks, major_blocks
from backend.meetings.sentences import say

#: Figures that say what waits; they are stated apart, for they are never corrected.
OUTLOOK = frozenset(figure.key for figure in OUTLOOK_FIGURES)


def compose(found: Findings) -> dict[str, Any]:
    """The paper's content: JSON values only (no floats), so that its seal is the same wherever it is computed."""
    words = found.words
    sections = [
        {"heading": f"一、{words.this}排查情况", "blocks": coverage_blocks(found)},
        {"heading": "二、隐患及整改情况", "blocks": hazard_blocks(found)},
        {"heading": f"三、与{words.last}对比", "blocks": comparison_blocks(found)},
        {"heading": "四、重大隐患清单", "blocks": major_blocks(found)},
        {"heading": "五、民生服务", "blocks": livelihood_blocks(found)},
        {"heading": "六、需会议研究事项", "blocks": matter_blocks(found)},
        {"heading": f"七、{words.next}安排", "blocks": schedule_blocks(found)},
    ]
    return {
        "title": f"{found.community}安全隐患排查整治工作{words.title}",
        "community": found.community,
        "kind": found.period.kind,
        "number": found.period.number,
        "period": {"first": found.period.first.isoformat(), "last": found.period.last.isoformat()},
        "cutoff_ms": found.cutoff_ms,
        "figures": {key: value for key, value in found.values.items() if base_key(key) not in OUTLOOK},
        "outlook": {key: value for key, value in found.values.items() if base_key(key) in OUTLOOK},
        "before": dict(found.before),
        "identity": identity_of(dict(found.values)),
        "data": found.data._asdict(),
        "sections": sections,
        "annexes": [
            {"heading": "对以前各期的更正", "blocks": correction_blocks(found)},
            {"heading": "数据说明", "blocks": data_blocks(found)},
        ],
        "ledger": dict(found.ledger),
        "corrections": list(found.corrections),
        "reconciliation": found.reconciliation,
    }


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
