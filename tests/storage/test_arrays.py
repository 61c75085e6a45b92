"""Lists sent as PostgreSQL arrays come back as they were, in either format, whoever dumped them."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.db import Database

LISTS = st.one_of(
    st.tuples(st.just("uuid"), st.lists(st.uuids(), max_size=30)),
    st.tuples(st.just("uuid"), st.lists(st.none() | st.uuids(), max_size=30)),
    st.tuples(st.just("bigint"), st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=30)),
    st.tuples(
        st.just("text"),
        st.lists(st.none() | st.text(st.characters(exclude_characters="\0", codec="utf-8")), max_size=30),
    ),
)


@pytest.mark.parametrize("format_code", ["s", "t", "b"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(sent=LISTS)
def test_send_list_any_format_comes_back(db: Database, format_code: str, sent: tuple[str, list[Any]]) -> None:
    kind, values = sent
    with db.transaction() as session:
        statement = f"SELECT %(values){format_code}::{kind}[]"
        assert session.connection().exec_driver_sql(statement, {"values": values}).scalar() == values
