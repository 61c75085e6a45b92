"""The list of checks, and running them one by one against one server."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from mobile_contract.conformance.promises.bench import Bench, Broken, NotOffered
from mobile_contract.conformance.wire import Unreachable

Check = Callable[[Bench], None]


@dataclass(frozen=True, slots=True)
class Promise:
    """One thing that phones rely on. `clause` is the section of PROTOCOL.md that promises it."""

    name: str
    clause: str
    what: str
    check: Check


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one check; `why` says what the server did instead, or why it was not tried."""

    promise: Promise
    result: Literal["pass", "fail", "skip"]
    why: str = ""


CHECKS: list[Promise] = []


def promise(name: str, clause: str) -> Callable[[Check], Check]:
    """Adds a check; the first line of its docstring says in a sentence what is promised."""

    def add(check: Check) -> Check:
        CHECKS.append(Promise(name, clause, (check.__doc__ or "").strip().partition("\n")[0], check))
        return check

    return add


def run_checks(
    bench: Bench, chosen: Iterable[Promise], tell: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Run checks in their order; each stands for itself, so one failure hides no other."""
    outcomes = []
    for one in chosen:
        outcome = _run(bench, one)
        outcomes.append(outcome)
        tell(outcome)
    return outcomes


def _run(bench: Bench, one: Promise) -> Outcome:
    try:
        one.check(bench)
    except NotOffered as why:
        return Outcome(one, "skip", str(why))
    except Broken as why:
        return Outcome(one, "fail", str(why))
    except Unreachable as why:
        return Outcome(one, "fail", f"no answer: {why}")
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as why:
        # The answer does not have the shape that it is promised to have.
        return Outcome(one, "fail", f"the answer has another shape: {why!r}")
    return Outcome(one, "pass")
