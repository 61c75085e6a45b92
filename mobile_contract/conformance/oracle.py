"""What the server must have made of the records, worked out here from the records alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from mobile_contract.conformance.answers import form_of, present_chains
from mobile_contract.conformance.notebook import MadeRecord
from mobile_contract.forms import FormUnknown
from mobile_contract.rules import locus_of
from mobile_contract.sync.ordering import Revision, effective_versions, order_key


@dataclass(frozen=True, slots=True, order=True)
class HazardKey:
    """The natural key of a hazard within a community. Forms that share a rule see one and the same hazard."""

    place_id: str
    chain: str
    locus: str


def key_of_task(task: Mapping[str, Any]) -> HazardKey:
    """Natural key of a task row of the feed."""
    return HazardKey(str(task["place_id"]), str(task["chain"]), str(task["locus"]))


def expected_hazards(records: Iterable[MadeRecord]) -> set[HazardKey]:
    """Keys of all chains that some visit in force observes. Corrections are resolved as the protocol says."""
    payloads = {
        record.id: orjson.loads(record.payload) for record in records_in_force(records) if record.type == "visit"
    }
    by_id = {record.id: record for record in records}
    revisions = [_revision(by_id[record_id], payload) for record_id, payload in payloads.items()]
    found: set[HazardKey] = set()
    for version in effective_versions(revisions).effective:
        if version.content_id is not None:
            found |= _observed(payloads[version.content_id]["visit"])
    return found


def records_in_force(records: Iterable[MadeRecord]) -> list[MadeRecord]:
    """Records that the server acknowledged as stored."""
    return [record for record in records if record.fate == "stored" and record.status is not None]


def _revision(record: MadeRecord, payload: Mapping[str, Any]) -> Revision:
    key = order_key(record.effective_ms or 0, record.install_id, int(payload["seq"]), record.id)
    return Revision(
        key=key,
        type=record.type,
        author_id=str(payload["author_id"]),
        amends=payload["amends"],
        voids=payload["voids"],
        reason=payload["reason"],
    )


def _observed(visit: Mapping[str, Any]) -> set[HazardKey]:
    if visit["header"]["outcome"] != "done":
        return set()
    found = set()
    for block in visit.get("blocks") or []:
        try:
            form = form_of(block["form"], block["version"])
        except FormUnknown:
            continue
        locus = locus_of(form, block["answers"])
        for chain in present_chains(form, block["answers"]):
            found.add(HazardKey(block["place_id"], chain, locus))
    return found
