"""Every bell that is rung has somebody who answers it."""

import ast
import importlib
from pathlib import Path

from backend.settings import PROJECT
from worker.works import WORKS

BACKEND = PROJECT / "backend"


def rung_kinds() -> dict[str, str]:
    """kind → where: the second argument of ``want(session, kind, …)`` and the first of ``….ring(kind, …)``."""
    found = {}
    for path in sorted(BACKEND.rglob("*.py")):
        if path.is_relative_to(BACKEND / "jobs"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            argument = kind_argument(node)
            if argument is not None:
                found[value_of(argument, path)] = f"{path.name}:{argument.lineno}"
    return found


def kind_argument(node: ast.AST) -> ast.expr | None:
    if not isinstance(node, ast.Call):
        return None
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    place = {"want": 1, "ring": 0}.get(called)
    if place is None or len(node.args) <= place:
        return None
    argument = node.args[place]
    # ``RequestContext.ring`` hands its own parameter on.
    return None if isinstance(argument, ast.Name) and argument.id == "kind" else argument


def value_of(argument: ast.expr, path: Path) -> str:
    """A literal, or a constant of the module that says it."""
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    module = importlib.import_module(".".join(path.relative_to(PROJECT).with_suffix("").parts))
    return str(eval(ast.unparse(argument), vars(module)))


def test_ring_every_kind_has_a_worker() -> None:
    rung = rung_kinds()
    assert {"compile", "paper", "schedule"} <= set(rung)
    answered = {work.kind for work in WORKS}
    assert {kind: where for kind, where in rung.items() if kind not in answered} == {}
