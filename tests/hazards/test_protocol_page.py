"""The phone protocol's page tells steps as the life cycle has them."""

import re
from pathlib import Path

import mobile_contract.sync
from backend.hazards.lifecycle import NOT_APPLIED, STEP_KINDS

PAGE = (Path(mobile_contract.sync.__file__).parent / "PROTOCOL.md").read_text(encoding="utf-8")
STEPS = PAGE.split("### 4.4")[1].split("### 4.5")[0]


def test_page_lists_exactly_the_reasons_why_a_step_does_not_apply() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|`]+) \|$", STEPS.split("| code |")[1].split("\n\n")[0], re.MULTILINE)
    assert rows == [(code, en) for code, (_, en) in NOT_APPLIED.items()]


def test_page_lists_exactly_the_steps_with_their_states_and_permissions() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| `([\w.]+)` \|$", STEPS.split("| step |")[1], re.MULTILINE)
    told = [(kind, set(re.findall(r"`(\w+)`", starts)), to, permission) for kind, starts, to, permission in rows]
    assert [(kind, starts, permission) for kind, starts, _, permission in told] == [
        (step.kind, set(step.starts), step.permission) for step in STEP_KINDS.values()
    ]
    assert all(to == f"`{step.to}`" for (_, _, to, _), step in zip(told, STEP_KINDS.values(), strict=True) if step.to)
