//! The rounds: something is asked for, sinks change their mood, somebody is killed.

use std::collections::BTreeSet;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::deeds::{Deed, Package, job_told};
use crate::proof::{Evidence, Late, Record};
use crate::random::Random;
use crate::sinks::{Mood, Sink, Taken};
use crate::support::eventually;
use crate::support::installation::{References, references};
use crate::support::packages::{DebRoot, run};
use crate::support::server::{Host, PATIENCE, Server, binary, kill, workers_of};
use crate::support::wsman::{CIM, Client, Message, child, descendants, property, read_reply};
use crate::told::{View, number_of};

const SETTINGS: &str = "[auth]\nhash_mebibytes = 1\n\
    [jobs]\ntime_before_removal_seconds = 3\n\
    [events]\nfirst_retry_seconds = 1\nlongest_retry_seconds = 1\n";

/// Everything that happens to a job.
const QUERY: &str = "SELECT * from CIM_InstIndication WHERE SourceInstance ISA CIM_ConcreteJob";

/// How many sinks are there from the beginning. The first takes everything at all times.
const SINKS: usize = 4;
/// How many come later.
const LATE_SINKS: usize = 8;
/// With so many jobs under way no more are asked for.
const MANY: usize = 8;

const MOODS: [Mood; 8] = [
    Mood::Taking,
    Mood::Taking,
    Mood::Taking,
    Mood::Taking,
    Mood::Refusing,
    Mood::Forgetting,
    Mood::Hanging,
    Mood::Away,
];

/// When somebody is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// While a request is being answered.
    Asking,
    /// After the answer.
    Asked,
    /// While a job runs.
    Running,
    /// When a job is almost done.
    Finishing,
}

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Server,
    Worker,
    Both,
}

pub(crate) struct Scenario {
    random: Random,
    root: DebRoot,
    host: Host,
    /// `None` between two servers.
    server: Option<Server>,
    client: Client,
    references: References,
    packages: Vec<Package>,
    sinks: Vec<Sink>,
    late: Vec<(Sink, u64)>,
    /// The jobs that a client was told of.
    told: BTreeSet<u64>,
    /// The jobs of requests that were not answered.
    untold: BTreeSet<u64>,
    /// How many requests were not answered.
    unanswered: usize,
    server_kills: u64,
    worker_kills: u64,
}

impl Scenario {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let root = DebRoot::new().with_shell(&["/bin/sleep"]);
        let packages = Package::build_all(&root);
        let files: Vec<_> = packages.iter().map(|package| package.file().clone()).collect();
        let root = root.with_repository(&files);
        let host = Host::new(&root.path(), "deb").with_settings(SETTINGS);
        let server = host.serve();
        let mut client = server.admin();
        let references = references(&mut client);
        let sinks: Vec<Sink> = (0..SINKS).map(|_| Sink::new(&mut random)).collect();
        sinks.iter().for_each(|sink| subscribe(&mut client, sink));
        let mut scenario = Self {
            random,
            root,
            host,
            server: Some(server),
            client,
            references,
            packages,
            sinks,
            late: Vec::new(),
            told: BTreeSet::new(),
            untold: BTreeSet::new(),
            unanswered: 0,
            server_kills: 0,
            worker_kills: 0,
        };
        // However chance has it, something was installed in the end.
        scenario.ask_for(Deed::InstallFile(0));
        scenario
    }

    pub(crate) fn kills(&self) -> u64 {
        self.server_kills + self.worker_kills
    }

    pub(crate) fn round(&mut self) {
        for sink in &self.sinks[1..] {
            sink.be(self.random.of(&MOODS));
        }
        if self.late.len() < LATE_SINKS && self.random.below(6) == 0 {
            self.add_sink();
        }
        let moment = self.random.of(&[Moment::Asking, Moment::Asked, Moment::Running, Moment::Finishing]);
        let victim = self.random.of(&[Victim::Server, Victim::Server, Victim::Server, Victim::Worker, Victim::Both]);
        // Asked for beforehand, so that somebody is at work.
        for _ in 0..self.random.below(4) {
            self.ask();
        }
        match moment {
            Moment::Asking => self.kill_while_asking(victim),
            Moment::Asked => {
                self.ask();
                self.kill_after(victim, 50);
            }
            Moment::Running => {
                self.ask();
                self.wait_for_job("a job to run", |job| job.state == 4);
                self.kill_after(victim, 400);
            }
            Moment::Finishing => {
                self.ask();
                self.wait_for_job("a job to be almost done", |job| job.percent >= 60);
                self.kill_after(victim, 150);
            }
        }
    }

    /// Asks for something, and is told of a job.
    fn ask(&mut self) {
        if self.under_way() >= MANY {
            return;
        }
        let deed = Deed::choose(&self.packages, &mut self.random);
        self.ask_for(deed);
    }

    fn ask_for(&mut self, deed: Deed) {
        let message = deed.message(&self.packages, &self.references);
        let reply = self.client.post(&message.envelope());
        let job = job_told(&reply).unwrap_or_else(|| panic!("{deed:?} was not accepted: {reply:?}"));
        self.accepted(deed, job);
    }

    /// Somebody is killed after the request was sent and before its answer was read.
    fn kill_while_asking(&mut self, victim: Victim) {
        let deed = Deed::choose(&self.packages, &mut self.random);
        let body = deed.message(&self.packages, &self.references).envelope();
        let request = format!(
            "POST /wsman HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {}\r\nContent-Type: \
             application/soap+xml;charset=UTF-8\r\nContent-Length: {}\r\n\r\n{body}",
            self.client.authorization(),
            body.len()
        );
        let mut stream = self.client.raw();
        let log = self.host.state_dir().join("quartermaster.db-wal");
        let written = || std::fs::metadata(&log).and_then(|log| Ok((log.len(), log.modified()?))).ok();
        let before = written();
        stream.write_all(request.as_bytes()).and_then(|()| stream.flush()).unwrap();
        let most = Duration::from_millis(200);
        if self.random.below(2) == 0 {
            pause(self.random.milliseconds(150));
        } else {
            // Most likely the job: it is there, and its client does not know yet.
            let sent = Instant::now();
            while written() == before && sent.elapsed() < most {}
            pause(self.random.milliseconds(3));
        }
        self.kill(victim);
        match read_reply(stream.as_mut()) {
            Ok(reply) => {
                self.go_on();
                // Without its worker the server may say that it cannot.
                if let Some(job) = job_told(&reply) {
                    self.accepted(deed, job);
                }
            }
            Err(_) => {
                self.go_on();
                self.unanswered += 1;
                // Whether it was accepted, the next server knows.
                let unknown: Vec<u64> = self.jobs().difference(&self.known()).copied().collect();
                assert!(unknown.len() <= 1, "one request, several jobs: {unknown:?}");
                if let Some(&job) = unknown.first() {
                    self.untold.insert(job);
                    self.wants(deed);
                }
            }
        }
    }

    fn known(&self) -> BTreeSet<u64> {
        self.told.union(&self.untold).copied().collect()
    }

    /// All jobs there are and were.
    fn jobs(&mut self) -> BTreeSet<u64> {
        let jobs = all(&mut self.client, "CIM_ConcreteJob");
        let present = jobs.iter().map(|job| number_of(&property(job, "InstanceID").unwrap()));
        present.chain(self.history().iter().map(|record| record.job)).collect()
    }

    fn accepted(&mut self, deed: Deed, job: u64) {
        assert!(self.told.insert(job), "job {job} was given twice");
        self.wants(deed);
    }

    fn wants(&mut self, deed: Deed) {
        if let Some((place, is_installed)) = deed.result() {
            self.packages[place].is_wanted = is_installed;
        }
    }

    /// How many jobs have not ended, as the first sink knows.
    fn under_way(&self) -> usize {
        let ended = ended(&self.sinks[0].taken());
        self.known().difference(&ended).count()
    }

    /// Waits until some job is so, or none is under way.
    fn wait_for_job(&self, what: &str, is_so: impl Fn(&View) -> bool) {
        let from = self.sinks[0].taken().len();
        self.sinks[0].wait_until(what, |taken| {
            let ended = ended(taken);
            taken[from..].iter().any(|taken| is_so(&taken.told.view) && !ended.contains(&taken.told.job))
                || self.known().is_subset(&ended)
        });
    }

    fn kill_after(&mut self, victim: Victim, most: usize) {
        pause(self.random.milliseconds(most));
        self.kill(victim);
        self.go_on();
    }

    fn kill(&mut self, victim: Victim) {
        let workers = if victim == Victim::Server { Vec::new() } else { workers_of(&self.host.state_dir()) };
        let kills_worker = !workers.is_empty();
        if kills_worker {
            self.worker_kills += 1;
            workers.into_iter().for_each(kill);
        }
        if victim != Victim::Worker || !kills_worker {
            self.server_kills += 1;
            self.server.take().unwrap().kill();
        }
    }

    /// Starts a server if there is none, and perhaps kills some while they start.
    fn go_on(&mut self) {
        if self.server.is_some() {
            return;
        }
        while self.random.below(4) == 0 {
            self.sinks_meet_next_server();
            let starting = self.host.begin(binary());
            pause(self.random.milliseconds(250));
            self.server_kills += 1;
            end(starting);
        }
        self.sinks_meet_next_server();
        let server = self.host.serve();
        self.client = server.admin();
        self.server = Some(server);
    }

    fn sinks_meet_next_server(&self) {
        self.sinks.iter().chain(self.late.iter().map(|(sink, _)| sink)).for_each(Sink::next_server);
    }

    /// Subscribes a sink that hears of every job from now on.
    fn add_sink(&mut self) {
        let sink = Sink::new(&mut self.random);
        let first = self.known().last().map_or(0, |job| job + 1);
        subscribe(&mut self.client, &sink);
        self.late.push((sink, first));
    }

    /// Waits for the end of all jobs, and until all sinks have heard of the last.
    pub(crate) fn finish(mut self) -> Evidence {
        self.sinks.iter().for_each(|sink| sink.be(Mood::Taking));
        eventually("the end of all jobs", PATIENCE * 2, || {
            let ended: BTreeSet<u64> = self.history().iter().map(|record| record.job).collect();
            self.known().is_subset(&ended).then_some(())
        });
        let marker = Deed::Refresh.message(&self.packages, &self.references);
        let marker = job_told(&self.client.post(&marker.envelope())).expect("the last job was not accepted");
        self.told.insert(marker);
        for sink in self.sinks.iter().chain(self.late.iter().map(|(sink, _)| sink)) {
            sink.wait_until("the end of the last job", |taken| ended(taken).contains(&marker));
        }
        Evidence {
            marker,
            history: self.history(),
            told: self.told,
            untold: self.untold,
            sinks: self.sinks.iter().map(Sink::taken).collect(),
            late: self.late.iter().map(|(sink, first)| Late { taken: sink.taken(), first: *first }).collect(),
            installed: installed(&self.root),
            log: std::fs::read_to_string(self.root.path().join("var/log/dpkg.log")).unwrap_or_default(),
            packages: self.packages.iter().map(|package| package.name).collect(),
            unanswered: self.unanswered,
            server_kills: self.server_kills,
            worker_kills: self.worker_kills,
        }
    }

    fn history(&mut self) -> Vec<Record> {
        let entries = all(&mut self.client, "CIM_LogEntry");
        entries.iter().map(|entry| Record::read(&property(entry, "RecordData").unwrap())).collect()
    }
}

/// The jobs whose end is among what was taken.
fn ended(taken: &[Taken]) -> BTreeSet<u64> {
    taken.iter().filter(|taken| taken.told.view.is_final()).map(|taken| taken.told.job).collect()
}

fn subscribe(client: &mut Client, sink: &Sink) {
    let mut message = Message::subscribe(&sink.url(), QUERY);
    message.body = message.body.replace("</e:Subscribe>", "<w:SendBookmarks/></e:Subscribe>");
    assert_eq!(client.ask(&message).name, "SubscribeResponse");
}

/// All instances of a class, page after page.
fn all(client: &mut Client, class: &str) -> Vec<xmltree::Element> {
    let uri = format!("{CIM}/{class}");
    let options = "<w:OptimizeEnumeration/><w:MaxElements>200</w:MaxElements>";
    let mut response = client.ask(&Message::enumerate(&uri, options));
    let mut found = Vec::new();
    loop {
        let items = child(&response, "Items").into_iter().flat_map(|items| &items.children);
        found.extend(items.filter_map(|node| node.as_element()).cloned());
        if !descendants(&response, "EndOfSequence").is_empty() {
            return found;
        }
        let context = child(&response, "EnumerationContext").unwrap().get_text().unwrap().into_owned();
        let body = format!(
            "<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>200</n:MaxElements></n:Pull>"
        );
        let pull = Message::action("http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull", &uri, &body);
        response = client.ask(&pull);
    }
}

/// The packages that are installed, as dpkg itself tells.
fn installed(root: &DebRoot) -> BTreeSet<String> {
    let database = format!("--admindir={}", root.path().join("var/lib/dpkg").display());
    let format = "${Package} ${db:Status-Status}\n";
    let output = run(Command::new("dpkg-query").args([&database, "--show", "--showformat", format]));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.strip_suffix(" installed")).map(str::to_owned).collect()
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the moment of a kill is left to chance")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
