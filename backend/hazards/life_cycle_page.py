"""The life cycle as a section of a page: generated, so that what is told is what is done."""

from backend.hazards.lifecycle import OBSERVED_LABELS, STATE_LABELS, STEP_KINDS
from backend.identity.permissions import PERMISSIONS

BEGIN, END = "<!-- life cycle: generated -->", "<!-- /life cycle -->"


def life_cycle_section() -> str:
    """States, and steps with where they start and lead, who may take them, what they need and until when."""
    lines = [BEGIN, "", "| state | 中文 |", "|---|---|"]
    lines += [f"| `{state}` | {zh} |" for state, (zh, _) in STATE_LABELS.items()]
    lines += ["", "| by a visit | what it does |", "|---|---|"]
    lines += [f"| `{step}` {zh} | {en} |" for step, (zh, en) in OBSERVED_LABELS.items()]
    lines += ["", "| step | from | to | who | needs | by default due |", "|---|---|---|---|---|---|"]
    for kind in STEP_KINDS.values():
        starts = " ".join(f"`{state}`" for state in STATE_LABELS if state in kind.starts)
        roles = ", ".join(role for role, held in PERMISSIONS.items() if kind.permission in held)
        to = f"`{kind.to}`" if kind.to else kind.leads[1]
        lines.append(f"| `{kind.kind}` {kind.label[0]} | {starts} | {to} | {roles} | {kind.needs[1]} | {kind.due} |")
    return "\n".join([*lines, "", END])
