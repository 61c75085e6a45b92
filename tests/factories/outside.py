"""The outside world as local servers that remember what came: a group's robot (HTTP) and a mail server (SMTP)."""

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass
class Robot:
    """``answers``: what it says to the next requests, (status, body); when there are none left, that it took it.
    ``hold``: set to let requests through that wait for it."""

    url: str = ""
    port: int = 0
    came: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: list[tuple[int, Any]] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    def texts(self) -> list[str]:
        return [str(body["text"]["content"]) for _, body in self.came]


@contextmanager
def robot_server(tls: ssl.SSLContext | None = None) -> Iterator[Robot]:
    robot = Robot()
    robot.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            robot.came.append((self.path, body))
            robot.hold.wait(60)
            status, said = robot.answers.pop(0) if robot.answers else (200, {"errcode": 0, "errmsg": "ok"})
            raw = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", f"{robot.url}/elsewhere")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests have logs enough."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    robot.port = server.server_port
    robot.url = f"http://127.0.0.1:{robot.port}/cgi-bin/webhook/send?key=k"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield robot
    finally:
        robot.hold.set()
        server.shutdown()
        server.server_close()


def certificate_of(host: str, folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate of ``host``: the file to trust, and what a server needs to show it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    trusted, secret = folder / "trusted.pem", folder / "key.pem"
    trusted.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, secret)
    return trusted, context


@dataclass
class Mailbox:
    """``refuse``: how many of the next messages are refused."""

    port: int = 0
    came: list[tuple[list[str], Message]] = field(default_factory=list)
    refuse: int = 0


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    box = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self) -> None:
            recipients: list[str] = []
            self.say("220 stub")
            while line := self.rfile.readline().decode().strip():
                verb = line.split(" ")[0].split(":")[0].upper()
                if verb == "QUIT":
                    return self.say("221 bye")
                if verb == "RCPT":
                    recipients.append(line.partition("<")[2].partition(">")[0])
                if verb == "DATA":
                    self.take(recipients)
                    recipients = []
                else:
                    self.say("250 ok")
            return None

        def take(self, recipients: list[str]) -> None:
            self.say("354 go on")
            raw = b""
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                raw += line
            if box.refuse > 0:
                box.refuse -= 1
                return self.say("451 try again later")
            box.came.append((recipients, message_from_bytes(raw)))
            return self.say("250 taken")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield box
        server.shutdown()
