"""Event sinks: small HTTP and HTTPS servers that keep what they are sent."""

from __future__ import annotations

import http.server
import ssl
import threading
import time
import xml.etree.ElementTree as ET
from typing import Callable

from cim import S, WSA, Instance, show

EVENT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/Event"


class Event:
    """One delivered indication."""

    def __init__(self, path: str, body: bytes) -> None:
        envelope = ET.fromstring(body)
        header, content = envelope.find(S + "Header"), envelope.find(S + "Body")
        assert header is not None and content is not None, f"no envelope: {body!r}"
        self.path = path
        self.action = header.findtext(WSA + "Action")
        self.to = header.findtext(WSA + "To")
        self.message_id = header.findtext(WSA + "MessageID")
        self.tokens = [e.text for e in header if e.tag.startswith("{urn:example:walk}")]
        children = list(content)
        assert len(children) == 1, f"an event with {len(children)} elements: {show(content)}"
        self.indication = Instance(children[0]).check_shape()

    @property
    def source(self) -> Instance:
        return self.indication.embedded_instance("SourceInstance")

    @property
    def previous(self) -> Instance:
        return self.indication.embedded_instance("PreviousInstance")

    def __str__(self) -> str:
        job = self.source
        state = "" if job.is_null("JobState") else f" JobState {job.text('JobState')} {job.text('PercentComplete')} %"
        return f"{self.path}: {self.indication.class_name} {job.text('InstanceID')}{state}"


class Sink:
    """A server on a port of its own; every POST is an event."""

    def __init__(self, certificate: str | None = None, key: str | None = None) -> None:
        self.events: list[Event] = []
        self.broken: list[str] = []
        self._changed = threading.Condition()
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                sink._take(self.path, body)
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _take(self, path: str, body: bytes) -> None:
        with self._changed:
            try:
                self.events.append(Event(path, body))
            except Exception as error:  # a message that is no event is a finding, not a reason to stop
                self.broken.append(f"{path}: {error}: {body!r}")
            self._changed.notify_all()

    def wait_for(self, what: str, wanted: Callable[["Sink"], bool], seconds: float = 30) -> None:
        """Waits until `wanted` holds; says what came if it never does."""
        limit = time.monotonic() + seconds
        with self._changed:
            while not wanted(self):
                assert not self.broken, f"the sink {self.url} got what is no event: {self.broken[0]}"
                left = limit - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    came = "\n  ".join(str(e) for e in self.events) or "nothing"
                    raise AssertionError(f"{self.url} never got {what}; it got:\n  {came}")

    def at(self, path: str, job: str) -> list[Event]:
        """The events at a path that tell of this job, in the order they came."""
        return [e for e in self.events if e.path == path and e.source.text("InstanceID") == job]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
