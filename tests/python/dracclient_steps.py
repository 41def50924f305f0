"""python-dracclient, OpenStack's client for Dell's iDRAC: its WSMan client enumerates, pulls and invokes.

It verifies no certificate, sends no Content-Type, and tells of a fault its HTTP status alone.
"""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

from dracclient import exceptions, wsman
from urllib3.exceptions import InsecureRequestWarning

from cim import WSEN, WSMAN, class_uri, local_name

warnings.simplefilter("ignore", InsecureRequestWarning)

SOFTWARE = class_uri("CIM_SoftwareIdentity")
JOB = class_uri("CIM_ConcreteJob")
SERVICE = class_uri("CIM_SoftwareInstallationService")


def client(context: SimpleNamespace) -> wsman.Client:
    return wsman.Client(context.host, context.user, context.password, port=context.port, ssl_retries=1)


def names(response: Any) -> list[str]:
    """The names of the packages in a reply."""
    items = response.find(f".//{WSMAN}Items")
    assert items is not None, "a reply without Items"
    return [child.text for item in items for child in item if local_name(child) == "Name"]


def value(response: Any, name: str) -> str | None:
    found = [e.text for e in response.iter() if isinstance(e.tag, str) and local_name(e) == name]
    assert len(found) <= 1, f"{name}: {found}"
    return found[0] if found else None


def enumerate_all(context: SimpleNamespace) -> None:
    """Page by page until there is no context any more, all merged into the first reply."""
    for page in (100, 7, 1000):
        found = names(client(context).enumerate(SOFTWARE, max_elems=page))
        assert len(found) == len(set(found)) == context.packages, f"{len(found)} packages in pages of {page}"


def enumerate_filtered(context: SimpleNamespace) -> None:
    query = "select * from CIM_SoftwareIdentity where Name = 'beta'"
    for dialect in ("cql", "wql"):
        found = names(client(context).enumerate(SOFTWARE, filter_query=query, filter_dialect=dialect))
        assert found == ["beta"], f"{dialect}: {found}"


def pull(context: SimpleNamespace) -> None:
    """Not optimized, it gets a context alone."""
    drac = client(context)
    begun = drac.enumerate(SOFTWARE, optimization=False, auto_pull=False)
    found = begun.find(f".//{WSEN}EnumerationContext").text
    page = drac.pull(SOFTWARE, found, max_elems=3).find(f".//{WSEN}Items")
    assert len(page) == 3, f"{len(page)} items where 3 were asked for"


def invoke(context: SimpleNamespace) -> None:
    """Arguments are text, and arrays are lists; it knows no references."""
    drac = client(context)
    response = drac.invoke(JOB, "RequestStateChange", {"InstanceID": context.job}, {"RequestedState": "4"})
    assert value(response, "ReturnValue") == "4097", "a job that has ended cannot be cancelled"
    reference = drac.enumerate(SERVICE)
    keys = ("CreationClassName", "Name", "SystemCreationClassName", "SystemName")
    selectors = {key: value(reference, key) for key in keys}
    # Neither a target nor a collection is named.
    arguments = {"URI": "file:///nowhere", "InstallOptions": ["2", "3"]}
    response = drac.invoke(SERVICE, "InstallFromURI", selectors, arguments)
    assert value(response, "ReturnValue") == "2", "DSP1025: 2 (Error Occurred)"


def refused(context: SimpleNamespace) -> None:
    for call in (
        lambda drac: drac.enumerate(class_uri("CIM_Unicorn")),
        lambda drac: drac.enumerate(SOFTWARE, filter_query="select nothing"),
        lambda drac: drac.pull(SOFTWARE, "no-context"),
        lambda drac: drac.invoke(JOB, "Dance", {"InstanceID": context.job}, {}),
    ):
        try:
            call(client(context))
        except exceptions.WSManInvalidResponse as error:
            assert "500" in str(error), error
        else:
            raise AssertionError("no fault")
