"""Lists of UUIDs as PostgreSQL arrays, several times as fast as psycopg dumps them one by one.

Nearly every statement of a push or a compile is given some hundred ids. Other lists, and lists with a None among the
ids, are left to psycopg.
"""

from struct import pack
from typing import Any
from uuid import UUID

from psycopg.abc import AdaptContext, Buffer
from psycopg.postgres import types
from psycopg.types.array import ListBinaryDumper, ListDumper

_UUID = types["uuid"]
#: Of each element in the binary format.
_LENGTH = pack("!i", 16)


class _TextDumper(ListDumper):
    def dump(self, obj: list[Any]) -> Buffer | None:
        if self.oid == _UUID.array_oid and set(map(type, obj)) == {UUID}:
            return ("{" + ",".join([value.hex for value in obj]) + "}").encode()
        return super().dump(obj)


class _BinaryDumper(ListBinaryDumper):
    def dump(self, obj: list[Any]) -> Buffer | None:
        if self.oid == _UUID.array_oid and set(map(type, obj)) == {UUID}:
            # Dimensions, no nulls, type of the elements, length, first index; then each with its length.
            head = pack("!iiIii", 1, 0, _UUID.oid, len(obj), 1)
            return head + _LENGTH + _LENGTH.join([value.bytes for value in obj])
        return super().dump(obj)


def register(connection: AdaptContext) -> None:
    """Let this connection dump lists this way."""
    connection.adapters.register_dumper(list, _BinaryDumper)
    # Last: a parameter that does not say what it wants goes as text, as everywhere in psycopg.
    connection.adapters.register_dumper(list, _TextDumper)
