"""``python -m worker``: a Celery worker and the sweeper, until SIGTERM or Ctrl-C."""

import signal
import sys

from backend.db import Database
from backend.errors import ConfigurationError
from backend.jobs.doorbell import CeleryDoorbell
from backend.logs import configure_logs
from backend.settings import load_settings
from worker.foreman import Foreman
from worker.sweeper import Sweeper


def main() -> None:
    try:
        settings = load_settings()
    except ConfigurationError as error:
        sys.exit(str(error))
    configure_logs(settings.log_level)
    db = Database(settings.database_url, pool_size=1, application_name="saolou-sweeper")
    foreman = Foreman(Sweeper(db, CeleryDoorbell(settings.redis_url)))
    signal.signal(signal.SIGTERM, foreman.stop)
    signal.signal(signal.SIGINT, foreman.stop)
    foreman.run()


if __name__ == "__main__":
    main()
