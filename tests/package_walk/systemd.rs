//! The package on a system whose first process is systemd: what the units promise is looked at while they run.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use tempfile::TempDir;
use xmltree::Element;

use crate::build;
use crate::debian::Debian;
use crate::service::{admin, ended, start};
use crate::support::eventually;
use crate::support::gate::Gate;
use crate::support::packages::Deb;
use crate::support::server::PATIENCE;
use crate::support::wsman::{CIM, Client, Message, child, text_of};

/// The system with the package, on a port that nobody else has.
struct Host {
    debian: Debian,
    port: u16,
    scratch: TempDir,
    gate: Gate,
}

impl Host {
    /// Boots one; where that cannot be, it says so and gives nothing.
    fn boot() -> Option<Self> {
        let debian = match Debian::booted() {
            Ok(debian) => debian,
            Err(why) => {
                println!(
                    "NOT TESTED: how the service lives under systemd. This machine cannot run one of its own: {why}"
                );
                return None;
            }
        };
        let scratch = TempDir::new().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let gate = Gate::new(debian.path());
        let host = Self { debian, port, scratch, gate };
        host.write("etc/quartermaster/quartermaster.toml", &format!("listen = \"127.0.0.1:{port}\"\n"));
        let package = host.bring(&build(host.scratch.path(), None).deb);
        host.debian.run(&["dpkg", "--force-confold", "--install", &package]);
        Some(host)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.debian.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Copies a file in and gives its place there.
    fn bring(&self, file: &Path) -> String {
        let inside = format!("root/{}", file.file_name().unwrap().to_str().unwrap());
        fs::copy(file, self.debian.path().join(&inside)).unwrap();
        format!("/{inside}")
    }

    fn admin(&self) -> Client {
        admin(&self.debian, self.port)
    }

    fn systemctl(&self, words: &[&str]) -> String {
        self.debian.run(&[&["systemctl", "--no-pager"], words].concat())
    }

    /// What systemd says of a unit.
    fn told(&self, property: &str, unit: &str) -> String {
        self.systemctl(&["show", "--value", "--property", property, unit]).trim().to_owned()
    }

    /// Whether the command succeeds as seen by the service: with its mounts, as root.
    fn succeeds_where_the_service_is(&self, words: &[&str]) -> bool {
        let pid = self.told("MainPID", SERVICE);
        let enter = ["nsenter", "--mount", "--target", &pid, "--"];
        self.debian.command(&[&enter, words].concat()).output().unwrap().status.success()
    }

    /// The state of a process inside, line by line.
    fn status_of(&self, pid: &str) -> String {
        self.debian.run(&["cat", &format!("/proc/{pid}/status")])
    }

    /// Waits until the service is another process than this one, and well.
    fn started_anew(&self, before: &str) {
        eventually("the service to be started again", PATIENCE, || {
            let is_other = self.told("MainPID", SERVICE) != before && self.told("ActiveState", SERVICE) == "active";
            is_other.then_some(())
        });
    }

    fn log_of(&self, unit: &str) -> String {
        self.debian.run(&["journalctl", "--no-pager", "--output", "cat", "--unit", unit])
    }
}

const SERVICE: &str = "quartermaster.service";
const WORKER: &str = "quartermaster-worker.service";
const READ: &str = "the settings, certificates and trust files were read again";

/// A package that is installed once the gate is opened, and that then notes which control group its script ran in.
fn slow_package(host: &Host, name: &str) -> String {
    let script = "read go </gate; cat /proc/self/cgroup >/root/ran-in";
    host.bring(&Deb::new(name, "1.0-1").script("postinst", script).build(host.scratch.path()))
}

fn state_of(job: &Element) -> Option<String> {
    child(job, "JobState").map(text_of)
}

#[test]
fn systemd_runs_the_service_as_its_units_say() {
    let Some(host) = Host::boot() else { return };
    it_is_ready_and_confined(&host);
    a_job_outlives_a_restart(&host);
    it_reads_its_settings_again(&host);
    it_is_started_again_when_it_dies_or_hangs(&host);
    its_port_stays_open_in_systemds_hands(&host);
    a_worker_of_a_unit_of_ones_own_outlives_it(&host);
    it_removes_itself(&host);
}

fn it_is_ready_and_confined(host: &Host) {
    // Type=notify: it is active because it said that it is ready.
    assert_eq!(host.told("ActiveState", SERVICE), "active", "{}", host.log_of(SERVICE));
    assert_eq!(host.told("StatusErrno", SERVICE), "0");
    let status = host.status_of(&host.told("MainPID", SERVICE));
    for capabilities in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(status.contains(&format!("{capabilities}:\t0000000000000000\n")), "{status}");
    }
    assert!(status.contains("NoNewPrivs:\t1\n") && status.contains("Seccomp:\t2\n"), "{status}");
    assert!(!status.contains("Uid:\t0"), "{status}");
    for (place, may_be_written) in [
        ("/etc/written", false),
        ("/usr/bin/written", false),
        ("/var/log/written", false),
        ("/var/lib/quartermaster-worker/written", false),
        ("/var/lib/quartermaster/written", true),
    ] {
        assert_eq!(host.succeeds_where_the_service_is(&["touch", place]), may_be_written, "{place}");
    }
    host.debian.run(&["rm", "/var/lib/quartermaster/written"]);
    host.debian.run(&["systemd-analyze", "--no-pager", "--threshold=25", "security", SERVICE]);
    assert_eq!(host.told("ActiveState", WORKER), "inactive", "nobody has asked for anything");
}

fn a_job_outlives_a_restart(host: &Host) {
    let package = slow_package(host, "slow");
    let reached = host.gate.reached();
    let job = start(&mut host.admin(), &package);
    let waiting = reached.recv_timeout(PATIENCE).unwrap();
    let worker = host.told("MainPID", WORKER);
    host.systemctl(&["restart", SERVICE]);
    assert_eq!(host.told("MainPID", WORKER), worker);
    waiting.go_on();
    let job = ended(&mut host.admin(), &job);
    assert_eq!(state_of(&job).as_deref(), Some("7"), "{job:?}\n{}", host.log_of(WORKER));
    let group = host.debian.read("/root/ran-in");
    assert!(group.contains("/system.slice/quartermaster-worker.service"), "{group}");
    assert!(!host.log_of(WORKER).contains("WARN"), "{}", host.log_of(WORKER));
}

fn it_reads_its_settings_again(host: &Host) {
    let settings = format!("listen = \"127.0.0.1:{}\"\nlog = \"debug\"\n", host.port);
    host.write("etc/quartermaster/quartermaster.toml", &settings);
    let before = host.told("MainPID", SERVICE);
    host.systemctl(&["reload", SERVICE]);
    eventually("the settings to be read", PATIENCE, || host.log_of(SERVICE).contains(READ).then_some(()));
    assert_eq!(host.told("MainPID", SERVICE), before);
    assert_eq!(host.told("ActiveState", SERVICE), "active");
}

fn it_is_started_again_when_it_dies_or_hangs(host: &Host) {
    let drop_in = "[Service]\nRestartSec=0\nWatchdogSec=3\n";
    host.write("etc/systemd/system/quartermaster.service.d/soon.conf", drop_in);
    host.systemctl(&["daemon-reload"]);
    host.systemctl(&["restart", SERVICE]);
    let before = host.told("MainPID", SERVICE);
    host.debian.run(&["sh", "-c", &format!("kill -KILL {before}")]);
    host.started_anew(&before);
    assert_eq!(host.told("NRestarts", SERVICE), "1");
    // It is alive as long as it tells so, which it does of its own accord, and is ended when it does not.
    let told_alive = || host.told("WatchdogTimestampMonotonic", SERVICE);
    let first = told_alive();
    eventually("it to tell that it is alive", PATIENCE, || (told_alive() != first).then_some(()));
    let before = host.told("MainPID", SERVICE);
    host.debian.run(&["sh", "-c", &format!("kill -STOP {before}")]);
    host.started_anew(&before);
    assert_eq!(host.told("NRestarts", SERVICE), "2", "{}", host.log_of(SERVICE));
    host.admin().ask(&Message::enumerate(&format!("{CIM}/CIM_ComputerSystem"), "<w:OptimizeEnumeration/>"));
}

fn its_port_stays_open_in_systemds_hands(host: &Host) {
    let drop_in = format!("[Socket]\nListenStream=\nListenStream=127.0.0.1:{}\n", host.port);
    host.write("etc/systemd/system/quartermaster.socket.d/port.conf", &drop_in);
    host.systemctl(&["daemon-reload"]);
    host.systemctl(&["stop", SERVICE]);
    host.systemctl(&["start", "quartermaster.socket"]);
    // Nobody is there, but whoever asks is heard: the first request starts the service.
    assert_eq!(host.told("ActiveState", SERVICE), "inactive");
    let request = Message::enumerate(&format!("{CIM}/CIM_ComputerSystem"), "<w:OptimizeEnumeration/>");
    host.admin().ask(&request);
    let before = host.told("MainPID", SERVICE);
    host.systemctl(&["--no-block", "restart", SERVICE]);
    eventually("the service to end", PATIENCE, || (host.told("MainPID", SERVICE) != before).then_some(()));
    host.admin().ask(&request);
    // A port where the settings do not say it is none.
    let elsewhere = "listen = \"127.0.0.1:1\"\n";
    let settings = fs::read_to_string(host.debian.path().join("etc/quartermaster/quartermaster.toml")).unwrap();
    host.write("etc/quartermaster/quartermaster.toml", elsewhere);
    assert!(!host.debian.command(&["systemctl", "restart", SERVICE]).status().unwrap().success());
    assert!(
        host.log_of(SERVICE).contains("give ListenStream= and listen the same address"),
        "{}",
        host.log_of(SERVICE)
    );
    host.write("etc/quartermaster/quartermaster.toml", &settings);
    // The socket stays: whoever removes the package stops it.
    host.systemctl(&["reset-failed", SERVICE]);
    host.systemctl(&["restart", SERVICE]);
}

/// Whoever has one unit for everything starts root's process by it, whose workers get scopes of their own.
fn a_worker_of_a_unit_of_ones_own_outlives_it(host: &Host) {
    const UNIT: &str = "apart.service";
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let command = format!("/usr/bin/quartermaster serve --state-dir /var/lib/apart --listen 127.0.0.1:{port}");
    host.write(&format!("etc/systemd/system/{UNIT}"), &format!("[Service]\nType=exec\nExecStart={command}\n"));
    host.systemctl(&["daemon-reload"]);
    host.systemctl(&["start", UNIT]);
    eventually("the service to be ready", PATIENCE, || host.log_of(UNIT).contains("listening on").then_some(()));
    let password = host.debian.read("/var/lib/apart/initial-password");
    let mut client = Client::new(port, "admin", password.trim());
    let package = slow_package(host, "slower");
    let reached = host.gate.reached();
    start(&mut client, &package);
    let waiting = reached.recv_timeout(PATIENCE).unwrap();
    host.systemctl(&["stop", UNIT]);
    waiting.go_on();
    eventually("the package to be installed", PATIENCE, || {
        let state = ["dpkg-query", "--show", "--showformat", "${db:Status-Abbrev}", "slower"];
        (host.debian.run(&state).trim() == "ii").then_some(())
    });
    let group = host.debian.read("/root/ran-in");
    assert!(group.contains(".scope"), "{group}");
}

/// The worker removes the package that it belongs to: neither waits for the other for ever.
fn it_removes_itself(host: &Host) {
    let place = format!("127.0.0.1:{}", host.port);
    let mut remove = host.debian.command(&["quartermaster", "remove", "--accept-new-certificate", "--no-wait"]);
    remove.args(["--user", "admin", "--host", &place, "quartermaster"]).env("HOME", "/root");
    remove.env("QUARTERMASTER_PASSWORD", host.debian.read("/var/lib/quartermaster/initial-password").trim());
    let output = remove.output().unwrap();
    assert_eq!(output.status.code(), Some(6), "nobody waits for the end: {}", String::from_utf8_lossy(&output.stderr));
    let state = ["dpkg-query", "--show", "--showformat", "${db:Status-Abbrev}", "quartermaster"];
    eventually("the package to be gone", PATIENCE, || (host.debian.run(&state).trim() == "rc").then_some(()));
    for unit in [SERVICE, "quartermaster.socket", "quartermaster-worker.socket"] {
        assert_eq!(host.told("ActiveState", unit), "inactive");
    }
    assert!(host.debian.path().join("var/lib/quartermaster/quartermaster.db").exists());
}
