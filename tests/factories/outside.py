"""The outside world as local servers that remember what came: a group's robot (HTTP) and a mail server (SMTP)."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Robot:
    """``answers``: what it says to the next requests, (status, body); when there are none left, that it took it.
    ``hold``: set to let requests through that wait for it."""

    url: str = ""
    came: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: list[tuple[int, Any]] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    def texts(self) -> list[str]:
        return [str(body["text"]["content"]) for _, body in self.came]


@contextmanager
def robot_server() -> Iterator[Robot]:
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
    robot.url = f"http://127.0.0.1:{server.server_port}/cgi-bin/webhook/send?key=k"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield robot
    finally:
        robot.hold.set()
        server.shutdown()
        server.server_close()


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
