"""The record type ``visit``: one doorstep visit with answers to any number of forms."""

from collections.abc import Sequence

from backend.inspections.record_kinds import FormLookup, Payload, RecordKind, Reference
from mobile_contract.forms import validate_answers
from mobile_contract.sync.outcomes import Problem


def places_of(payload: Payload) -> Sequence[str]:
    """The header's place first, then the other places its blocks name, each once."""
    visit = payload.get("visit")
    if visit is None:
        return ()
    main = visit["header"]["place_id"].lower()
    blocks = visit.get("blocks")
    if not blocks:
        return (main,)
    found = {main: None}
    for block in blocks:
        found[block["place_id"].lower()] = None
    return tuple(found)


def references(payload: Payload) -> Sequence[Reference]:
    """Its places and the form versions of its blocks."""
    visit = payload.get("visit")
    if visit is None:
        return ()
    main = visit["header"]["place_id"].lower()
    found = [Reference("place", main)]
    for block in visit.get("blocks") or ():
        place = block["place_id"].lower()
        if place != main:
            found.append(Reference("place", place))
        found.append(Reference("form", f"{block['form']}/{int(block['version'])}"))
    return found


def validate(payload: Payload, form_of: FormLookup) -> list[Problem]:
    """Problems of the answers, block by block; an unknown form version is no problem, it is waited for.

    The header was checked with the record's frame. Answers are required only when the visit was done.
    """
    visit = payload["visit"]
    problems: list[Problem] = []
    for index, block in enumerate(visit.get("blocks") or ()):
        answers = block.get("answers")
        if answers is None or (not answers and visit["header"]["outcome"] != "done"):
            continue
        form = form_of(block["form"], int(block["version"]))
        if form is None:
            continue
        for problem in validate_answers(form, answers):
            problems.append(
                Problem(
                    f"/payload/visit/blocks/{index}/answers{problem.pointer}",
                    problem.code,
                )
            )
    return problems


VISIT = RecordKind("visit", places_of, references, validate)
