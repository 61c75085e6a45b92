"""Sections 五 to 七: what was done for people, what the meeting has to settle, what comes next.

Nothing here proposes what a community has no power to do: it persuades, reports and asks those above.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from backend.meetings.grid_figures import GridLine
from backend.meetings.outlook import Task
from backend.meetings.paper_blocks import Block, Cell, Findings, heading, paragraph, short_day, table
from backend.meetings.sentences import Part, say
from backend.meetings.service_sentences import service_sentences

COMMITTEE, STREET = "社区两委", "社区两委、街道"


class Matter(NamedTuple):
    """A matter for the meeting: the figure that gives rise to it, what about it, what is proposed, who decides."""

    key: str
    reason: str
    proposal: str
    decider: str


MATTERS: Final = (
    Matter(
        "open_end.red",
        "重大隐患{open_end.red}处未销号",
        "逐处明确措施、责任、资金、时限、预案，落实每日查看，报街道确认",
        STREET,
    ),
    Matter(
        "overdue",
        "隐患{overdue}处逾期未整改，其中重大{overdue.red}处",
        "逐处说明原因；确需延期的先落实临时防范措施，再按程序报批",
        COMMITTEE,
    ),
    Matter("awaiting", "已移交{awaiting}处尚无反馈", "由专人催办，每七日一次，并向街道书面报告", STREET),
    Matter("rebound", "反弹{rebound}处", "分析原因，列入回头看重点", COMMITTEE),
    Matter("refused", "拒访{refused}处", "由网格长会同楼栋长再次上门劝导，必要时请街道和派出所协助宣传", COMMITTEE),
    Matter("not_met", "未见面{not_met}处", "改换时段（晚间、周末）上门，三次未见面的交网格长", COMMITTEE),
    Matter("gap_open_end", "服务缺口{gap_open_end}处", "研究增设设施，向街道申请支持", STREET),
)


def livelihood_blocks(found: Findings) -> list[Block]:
    """五: 急难愁盼、报警器、燃气、低保 and whatever else was done for people; in the annual paper all of it."""
    said = service_sentences(found.values, whole=found.period.kind == "annual")
    return [paragraph(parts) for parts in said] or [paragraph([f"{found.words.this}无民生服务记录。"])]


def matter_blocks(found: Findings) -> list[Block]:
    """六: what became of the last decisions, then what has to be settled."""
    tasks = found.outlook.tasks
    rows: list[list[Cell]] = []
    late = [task for task in tasks if task.is_late]
    if late:
        reason = f"上次议定事项{len(late)}项到期未完成"
        rows.append([reason, "由责任人说明原因，重新明确时限", COMMITTEE])
    for matter in MATTERS:
        if found.values.get(matter.key):
            rows.append([_joined(say(matter.reason, found.values)), matter.proposal, matter.decider])
    numbered: list[list[Cell]] = [[str(n), *row] for n, row in enumerate(rows, 1)]
    asked = table("需会议研究事项", ["序号", "事由", "建议", "需谁决定"], numbered, widths=[7, 30, 45, 18])
    return [*_task_blocks(tasks), *([asked] if rows else [paragraph(["无。"])])]


def _joined(parts: list[Part]) -> Cell:
    """A cell may hold a sentence with linked numbers."""
    return {"parts": parts}


def _task_blocks(tasks: Sequence[Task]) -> list[Block]:
    if not tasks:
        return []
    rows: list[list[Cell]] = [[t.text, t.owner, t.due, t.state, t.said] for t in tasks]
    head = ["议定事项", "责任人", "时限", "落实情况", "说明"]
    return [
        heading("（一）以前会议议定事项落实情况"),
        table("议定事项落实情况", head, rows, widths=[36, 14, 15, 13, 22]),
        heading("（二）提请研究事项"),
    ]


def schedule_blocks(found: Findings) -> list[Block]:
    """七: 时间、网格、内容、责任人 of the next period."""
    following, outlook = found.period.following(), found.outlook
    span = f"{short_day(following.first)}至{short_day(following.last)}"
    rows: list[list[Cell]] = [
        [span, line.name, content, outlook.heads.get(line.part, "网格长")]
        for line in found.grids
        if (content := _work_of(line)) is not None
    ]
    rows += [
        [span, grids or "全社区", f"继续开展“{name}”，未见面的改换时段再访", "网格长"] for name, grids in outlook.sweeps
    ]
    rows += [["每日", "—", f"{name}返住检查", "社区安全员"] for name in outlook.houses]
    rows += [[t.due, "—", f"落实议定事项：{t.text}", t.owner] for t in outlook.tasks if t.is_open]
    if not rows:
        return [paragraph([f"{found.words.next}按日常安排开展走访排查。"])]
    return [table(f"{found.words.next}工作安排", ["时间", "网格", "内容", "责任人"], rows, widths=[20, 18, 44, 18])]


def _work_of(line: GridLine) -> Cell | None:
    """What a grid has to do: put right what falls due, press what is overdue, re-inspect what was reported."""
    parts: list[Part] = []
    for key, before in (("due_next", "督促到期整改"), ("overdue", "督办逾期"), ("in_review", "复查")):
        if line.values.get(key):
            parts += [f"{'，' if parts else ''}{before}", line.number(key), "处"]
    return {"parts": parts} if parts else None
