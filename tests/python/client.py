"""pypsrp's WSMan with the few things on top of it that a CIM client needs.

pypsrp builds and reads the envelopes and does TLS and Basic authentication; what is added here are bodies
(enumeration, association filters, method calls, subscriptions), nested references as selectors, and the reference
parameters of a subscription manager as headers.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any, Iterable

from pypsrp.exceptions import WSManFaultError
from pypsrp.wsman import NAMESPACES, SelectorSet, WSMan

from cim import ALL_CLASSES, WSA, WSE, WSEN, WSMAN, WSMB, Instance, Reference, local_name, show

TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
EVENTING = "http://schemas.xmlsoap.org/ws/2004/08/eventing/"
RELEASE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Release"
ASSOCIATION_DIALECT = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter"
CQL_DIALECT = "http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf"
PUSH = "http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryModes/Push"

# pypsrp knows no eventing; with these, its envelopes carry readable prefixes.
NAMESPACES.setdefault("wse", WSE.strip("{}"))
NAMESPACES.setdefault("wsmb", WSMB.strip("{}"))

Fault = WSManFaultError


class Selectors(SelectorSet):
    """A selector set of pypsrp whose values may be references."""

    def __init__(self, pairs: Iterable[tuple[str, "str | Reference"]]) -> None:
        super().__init__()
        self.reference = Reference("", tuple(pairs))

    def pack(self) -> ET.Element:
        return self.reference.selector_set()


class Connection(WSMan):
    """A WSMan of pypsrp that can send further header blocks."""

    extra_headers: list[ET.Element] = []

    def _create_header(self, *arguments: Any, **keywords: Any) -> tuple[str, ET.Element]:
        message_id, header = super()._create_header(*arguments, **keywords)
        header.extend(self.extra_headers)
        return message_id, header


class Subscription:
    """What Subscribe answered: where to manage the subscription."""

    def __init__(self, response: ET.Element) -> None:
        manager = response.find(WSE + "SubscriptionManager")
        assert manager is not None, f"no SubscriptionManager: {show(response)}"
        assert manager.findtext(WSA + "Address"), f"a SubscriptionManager without Address: {show(response)}"
        parameters = manager.find(WSA + "ReferenceParameters")
        assert parameters is not None, f"a SubscriptionManager without ReferenceParameters: {show(response)}"
        identifier = parameters.findtext(WSE + "Identifier")
        assert identifier, f"a SubscriptionManager without Identifier: {show(response)}"
        self.identifier = identifier
        self.headers = [e for e in parameters if e.tag not in (WSMAN + "ResourceURI", WSMAN + "SelectorSet")]
        self.resource_uri = parameters.findtext(WSMAN + "ResourceURI") or ALL_CLASSES
        self.expires = response.findtext(WSE + "Expires")


class Client:
    """The operations of the walk."""

    def __init__(self, host: str, port: int, user: str, password: str, ca: str | None) -> None:
        self.wsman = Connection(
            host,
            port=port,
            ssl=True,
            auth="basic",
            username=user,
            password=password,
            cert_validation=ca if ca else False,  # type: ignore[arg-type]
            no_proxy=True,
            max_envelope_size=512000,
        )

    def close(self) -> None:
        self.wsman.close()

    # Transfer

    def get(self, reference: Reference) -> Instance:
        body = self.wsman.get(reference.resource_uri, selector_set=Selectors(reference.selectors))
        return Instance(only_child(body)).check_shape()

    # Enumeration

    def enumerate(
        self,
        uri: str,
        *,
        cim_namespace: str | None = "root/cimv2",
        mode: str | None = None,
        optimize: bool = True,
        page: int = 256,
        filter: ET.Element | None = None,
        polymorphism: str | None = None,
    ) -> list[ET.Element]:
        """All items, page by page, with the rules of DSP0226 8.2 and 8.4 checked on the way."""
        request = ET.Element(WSEN + "Enumerate")
        if filter is not None:
            request.append(filter)
        if optimize:
            ET.SubElement(request, WSMAN + "OptimizeEnumeration")
            ET.SubElement(request, WSMAN + "MaxElements").text = str(page)
        if mode is not None:
            ET.SubElement(request, WSMAN + "EnumerationMode").text = mode
        if polymorphism is not None:
            ET.SubElement(request, WSMB + "PolymorphismMode").text = polymorphism
        selectors = Selectors([("__cimnamespace", cim_namespace)] if cim_namespace else [])

        response = only_child(self.wsman.enumerate(uri, request, selector_set=selectors))
        assert response.find(WSEN + "Expires") is None, "Expires in a reply to a request without it (R: only if asked)"
        context = response.find(WSEN + "EnumerationContext")
        assert context is not None, f"EnumerateResponse without EnumerationContext: {show(response)}"
        first = response.find(WSMAN + "Items")
        done = response.find(WSMAN + "EndOfSequence") is not None
        if optimize:
            assert first is not None or done, f"an optimized reply without Items and EndOfSequence: {show(response)}"
        else:
            assert first is None and not done, f"items that were not asked for (R8.2.3-2): {show(response)}"
        items = list(first) if first is not None else []
        assert len(items) <= page, f"{len(items)} items where at most {page} were asked for"
        while not done:
            assert context is not None and context.text, f"no context to go on with: {show(response)}"
            response = self.pull(uri, context.text, page, selectors)
            wrapper = response.find(WSEN + "Items")
            got = list(wrapper) if wrapper is not None else []
            assert len(got) <= page, f"{len(got)} items where at most {page} were asked for"
            items += got
            done = response.find(WSEN + "EndOfSequence") is not None
            context = response.find(WSEN + "EnumerationContext")
            assert got or done, "an empty page in the middle of an enumeration"
            assert context is None or not done, "EndOfSequence together with a context (R8.4-8)"
        return items

    def pull(self, uri: str, context: str, page: int, selectors: SelectorSet) -> ET.Element:
        request = ET.Element(WSEN + "Pull")
        ET.SubElement(request, WSEN + "EnumerationContext").text = context
        ET.SubElement(request, WSEN + "MaxElements").text = str(page)
        return only_child(self.wsman.pull(uri, request, selector_set=selectors))

    def release(self, uri: str, context: str, selectors: SelectorSet) -> None:
        request = ET.Element(WSEN + "Release")
        ET.SubElement(request, WSEN + "EnumerationContext").text = context
        self.wsman.invoke(RELEASE, uri, request, selector_set=selectors)

    def instances(self, uri: str, **options: Any) -> list[Instance]:
        return [Instance(item).check_shape() for item in self.enumerate(uri, **options)]

    def references(self, uri: str, **options: Any) -> list[Reference]:
        items = self.enumerate(uri, mode="EnumerateEPR", **options)
        return [read_reference(item) for item in items]

    def pairs(self, uri: str, **options: Any) -> list[tuple[Instance, Reference]]:
        """Objects with their references."""
        found = []
        for item in self.enumerate(uri, mode="EnumerateObjectAndEPR", **options):
            assert item.tag == WSMAN + "Item" and len(item) == 2, f"no pair of object and EPR: {show(item)}"
            found.append((Instance(item[0]).check_shape(), read_reference(item[1])))
        return found

    # Associations

    def associator_names(self, source: Reference, **parts: str) -> list[Reference]:
        return self.references(ALL_CLASSES, filter=association_filter("AssociatedInstances", source, parts))

    def associators(self, source: Reference, **parts: str) -> list[Instance]:
        return self.instances(ALL_CLASSES, filter=association_filter("AssociatedInstances", source, parts))

    def association_names(self, source: Reference, **parts: str) -> list[Reference]:
        return self.references(ALL_CLASSES, filter=association_filter("AssociationInstances", source, parts))

    # Methods

    def invoke(
        self, target: Reference, method: str, arguments: list[tuple[str, "str | Reference"]], uri: str | None = None
    ) -> Instance:
        """Calls a method; the output parameters and ReturnValue are the properties of what comes back.

        `uri` names another class than the target's own, one of its ancestors."""
        uri = uri or target.resource_uri
        request = ET.Element(f"{{{uri}}}{method}_INPUT")
        for name, value in arguments:
            parameter = ET.SubElement(request, f"{{{uri}}}{name}")
            if isinstance(value, Reference):
                value.write(parameter)
            else:
                parameter.text = value
        action = f"{uri}/{method}"
        envelope = self.wsman.invoke(action, uri, request, selector_set=Selectors(target.selectors))
        body = envelope.find("s:Body", NAMESPACES)
        assert body is not None
        output = only_child(body)
        assert output.tag == f"{{{uri}}}{method}_OUTPUT", f"the reply to {method} is {output.tag}"
        assert local_name(output[-1]) == "ReturnValue", f"ReturnValue is not last: {show(output)}"
        return Instance(output)

    # Eventing

    def subscribe(self, sink: str, query: str, token: str, expires: str = "PT10M") -> Subscription:
        """A push subscription; `token` comes back as a header of every event, in both readings of NotifyTo."""
        request = ET.Element(WSE + "Subscribe")
        delivery = ET.SubElement(request, WSE + "Delivery", Mode=PUSH)
        notify_to = ET.SubElement(delivery, WSE + "NotifyTo")
        ET.SubElement(notify_to, WSA + "Address").text = sink
        for reading in ("ReferenceProperties", "ReferenceParameters"):
            holder = ET.SubElement(notify_to, WSA + reading)
            ET.SubElement(holder, f"{{urn:example:walk}}{reading}").text = token
        ET.SubElement(request, WSE + "Expires").text = expires
        ET.SubElement(request, WSMAN + "Filter", Dialect=CQL_DIALECT).text = query
        envelope = self.wsman.invoke(
            EVENTING + "Subscribe", ALL_CLASSES, request, selector_set=Selectors([("__cimnamespace", "root/cimv2")])
        )
        return Subscription(self._body(envelope, WSE + "SubscribeResponse"))

    def renew(self, subscription: Subscription, expires: str) -> str | None:
        request = ET.Element(WSE + "Renew")
        ET.SubElement(request, WSE + "Expires").text = expires
        response = self._manage(subscription, "Renew", request)
        return self._body(response, WSE + "RenewResponse").findtext(WSE + "Expires")

    def unsubscribe(self, subscription: Subscription) -> None:
        self._manage(subscription, "Unsubscribe", ET.Element(WSE + "Unsubscribe"))

    def _manage(self, subscription: Subscription, operation: str, request: ET.Element) -> ET.Element:
        self.wsman.extra_headers = subscription.headers
        try:
            return self.wsman.invoke(EVENTING + operation, subscription.resource_uri, request)
        finally:
            self.wsman.extra_headers = []

    @staticmethod
    def _body(envelope: ET.Element, expected: str) -> ET.Element:
        body = envelope.find("s:Body", NAMESPACES)
        assert body is not None
        child = only_child(body)
        assert child.tag == expected, f"{child.tag} where {expected} was due"
        return child


def only_child(body: ET.Element) -> ET.Element:
    children = list(body)
    assert len(children) == 1, f"the body has {len(children)} children: {show(body)}"
    return children[0]


def read_reference(item: ET.Element) -> Reference:
    assert item.tag == WSA + "EndpointReference", f"no EndpointReference: {show(item)}"
    return Reference.read(item)


def association_filter(kind: str, source: Reference, parts: dict[str, str]) -> ET.Element:
    """`kind` is AssociatedInstances (the objects at the other end) or AssociationInstances (the associations)."""
    order = ["AssociationClassName", "Role", "ResultClassName", "ResultRole"]
    assert set(parts) <= set(order), f"unknown parts of an association filter: {parts}"
    holder = ET.Element(WSMAN + "Filter", Dialect=ASSOCIATION_DIALECT)
    query = ET.SubElement(holder, WSMB + kind)
    source.write(ET.SubElement(query, WSMB + "Object"))
    for name in order:
        if name in parts:
            ET.SubElement(query, WSMB + name).text = parts[name]
    return holder
