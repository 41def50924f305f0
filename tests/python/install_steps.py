"""Steps 5 to 7: install a package, watch its job, hear of it at a sink."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace
from typing import Callable

from cim import Instance, Reference, class_uri
from client import Client, Subscription
from inventory_steps import fault_of, installed_packages
from sink import EVENT_ACTION, Event, Sink

STARTED = "4096"
ERROR_OCCURRED, NOT_A_PACKAGE, NOT_READABLE = "2", "4106", "4107"
NEW, RUNNING, COMPLETED, TERMINATED, EXCEPTION = 2, 4, 7, 8, 10
TERMINATE = "4"

# JobState and OperationalStatus go together, in this order.
STATUS = {NEW: [15], RUNNING: [2], COMPLETED: [17, 2], TERMINATED: [10], EXCEPTION: [17, 6]}

KINDS = {"creation": "CIM_InstCreation", "modification": "CIM_InstModification", "deletion": "CIM_InstDeletion"}


def install_from(
    client: Client, context: SimpleNamespace, uri: str | None, target: Reference | None = None, **options: list[str]
) -> Instance:
    """InstallFromURI as the clients of the Software Update profile call it: by the profile's own class."""
    arguments: list[tuple[str, str | Reference]] = []
    if uri is not None:
        arguments.append(("URI", uri))
    arguments.append(("Target", target or context.system))
    arguments += [("InstallOptions", value) for value in options.get("options", [])]
    arguments += [("InstallOptionsValues", value) for value in options.get("values", [])]
    return client.invoke(
        context.service, "InstallFromURI", arguments, uri=class_uri("CIM_SoftwareInstallationService")
    )


def start(client: Client, context: SimpleNamespace, file: str) -> Reference:
    output = install_from(client, context, "file://" + file)
    assert output.text("ReturnValue") == STARTED, f"installing {file}: {output}"
    return output.reference("Job")


def jobs(client: Client) -> list[str]:
    return sorted(i.text("InstanceID") for i in client.instances(class_uri("CIM_ConcreteJob")))


def refuse(client: Client, context: SimpleNamespace) -> None:
    """What cannot be done is said at once, and no job is made."""
    capabilities = client.associators(
        context.service,
        AssociationClassName="CIM_ElementCapabilities",
        ResultClassName="CIM_SoftwareInstallationServiceCapabilities",
    )
    assert len(capabilities) == 1, f"{len(capabilities)} capabilities"
    told = capabilities[0]
    assert 5 in told.numbers("SupportedAsynchronousActions"), f"Install from URI (5) is not told: {told}"
    assert told.numbers("SupportedURISchemes") == [3, 5, 6], f"file (3), http (5) and https (6) are served: {told}"
    assert told.texts("SupportedTargetTypes"), f"no SupportedTargetTypes: {told}"
    supported = told.numbers("SupportedInstallOptions")

    before = jobs(client)
    packages = context.packages
    good = "file://" + packages.good.file
    unsupported = str(next(o for o in (20, 19, 18, 17, 2) if o not in supported))
    stranger = context.system.with_key("Name", "some.other.host")
    directory = os.path.dirname(packages.good.file)
    cases: list[tuple[str, Callable[[], Instance], str]] = [
        ("a missing file", lambda: install_from(client, context, f"file://{directory}/missing"), NOT_READABLE),
        ("a folder", lambda: install_from(client, context, f"file://{directory}"), NOT_READABLE),
        ("no package", lambda: install_from(client, context, "file://" + context.not_a_package), NOT_A_PACKAGE),
        ("another scheme", lambda: install_from(client, context, "gopher://127.0.0.1/x"), ERROR_OCCURRED),
        ("a scheme not served", lambda: install_from(client, context, "nfs://127.0.0.1/x"), ERROR_OCCURRED),
        ("no URI at all", lambda: install_from(client, context, None), ERROR_OCCURRED),
        ("no URI in form", lambda: install_from(client, context, "no uri"), ERROR_OCCURRED),
        ("another host", lambda: install_from(client, context, good, stranger), ERROR_OCCURRED),
        ("another kind of target", lambda: install_from(client, context, good, context.service), ERROR_OCCURRED),
        ("values without options", lambda: install_from(client, context, good, values=["x"]), ERROR_OCCURRED),
        (
            "options that match no values",
            lambda: install_from(client, context, good, options=["4", "5"], values=["x"]),
            ERROR_OCCURRED,
        ),
        ("an option not served", lambda: install_from(client, context, good, options=[unsupported]), ERROR_OCCURRED),
    ]
    for what, call, expected in cases:
        output = call()
        assert output.text("ReturnValue") == expected, f"{what}: {output.text('ReturnValue')}, not {expected}: {output}"
        assert output.is_null("Job"), f"{what}: {output}"
    fault_of(lambda: install_from(client, context, good, options=["four"]), "wsman:InvalidParameter")
    fault_of(lambda: client.invoke(context.service, "NoSuchMethod", []), None)
    assert jobs(client) == before, "a refused call made a job"


def subscribe(client: Client, context: SimpleNamespace, sinks: dict[str, Sink]) -> None:
    """Three filters, each to a plain and to an encrypted sink."""
    context.subscriptions = {}
    for scheme, sink in sinks.items():
        for path, indication in KINDS.items():
            query = f"SELECT * from {indication} WHERE SourceInstance ISA CIM_ConcreteJob"
            subscription = client.subscribe(f"{sink.url}/{path}", query, f"{scheme} {path}")
            context.subscriptions[scheme, path] = subscription
    identifiers = {s.identifier for s in context.subscriptions.values()}
    assert len(identifiers) == 6, f"six subscriptions, {len(identifiers)} identifiers"


def install(client: Client, context: SimpleNamespace) -> None:
    """A package that installs: its job runs through its states, and then the package is there."""
    package = context.packages.good
    count = len(installed_packages(context))
    job = start(client, context, package.file)
    final, words = poll(client, job)
    assert final.number("JobState") == COMPLETED, f"the job ended with {words[-1]!r}: {final}"
    assert words[-1].startswith("Completed successfully"), words
    assert final.is_null("ErrorCode") and final.is_null("ErrorDescription"), f"an error without failure: {final}"
    output = client.invoke(job, "GetError", [])
    assert output.text("ReturnValue") == "0" and output.is_null("Error"), f"GetError of a completed job: {output}"
    packages = installed_packages(context)
    assert package.name in packages and len(packages) == count + 1, f"{package.name} is not installed: {packages}"
    wait_for_identity(client, package.name)
    context.completed = job


def poll(client: Client, job: Reference, seconds: float = 120) -> tuple[Instance, list[str]]:
    """Asks until PercentComplete is 100, as the clients do; gives the last answer and all words on the way."""
    words: list[str] = []
    limit = time.monotonic() + seconds
    while True:
        instance = client.get(job)
        state = instance.number("JobState")
        assert instance.numbers("OperationalStatus") == STATUS.get(state), f"OperationalStatus: {instance}"
        status = instance.text("JobStatus")
        if not words or words[-1] != status:
            words.append(status)
        check_words(state, status)
        if instance.number("PercentComplete") == 100:
            assert state in (COMPLETED, TERMINATED, EXCEPTION), f"100 % in state {state}"
            return instance, words
        assert state in (NEW, RUNNING), f"less than 100 % in state {state}: {instance}"
        assert time.monotonic() < limit, f"the job does not end; so far: {words}"
        time.sleep(0.05)


def check_words(state: int, status: str) -> None:
    start_of = {NEW: "Enqueued", RUNNING: "Running", COMPLETED: "Completed successfully", EXCEPTION: "Failed"}
    expected = start_of.get(state, "Terminated")
    assert status.startswith(expected), f"in state {state} the words are {status!r}"


def wait_for_identity(client: Client, name: str, seconds: float = 30) -> None:
    limit = time.monotonic() + seconds
    while name not in {i.text("Name") for i in client.instances(class_uri("CIM_SoftwareIdentity"))}:
        assert time.monotonic() < limit, f"{name} is installed, but no software identity tells of it"
        time.sleep(0.05)


def fail(client: Client, context: SimpleNamespace) -> None:
    """A package whose dependency is missing: the job says so, in words that tell what to do."""
    package = context.packages.broken
    before = installed_packages(context)
    job = start(client, context, package.file)
    final, words = poll(client, job)
    assert final.number("JobState") == EXCEPTION, f"ended with {words}: {final}"
    assert not final.is_null("ErrorCode") and final.number("ErrorCode") != 0, f"no ErrorCode: {final}"
    description = final.text("ErrorDescription")
    assert package.missing in description, f"the description does not name {package.missing}: {description!r}"
    assert context.root not in description, f"the description tells a path of the host: {description!r}"
    output = client.invoke(job, "GetError", [])
    assert output.text("ReturnValue") == "0", str(output)
    error = output.embedded_instance("Error")
    assert error.class_name == "CIM_Error", error.class_name
    assert package.missing in error.text("Message"), f"GetError does not name {package.missing}: {error}"
    assert not error.is_null("CIMStatusCode"), str(error)
    assert installed_packages(context) == before, "the failed job changed what is installed"
    context.failed = job


def cancel(client: Client, context: SimpleNamespace) -> None:
    """While one job runs the next one waits, and can be called off."""
    running = start(client, context, context.packages.gated.file)
    wait_until(lambda: client.get(running).number("JobState") == RUNNING, "the job runs")
    waiting = start(client, context, context.packages.second.file)
    queued = client.get(waiting)
    assert queued.number("JobState") == NEW, f"two jobs at a time: {queued}"
    assert queued.number("PercentComplete") == 0 and queued.text("JobStatus").startswith("Enqueued"), str(queued)

    output = client.invoke(waiting, "RequestStateChange", [("RequestedState", TERMINATE)])
    assert output.text("ReturnValue") == "0", str(output)
    final, words = poll(client, waiting)
    assert final.number("JobState") == TERMINATED, f"ended with {words}: {final}"
    assert client.get(running).number("JobState") == RUNNING, "cancelling one job ended the other"

    open_gate(context)
    final, words = poll(client, running)
    assert final.number("JobState") == COMPLETED, f"ended with {words}: {final}"
    packages = installed_packages(context)
    assert context.packages.gated.name in packages, packages
    assert context.packages.second.name not in packages, "the cancelled job installed its package"
    context.finished, context.cancelled = running, waiting


def open_gate(context: SimpleNamespace) -> None:
    """Lets the waiting script of the package go on; opening the pipe waits until the script reads it."""
    with open(context.gate, "w", encoding="ascii") as gate:
        gate.write("go\n")


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, f"waited {seconds} s in vain for: {what}"
        time.sleep(0.02)


def events(client: Client, context: SimpleNamespace, sinks: dict[str, Sink]) -> None:
    """Each sink hears of each job: creation, every change in order, and deletion after the removal time."""
    ends = {
        context.completed: COMPLETED,
        context.failed: EXCEPTION,
        context.finished: COMPLETED,
        context.cancelled: TERMINATED,
    }
    for scheme, sink in sinks.items():
        for job, final in ends.items():
            check_story(sink, scheme, str(job.key("InstanceID")), final)
        identifiers = [e.message_id for e in sink.events]
        assert all(identifiers) and len(identifiers) == len(set(identifiers)), "MessageIDs are missing or repeated"
    for job in ends:
        fault_of(lambda job=job: client.get(job), "wsa:DestinationUnreachable")


def check_story(sink: Sink, scheme: str, job: str, final: int) -> None:
    sink.wait_for(f"the deletion of {job}", lambda s: bool(s.at("/deletion", job)), 60)
    story = [sink.at("/" + path, job) for path in KINDS]
    for (path, indication), told in zip(KINDS.items(), story):
        for event in told:
            check_event(event, sink, scheme, path, indication)
    created, changed, deleted = story
    assert len(created) == 1 and len(deleted) == 1, f"{job}: {len(created)} creations, {len(deleted)} deletions"
    assert created[0].source.number("JobState") == NEW, str(created[0])
    assert changed, f"{job}: no change was told"
    before = view(created[0].source)
    for event in changed:
        assert view(event.previous) == before, f"{job}: PreviousInstance is {view(event.previous)}, told was {before}"
        assert view(event.source) != before, f"{job}: a change that changes nothing: {before}"
        before = view(event.source)
    last = changed[-1].source
    assert last.number("JobState") == final and last.number("PercentComplete") == 100, f"{job} ended as {before}"
    assert deleted[0].source.number("JobState") == final, str(deleted[0])


def check_event(event: Event, sink: Sink, scheme: str, path: str, indication: str) -> None:
    kind = event.indication.class_name
    assert kind.endswith(indication.removeprefix("CIM_")), f"{kind} where {indication} was subscribed"
    assert event.action == EVENT_ACTION, event.action
    assert event.to == f"{sink.url}/{path}", event.to
    assert event.tokens == [f"{scheme} {path}"] * 2, f"the reference data of NotifyTo came back as {event.tokens}"
    assert not event.indication.is_null("IndicationTime"), str(event.indication)


def view(job: Instance) -> tuple:
    """All of a job that can change, as one value."""
    return tuple(sorted((name, tuple(job.texts(name))) for name in job.properties if name != "ElapsedTime"))


def end_subscriptions(client: Client, context: SimpleNamespace, sinks: dict[str, Sink]) -> None:
    """Renew prolongs; after Unsubscribe nothing more comes, and the others go on."""
    kept: Subscription = context.subscriptions["http", "deletion"]
    renewed = client.renew(kept, "PT20M")
    assert renewed, "RenewResponse tells no Expires"
    ended: Subscription = context.subscriptions["http", "creation"]
    client.unsubscribe(ended)
    fault_of(lambda: client.renew(ended, "PT20M"), None)
    fault_of(lambda: client.unsubscribe(ended), None)

    job = start(client, context, context.packages.second.file)
    poll(client, job)
    identifier = str(job.key("InstanceID"))
    sinks["http"].wait_for(f"the deletion of {identifier}", lambda s: bool(s.at("/deletion", identifier)), 60)
    sinks["https"].wait_for(f"the creation of {identifier}", lambda s: bool(s.at("/creation", identifier)), 60)
    assert not sinks["http"].at("/creation", identifier), "an event after Unsubscribe"
    for subscription in context.subscriptions.values():
        if subscription is not ended:
            client.unsubscribe(subscription)
