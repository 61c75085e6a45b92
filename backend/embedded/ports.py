"""Ask for a TCP port before anything is started, so that a taken one is a sentence and not a crash loop."""

import errno
import socket

from backend.embedded.errors import PortForbidden, PortTaken


def check_port(host: str, port: int) -> None:
    """Raise `PortTaken` when another program listens there, `PortForbidden` when this user may not."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        # As gunicorn does: connections of a server stopped a moment ago must not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(host, port) from error
            raise PortForbidden(host, port, error.strerror or str(error)) from error


def find_port(host: str, first: int, tries: int = 50) -> int:
    """The first free port from `first` on; raises `PortTaken` when all are taken."""
    for port in range(first, first + tries):
        try:
            check_port(host, port)
        except PortTaken:
            continue
        return port
    raise PortTaken(host, first)
