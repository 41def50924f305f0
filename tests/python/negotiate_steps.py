"""Sends requests with tokens of Kerberos, right and wrong ones, and tells what came back.

    python negotiate_steps.py CONTEXT.json

The context has `port`, `ca` and `steps`. Each step sends an Identify on the connection of the step before, or on a new one where
it has `"connection": "new"`, with the Authorization header that its `send` says:

    none     none at all
    fresh    a first token for `service` (HTTP by default), by `mechanism` (spnego or krb5), bound by `bindings` to the connection
             (none, right, wrong); with `"legs": 3` the exchange takes three of them
    next     the token that goes on with the exchange, after the last answer
    again    what the step before sent
    old      the token in `file`, as `keep` of an earlier run put it there
    TEXT     this, behind the scheme

`word` is the scheme, Negotiate by default. With `keep` the token goes into that file and nothing is sent. Prints a list of what
came: status, the values of WWW-Authenticate and Persistent-Auth, whether the body tells the version of the service, and whether the
service proved who it is.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
import sys

import gssapi
from gssapi.raw import ChannelBindings

IDENTIFY = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
    '<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>'
)
MECHANISMS = {"spnego": "1.3.6.1.5.5.2", "krb5": "1.2.840.113554.1.2.2"}
MUTUAL = 2
DCE_STYLE = 0x1000


class Caller:
    def __init__(self, port: int, ca: str) -> None:
        self.port, self.trust = port, ssl.create_default_context(cafile=ca)
        self.connection: http.client.HTTPSConnection | None = None
        self.context: gssapi.SecurityContext | None = None
        self.answer: bytes | None = None
        self.sent: str | None = None
        self.legs = 2

    def step(self, step: dict) -> dict:
        if self.connection is None or step.get("connection") == "new":
            self.connection = http.client.HTTPSConnection("localhost", self.port, context=self.trust, timeout=60)
            self.connection.connect()
        self.sent = self.authorization(step)
        if "keep" in step:
            with open(step["keep"], "w", encoding="ascii") as file:
                file.write(self.sent)
            return {}
        headers = {"Content-Type": "application/soap+xml;charset=UTF-8"}
        if self.sent is not None:
            headers["Authorization"] = self.sent
        self.connection.request("POST", "/wsman", IDENTIFY, headers)
        response = self.connection.getresponse()
        body = response.read().decode()
        offers = response.headers.get_all("WWW-Authenticate") or []
        return {
            "status": response.status,
            "offers": offers,
            "persistent": response.headers.get("Persistent-Auth"),
            "is_known": "ProductVendor" in body,
            "is_proven": self.proven(offers),
        }

    def authorization(self, step: dict) -> str | None:
        send, word = step["send"], step.get("word", "Negotiate")
        if send == "none":
            return None
        if send == "again":
            return self.sent
        if send == "old":
            with open(step["file"], encoding="ascii") as file:
                return file.read()
        if send == "fresh":
            return f"{word} {base64.b64encode(self.first(step)).decode()}"
        if send == "next":
            return f"{word} {base64.b64encode(self.context.step(self.answer)).decode()}"
        return f"{word} {send}"

    def first(self, step: dict) -> bytes:
        service = gssapi.Name(step.get("service", "HTTP") + "@localhost", gssapi.NameType.hostbased_service)
        self.legs = step.get("legs", 2)
        self.context = gssapi.SecurityContext(
            name=service,
            usage="initiate",
            mech=gssapi.OID.from_int_seq(MECHANISMS[step.get("mechanism", "spnego")]),
            flags=MUTUAL | (DCE_STYLE if self.legs == 3 else 0),
            channel_bindings=self.bindings(step.get("bindings", "none")),
        )
        return self.context.step()

    def bindings(self, kind: str) -> ChannelBindings | None:
        if kind == "none":
            return None
        certificate = self.connection.sock.getpeercert(True)
        octets = hashlib.sha256(certificate if kind == "right" else b"another certificate").digest()
        return ChannelBindings(application_data=b"tls-server-end-point:" + octets)

    def proven(self, offers: list[str]) -> bool:
        tokens = [offer.split(" ", 1)[1] for offer in offers if offer.startswith(("Negotiate ", "Kerberos "))]
        self.answer = base64.b64decode(tokens[0]) if tokens else None
        # With three legs the answer is for the token that goes on with the exchange.
        if self.answer is None or self.context is None or self.context.complete or self.legs == 3:
            return False
        self.context.step(self.answer)
        return self.context.complete


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        context = json.load(file)
    caller = Caller(context["port"], context["ca"])
    print(json.dumps([caller.step(step) for step in context["steps"]]))


if __name__ == "__main__":
    main()
