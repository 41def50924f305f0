//! What a client is told when an update cannot be: at once where the arguments do not fit, by the job where the bundle does not.

use std::fs;

use crate::client::{Administrator, of};
use crate::support::image::ImageFolder;
use crate::support::vib::{Bundle, Vib};
use crate::support::wsman::{CIM, Message, child, descendants, text_of};

#[test]
fn arguments_that_do_not_fit_are_answered_at_once() {
    let image = ImageFolder::esxi_5_5_u1(1000);
    let mut walker = Administrator::of(&image);
    let bundle = image.bundle("acme.zip", &Bundle::of(vec![Vib::new("acme-tool", "1.0-1").at_level("partner")]));
    let bundle = format!("file://{}", bundle.display());
    let text = image.file("notes.txt");
    fs::write(&text, "no bundle\n").unwrap();
    let lists = |options, values| [("InstallOptions", options), ("InstallOptionsValues", values)];
    let mismatch = [("InstallOptions", "3"), ("InstallOptionsValues", "a"), ("InstallOptionsValues", "b")];
    for (uri, options, code) in [
        (&*bundle, &mismatch[..], "2"),
        (&*bundle, &lists("3", "value"), "2"),
        (&*bundle, &lists("8", ""), "2"),
        ("https://hostupdate.vmware.com/software/VUM/PRODUCTION/main/vmw-depot-index.xml", &[], "2"),
        ("file://elsewhere/bundle.zip", &[], "2"),
        ("file:///nowhere/bundle.zip", &[], "4107"),
        (&*format!("file://{}", text.display()), &[], "4106"),
    ] {
        assert_eq!(walker.refused(uri, options), code, "{uri} {options:?}");
    }
    let list = Message::enumerate(&format!("{CIM}/CIM_ConcreteJob"), "<w:OptimizeEnumeration/>");
    let jobs = walker.client.ask(&list);
    assert!(child(&jobs, "Items").is_none_or(|items| items.children.is_empty()), "{jobs:?}");
}

#[test]
fn a_job_that_fails_says_why_in_esximages_words_and_changes_nothing() {
    let image = ImageFolder::esxi_5_5_u1(1000);
    let mut walker = Administrator::of(&image);
    let before = walker.vibs("2, 6");
    let lacking =
        Vib { depends: vec!["vmkapi_9_9_0_0".to_owned()], ..Vib::new("lacking", "1.0-1") }.at_level("partner");
    let bundle = image.bundle("lacking.zip", &Bundle::of(vec![lacking]));
    let id = walker.launch(&bundle);
    let (_, job) = walker.poll(&id);
    assert_eq!((of(&job, "JobState"), of(&job, "ErrorCode"), of(&job, "HealthState")), tuple("10", "14", "20"));
    let why = of(&job, "ErrorDescription");
    assert!(why.starts_with("[DependencyError] VIB Acme_bootbank_lacking_1.0-1 requires vmkapi_9_9_0_0"), "{why}");
    assert_eq!(of(&job, "JobStatus"), format!("Failed: {why}"));
    let call = Message::invoke(&format!("{CIM}/CIM_ConcreteJob"), "GetError", &[]).selector("InstanceID", &*id);
    let answer = walker.client.ask(&call);
    assert_eq!(text_of(descendants(&answer, "Message")[0]), why);
    assert_eq!(walker.vibs("2, 6"), before);
    assert!(walker.vibs("3, 6").is_empty());
}

fn tuple(a: &str, b: &str, c: &str) -> (String, String, String) {
    (a.to_owned(), b.to_owned(), c.to_owned())
}
