"""Boot-anchored time: when did something happen on a phone whose wall clock may be wrong by years.

An anchor is a signed pair of readings taken at one moment: the server's clock (`server_ms`) and the
phone's clock since boot (`elapsed_ms` of `boot_id`). A record carries its own elapsed reading inside
the hashed payload and the anchor outside of it. Receipt time is never used: it would make the
result depend on the order of arrival.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from mobile_contract.sync.outcomes import TimeQuality

MAX_INTEGER = 2**53 - 1
"""Largest integer of the wire, so that every JSON reader agrees on it."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A signed anchor as it was handed to the phone, with the installation it was pushed by."""

    install_id: str
    boot_id: str
    server_ms: int
    elapsed_ms: int
    mac: str

    @classmethod
    def from_wire(cls, install_id: str, data: dict[str, Any]) -> "Anchor":
        """Read a checked wire anchor of an envelope whose `install_id` is given."""
        return cls(
            install_id,
            str(data["boot_id"]),
            int(data["server_ms"]),
            int(data["elapsed_ms"]),
            str(data["mac"]),
        )

    def wire(self) -> dict[str, Any]:
        """Shape of the wire: `{"server_ms","elapsed_ms","boot_id","mac"}`."""
        return {
            "server_ms": self.server_ms,
            "elapsed_ms": self.elapsed_ms,
            "boot_id": self.boot_id,
            "mac": self.mac,
        }


class PhoneTime(NamedTuple):
    """The `time` of a payload. `wall_ms` is shown to people and flagged, never used for order."""

    wall_ms: int
    elapsed_ms: int
    boot_id: str


def anchor_mac(key: bytes, install_id: str, boot_id: str, server_ms: int, elapsed_ms: int) -> str:
    """HMAC-SHA256 in hex over `install_id|boot_id|server_ms|elapsed_ms` (ids in lower case)."""
    text = f"{install_id.lower()}|{boot_id}|{server_ms}|{elapsed_ms}"
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def make_anchor(key: bytes, install_id: str, boot_id: str, server_ms: int, elapsed_ms: int) -> Anchor:
    """Sign an anchor. The key is a secret of the server and is kept for ever (never rotated):
    an anchor that stops verifying would move its records to another place in the order."""
    mac = anchor_mac(key, install_id, boot_id, server_ms, elapsed_ms)
    return Anchor(install_id, boot_id, server_ms, elapsed_ms, mac)


def is_genuine(key: bytes, anchor: Anchor) -> bool:
    """True when the anchor was signed with `key` for this installation."""
    mac = anchor_mac(key, anchor.install_id, anchor.boot_id, anchor.server_ms, anchor.elapsed_ms)
    return hmac.compare_digest(mac.encode(), anchor.mac.encode("utf-8", "surrogatepass"))


def effective_time(time: PhoneTime, anchors: Iterable[Anchor], key: bytes) -> tuple[int, TimeQuality]:
    """When the record happened, in epoch ms, from the *set* of all anchors it ever came with.

    Order and repetition of `anchors` do not matter; anchors that do not verify count as none.
    Some anchor of the record's own boot → `anchored`, the smallest result counts. Else the smallest
    `server_ms` of another boot is a lower bound → `estimated`. Else 0, `estimated`.
    The result is kept within 0 … 2^53−1.
    """
    return effective_of(time, [anchor for anchor in anchors if is_genuine(key, anchor)])


def effective_of(time: PhoneTime, genuine: Collection[Anchor]) -> tuple[int, TimeQuality]:
    """`effective_time` over anchors that are known to verify."""
    same_boot = [
        anchor.server_ms + time.elapsed_ms - anchor.elapsed_ms for anchor in genuine if anchor.boot_id == time.boot_id
    ]
    if same_boot:
        return _clamp(min(same_boot)), TimeQuality.ANCHORED
    if genuine:
        return _clamp(min(anchor.server_ms for anchor in genuine)), TimeQuality.ESTIMATED
    return 0, TimeQuality.ESTIMATED


def _clamp(value: int) -> int:
    return max(0, min(MAX_INTEGER, value))
