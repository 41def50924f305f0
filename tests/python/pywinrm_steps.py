"""pywinrm: the headers that it builds, and messages of one's own behind them.

It writes to another host than it sends to, and marks headers with a mustUnderstand that is not SOAP's.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from types import SimpleNamespace
from typing import Any

import xmltodict
from winrm.exceptions import InvalidCredentialsError, WSManFaultError
from winrm.protocol import Protocol

from cim import S, WSEN, WSMAN, Instance, class_uri, show

GET = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"


def protocol(context: SimpleNamespace, password: str | None = None) -> Protocol:
    return Protocol(
        endpoint=f"https://{context.host}:{context.port}/wsman",
        transport="ssl",
        username=context.user,
        password=password or context.password,
        ca_trust_path=context.ca,
        proxy=None,
    )


def send(
    winrm: Protocol, action: str, uri: str, body: dict[str, Any] | None, keys: dict[str, str] | None = None
) -> ET.Element:
    """Sends a message, as who reads the program's documentation does it; gives the child of the body."""
    envelope = winrm.build_wsman_header(action, uri)
    if keys:
        selectors = [{"@Name": name, "#text": value} for name, value in keys.items()]
        envelope["env:Header"]["w:SelectorSet"] = {"w:Selector": selectors}
    envelope["env:Body"] = body
    answer = winrm.send_message(xmltodict.unparse({"env:Envelope": envelope}))
    found = ET.fromstring(answer).find(S + "Body")
    assert found is not None and len(found) == 1, answer
    return found[0]


def get(context: SimpleNamespace) -> None:
    got = send(protocol(context), GET, class_uri("CIM_SoftwareIdentity"), None, {"InstanceID": context.alpha})
    assert Instance(got).check_shape().text("Name") == "alpha"


def items_in(response: ET.Element, namespace: str) -> list[ET.Element]:
    items = response.find(namespace + "Items")
    assert items is not None, show(response)
    return list(items)


def query(context: SimpleNamespace) -> None:
    winrm = protocol(context)
    filter = {"@Dialect": WQL, "#text": "SELECT Name FROM CIM_SoftwareIdentity"}
    body = {"n:Enumerate": {"w:OptimizeEnumeration": None, "w:MaxElements": "50", "w:Filter": filter}}
    response = send(winrm, ENUMERATION + "Enumerate", WMI + "*", body)
    items = items_in(response, WSMAN)
    while response.find(WSMAN + "EndOfSequence") is None and response.find(WSEN + "EndOfSequence") is None:
        pull = {"n:EnumerationContext": response.findtext(WSEN + "EnumerationContext"), "n:MaxElements": "50"}
        response = send(winrm, ENUMERATION + "Pull", WMI + "*", {"n:Pull": pull})
        items += items_in(response, WSEN)
    names = [item.findtext("Name") for item in items]
    assert len(names) == context.packages and "alpha" in names, f"{len(names)} packages"


def invoke(context: SimpleNamespace) -> None:
    uri = class_uri("CIM_ConcreteJob")
    body = {"q:RequestStateChange_INPUT": {"@xmlns:q": uri, "q:RequestedState": "4"}}
    output = send(protocol(context), uri + "/RequestStateChange", uri, body, {"InstanceID": context.job})
    assert Instance(output).text("ReturnValue") == "4097"


def refused(context: SimpleNamespace) -> None:
    """Faults come as exceptions that have their parts; there is no shell; a wrong password is told as such."""
    winrm = protocol(context)
    for call, subcode in (
        (lambda: send(winrm, GET, class_uri("CIM_Unicorn"), None, {"InstanceID": "x"}), "wsa:DestinationUnreachable"),
        (lambda: send(winrm, GET, class_uri("CIM_SoftwareIdentity"), None), "wsman:InvalidSelectors"),
        (lambda: winrm.open_shell(), "wsa:DestinationUnreachable"),
    ):
        try:
            call()
        except WSManFaultError as fault:
            assert fault.fault_code == "s:Sender" and fault.fault_subcode == subcode, (fault.fault_code, fault.fault_subcode)
            assert fault.reason, "a fault without reason"
        else:
            raise AssertionError(f"no {subcode}")
    try:
        send(protocol(context, "not the password"), GET, class_uri("CIM_SoftwareIdentity"), None)
    except InvalidCredentialsError:
        pass
    else:
        raise AssertionError("a wrong password is let in")
