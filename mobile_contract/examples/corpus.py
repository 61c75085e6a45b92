"""The golden payloads: texts that phones have frozen, each with its hash and what becomes of it, for ever.

`payloads/v<schema version>/<name>.json`: `about`, `type`, `schema_version`, `payload` (the exact text), `sha256`
(of its UTF-8 bytes), `status` (`stored` or `quarantined`) and `errors` (`path`, `code`). A file is never changed and
never removed: that is how the records of old phones are known to be still accepted.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mobile_contract.forms import Form, get_form, validate_answers
from mobile_contract.sync.envelope import BadRecord, check_record

FOLDER: Final = Path(__file__).parent / "payloads"
INSTALL: Final = "0198c0de-0000-7000-8000-00000000abcd"


@dataclass(frozen=True, slots=True)
class Golden:
    """One payload. `errors` are (path, code), in the order of their paths."""

    name: str
    type: str
    schema_version: int
    payload: str
    sha256: str
    status: str
    errors: tuple[tuple[str, str], ...]

    def record(self, record_id: str) -> dict[str, Any]:
        """The payload as the record of a push."""
        envelope = {"id": record_id, "type": self.type, "schema_version": self.schema_version, "sha256": self.sha256}
        return {**envelope, "payload": self.payload, "anchor": None}


def load_golden(folder: Path = FOLDER) -> list[Golden]:
    """All payloads of all schema versions, by version and name."""
    return [_golden(path) for path in sorted(folder.glob("v*/*.json"))]


def judge_golden(golden: Golden, form_of: Callable[[str, int], Form] = get_form) -> tuple[str, tuple[Any, ...]]:
    """(`stored` or `quarantined`, errors) as this version of the contract judges the payload."""
    record = check_record(0, golden.record("0198c0de-0000-7000-8000-000000000001"), INSTALL)
    if isinstance(record, BadRecord):
        found = [(problem.path, problem.code) for problem in record.errors]
    else:
        found = [
            (f"/payload/visit/blocks/{index}/answers{problem.pointer}", problem.code)
            for index, block in enumerate((record.data.get("visit") or {}).get("blocks") or ())
            for problem in validate_answers(form_of(block["form"], int(block["version"])), block["answers"])
        ]
    return ("quarantined" if found else "stored"), tuple(sorted(found))


def _golden(path: Path) -> Golden:
    found = json.loads(path.read_text(encoding="utf-8"))
    return Golden(
        path.stem,
        found["type"],
        found["schema_version"],
        found["payload"],
        found["sha256"],
        found["status"],
        tuple((error["path"], error["code"]) for error in found["errors"]),
    )
