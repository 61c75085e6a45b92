"""P7: what a phone once froze is judged the same for ever (golden payload corpus)."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from backend.app import create_app
from backend.db import Database, new_id
from backend.hazards.lifecycle import STEP_KINDS
from backend.settings import Settings
from mobile_contract.examples.corpus import Golden, judge_golden, load_golden
from mobile_contract.forms import Field, FieldType, Form, Label, get_form, list_forms
from mobile_contract.sync.bodies import BODY_NAMES
from mobile_contract.version import CURRENT_SCHEMA, OLDEST_SCHEMA
from tests.conftest import DatabaseMaker
from tests.factories.identity import make_account, make_community
from tests.factories.phones import Phone, publish_forms, vouch

CORPUS = load_golden()


def check_all_judged_as_ever(form_of: Callable[[str, int], Form] = get_form) -> None:
    for golden in CORPUS:
        assert judge_golden(golden, form_of) == (golden.status, golden.errors), golden.name


def with_a_new_required_field(code: str, version: int) -> Form:
    """Seeded bug: a published form is changed instead of a new version being published."""
    form = get_form(code, version)
    added = Field(id="afterthought", label=Label("补充", "Afterthought"), type=FieldType.INTEGER, required=True)
    return replace(form, fields=(*form.fields, added))


def test_golden_payloads_are_judged_as_ever() -> None:
    check_all_judged_as_ever()


def test_golden_payloads_catch_a_changed_form() -> None:
    with pytest.raises(AssertionError, match="visit-"):
        check_all_judged_as_ever(with_a_new_required_field)


@pytest.mark.parametrize("golden", CORPUS, ids=lambda golden: golden.name)
def test_golden_hash_is_that_of_the_exact_bytes(golden: Golden) -> None:
    assert hashlib.sha256(golden.payload.encode()).hexdigest() == golden.sha256


def test_corpus_holds_every_record_type_step_form_version_and_schema_version() -> None:
    stored = [golden for golden in CORPUS if golden.status == "stored"]
    assert {golden.type for golden in stored} == set(BODY_NAMES)
    assert {golden.schema_version for golden in stored} == set(range(OLDEST_SCHEMA, CURRENT_SCHEMA + 1))
    for kind in STEP_KINDS:
        assert any(f'"kind":"{kind}"' in golden.payload for golden in stored), kind
    for form in list_forms():
        named = f'"form":"{form.code}","version":{form.version}'
        assert any(named in golden.payload for golden in stored), f"{form.code}/{form.version}"


def push_corpus(app: Flask, db: Database) -> dict[str, tuple[str, tuple[tuple[str, str], ...]]]:
    """Name → (status, errors) of the whole corpus pushed in one go to a community of its own."""
    community_id = make_community(db)
    phone = Phone(app.test_client(), make_account(db, community_id))
    for author in {
        author for golden in CORPUS for author in re.findall(r'"author_id":"([0-9a-f-]{36})"', golden.payload)
    }:
        vouch(db, community_id, UUID(author), phone.install_id)
    results = phone.push(*(golden.record(str(new_id())) for golden in CORPUS))
    return {
        golden.name: (
            result["status"],
            tuple(sorted((error["path"], error["code"]) for error in result["errors"])),
        )
        for golden, result in zip(CORPUS, results, strict=True)
    }


def check_server_takes_them_as_ever(app: Flask, db: Database) -> None:
    taken = push_corpus(app, db)
    for golden in CORPUS:
        assert taken[golden.name] == (golden.status, golden.errors), golden.name


def test_server_takes_golden_payloads_as_ever(app: Flask, db: Database) -> None:
    publish_forms(db)
    check_server_takes_them_as_ever(app, db)


def test_server_with_a_changed_form_is_caught(settings: Settings, databases: DatabaseMaker) -> None:
    url = databases.make()
    db = Database(url, application_name="saolou-test")
    publish_forms(db)
    owner = create_engine(databases.owner_of(url))
    with owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE form_version SET definition = jsonb_set(definition, '{fields}', definition->'fields' || "
                """'[{"id": "afterthought", "type": "integer", "required": true,
                      "label": {"zh": "补充", "en": "Afterthought"}}]'::jsonb) WHERE code = 'ebike_charging'"""
            )
        )
    owner.dispose()
    try:
        app = create_app(replace(settings, database_url=url), db)
        with pytest.raises(AssertionError, match="afterthought"):
            check_server_takes_them_as_ever(app, db)
    finally:
        db.dispose()
