"""Whether the work is being done: the health check of a worker's container.

python -m worker.health

Asks the ledger, as the foreman does: work has been ready for two minutes and nobody holds a lease. Each community has
its ``schedule`` every minute, so a dead worker is noticed also where nothing else is to be done.
"""

import sys

from backend.db import Database
from backend.jobs import ledger
from backend.settings import load_settings
from worker.foreman import DEAF_SECONDS

#: The foreman starts a deaf consumer anew after half of this.
UNWORKED_SECONDS = 2 * DEAF_SECONDS


def main() -> None:
    db = Database(load_settings().database_url, pool_size=1, application_name="saolou-health")
    with db.transaction() as session:
        waited = ledger.seconds_unworked(session)
    db.dispose()
    if waited > UNWORKED_SECONDS:
        sys.exit(f"work has been ready for {waited:.0f} s and no worker took it")


if __name__ == "__main__":
    main()
