"""Wires the parts into one application. Nothing here decides anything; a new feature adds its lines here."""

from flask import Flask

from backend.attachments.file_store import FileStore
from backend.attachments.finishing import RawRecords
from backend.attachments.routes import blueprint as attachments
from backend.attachments.upload_routes import blueprint as uploads
from backend.calendar.listeners import CalendarListeners
from backend.calendar.routes import blueprint as calendar
from backend.campaigns.feed import CAMPAIGN_ENTITY, TARGET_ENTITY
from backend.campaigns.projecting import want_found
from backend.campaigns.routes import blueprint as campaigns
from backend.console.pages import blueprint as pages
from backend.console.phone_routes import blueprint as phone_app
from backend.db import Database
from backend.evacuations.feed import EVACUATION
from backend.evacuations.projecting import load_standings
from backend.evacuations.routes import blueprint as evacuations
from backend.evacuations.service import HousesMoved, on_notice
from backend.forms.catalogue import FormCatalogue
from backend.forms.listeners import RuleListeners
from backend.forms.routes import blueprint as forms
from backend.http.context import Doorbell, Runtime
from backend.http.factory import make_app
from backend.identity.audit import note_write
from backend.identity.audit_routes import blueprint as audit
from backend.identity.authentication import authenticate
from backend.identity.keys import Keyring
from backend.identity.routes import blueprint as identity
from backend.identity.sign_in_routes import blueprint as sign_in
from backend.inspections.proposals import proposal_kind
from backend.inspections.record_kinds import RecordKinds
from backend.inspections.visits import VISIT
from backend.inspections.waiting import recompile_moved, release_places
from backend.jobs.doorbell import CeleryDoorbell
from backend.ledger.routes import blueprint as ledger
from backend.meetings.document_routes import blueprint as documents
from backend.meetings.minutes_routes import blueprint as minutes
from backend.meetings.routes import blueprint as meetings
from backend.meetings.statement_routes import blueprint as statements
from backend.notices.feed import NOTICE, notices_moved, tell_notice
from backend.notices.listeners import NoticeListeners
from backend.notices.routes import blueprint as notices
from backend.notifications.channel_routes import blueprint as channels
from backend.notifications.routes import blueprint as notifications
from backend.operations.routes import blueprint as operations
from backend.places.routes import blueprint as places
from backend.places.service import PlaceListeners
from backend.privacy.routes import blueprint as privacy
from backend.rectification.calendar_changes import want_moved_deadlines
from backend.rectification.dossier_routes import blueprint as dossier
from backend.rectification.feed import task_entity
from backend.rectification.rechecks_routes import blueprint as rechecks
from backend.rectification.registers import EvidenceRegisters
from backend.rectification.routes import blueprint as tasks
from backend.rectification.rule_changes import want_form_folds
from backend.rectification.rule_preview_routes import blueprint as rule_preview
from backend.rectification.step_records import TASK_STEP
from backend.rectification.work_orders_routes import blueprint as work_orders
from backend.settings import Settings
from backend.sync.feed_entities import FeedEntities
from backend.sync.form_feed import form_entity, tell_form
from backend.sync.large_records import take_raw_record
from backend.sync.office_routes import blueprint as records
from backend.sync.phone_key_routes import blueprint as phone_keys
from backend.sync.place_feed import PLACE, tell_feed
from backend.sync.routes import blueprint as sync
from backend.sync.status_feed import RECORD_STATUS

BLUEPRINTS = (
    *(sign_in, identity, audit, places, calendar, forms, sync, phone_keys, records),
    *(tasks, rechecks, work_orders, rule_preview, dossier, campaigns, attachments, uploads, notices, evacuations),
    *(ledger, meetings, documents, minutes, statements, privacy, pages, phone_app, operations),
    *(notifications, channels),
)


def make_runtime(settings: Settings, db: Database | None = None, doorbell: Doorbell | None = None) -> Runtime:
    """Everything a request or a job needs; the worker makes one too."""
    keyring, catalogue = Keyring(settings.secret_key), FormCatalogue()
    listeners = PlaceListeners(
        [release_places], [tell_feed, recompile_moved, want_found, notices_moved, HousesMoved(keyring)]
    )
    return Runtime(
        settings=settings,
        db=db or Database(settings.database_url),
        doorbell=doorbell or CeleryDoorbell(settings.redis_url),
        authenticate=authenticate,
        note_write=note_write,
        parts=(
            keyring,
            catalogue,
            listeners,
            FileStore(settings.data_dir / "files", settings.files_url),
            RawRecords(take_raw_record),
            NoticeListeners([tell_notice, on_notice]),
            EvidenceRegisters((load_standings,)),
            RuleListeners([want_form_folds, tell_form]),
            CalendarListeners([want_moved_deadlines]),
            RecordKinds(VISIT, proposal_kind(listeners), TASK_STEP),
            FeedEntities(
                (
                    *(PLACE, form_entity(), task_entity(keyring, catalogue), CAMPAIGN_ENTITY, TARGET_ENTITY),
                    *(NOTICE, EVACUATION, RECORD_STATUS),
                )
            ),
        ),
    )


def create_app(settings: Settings, db: Database | None = None, doorbell: Doorbell | None = None) -> Flask:
    """The API; tests may hand in a pool and a doorbell of their own."""
    return make_app(make_runtime(settings, db, doorbell), BLUEPRINTS)
