"""The world of the sync tests, and its phones' uploads."""

from collections.abc import Callable

import pytest

from tests.factories.uploads import Uploading
from tests.sync.conftest import World, app, bell, make_world, quiet_logs, world

__all__ = ["app", "bell", "make_world", "quiet_logs", "uploading", "world"]


@pytest.fixture
def uploading(world: World) -> Callable[[], Uploading]:
    """A new phone that brings files."""
    return lambda: Uploading(world.phone())
