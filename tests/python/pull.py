"""pypsrp as a subscriber that fetches its events, one step after the other; between them others happen.

    python pull.py CONTEXT.json STATE.json subscribe|fetch|end

The context names a running server, a user and, for `fetch`, a job that has ended; see
`tests/end_to_end/python_clients.rs`, which writes it. The state is what a subscriber must keep: where its subscription is
managed, and the context to go on with. Ends with status 0 if the step held.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import types
import xml.etree.ElementTree as ET

from cim import ALL_CLASSES, WSE, WSEN, WSMAN, Instance, show
from client import CQL_DIALECT, EVENTING, Connection, Subscription, only_child
from pypsrp_steps import body_of, connection, fault

PULL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/Pull"
JOBS = "SELECT * FROM CIM_InstIndication WHERE SourceInstance ISA CIM_ConcreteJob"

# A page has the events of a job in several parts.
PAGE = "2"

# A step takes a second or two; one that hangs tells where.
PATIENCE = 120


def subscribe(wsman: Connection, context: types.SimpleNamespace, state: dict) -> None:
    request = ET.Element(WSE + "Subscribe")
    ET.SubElement(request, WSE + "Delivery", Mode=PULL)
    ET.SubElement(request, WSE + "Expires").text = "PT1H"
    ET.SubElement(request, WSMAN + "Filter", Dialect=CQL_DIALECT).text = JOBS
    answer = only_child(body_of(wsman.invoke(EVENTING + "Subscribe", ALL_CLASSES, request)))
    manager = Subscription(answer)
    place = answer.findtext(WSEN + "EnumerationContext")
    assert place, f"nothing to pull with: {show(answer)}"
    state.update(identifier=manager.identifier, resource=manager.resource_uri, place=place, seen=[])


def fetch(wsman: Connection, context: types.SimpleNamespace, state: dict) -> None:
    """All that became of one job, in order, and nothing that was fetched before."""
    states: list[int] = []
    while 7 not in states:
        answer = only_child(pull(wsman, state))
        assert answer.find(WSEN + "EndOfSequence") is None, f"events have no end: {show(answer)}"
        items = answer.find(WSEN + "Items")
        assert items is not None and len(items) <= int(PAGE), show(answer)
        for item in items:
            indication = Instance(item)
            name = indication.text("IndicationIdentifier")
            assert name not in state["seen"], f"{name} again"
            state["seen"].append(name)
            job = indication.embedded_instance("SourceInstance")
            assert job.text("InstanceID") == context.job, f"{job.text('InstanceID')}, not {context.job}"
            kind = indication.class_name
            assert (kind == "LMI_SoftwareInstCreation") == (not states), f"{kind} after {states}"
            states.append(job.number("JobState"))
        place = answer.findtext(WSEN + "EnumerationContext")
        assert place, f"nowhere to go on: {show(answer)}"
        state["place"] = place


def end(wsman: Connection, context: types.SimpleNamespace, state: dict) -> None:
    request = ET.Element(WSE + "Unsubscribe")
    assert len(body_of(wsman.invoke(EVENTING + "Unsubscribe", state["resource"], request))) == 0
    fault(lambda: pull(wsman, state), "wsen:InvalidEnumerationContext")


def pull(wsman: Connection, state: dict) -> ET.Element:
    request = ET.Element(WSEN + "Pull")
    ET.SubElement(request, WSEN + "EnumerationContext").text = state["place"]
    ET.SubElement(request, WSEN + "MaxElements").text = PAGE
    return wsman.pull(state["resource"], request)


STEPS = {"subscribe": subscribe, "fetch": fetch, "end": end}


def main() -> int:
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    with open(sys.argv[1], encoding="utf-8") as file:
        context = json.load(file, object_hook=lambda values: types.SimpleNamespace(**values))
    state: dict = {}
    if os.path.exists(sys.argv[2]):
        with open(sys.argv[2], encoding="utf-8") as file:
            state = json.load(file)
    # pypsrp would ask the environment's proxy for loopback.
    os.environ["NO_PROXY"] = context.host
    with connection(context) as wsman:
        if "identifier" in state:
            identifier = ET.Element(WSE + "Identifier")
            identifier.text = state["identifier"]
            wsman.extra_headers = [identifier]
        STEPS[sys.argv[3]](wsman, context, state)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(state, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
