"""`python3 -m backend COMMAND`: on a fresh machine this installs what is locked, then runs the command.

This file is kept to syntax that any Python 3 can parse, so that an old one gets a sentence, not a traceback.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Saolou needs Python 3.11 or newer; this is Python %d.%d (%s).\n"
        "Run the same command with a newer one, e.g. python3.11 -m backend, or install it first "
        "(Debian/Ubuntu: sudo apt-get install python3.11)." % (sys.version_info[0], sys.version_info[1], sys.executable)
    )

from backend.bootstrap import run

if __name__ == "__main__":
    run(sys.argv[1:])
