"""A process of its own that starts the embedded servers; run by the tests, which then kill it.

Arguments: the data folder. Prints one JSON line (pids, addresses, or the error's code), then waits until its
standard input closes.
"""

import json
import sys
from pathlib import Path

from backend.embedded import EmbeddedError, EmbeddedServers


def main() -> None:
    try:
        servers = EmbeddedServers.start(Path(sys.argv[1]))
    except EmbeddedError as error:
        print(json.dumps({"code": error.code, "message": str(error)}), flush=True)
        return
    facts = {"pids": servers.pids, "owner": servers.owner_database_url, "app": servers.database_url}
    facts |= {"redis": servers.redis_py_url, "postgres": str(servers.postgres.binaries.postgres)}
    print(json.dumps(facts), flush=True)
    sys.stdin.read()
    servers.stop()


main()
