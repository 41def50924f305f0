"""What clients that were written for other services do here: pypsrp, python-dracclient, pywinrm.

    python clients.py CONTEXT.json

The context names a running server, its users, how many packages it shows and a job that has ended; see
`tests/end_to_end/python_clients.rs`, which writes it. Ends with status 0 if every step held; otherwise the step that did
not hold, and why, stand on standard error.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import traceback
import types

import dracclient_steps
import pypsrp_steps
import pywinrm_steps

# The steps take some seconds; one that hangs tells where.
PATIENCE = 120

STEPS = [
    ("dracclient enumerates", dracclient_steps.enumerate_all),
    ("dracclient filters", dracclient_steps.enumerate_filtered),
    ("dracclient pulls by itself", dracclient_steps.pull),
    ("dracclient invokes", dracclient_steps.invoke),
    ("dracclient is refused", dracclient_steps.refused),
    ("pywinrm gets", pywinrm_steps.get),
    ("pywinrm queries", pywinrm_steps.query),
    ("pywinrm invokes", pywinrm_steps.invoke),
    ("pywinrm is refused", pywinrm_steps.refused),
    ("pypsrp gets", pypsrp_steps.get),
    ("pypsrp enumerates, pulls and releases", pypsrp_steps.enumerate_and_release),
    ("pypsrp creates and deletes", pypsrp_steps.create_and_delete),
    ("pypsrp puts, invokes and deletes", pypsrp_steps.change_a_job),
    ("pypsrp subscribes", pypsrp_steps.subscribe),
    ("pypsrp is refused", pypsrp_steps.refused),
]


def main() -> int:
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    with open(sys.argv[1], encoding="utf-8") as file:
        context = json.load(file, object_hook=lambda values: types.SimpleNamespace(**values))
    # These clients would ask the environment's proxy for loopback.
    os.environ["NO_PROXY"] = context.host
    for name, step in STEPS:
        try:
            step(context)
        except Exception as error:
            print(f"FAILED: {name}", file=sys.stderr)
            traceback.print_exception(error, file=sys.stderr)
            return 1
        print(f"ok {name}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
