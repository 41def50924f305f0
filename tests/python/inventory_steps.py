"""Steps 1 to 4: who is there, and what is installed on it."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import requests

from cim import ALL_CLASSES, S, WSEN, WSMAN, WSMID, Instance, Reference, class_uri, show
from client import CQL_DIALECT, Client, Fault, Selectors, only_child

IDENTIFY = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    "<s:Header/><s:Body><wsmid:Identify/></s:Body></s:Envelope>"
)
PROTOCOL = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
INTEROP = "root/interop"


def identify(context: SimpleNamespace) -> None:
    """With credentials, and without in both ways; anything else without credentials is refused."""
    known = identify_response(context, "/wsman", auth=(context.user, context.password))
    assert known.findtext(WSMID + "ProtocolVersion") == PROTOCOL, show(known)
    assert known.findtext(WSMID + "ProductVendor"), f"no ProductVendor: {show(known)}"
    assert known.findtext(WSMID + "ProductVersion"), f"no ProductVersion: {show(known)}"
    identify_response(context, "/wsman", headers={"WSMANIDENTIFY": "unauthenticated"})
    identify_response(context, "/wsman-anon/identify")

    refused = post(context, "/wsman")
    assert refused.status_code == 401, f"Identify without credentials: {refused.status_code}"
    assert "basic" in refused.headers.get("WWW-Authenticate", "").lower(), refused.headers
    wrong = post(context, "/wsman", auth=(context.user, "not the password"))
    assert wrong.status_code == 401, f"Identify with a wrong password: {wrong.status_code}"


def post(context: SimpleNamespace, path: str, headers: dict[str, str] | None = None, auth=None) -> requests.Response:
    all_headers = {"Content-Type": "application/soap+xml;charset=UTF-8", **(headers or {})}
    return requests.post(
        f"https://{context.host}:{context.port}{path}",
        data=IDENTIFY.encode(),
        headers=all_headers,
        auth=auth,
        verify=context.ca if context.ca else False,
        proxies={"https": ""},
        timeout=30,
    )


def identify_response(context: SimpleNamespace, path: str, **options) -> ET.Element:
    answer = post(context, path, **options)
    assert answer.status_code == 200, f"Identify at {path} with {options}: {answer.status_code} {answer.text}"
    body = ET.fromstring(answer.content).find(S + "Body")
    assert body is not None
    response = only_child(body)
    assert response.tag == WSMID + "IdentifyResponse", show(response)
    assert response.findtext(WSMID + "ProtocolVersion"), f"no ProtocolVersion: {show(response)}"
    return response


def find_system(client: Client, context: SimpleNamespace) -> None:
    """As the profiles have it: from the registered profile to what conforms to it."""
    profiles = client.pairs(class_uri("CIM_RegisteredProfile"), cim_namespace=INTEROP)
    by_name = {instance.text("RegisteredName"): reference for instance, reference in profiles}
    for name in ("Base Server", "Software Inventory", "Software Update"):
        assert name in by_name, f"no registered profile {name!r}, only {sorted(by_name)}"

    query = ET.Element(WSMAN + "Filter", Dialect=CQL_DIALECT)
    query.text = "SELECT * FROM CIM_RegisteredProfile WHERE RegisteredName = 'Base Server'"
    selected = client.references(class_uri("CIM_RegisteredProfile"), cim_namespace=INTEROP, filter=query)
    assert selected == [by_name["Base Server"]], f"CQL selected {[str(s) for s in selected]}"

    def conforming(profile: str, result: str) -> list[Reference]:
        return client.associator_names(
            by_name[profile], AssociationClassName="CIM_ElementConformsToProfile", ResultClassName=result
        )

    systems = conforming("Base Server", "CIM_ComputerSystem")
    assert len(systems) == 1, f"{len(systems)} systems conform to Base Server: {[str(s) for s in systems]}"
    context.system = systems[0]
    enumerated = client.references(class_uri("CIM_ComputerSystem"))
    assert keys(enumerated) == keys(systems), f"enumerating gives {[str(e) for e in enumerated]}"
    instance = client.get(context.system)
    assert instance.text("Name") == context.system.key("Name")
    # What conforms is the system itself; asking for any class tells the same.
    anything = client.associators(by_name["Base Server"], AssociationClassName="CIM_ElementConformsToProfile")
    assert [i.text("Name") for i in anything] == [instance.text("Name")]

    identities = conforming("Software Inventory", "CIM_SoftwareIdentity")
    assert len(identities) >= len(installed_packages(context)), (
        f"{len(identities)} software identities conform to Software Inventory, "
        f"{len(installed_packages(context))} packages are installed"
    )
    assert keys(identities) == keys(client.references(class_uri("CIM_SoftwareIdentity"))), "all software conforms"
    services = conforming("Software Update", "CIM_SoftwareInstallationService")
    assert len(services) == 1, f"{len(services)} services conform to Software Update"
    context.update_service = services[0]


def keys(references: list[Reference]) -> list[tuple]:
    """References without the class they are addressed as, for comparison across namespaces."""
    return sorted(tuple((n, str(v)) for n, v in r.selectors if not n.startswith("__")) for r in references)


def find_service(client: Client, context: SimpleNamespace) -> None:
    services = client.associator_names(
        context.system,
        AssociationClassName="CIM_HostedService",
        ResultClassName="CIM_SoftwareInstallationService",
    )
    assert len(services) == 1, f"{len(services)} installation services: {[str(s) for s in services]}"
    context.service = services[0]
    assert keys(services) == keys([context.update_service]), f"{services[0]} is not {context.update_service}"
    instance = client.get(context.service)
    assert instance.text("SystemName") == context.system.key("Name")

    hosted = client.associator_names(
        context.service, AssociationClassName="CIM_HostedService", Role="Dependent", ResultRole="Antecedent"
    )
    assert keys(hosted) == keys([context.system]), "CIM_HostedService does not lead back to the system"


def read_software(client: Client, context: SimpleNamespace) -> None:
    """Every way of enumerating tells the same objects, and as many as there are packages."""
    uri = class_uri("CIM_SoftwareIdentity")
    expected = len(installed_packages(context))
    assert expected >= 3, f"the root of the walk has only {expected} packages"

    objects = client.instances(uri)
    names = sorted(i.text("InstanceID") for i in objects)
    assert len(names) == len(set(names)), "the same identity twice"
    assert len(names) == expected, f"{len(names)} identities, {expected} packages are installed"
    for options in ({"optimize": False}, {"page": 1}, {"page": 2, "optimize": False}):
        again = sorted(i.text("InstanceID") for i in client.instances(uri, **options))
        assert again == names, f"enumerated with {options}: {again} instead of {names}"
    for optimize in (True, False):
        references = client.references(uri, optimize=optimize)
        assert sorted(str(r.key("InstanceID")) for r in references) == names, "EPRs differ from objects"
        pairs = client.pairs(uri, optimize=optimize)
        assert sorted(i.text("InstanceID") for i, _ in pairs) == names, "pairs differ from objects"
        for instance, reference in pairs:
            assert instance.text("InstanceID") == reference.key("InstanceID"), f"{instance} goes with {reference}"

    instance, reference = client.pairs(uri)[0]
    got = client.get(reference)
    assert got.same_as(instance), f"Get gives {got}, the enumeration {instance}"
    for name in ("Name", "ElementName", "VersionString", "Version", "Architecture", "Epoch"):
        assert got.text(name), f"{reference} has no {name}"
    assert got.text("IsEntity") == "true", f"IsEntity of {reference} is {got.text('IsEntity')}"
    unknown = reference.with_key("InstanceID", str(reference.key("InstanceID")) + "-unknown")
    fault_of(lambda: client.get(unknown), "wsa:DestinationUnreachable")
    first_only(client, uri)
    installed(client, context, names)


def first_only(client: Client, uri: str) -> None:
    """A context that was released, or that nobody gave out, is no context."""
    selectors = Selectors([("__cimnamespace", "root/cimv2")])
    response = only_child(client.wsman.enumerate(uri, ET.Element(WSEN + "Enumerate"), selector_set=selectors))
    context = response.findtext(WSEN + "EnumerationContext") or ""
    assert context, show(response)
    client.release(uri, context, selectors)
    fault_of(lambda: client.pull(uri, context, 1, selectors), "wsen:InvalidEnumerationContext")
    fault_of(lambda: client.pull(uri, "never given out", 1, selectors), "wsen:InvalidEnumerationContext")


def installed(client: Client, context: SimpleNamespace, names: list[str]) -> None:
    """CIM_InstalledSoftwareIdentity, from the system and from the software."""
    associations = client.instances(class_uri("CIM_InstalledSoftwareIdentity"))
    assert len(associations) == len(installed_packages(context)), f"{len(associations)} installed identities"
    assert sorted(str(a.reference("InstalledSoftware").key("InstanceID")) for a in associations) == names
    assert {str(a.reference("System").key("Name")) for a in associations} == {context.system.key("Name")}

    software = client.associator_names(
        context.system, AssociationClassName="CIM_InstalledSoftwareIdentity", ResultClassName="CIM_SoftwareIdentity"
    )
    assert sorted(str(s.key("InstanceID")) for s in software) == names, "from the system to the software"
    systems = client.associator_names(software[0], AssociationClassName="CIM_InstalledSoftwareIdentity")
    assert keys(systems) == keys([context.system]), "from the software to the system"
    links = client.association_names(software[0], ResultClassName="CIM_InstalledSoftwareIdentity")
    assert len(links) == 1, f"{len(links)} associations of {software[0]}"
    link = client.get(links[0])
    assert link.reference("InstalledSoftware").key("InstanceID") == software[0].key("InstanceID")
    empty = client.associator_names(software[0], AssociationClassName="CIM_HostedService")
    assert empty == [], f"a package hosts services: {[str(e) for e in empty]}"
    fault_of(lambda: client.instances(ALL_CLASSES), None)


def installed_packages(context: SimpleNamespace) -> list[str]:
    """What the package database itself says is installed."""
    if context.family == "deb":
        command = ["dpkg-query", f"--admindir={context.root}/var/lib/dpkg", "-W", "-f", "${db:Status-Abbrev}|${Package}\n"]
        lines = run(command)
        # The second letter is the state: anything but not-installed, config-files and half-installed has its files.
        return [line.split("|")[1] for line in lines if line[1] not in "ncH"]
    command = ["rpm", "--root", context.root, "--dbpath", "/var/lib/rpm", "-qa", "--qf", "%{NAME}\n"]
    return [name for name in run(command) if name != "gpg-pubkey"]


def run(command: list[str]) -> list[str]:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.returncode} {done.stderr}"
    return [line for line in done.stdout.splitlines() if line.strip()]


def fault_of(action, code: str | None) -> Fault:
    """Does what must end in a fault; `None` takes any."""
    try:
        result = action()
    except Fault as fault:
        subcode = str(fault.code).rpartition(":")[2]
        assert code is None or subcode == code.rpartition(":")[2], f"fault {fault.code}: {fault.reason}, not {code}"
        assert fault.reason, f"fault {fault.code} tells no reason"
        return fault
    raise AssertionError(f"no fault, but {result if not isinstance(result, Instance) else str(result)}")
