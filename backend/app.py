"""Wires the parts into one application. Nothing here decides anything; a new feature adds its lines here."""

from flask import Flask

from backend.db import Database
from backend.http.context import Doorbell, Runtime
from backend.http.factory import make_app
from backend.identity.authentication import authenticate
from backend.identity.keys import Keyring
from backend.identity.routes import blueprint as identity
from backend.identity.sign_in_routes import blueprint as sign_in
from backend.jobs.doorbell import CeleryDoorbell
from backend.settings import Settings

BLUEPRINTS = (sign_in, identity)


def make_runtime(settings: Settings, db: Database | None = None, doorbell: Doorbell | None = None) -> Runtime:
    """Everything a request or a job needs; the worker makes one too."""
    return Runtime(
        settings=settings,
        db=db or Database(settings.database_url),
        doorbell=doorbell or CeleryDoorbell(settings.redis_url),
        authenticate=authenticate,
        parts=(Keyring(settings.secret_key),),
    )


def create_app(settings: Settings, db: Database | None = None, doorbell: Doorbell | None = None) -> Flask:
    """The API; tests may hand in a pool and a doorbell of their own."""
    return make_app(make_runtime(settings, db, doorbell), BLUEPRINTS)
