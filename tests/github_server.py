"""The part of GitHub's API that keeps the comments of a pull request, on this machine."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

NEW = "/repos/me/shop/issues/7/comments"
OLD = r"/repos/me/shop/issues/comments/(\d+)"


@dataclass
class Comments:
    """The comments of every pull request in one list, and the requests that came."""

    address: str = ""
    token: str = "secret"
    bodies: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def serve_comments() -> Iterator[Comments]:
    """A server that answers as GitHub does until the block ends."""
    comments = Comments()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, body: object) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def handle_request(self) -> None:
            comments.asked.append(f"{self.command} {self.path}")
            length = int(self.headers.get("Content-Length") or 0)
            sent = json.loads(self.rfile.read(length) or "null")
            parts = urlsplit(self.path)
            if self.headers["Authorization"] != f"Bearer {comments.token}":
                self.answer(403, {"message": "Resource not accessible by integration"})
            elif self.command == "GET":
                query = {name: int(values[0]) for name, values in parse_qs(parts.query).items()}
                start = (query["page"] - 1) * query["per_page"]
                page = list(enumerate(comments.bodies))[start : start + query["per_page"]]
                self.answer(200, [{"id": place, "body": body} for place, body in page])
            elif self.command == "POST" and parts.path == NEW:
                comments.bodies.append(sent["body"])
                self.answer(201, {"html_url": f"https://github.example/{len(comments.bodies) - 1}"})
            elif self.command == "PATCH" and (
                found := re.fullmatch(r"/repos/me/shop/issues/comments/(\d+)", parts.path)
            ):
                comments.bodies[int(found[1])] = sent["body"]
                self.answer(200, {"html_url": f"https://github.example/{found[1]}"})
            else:
                self.answer(404, {"message": "Not Found"})

        do_GET = do_POST = do_PATCH = handle_request  # noqa: N815 (the server's names)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    comments.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield comments
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
