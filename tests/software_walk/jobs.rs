//! Jobs: tuned, cancelled, held up by others, and left alone by those who should look after them.

use std::fs;

use xmltree::Element;

use crate::changes::INSTALL;
use crate::host::{Family, this_process};
use crate::support::eventually;
use crate::support::files::{Answer, Files};
use crate::support::installation::{get_job, job_of};
use crate::support::server::{PATIENCE, kill, workers_of};
use crate::support::wsman::{Message, property};
use crate::walk::{Walk, of, uri};

const JOB: &str = "CIM_ConcreteJob";
const COMMON: &str = "http://schemas.dmtf.org/wbem/wscim/1/common";

on_both_families!(
    queued_behind_a_lock,
    cancelled_while_downloading,
    tuned_after_its_end,
    the_worker_dies,
    the_server_dies,
);

/// Another tool is at work: one job waits for it, the next ones for that job.
fn queued_behind_a_lock(family: Family) {
    let mut walk = Walk::new(family, &[]);
    let [alpha, gamma, delta] =
        [("alpha", "1.0-1"), ("gamma", "1.0-1"), ("delta", "1:1.0-2")].map(|(name, version)| walk.nevra(name, version));
    let lock = walk.root.lock();
    let first = walk.start(&alpha, &[INSTALL]);
    waits(&mut walk, &first);
    let second = walk.start(&gamma, &[INSTALL]);
    let third = walk.start(&delta, &[INSTALL]);
    for job in [&second, &third] {
        let queued = get_job(&mut walk.client, job);
        assert_eq!([of(&queued, "JobState"), of(&queued, "JobStatus")], ["2", "Enqueued"]);
        assert_eq!([of(&queued, "PercentComplete"), of(&queued, "OperationalStatus")], ["0", "15"]);
        assert_eq!(property(&queued, "StartTime"), None);
    }
    put(&mut walk, &third, &[("Priority", "1".to_owned())]);
    // A job that has not ended cannot be deleted.
    let refused = walk.delete(JOB, &[("InstanceID", &second)]);
    assert_eq!(refused.fault().0, "Concurrency", "{}", refused.body);
    assert_eq!(terminate(&mut walk, &second), "0");
    let cancelled = get_job(&mut walk.client, &second);
    assert_eq!([of(&cancelled, "JobState"), of(&cancelled, "JobStatus")], ["8", "Terminated"]);
    assert_eq!([of(&cancelled, "PercentComplete"), of(&cancelled, "OperationalStatus")], ["100", "10"]);
    assert_eq!(terminate(&mut walk, &second), "4097");

    let fourth = walk.start(&gamma, &[INSTALL]);
    assert_eq!(terminate(&mut walk, &first), "4096");
    let cancelled = walk.ended(&first);
    assert_eq!([of(&cancelled, "JobState"), of(&cancelled, "JobStatus")], ["8", "Terminated"]);
    assert_eq!(property(&cancelled, "ErrorCode"), None);
    for job in [&first, &second] {
        assert_eq!(walk.record(job).1["result"].as_str(), Some("cancelled"));
    }
    waits(&mut walk, &third);
    drop(lock);
    let ended = [&third, &fourth].map(|job| walk.ended(job));
    assert!(ended.iter().all(|job| of(job, "JobState") == "7"), "{ended:?}");
    let started = ended.each_ref().map(|job| of(job, "StartTime"));
    assert!(started[0] < started[1], "the lower priority goes first: {started:?}");
    assert_eq!(walk.root.installed(), [delta, gamma]);
}

fn cancelled_while_downloading(family: Family) {
    let mut walk = Walk::without_metadata(family, &[]);
    let octets = fs::read(walk.samples.file("alpha", "1.0-1")).unwrap();
    let files = Files::serve([("/alpha", Answer::Half(octets))]);
    let system = walk.system();
    let job = job_of(&walk.call("InstallFromURI", &[("URI", &files.url("/alpha")), ("Target", &system)]));
    eventually("half of the file to come", PATIENCE, || {
        let job = get_job(&mut walk.client, &job);
        let is_half_there =
            of(&job, "JobStatus") == "Running: downloading packages" && of(&job, "PercentComplete") == "15";
        is_half_there.then_some(())
    });
    assert_eq!(terminate(&mut walk, &job), "4096");
    assert_eq!(of(&walk.ended(&job), "JobState"), "8");
    assert_eq!(walk.root.installed(), [""; 0]);
}

fn tuned_after_its_end(family: Family) {
    let mut walk = Walk::new(family, &[]);
    let alpha = walk.nevra("alpha", "1.0-1");
    let [kept, gone] = [(); 2].map(|()| {
        let job = walk.start(&alpha, &[INSTALL]);
        walk.ended(&job);
        job
    });
    put(&mut walk, &kept, &[("DeleteOnCompletion", "false".to_owned()), ("TimeBeforeRemoval", interval("PT1S"))]);
    put(&mut walk, &gone, &[("Priority", "3".to_owned()), ("TimeBeforeRemoval", interval("PT1H"))]);
    let shown = get_job(&mut walk.client, &gone);
    assert_eq!([of(&shown, "Priority"), of(&shown, "TimeBeforeRemoval")], ["3", "PT1H"]);
    let shown = get_job(&mut walk.client, &kept);
    assert_eq!(of(&shown, "DeleteOnCompletion"), "false");
    let wrong = walk.put(JOB, &[("InstanceID", &kept)], &[("Priority", "high")]);
    assert_eq!(wrong.fault().0, "InvalidRepresentation", "{}", wrong.body);

    assert_eq!(walk.delete(JOB, &[("InstanceID", &gone)]).status, 200);
    let left: Vec<String> = walk.enumerate(JOB, 20).iter().map(|job| of(job, "InstanceID")).collect();
    assert!(left.contains(&kept) && !left.contains(&gone), "{left:?}");
    for (state, code) in [("4", "4097"), ("2", "1"), ("3", "1"), ("9", "5")] {
        assert_eq!(request_state(&mut walk, &kept, state), code, "{state}");
    }
    let period = interval("PT1M");
    let limited = [("RequestedState", "4"), ("TimeoutPeriod", period.as_str())];
    let message = Message::invoke(&uri(JOB), "RequestStateChange", &limited).selector("InstanceID", kept);
    assert_eq!(of(&walk.client.ask(&message), "ReturnValue"), "4098");
}

fn the_worker_dies(family: Family) {
    let mut walk = Walk::new(family, &[]);
    let alpha = walk.nevra("alpha", "1.0-1");
    let lock = walk.root.lock();
    let job = walk.start(&alpha, &[INSTALL]);
    waits(&mut walk, &job);
    let workers = workers_of(&walk.host.state_dir());
    assert_eq!(workers.len(), 1, "{workers:?}");
    kill(workers[0]);
    let failed = walk.ended(&job);
    assert_eq!([of(&failed, "JobState"), of(&failed, "ErrorCode")], ["10", "4"], "{failed:?}");
    assert!(of(&failed, "ErrorDescription").contains("worker"), "{failed:?}");
    assert_eq!(walk.error_of(&failed).0, "1");
    assert_eq!(walk.record(&job).1["result"].as_str(), Some("failed"));
    drop(lock);
    assert_eq!(of(&walk.change(&alpha, &[INSTALL]), "JobState"), "7");
}

fn the_server_dies(family: Family) {
    let mut walk = Walk::new(family, &[]);
    let [alpha, gamma] = ["alpha", "gamma"].map(|name| walk.nevra(name, "1.0-1"));
    let lock = walk.root.lock();
    let [running, queued] = [&alpha, &gamma].map(|nevra| walk.start(nevra, &[INSTALL]));
    waits(&mut walk, &running);
    walk.restart_after(|walk| {
        drop(lock);
        eventually("the worker to go on alone", PATIENCE, || (walk.root.installed() == [alpha.clone()]).then_some(()));
    });
    for job in [&running, &queued] {
        assert_eq!(of(&walk.ended(job), "JobState"), "7");
    }
    assert_eq!(walk.installed(), [alpha, gamma]);
    assert_eq!(walk.root.installed(), walk.installed());
}

/// Waits until a job tells that it waits for this process.
fn waits(walk: &mut Walk, job: &str) {
    let status = format!("Running: waiting for {}", this_process());
    let waiting = eventually("the job to wait for the lock", PATIENCE, || {
        let job = get_job(&mut walk.client, job);
        (of(&job, "JobStatus") == status).then_some(job)
    });
    assert_eq!([of(&waiting, "JobState"), of(&waiting, "OperationalStatus")], ["4", "2"]);
}

fn terminate(walk: &mut Walk, job: &str) -> String {
    request_state(walk, job, "4")
}

fn request_state(walk: &mut Walk, job: &str, state: &str) -> String {
    let message = Message::invoke(&uri(JOB), "RequestStateChange", &[("RequestedState", state)]);
    of(&walk.client.ask(&message.selector("InstanceID", job)), "ReturnValue")
}

fn put(walk: &mut Walk, job: &str, values: &[(&str, String)]) -> Element {
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = walk.put(JOB, &[("InstanceID", job)], &values);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.content()
}

/// An interval, as XML.
fn interval(text: &str) -> String {
    format!("<c:Interval xmlns:c=\"{COMMON}\">{text}</c:Interval>")
}
