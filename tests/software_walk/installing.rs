//! `lmi software install`.

use xmltree::Element;

use crate::changes::{FORCE, INSTALL, Receiver, change};
use crate::host::Family;
use crate::support::installation::job_of;
use crate::support::wsman::{Message, child, descendants, property, text_of};
use crate::walk::{
    Follow, Walk, all_properties, collection_reference, identity_reference, job_reference, of, properties, selected,
    uri, values,
};

on_both_families!(from_a_repository, over_what_is_there, what_cannot_be_installed, from_a_file);

fn from_a_repository(family: Family) {
    let mut walk = Walk::new(family, &[]);
    let alpha = walk.nevra("alpha", "1.0-1");
    let job = walk.change(&alpha, &[INSTALL]);
    assert_eq!(walk.recorded(&job), [change("installed", None, Some(&alpha))]);
    check_finished(&job);
    for (method, parameter) in [("GetError", "Error"), ("GetErrors", "Errors")] {
        let message = Message::invoke(&uri("CIM_ConcreteJob"), method, &[]);
        let answer = walk.client.ask(&message.selector("InstanceID", of(&job, "InstanceID")));
        assert_eq!((of(&answer, "ReturnValue"), values(&answer, parameter)), ("0".to_owned(), vec![]));
    }
    check_call(&mut walk, &job, &alpha, ("Collection", &collection_reference()), &["4"]);

    // What it needs comes with it.
    let (beta, gamma) = (walk.nevra("beta", "1.0-1"), walk.nevra("gamma", "1.0-1"));
    let job = walk.change_of(&beta, &[], Receiver::Target);
    assert_eq!(walk.recorded(&job), [change("installed", None, Some(&beta)), change("installed", None, Some(&gamma))]);
    let system = walk.system();
    check_call(&mut walk, &job, &beta, ("Target", &system), &[]);
    assert!(property(&walk.identity(&gamma), "InstallDate").is_some());
}

fn over_what_is_there(family: Family) {
    let mut walk = Walk::new(family, &[("alpha", "2.0-1")]);
    let [old, there, new] = ["1.0-1", "2.0-1", "3.0-1"].map(|version| walk.nevra("alpha", version));
    let refused = |walk: &mut Walk, nevra: &str, words: &str| {
        let job = walk.change(nevra, &[INSTALL]);
        assert_eq!([of(&job, "JobState"), of(&job, "ErrorCode")], ["10", "4099"], "{job:?}");
        let (code, message) = walk.error_of(&job);
        assert_eq!(code, "11");
        assert!(message.contains(words), "{message}");
    };
    refused(&mut walk, &there, "is already installed");
    refused(&mut walk, &old, "is older than");

    let data = "usr/share/alpha/data";
    std::fs::write(walk.root.file(data), "changed by hand\n").unwrap();
    let job = walk.change(&there, &[INSTALL, FORCE]);
    assert_eq!(walk.recorded(&job), [change("reinstalled", Some(&there), Some(&there))]);
    assert_eq!(walk.content(data), "alpha 2.0-1\n");

    let job = walk.change(&old, &[INSTALL, FORCE]);
    assert_eq!(walk.recorded(&job), [change("downgraded", Some(&there), Some(&old))]);
    let job = walk.change(&new, &[INSTALL]);
    assert_eq!(walk.recorded(&job), [change("updated", Some(&old), Some(&new))]);
    assert_eq!(walk.content(data), "alpha 3.0-1\n");
}

fn what_cannot_be_installed(family: Family) {
    let mut walk = Walk::new(family, &[]);
    let broken = walk.nevra("broken", "1.0-1");
    let job = walk.change(&broken, &[INSTALL]);
    assert_eq!([of(&job, "JobState"), of(&job, "ErrorCode")], ["10", "4105"], "{job:?}");
    let (code, message) = walk.error_of(&job);
    assert_eq!(code, "1");
    assert!(message.contains("nowhere-to-be-found"), "{message}");

    // One that nobody knows, and one that only a disabled repository has.
    for unknown in [walk.nevra("ghost", "1.0-1"), walk.nevra("extra", "1.0-1")] {
        let job = walk.change(&unknown, &[INSTALL]);
        assert_eq!([of(&job, "JobState"), of(&job, "ErrorCode")], ["10", "4106"], "{job:?}");
        assert_eq!(walk.error_of(&job).0, "6");
        assert_eq!(descendants(&job, "__ReturnValue").into_iter().map(text_of).collect::<Vec<_>>(), ["5"]);
    }
}

fn from_a_file(family: Family) {
    let mut walk = Walk::new(family, &[]);
    let extra = walk.nevra("extra", "1.0-1");
    let file = Walk::file_uri(walk.samples.file("extra", "1.0-1"));
    let system = walk.system();
    let arguments = [("URI", file.as_str()), ("Target", &system), ("InstallOptions", "4")];
    let job = job_of(&walk.call("InstallFromURI", &arguments));
    let job = walk.ended(&job);
    assert_eq!(of(&job, "JobState"), "7", "{job:?}");
    let object = job_reference(&of(&job, "InstanceID"));
    let installed = walk.associated(Follow {
        object: &object,
        association: "LMI_AffectedSoftwareJobElement",
        role: "AffectingElement",
        result_role: "AffectedElement",
        result: "LMI_SoftwareIdentity",
    });
    assert_eq!(all_properties(&installed), [properties(&walk.identity(&extra))]);
    assert_eq!(walk.root.installed(), [extra]);

    let again = job_of(&walk.call("InstallFromURI", &arguments));
    let again = walk.ended(&again);
    assert_eq!([of(&again, "JobState"), of(&again, "ErrorCode")], ["10", "4099"]);
    assert_eq!(walk.error_of(&again).0, "11");
    std::fs::remove_file(walk.root.file("usr/share/extra/data")).unwrap();
    let arguments = [&arguments[..], &[("InstallOptions", "3")]].concat();
    let forced = job_of(&walk.call("InstallFromURI", &arguments));
    let forced = walk.ended(&forced);
    assert_eq!(of(&forced, "JobState"), "7", "{forced:?}");
    assert_eq!(walk.content("usr/share/extra/data"), "extra 1.0-1\n");
}

fn check_finished(job: &Element) {
    for (name, value) in [
        ("JobState", "7"),
        ("PercentComplete", "100"),
        ("JobStatus", "Completed successfully"),
        ("MethodName", "InstallFromSoftwareIdentity"),
        ("DeleteOnCompletion", "true"),
        ("Owner", "walker"),
    ] {
        assert_eq!(of(job, name), value, "{name}");
    }
    assert_eq!(values(job, "OperationalStatus"), ["17", "2"]);
    for none in ["ErrorCode", "ErrorDescription"] {
        assert_eq!(property(job, none), None);
    }
    assert!(of(job, "Name").starts_with("InstallPackage-"));
}

/// The call as the job and its result tell it, and who owns the job.
fn check_call(walk: &mut Walk, job: &Element, nevra: &str, (receiver, reference): (&str, &str), options: &[&str]) {
    let check = |parameters: &Element| {
        let source = selected(child(parameters, "Source").unwrap(), "InstanceID").unwrap();
        assert!(identity_reference(nevra).contains(&source), "{parameters:?}");
        let given = child(parameters, receiver).unwrap();
        let name = selected(given, "InstanceID").or_else(|| selected(given, "Name")).unwrap();
        assert!(reference.contains(&format!(">{name}<")), "{parameters:?}");
        assert_eq!(values(parameters, "InstallOptions"), options);
    };
    check(inner(job, "JobInParameters"));
    check(inner(job, "JobOutParameters"));
    assert_eq!(of(inner(job, "JobOutParameters"), "__ReturnValue"), "0");

    let id = of(job, "InstanceID");
    let object = job_reference(&id);
    let results = walk.associated(Follow {
        object: &object,
        association: "LMI_AssociatedSoftwareJobMethodResult",
        role: "Job",
        result_role: "JobParameters",
        result: "LMI_SoftwareMethodResult",
    });
    let [result] = results.as_slice() else { panic!("one result: {results:?}") };
    assert_eq!(of(result, "ElementName"), format!("MethodResult-{}", id.rsplit(':').next().unwrap()));
    let (before, after) = (inner(result, "PreCallIndication"), inner(result, "PostCallIndication"));
    for (call, is_before) in [(before, "true"), (after, "false")] {
        assert_eq!([of(call, "MethodName"), of(call, "PreCall")], ["InstallFromSoftwareIdentity", is_before]);
        assert_eq!(of(inner(call, "SourceInstance"), "InstanceID"), id);
        check(inner(call, "MethodParameters"));
    }
    assert_eq!((property(before, "ReturnValue"), of(after, "ReturnValue")), (None, "0".to_owned()));
    assert!(child(after, "Error").is_none_or(|error| error.children.is_empty()), "{after:?}");

    let owners =
        walk.associated(Follow { object: &object, association: "LMI_OwningSoftwareJobElement", ..Follow::default() });
    assert_eq!(
        owners.iter().map(|owner| of(owner, "CreationClassName")).collect::<Vec<_>>(),
        ["LMI_SoftwareInstallationService"]
    );
    let service = walk.service();
    let owned =
        walk.associated(Follow { object: &service, association: "LMI_OwningSoftwareJobElement", ..Follow::default() });
    assert!(owned.iter().any(|job| of(job, "InstanceID") == id));
}

/// An embedded object: the property itself, or the element of the class within it.
fn inner<'e>(instance: &'e Element, name: &str) -> &'e Element {
    let property = child(instance, name).unwrap_or_else(|| panic!("no {name}: {instance:?}"));
    let mut elements = property.children.iter().filter_map(|node| node.as_element());
    match (elements.next(), elements.next()) {
        (Some(only), None) if !only.children.is_empty() => only,
        _ => property,
    }
}
