"""CIM objects as they travel over WS-Management: references, instances, names.

Reads what the service sends and builds what it is sent; knows nothing of connections.
"""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

S = "{http://www.w3.org/2003/05/soap-envelope}"
WSA = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
WSMAN = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
WSEN = "{http://schemas.xmlsoap.org/ws/2004/09/enumeration}"
WSE = "{http://schemas.xmlsoap.org/ws/2004/08/eventing}"
WSMB = "{http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd}"
WSMID = "{http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd}"
CIM = "{http://schemas.dmtf.org/wbem/wscim/1/common}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
ALL_CLASSES = "http://schemas.dmtf.org/wbem/wscim/1/*"
DMTF_SCHEMA = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"


def class_uri(name: str) -> str:
    """The ResourceURI of a class of the DMTF's schema."""
    return DMTF_SCHEMA + name


def local_name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def namespace(element: ET.Element) -> str:
    return element.tag.rpartition("}")[0].lstrip("{")


@dataclasses.dataclass(frozen=True)
class Reference:
    """An endpoint reference: what class, and the keys. Two are equal if they name the same object."""

    resource_uri: str
    selectors: tuple[tuple[str, "str | Reference"], ...]
    address: str = dataclasses.field(default=ANONYMOUS, compare=False)

    @classmethod
    def read(cls, holder: ET.Element) -> "Reference":
        """Reads Address and ReferenceParameters that stand directly in `holder`."""
        parameters = holder.find(WSA + "ReferenceParameters")
        assert parameters is not None, f"<{local_name(holder)}> holds no endpoint reference: {show(holder)}"
        uri = parameters.findtext(WSMAN + "ResourceURI")
        assert uri, f"an endpoint reference without ResourceURI: {show(holder)}"
        selectors: list[tuple[str, str | Reference]] = []
        for selector in parameters.iterfind(f"{WSMAN}SelectorSet/{WSMAN}Selector"):
            nested = selector.find(WSA + "EndpointReference")
            value = selector.text or "" if nested is None else cls.read(nested)
            selectors.append((selector.attrib["Name"], value))
        address = holder.findtext(WSA + "Address") or ""
        assert address, f"an endpoint reference without Address: {show(holder)}"
        return cls(uri, tuple(sorted(selectors, key=lambda s: s[0])), address)

    @property
    def class_name(self) -> str:
        return self.resource_uri.rpartition("/")[2]

    def key(self, name: str) -> "str | Reference":
        for known, value in self.selectors:
            if known == name:
                return value
        raise AssertionError(f"{self} has no selector {name}")

    def with_key(self, name: str, value: str) -> "Reference":
        """The same reference with another value for one key."""
        self.key(name)
        changed = tuple((n, value if n == name else v) for n, v in self.selectors)
        return dataclasses.replace(self, selectors=changed)

    def write(self, holder: ET.Element) -> ET.Element:
        """Writes Address and ReferenceParameters directly into `holder`, and returns it."""
        ET.SubElement(holder, WSA + "Address").text = self.address
        parameters = ET.SubElement(holder, WSA + "ReferenceParameters")
        ET.SubElement(parameters, WSMAN + "ResourceURI").text = self.resource_uri
        parameters.append(self.selector_set())
        return holder

    def selector_set(self) -> ET.Element:
        selector_set = ET.Element(WSMAN + "SelectorSet")
        for name, value in self.selectors:
            selector = ET.SubElement(selector_set, WSMAN + "Selector", Name=name)
            if isinstance(value, Reference):
                value.write(ET.SubElement(selector, WSA + "EndpointReference"))
            else:
                selector.text = value
        return selector_set

    def __str__(self) -> str:
        keys = ", ".join(f"{name}={value!s}" for name, value in self.selectors)
        return f"{self.class_name}({keys})"


class Instance:
    """A CIM instance: its class and its properties as elements."""

    def __init__(self, element: ET.Element) -> None:
        self.element = element
        self.class_name = local_name(element)
        self.properties: dict[str, list[ET.Element]] = {}
        for child in element:
            self.properties.setdefault(local_name(child), []).append(child)

    @classmethod
    def embedded(cls, holder: ET.Element) -> "Instance":
        """An embedded instance: the class stands in `xsi:type`, as `prefix:Class_Type`."""
        kind = holder.attrib.get(XSI + "type", "").rpartition(":")[2]
        assert kind.endswith("_Type"), f"<{local_name(holder)}> is no embedded instance: {show(holder)}"
        instance = cls(holder)
        instance.class_name = kind.removesuffix("_Type")
        return instance

    def check_shape(self) -> "Instance":
        """The root and the properties are in the namespace of the class; properties are in alphabetical order."""
        uri = namespace(self.element)
        assert uri.endswith("/" + self.class_name), f"{self.class_name} is in the namespace {uri!r}"
        for child in self.element:
            assert namespace(child) == uri, f"{self.class_name}.{local_name(child)} is in {namespace(child)!r}"
        names = [local_name(child) for child in self.element]
        assert names == sorted(names), f"the properties of {self.class_name} are not in order: {names}"
        return self

    def _all(self, name: str) -> list[ET.Element]:
        return [e for e in self.properties.get(name, []) if e.attrib.get(XSI + "nil") not in ("true", "1")]

    def is_null(self, name: str) -> bool:
        return not self._all(name)

    def texts(self, name: str) -> list[str]:
        """The values of an array; empty for NULL."""
        return [self._text(e) for e in self._all(name)]

    def text(self, name: str) -> str:
        values = self.texts(name)
        assert len(values) == 1, f"{self.class_name}.{name} has {len(values)} values: {show(self.element)}"
        return values[0]

    def number(self, name: str) -> int:
        return int(self.text(name))

    def numbers(self, name: str) -> list[int]:
        return [int(t) for t in self.texts(name)]

    def reference(self, name: str) -> Reference:
        elements = self._all(name)
        assert len(elements) == 1, f"{self.class_name}.{name} is no reference: {show(self.element)}"
        return Reference.read(elements[0])

    def embedded_instance(self, name: str) -> "Instance":
        elements = self._all(name)
        assert len(elements) == 1, f"{self.class_name}.{name} is no embedded instance: {show(self.element)}"
        return Instance.embedded(elements[0])

    @staticmethod
    def _text(element: ET.Element) -> str:
        for child in element:
            if child.tag.startswith(CIM):
                return child.text or ""
        return element.text or ""

    def same_as(self, other: "Instance") -> bool:
        return plain(self.element) == plain(other.element)

    def __str__(self) -> str:
        return show(self.element)


def plain(element: ET.Element) -> tuple:
    """An element as a value that can be compared, its own name apart."""
    children = tuple((child.tag, plain(child)) for child in element)
    nil = element.attrib.get(XSI + "nil") in ("true", "1")
    return (nil, (element.text or "").strip(), children)


def show(element: ET.Element, limit: int = 2000) -> str:
    """An element for a message to a person."""
    text = ET.tostring(element, encoding="unicode")
    return text if len(text) <= limit else text[:limit] + " …"
