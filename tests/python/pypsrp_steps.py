"""pypsrp's WSMan: every operation that it has, with the bodies that it leaves to its callers."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from types import SimpleNamespace
from typing import Callable

from pypsrp.exceptions import WSManFaultError
from pypsrp.wsman import OptionSet, SelectorSet, WSMan

from cim import S, WSA, WSE, WSEN, WSMAN, Instance, Reference, class_uri, show
from client import EVENTING, RELEASE, Connection, only_child

SOFTWARE = class_uri("CIM_SoftwareIdentity")
JOB = class_uri("CIM_ConcreteJob")
FILTER = class_uri("CIM_IndicationFilter")
PUSH = "http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryModes/Push"


def connection(context: SimpleNamespace, user: str | None = None, password: str | None = None) -> Connection:
    return Connection(
        context.host,
        port=context.port,
        auth="basic",
        username=user or context.user,
        password=password or context.password,
        cert_validation=context.ca,
        no_proxy=True,
    )


def selected(**keys: str) -> SelectorSet:
    selectors = SelectorSet()
    for name, value in keys.items():
        selectors.add_option(name, value)
    return selectors


def body_of(envelope: ET.Element) -> ET.Element:
    body = envelope.find(S + "Body")
    assert body is not None, show(envelope)
    return body


def instance(uri: str, **properties: str) -> ET.Element:
    element = ET.Element(f"{{{uri}}}{uri.rpartition('/')[2]}")
    for name, value in properties.items():
        ET.SubElement(element, f"{{{uri}}}{name}").text = value
    return element


def get(context: SimpleNamespace) -> None:
    options = OptionSet()
    options.add_option("IncludeQualifiers", "true")
    with connection(context) as wsman:
        body = wsman.get(SOFTWARE, option_set=options, selector_set=selected(InstanceID=context.alpha))
    assert Instance(only_child(body)).check_shape().text("Name") == "alpha"


def enumerate_and_release(context: SimpleNamespace) -> None:
    request = ET.Element(WSEN + "Enumerate")
    ET.SubElement(request, WSMAN + "OptimizeEnumeration")
    ET.SubElement(request, WSMAN + "MaxElements").text = "10"
    with connection(context) as wsman:
        first = only_child(wsman.enumerate(SOFTWARE, request))
        items = first.find(WSMAN + "Items")
        assert items is not None and len(items) == 10, show(first)
        context_text = first.findtext(WSEN + "EnumerationContext")

        def about(operation: str, size: str | None = None) -> ET.Element:
            element = ET.Element(WSEN + operation)
            ET.SubElement(element, WSEN + "EnumerationContext").text = context_text
            if size:
                ET.SubElement(element, WSEN + "MaxElements").text = size
            return element

        page = only_child(wsman.pull(SOFTWARE, about("Pull", "20"))).find(WSEN + "Items")
        assert page is not None and len(page) == 20
        assert len(body_of(wsman.invoke(RELEASE, SOFTWARE, about("Release")))) == 0
        fault(lambda: wsman.pull(SOFTWARE, about("Pull", "20")), "wsen:InvalidEnumerationContext")


def create_and_delete(context: SimpleNamespace) -> None:
    query = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_ConcreteJob"
    new = instance(FILTER, Name="pypsrp:filter", Query=query, QueryLanguage="DMTF:CQL")
    interop = {"__cimnamespace": "root/interop"}
    with connection(context) as wsman:
        created = Reference.read(only_child(wsman.create(FILTER, new, selector_set=selected(**interop))))
        assert created.resource_uri == FILTER and created.key("Name") == "pypsrp:filter", created
        fault(lambda: wsman.create(FILTER, new, selector_set=selected(**interop)), "wsman:AlreadyExists")
        keys = selected(**{name: str(value) for name, value in created.selectors})
        assert Instance(only_child(wsman.get(FILTER, selector_set=keys))).text("Query") == query
        assert len(wsman.delete(FILTER, selector_set=keys)) == 0
        fault(lambda: wsman.delete(FILTER, selector_set=keys), "wsa:DestinationUnreachable")


def change_a_job(context: SimpleNamespace) -> None:
    keys = selected(InstanceID=context.job)
    with connection(context) as wsman:
        changed = wsman.put(JOB, instance(JOB, Priority="8"), selector_set=keys)
        assert Instance(only_child(changed)).text("Priority") == "8"
        assert Instance(only_child(wsman.get(JOB, selector_set=keys))).text("Priority") == "8"
        request = ET.Element(f"{{{JOB}}}GetErrors_INPUT")
        answer = wsman.invoke(JOB + "/GetErrors", JOB, request, selector_set=keys)
        assert Instance(only_child(body_of(answer))).text("ReturnValue") == "0"
        assert len(wsman.delete(JOB, selector_set=keys)) == 0
        fault(lambda: wsman.get(JOB, selector_set=keys), "wsa:DestinationUnreachable")


def subscribe(context: SimpleNamespace) -> None:
    """It knows no headers but its own; the reference parameters of the reply go as such. Fetching is `pull.py`'s subject."""
    creations = class_uri("CIM_InstCreation")
    pushed = ET.Element(WSE + "Subscribe")
    delivery = ET.SubElement(pushed, WSE + "Delivery", Mode=PUSH)
    ET.SubElement(ET.SubElement(delivery, WSE + "NotifyTo"), WSA + "Address").text = "http://127.0.0.1:9/"
    with connection(context) as wsman:
        delivery.set("Mode", "urn:example:pigeon")
        unavailable = "wse:DeliveryModeRequestedUnavailable"
        fault(lambda: wsman.invoke(EVENTING + "Subscribe", creations, pushed), unavailable)
        delivery.set("Mode", PUSH)
        answer = only_child(body_of(wsman.invoke(EVENTING + "Subscribe", creations, pushed)))
        parameters = answer.find(f"{WSE}SubscriptionManager/{WSA}ReferenceParameters")
        assert parameters is not None, show(answer)
        wsman.extra_headers = [e for e in parameters if e.tag == WSE + "Identifier"]
        end = ET.Element(WSE + "Unsubscribe")
        assert len(body_of(wsman.invoke(EVENTING + "Unsubscribe", creations, end))) == 0
        fault(lambda: wsman.invoke(EVENTING + "Unsubscribe", creations, end), "wsa:DestinationUnreachable")


def refused(context: SimpleNamespace) -> None:
    """Where the fault has Windows' code, pypsrp tells this and not the subcode."""
    new = instance(FILTER, Query="SELECT * FROM CIM_InstCreation", QueryLanguage="DMTF:CQL")
    with connection(context, context.viewer, context.viewers_password) as viewer:
        access_denied = 5
        fault(lambda: viewer.create(FILTER, new, selector_set=selected(__cimnamespace="root/interop")), access_denied)
    with connection(context) as wsman:
        fault(lambda: wsman.get(SOFTWARE), "wsman:InvalidSelectors")
        fault(lambda: wsman.get(class_uri("CIM_Unicorn")), "wsa:DestinationUnreachable")
        fault(lambda: wsman.put(SOFTWARE, instance(SOFTWARE), selector_set=selected(InstanceID=context.alpha)),
              "wsa:ActionNotSupported")


def fault(call: Callable[[], object], code: str | int) -> None:
    try:
        answer = call()
    except WSManFaultError as found:
        assert found.code == code, f"{found.code}: {found.reason}, not {code}"
        assert found.reason, f"{code} without a reason"
    else:
        raise AssertionError(f"no {code}, but {answer!r}")
