"""An invented resident, named in everything that can name somebody."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.factories.records import PARKED_EBIKE, block, visit_body
from tests.factories.sweeps import Person, Sweep

NAME, OTHER_NAME = "欧阳拂晓", "慕容栖霞"
PHONE, OTHER_PHONE = "13912345678", "13787654321"
ID_NUMBER = "430101199001010018"
PLATE = "湘A8Z7Y6"


@dataclass(frozen=True)
class Named:
    """Where the resident is named: a visit, its hazard, an assigning step and the issued order."""

    visit_id: UUID
    hazard_id: UUID
    step_id: UUID
    order_id: UUID


def visit_naming(place: UUID, **header: Any) -> dict[str, Any]:
    """A visit that finds an e-bike of the resident in the stairwell."""
    answers = {**PARKED_EBIKE, "owner_known": True, "plate": PLATE}
    body = visit_body(place, [block("ebike_charging", place, answers)])
    body["visit"]["header"] |= {
        "respondent_name": NAME,
        "respondent_phone": PHONE,
        "refusal_witness": OTHER_NAME,
        "remark": f"户主{NAME}，身份证{ID_NUMBER}，邻居电话{OTHER_PHONE}",
        **header,
    }
    return body


def name_everywhere(sweep: Sweep, head: Person, place: UUID) -> Named:
    """The visit, the task assigned to the resident, and the work order."""
    visit_id = sweep.put(visit_naming(place))
    sweep.compile(place)
    hazard_id = sweep.hazard_id(place)
    taken = head.take("assign", hazard_id, responsible_party=NAME, measures=f"{NAME}移走车辆，电话{PHONE}")
    assert taken.status_code == 200, taken.get_data(as_text=True)
    draft = head.get("/work-orders").json["items"][0]
    key = {"building_id": draft["building"]["id"], "closer": draft["closer"]}
    key["responsible_party_key"] = draft["responsible_party_key"]
    issued = head.post("/work-orders/issue", key)
    assert issued.status_code == 201, issued.get_data(as_text=True)
    step_id = taken.json["history"]["steps"][0]["id"]
    return Named(visit_id, hazard_id, UUID(step_id), UUID(issued.json["id"]))
