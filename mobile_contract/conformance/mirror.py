"""P3: the same records, pushed in order to another community, must give the same tasks."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import orjson

from mobile_contract.conformance.checks import all_records, settle
from mobile_contract.conformance.faults import Luck
from mobile_contract.conformance.notebook import MadeRecord
from mobile_contract.conformance.options import FleetOptions, Mirror
from mobile_contract.conformance.oracle import key_of_task
from mobile_contract.conformance.phone import Phone
from mobile_contract.conformance.syncing import pull_all, push_all
from mobile_contract.conformance.view import View
from mobile_contract.rules import hazard_id

COMPARED = ("form", "state", "cycle", "severity", "deadline_ms", "rules", "responsible_party", "first_seen_ms")


def compare_communities(a: View, b: View, places: Mapping[str, str]) -> list[str]:
    """Differences between the tasks of two communities on natural keys; `places` maps ids of a to b.

    Places missing from the map have the same id in both. Numbers, ids and revisions are not compared.
    """

    def rows(view: View, names: Mapping[str, str]) -> dict[tuple[str, ...], dict[str, Any]]:
        keys = {task_id: key_of_task(task) for task_id, task in view.entities("task").items()}
        return {
            (names.get(key.place_id, key.place_id), key.chain, key.locus): _compared(view, task_id)
            for task_id, key in keys.items()
        }

    ours, theirs = rows(a, places), rows(b, {})
    found = [f"only in the first: {'/'.join(key)}" for key in sorted(ours.keys() - theirs.keys())]
    found += [f"only in the second: {'/'.join(key)}" for key in sorted(theirs.keys() - ours.keys())]
    for key in sorted(ours.keys() & theirs.keys()):
        for name, value in ours[key].items():
            if theirs[key][name] != value:
                found.append(f"{'/'.join(key)}: {name} {value!r} / {theirs[key][name]!r}")
    return found


def _compared(view: View, task_id: str) -> dict[str, Any]:
    task = view.entities("task")[task_id]
    values = {name: task.get(name) for name in COMPARED}
    values["rules"] = sorted(task.get("rules") or [])
    return values


def match_places(a: View, b: View) -> dict[str, str]:
    """Ids of places in `a` → ids in `b`, by field code."""
    by_code = {str(row["code"]): place_id for place_id, row in b.entities("place").items() if row.get("code")}
    return {
        place_id: by_code[str(row["code"])]
        for place_id, row in a.entities("place").items()
        if row.get("code") and str(row["code"]) in by_code
    }


def replay(phones: Sequence[Phone], options: FleetOptions, mirror: Mirror, view: View) -> tuple[View, dict[str, str]]:
    """Push all good records of the fleet to the mirror in order; its settled view and the map of places."""
    actors = {phone.install_id: _stand_in(phone, options, mirror) for phone in phones}
    for actor in actors.values():
        pull_all(actor)
    seen = View()
    for actor in actors.values():
        seen.rows.update(actor.view.rows)
    places = match_places(view, seen)
    names = dict(places)
    for phone in phones:
        names[phone.notebook.author_id] = actors[phone.install_id].notebook.author_id
    community = next(iter(actors.values())).community_id
    for task_id, task in view.entities("task").items():
        key = key_of_task(task)
        place = places.get(key.place_id, key.place_id)
        names[task_id] = str(hazard_id(community, place, key.chain, key.locus))
    records = [record for record in all_records(phones).values() if record.fate == "stored"]
    sent = 0
    for chunk in _chunks(records, mirror.chunk_ms):
        for record in chunk:
            _keep_translated(actors[record.install_id], record, names)
        for actor in actors.values():
            push_all(actor)
        sent += len(chunk)
        options.progress("mirror, in order", sent, len(records))
    wanted = len(view.entities("task"))
    observers = list({actor.login: actor for actor in actors.values()}.values())

    def is_ready(found: View) -> bool:
        return len(found.entities("task")) >= wanted

    return settle(observers, is_ready, options.settle_s, options.poll_s), places


def _stand_in(phone: Phone, options: FleetOptions, mirror: Mirror) -> Phone:
    login = mirror.logins[list(options.logins).index(phone.login)]
    luck = Luck((), phone.install_id)
    actor = Phone(f"{phone.name} (mirror)", phone.base_url, login, luck, phone.now_ms, options.patience_s)
    actor.install_id = phone.install_id
    actor.sign_in(phone.notebook.boot.started_ms)
    actor.notebook.boots = list(phone.notebook.boots)
    return actor


def _chunks(records: list[MadeRecord], chunk_ms: int) -> list[list[MadeRecord]]:
    """Records in order of their effective times, cut into stretches of `chunk_ms`."""
    ordered = sorted(records, key=lambda record: (record.effective_ms or 0, record.install_id, record.seq, record.id))
    chunks: dict[int, list[MadeRecord]] = {}
    for record in ordered:
        chunks.setdefault((record.effective_ms or 0) // chunk_ms, []).append(record)
    return [chunks[number] for number in sorted(chunks)]


def _keep_translated(actor: Phone, record: MadeRecord, names: Mapping[str, str]) -> None:
    """The record with the mirror's ids, once for each anchor the server may have seen it with."""
    translated = copy(record)
    translated.payload = orjson.dumps(_translate(orjson.loads(record.payload), names)).decode()
    translated.rehash()
    translated.status = None
    actor.keep(translated)
    actor.notebook.records[translated.id] = translated
    if record.extra_anchors:
        push_all(actor)
        for anchor in record.extra_anchors:
            again = copy(translated)
            again.anchor = anchor
            actor.keep(again)
            push_all(actor)


def _translate(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [_translate(item, names) for item in value]
    if isinstance(value, dict):
        return {key: _translate(item, names) for key, item in value.items()}
    return value
