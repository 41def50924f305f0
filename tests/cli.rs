//! The commands, run as a user runs them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure ends the test"
)]

mod raw_client;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use quartermaster::cim::{Class, Schema};
use raw_client::{Client, basic};

/// A password that is one octet too long.
const LONG: &str = "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678";

fn quartermaster() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quartermaster"));
    command.env_remove("RUST_LOG");
    command
}

/// Runs a command to its end with `input` on its standard input.
fn run(arguments: &[&str], state: &Path, input: &str) -> Output {
    let mut command = quartermaster();
    command.args(arguments).arg("--state-dir").arg(state);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Asserts that the command failed with exit code 1 and one line that holds `words`, beside what it told its logs.
fn assert_fails(output: &Output, words: &str) {
    let message: String = stderr(output).lines().filter(|line| !line.contains(" INFO ")).collect::<Vec<_>>().join("\n");
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.starts_with("quartermaster: ") && message.contains(words), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

/// Settings whose passwords cost little.
fn cheap(folder: &Path) -> PathBuf {
    let file = folder.join("q.toml");
    std::fs::write(&file, "[auth]\nhash_mebibytes = 1\n").unwrap();
    file
}

/// A server that is ready.
struct Serving {
    child: Child,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Serving {
    fn start(state: &Path) -> Self {
        let root = state.parent().unwrap();
        let mut command = quartermaster();
        command.args(["serve", "--listen", "127.0.0.1:0", "--engine", "none", "--state-dir"]).arg(state);
        command.arg("--root").arg(root).arg("--config").arg(cheap(root));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on https://").and_then(|rest| rest.strip_suffix("/wsman\n"));
        let address = address.unwrap_or_else(|| panic!("{line:?}")).parse().unwrap();
        Self { child, output, address }
    }

    fn client(&self, state: &Path) -> Client {
        Client::connect(self.address, &state.join("tls/certificate.pem"))
    }

    /// Ends it as a service manager does; returns the rest of its standard output.
    fn stop(mut self, signal: &str) -> String {
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success());
        rest
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_version_is_told() {
    let output = quartermaster().arg("--version").output().unwrap();
    assert_eq!(stdout(&output), format!("quartermaster {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_command_line_that_nobody_understands_ends_with_2() {
    for arguments in [
        &["dance"][..],
        &[],
        &["serve", "--listen", "nowhere"],
        &["serve", "--engine", "pacman"],
        &["user", "add", "ann", "--role", "king", "--password-stdin"],
        &["user", "add", "ann", "--role", "viewer"],
        &["worker"],
        &["schema", "export"],
        &["schema", "export", "--mof", "--xsd"],
    ] {
        let output = quartermaster().args(arguments).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stdout(&output).is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn settings_that_cannot_be_used_are_told_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("q.toml");
    std::fs::write(&file, "[limits]\nbody_octetz = 3\n").unwrap();
    let name = file.to_str().unwrap();
    for arguments in [&["serve", "--config", name][..], &["user", "list", "--config", name]] {
        assert_fails(&run(arguments, folder.path(), ""), "q.toml, line 2: unknown field `body_octetz`");
    }
    assert_fails(&run(&["serve", "--config", "/nowhere/q.toml"], folder.path(), ""), "/nowhere/q.toml");
}

#[test]
fn users_are_added_listed_changed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let file = cheap(folder.path());
    let config = file.to_str().unwrap();
    let add = |name, role, password| {
        run(&["user", "add", name, "--role", role, "--password-stdin", "--config", config], &state, password)
    };
    assert_eq!(stdout(&add("ann", "admin", "secret\n")), "added ann (admin)\n");
    assert_eq!(stdout(&add("bob", "viewer", "secret")), "added bob (viewer)\n");
    assert_fails(&add("bob", "viewer", "secret"), "bob already");
    assert_fails(&add("b b", "viewer", "secret"), "a user name has");
    assert_fails(&add("eve", "viewer", LONG), "128");
    assert_fails(&add("eve", "viewer", "\n"), "empty");

    let list = stdout(&run(&["user", "list"], &state, ""));
    let rows: Vec<Vec<_>> = list.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.iter().map(|row| (row[0], row[1])).collect::<Vec<_>>(), [("ann", "admin"), ("bob", "viewer")]);
    assert!(!list.contains("$2"));

    let set = ["user", "set-password", "bob", "--password-stdin", "--config", config];
    assert_eq!(stdout(&run(&set, &state, "other")), "set the password of bob\n");
    assert_eq!(stdout(&run(&["user", "remove", "bob"], &state, "")), "removed bob\n");
    assert_fails(&run(&["user", "remove", "bob"], &state, ""), "no user bob");
    assert_fails(&run(&["user", "remove", "ann"], &state, ""), "last user with the role admin");
    for secret in [&state, &state.join("quartermaster.db")] {
        assert_eq!(std::fs::metadata(secret).unwrap().permissions().mode() & 0o077, 0, "{}", secret.display());
    }
}

#[test]
fn every_start_tells_how_to_get_in_until_the_password_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let server = Serving::start(&state);
    let password = std::fs::read_to_string(state.join("initial-password")).unwrap();
    let mut client = server.client(&state);
    assert!(client.identify("/wsman", &basic("admin", &password)).came_through());
    assert_eq!(client.identify("/wsman", &basic("admin", "x")).status, 401);
    for secret in ["initial-password", "tls/key.pem", "quartermaster.db"] {
        assert_eq!(std::fs::metadata(state.join(secret)).unwrap().permissions().mode() & 0o077, 0, "{secret}");
    }
    drop(client);

    let (address, text) = (server.address, server.stop("-TERM"));
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "first user: admin");
    assert_eq!(lines[1], format!("its password: {}", state.join("initial-password").display()));
    let line = lines.iter().find(|line| line.starts_with("curl ")).unwrap();
    assert!(
        line.contains(&format!("https://{address}/wsman")) && line.contains("CIM_InstalledSoftwareIdentity"),
        "{line}"
    );
    assert!(!text.contains(&password));

    let server = Serving::start(&state);
    assert!(server.client(&state).identify("/wsman", &basic("admin", &password)).came_through());
    let output = run(&["user", "set-password", "admin", "--password-stdin"], &state, "another one\n");
    assert!(output.status.success(), "{output:?}");
    assert!(server.stop("-INT").starts_with("first user: admin\n"));
    let again = Serving::start(&state).stop("-INT");
    assert!(again.lines().count() == 1 && again.starts_with("its certificate: SHA-256 "), "{again}");
}

#[test]
fn the_line_to_paste_is_a_request_that_the_server_takes() {
    let folder = tempfile::tempdir().unwrap();
    // A path that a shell would split.
    let state = folder.path().join("it's a state");
    let mut server = Serving::start(&state);
    let mut line = String::new();
    while !line.starts_with("curl ") {
        line.clear();
        assert_ne!(server.output.read_line(&mut line).unwrap(), 0);
    }
    let request = line.split(" | ").next().unwrap();
    let status = format!("{request} -o /dev/null -w '%{{http_code}}'");
    let output = Command::new("sh").args(["-c", &status]).output().unwrap();
    assert!(["200", "400", "500"].contains(&stdout(&output).as_str()), "{output:?}");
}

#[test]
fn a_user_may_be_added_and_removed_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let server = Serving::start(&state);
    let config = cheap(folder.path());
    let mut client = server.client(&state);
    assert_eq!(client.identify("/wsman", &basic("ann", "secret")).status, 401);
    let output = run(
        &["user", "add", "ann", "--role", "viewer", "--password-stdin", "--config", config.to_str().unwrap()],
        &state,
        "secret\n",
    );
    assert!(output.status.success(), "{output:?}");
    assert!(client.identify("/wsman", &basic("ann", "secret")).came_through());
    assert!(run(&["user", "remove", "ann"], &state, "").status.success());
    // The server looks at a user anew at least once a second; until then the password may pass.
    while client.identify("/wsman", &basic("ann", "secret")).came_through() {}
    assert_eq!(client.identify("/wsman", &basic("ann", "secret")).status, 401);
}

#[test]
fn a_store_that_cannot_be_read_is_told_by_its_name() {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("quartermaster.db");
    std::fs::write(&file, "no database, but long enough to have the head of one".repeat(20)).unwrap();
    for command in [["serve", "--engine", "none", "--listen", "127.0.0.1:0"].as_slice(), &["user", "list"]] {
        assert_fails(&run(command, state.path(), ""), file.to_str().unwrap());
    }
}

#[test]
fn two_servers_do_not_share_a_state_directory_and_a_port_that_is_taken_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let server = Serving::start(&state);
    assert_fails(&run(&["serve", "--listen", "127.0.0.1:0"], &state, ""), "another server uses the state directory");
    let listen = server.address.to_string();
    let other = folder.path().join("other");
    assert_fails(&run(&["serve", "--listen", &listen], &other, ""), &format!("cannot listen on {listen}"));
}

/// A server that is killed while it starts another process shares its lock with it until that one's program is loaded.
#[test]
fn a_server_waits_for_the_last_of_the_one_that_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    Serving::start(&state).stop("-TERM");
    let last = File::options().append(true).open(state.join("lock")).unwrap();
    last.lock().unwrap();
    let starting = std::thread::spawn({
        let state = state.clone();
        move || drop(Serving::start(&state))
    });
    // As the system shows one who waits: `1: -> FLOCK  ADVISORY  WRITE 4711 fe:00:131074 0 EOF`.
    let inode = format!(":{} ", last.metadata().unwrap().ino());
    let waits = |line: &str| line.contains("-> FLOCK") && line.contains(&inode);
    while !std::fs::read_to_string("/proc/locks").unwrap().lines().any(waits) {
        assert!(!starting.is_finished(), "it did not wait");
    }
    drop(last);
    starting.join().unwrap();
}

fn schema(arguments: &[&str]) -> Output {
    quartermaster().arg("schema").args(arguments).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn classes_are_listed_with_their_superclass_and_kind() {
    let list = stdout(&schema(&["list"]));
    let rows: Vec<Vec<_>> = list.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), Schema::builtin().unwrap().classes().count());
    for row in [
        ["CIM_ManagedElement", "-", "abstract class"],
        ["LMI_SoftwareJob", "LMI_ConcreteJob", "class"],
        ["LMI_InstalledSoftwareIdentity", "CIM_InstalledSoftwareIdentity", "association"],
        ["LMI_SoftwareInstCreation", "CIM_InstCreation", "indication"],
    ] {
        assert!(rows.iter().any(|found| *found == row), "{row:?} is not in\n{list}");
    }
}

#[test]
fn a_class_is_shown_as_mof_with_its_own_features_or_with_all() {
    let own = stdout(&schema(&["show", "lmi_softwarejob"]));
    assert!(own.contains("class LMI_SoftwareJob : LMI_ConcreteJob\n") && !own.contains("PercentComplete"), "{own}");
    let all = stdout(&schema(&["show", "LMI_SoftwareJob", "--all"]));
    assert!(all.contains("    uint16 PercentComplete;\n") && all.contains("uint32 GetErrors("), "{all}");
    assert_fails(&schema(&["show", "CIM_ConcreteJub"]), "did you mean CIM_ConcreteJob");
    assert_fails(&schema(&["show", "Unicorn"]), "`quartermaster schema list` shows all");
}

#[test]
fn exported_mof_is_the_same_schema_again() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("made/for/it");
    std::fs::create_dir_all(&target).unwrap();
    std::fs::write(target.join("notes.txt"), "mine").unwrap();
    std::fs::write(target.join("CIM_Job.mof"), "not MOF at all, and longer than nothing").unwrap();
    let output = schema(&["export", "--mof", target.to_str().unwrap()]);
    let builtin = Schema::builtin().unwrap();
    let count = builtin.classes().count();
    assert_eq!(stdout(&output), format!("wrote {} files to {}\n", count + 2, target.display()), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(target.join("notes.txt")).unwrap(), "mine");

    let paths = std::fs::read_dir(&target).unwrap().map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|e| e == "mof"));
    let texts: Vec<_> = files.map(|p| (p.display().to_string(), std::fs::read_to_string(p).unwrap())).collect();
    let read = Schema::from_mof(texts.iter().map(|(name, text)| (name, text))).unwrap();
    let classes = |schema: &Schema| -> Vec<Class> { schema.classes().map(|class| (**class).clone()).collect() };
    assert!(classes(&read) == classes(&builtin));

    let text = |name: &str| std::fs::read_to_string(target.join(name)).unwrap();
    let (driver, qualifiers) = (text("schema.mof"), text("qualifiers.mof"));
    assert!(driver.starts_with("#pragma include (\"qualifiers.mof\")\n"), "{driver}");
    assert!(qualifiers.contains("Qualifier Key : boolean = false,\n    Scope(property, reference),\n"), "{qualifiers}");
    let place = |class: &str| driver.find(&format!("(\"{class}.mof\")")).unwrap_or_else(|| panic!("{class}"));
    for class in builtin.classes() {
        let (own, above) = (place(class.name()), class.superclass().map(|superclass| place(superclass)));
        assert!(above.is_none_or(|above| above < own), "{} stands before its superclass", class.name());
    }
}

#[test]
fn without_a_folder_an_export_goes_into_one_called_schema() {
    let folder = tempfile::tempdir().unwrap();
    let output = quartermaster().args(["schema", "export", "--xsd"]).current_dir(folder.path()).output().unwrap();
    assert!(stdout(&output).ends_with(" files to schema\n"), "{}", stderr(&output));
    for name in ["schema.xsd", "common.xsd", "LMI_SoftwareJob.xsd"] {
        assert!(folder.path().join("schema").join(name).is_file(), "{name}");
    }
}

#[test]
fn an_export_that_cannot_be_written_is_told_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("schema");
    std::fs::write(&taken, "a file").unwrap();
    for target in [taken.clone(), taken.join("below")] {
        assert_fails(&schema(&["export", "--xsd", target.to_str().unwrap()]), target.to_str().unwrap());
    }
}
