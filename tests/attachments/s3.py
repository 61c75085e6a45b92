"""A store that speaks just enough S3: put, get, head, delete and list, in memory, and it can be shut."""

import hashlib
import re
import threading
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class S3:
    """``url`` while it runs; ``files`` by key survive :meth:`shut` and :meth:`open`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._port = 0
        self.open()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def open(self) -> None:
        files = self.files

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def _key(self) -> str:
                return unquote(urlsplit(self.path).path).lstrip("/").partition("/")[2]

            def _answer(self, status: int, body: bytes = b"", length: int | None = None) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.send_header("ETag", f'"{hashlib.md5(body).hexdigest()}"')
                self.send_header("Last-Modified", format_datetime(datetime.now(UTC), usegmt=True))
                self.end_headers()
                self.wfile.write(body)

            def do_PUT(self) -> None:
                files[self._key()] = self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(200)

            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                if "list-type" in query:
                    self._list(query.get("prefix", [""])[0])
                elif self._key() in files:
                    self._answer(200, files[self._key()])
                else:
                    self._answer(404)

            def do_HEAD(self) -> None:
                held = files.get(self._key())
                self._answer(404 if held is None else 200, length=len(held or b""))

            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
                keys = re.findall("<Key>(.*?)</Key>", asked)
                for key in keys:
                    files.pop(key, None)
                rows = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
                self._answer(200, f"<DeleteResult>{rows}</DeleteResult>".encode())

            def _list(self, prefix: str) -> None:
                rows = "".join(
                    f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                    f"<ETag>x</ETag><Size>{len(held)}</Size></Contents>"
                    for key, held in sorted(files.items())
                    if key.startswith(prefix)
                )
                self._answer(
                    200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()
                )

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def shut(self) -> None:
        self._server.shutdown()
        self._server.server_close()
