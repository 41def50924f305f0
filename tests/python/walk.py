"""The walk of a client through Quartermaster: find the system, read its software, install a package, hear of it.

    python walk.py CONTEXT.json

The context names a running server, a user, a private root and the packages that were built for the walk; see
`tests/end_to_end/walk.rs`, which writes it. Ends with status 0 if every step held; otherwise the step that did not
hold, and why, stand on standard error.
"""

from __future__ import annotations

import faulthandler
import json
import sys
import traceback
import types

import install_steps
import inventory_steps
from client import Client, Fault
from sink import Sink


# A walk takes some twenty seconds; one that hangs tells where.
PATIENCE = 300


def main() -> int:
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    with open(sys.argv[1], encoding="utf-8") as file:
        context = json.load(file, object_hook=lambda values: types.SimpleNamespace(**values))
    client = Client(context.host, context.port, context.user, context.password, context.ca)
    sinks = {"http": Sink(), "https": Sink(context.sink_certificate, context.sink_key)}
    steps = [
        ("1 Identify", lambda: inventory_steps.identify(context)),
        ("2 the scoping system", lambda: inventory_steps.find_system(client, context)),
        ("3 the installation service", lambda: inventory_steps.find_service(client, context)),
        ("4 the software", lambda: inventory_steps.read_software(client, context)),
        ("5a refused at once", lambda: install_steps.refuse(client, context)),
        ("7a subscribe", lambda: install_steps.subscribe(client, context, sinks)),
        ("5b install", lambda: install_steps.install(client, context)),
        ("6a a failing job", lambda: install_steps.fail(client, context)),
        ("6b cancel a queued job", lambda: install_steps.cancel(client, context)),
        ("7b events", lambda: install_steps.events(client, context, sinks)),
        ("7c renew and unsubscribe", lambda: install_steps.end_subscriptions(client, context, sinks)),
    ]
    try:
        for name, step in steps:
            try:
                step()
            except Exception as error:
                tell(name, error)
                return 1
            print(f"ok {name}", flush=True)
    finally:
        client.close()
        for sink in sinks.values():
            sink.close()
    return 0


def tell(step: str, error: Exception) -> None:
    print(f"FAILED at step {step}", file=sys.stderr)
    traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, Fault):
        print(f"fault {error.code}: {error.reason}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
