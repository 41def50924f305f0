//! Everything that the classes tell of is done on a host, and all that can be seen afterwards is looked at.

use std::fs;

use openssl::base64::encode_block;
use quartermaster::cim::{ClassKind, Schema};
use quartermaster::wire::UriForm;
use xmltree::Element;

use crate::entries;
use crate::evidence::Evidence;
use crate::hosts::Fixture;
use crate::support::installation::{ended, job_of};
use crate::support::server::{Host, PATIENCE};
use crate::support::sink::{Event, Sink};
use crate::support::wsman::{ALL_CLASSES, ANONYMOUS, Client, Message, child};
use crate::table::{Answer, Family};

const WHOLE: &str = "<w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>";
const IDENTITY: &str = "LMI_SoftwareIdentity";
const SERVICE: &str = "LMI_SoftwareInstallationService";
const REPOSITORY: &str = "LMI_SoftwareIdentityResource";
const FILE_CHECK: &str = "LMI_SoftwareIdentityFileCheck";
const INSTALLATION_JOB: &str = "LMI_SoftwareInstallationJob";
const VERIFICATION_JOB: &str = "LMI_SoftwareVerificationJob";

/// Keys of an instance, as XML.
pub(crate) type Selectors = Vec<(String, String)>;

/// A client of a host that writes down what it sees.
pub(crate) struct Visit {
    pub(crate) client: Client,
    schema: Schema,
    pub(crate) seen: Evidence,
}

/// Does everything on a host.
pub(crate) fn done(fixture: Fixture) -> Evidence {
    let host =
        Host::new(&fixture.root, if matches!(fixture.kept, crate::hosts::Kept::Deb(..)) { "deb" } else { "rpm" });
    let server = host.serve();
    let (client, sink) = (server.admin(), Sink::new());
    let mut visit = Visit::new(client, fixture.family);
    visit.subscribe(&sink);
    visit.make_filter();
    for class in ["PG_ComputerSystem", SERVICE, "LMI_SystemSoftwareCollection", REPOSITORY] {
        visit.enumerate(class);
    }
    visit.look_ahead(&fixture);
    let removed = visit.change_software(&fixture);
    visit.verify(&fixture);
    visit.switch_a_repository();
    visit.look_at_jobs();
    visit.enumerate_all();
    visit.walk_from(&fixture.nevra("alpha", "1.0"));
    visit.check_files();
    visit.call_what_is_not_served();
    visit.remove_a_job(INSTALLATION_JOB, &removed);
    visit.take_events(&sink, "LMI_SoftwareInstDeletion");
    visit.seen
}

impl Visit {
    pub(crate) fn new(client: Client, family: Family) -> Self {
        Self { client, schema: Schema::builtin().unwrap(), seen: Evidence::new(family) }
    }

    pub(crate) fn subscribe(&mut self, sink: &Sink) {
        for class in ["CIM_InstCreation", "CIM_InstModification", "CIM_InstDeletion"] {
            self.client.ask(&Message::subscribe(&sink.url("/"), &format!("SELECT * FROM {class}")));
        }
        // With everything that can be asked for, of what never happens here.
        let body = format!(
            "<e:Subscribe><e:EndTo><a:Address>{0}</a:Address></e:EndTo>\
             <e:Delivery Mode=\"http://schemas.dmtf.org/wbem/wsman/1/wsman/Events\"><e:NotifyTo><a:Address>{0}</a:Address>\
             </e:NotifyTo><w:Locale xml:lang=\"en\"/><w:Heartbeats>PT1H</w:Heartbeats><w:MaxTime>PT30S</w:MaxTime>\
             <w:Auth Profile=\"http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/http/basic\"/></e:Delivery>\
             <e:Expires>PT1H</e:Expires></e:Subscribe>",
            sink.url("/never")
        );
        let subscribe = "http://schemas.xmlsoap.org/ws/2004/08/eventing/Subscribe";
        self.client
            .ask(&Message::action(subscribe, &uri_of("VMware_ConcreteJobDeletion"), &body).header(&credentials(sink)));
    }

    fn make_filter(&mut self) {
        let uri = uri_of("CIM_IndicationFilter");
        let body = format!(
            "<p:CIM_IndicationFilter xmlns:p=\"{uri}\"><p:ElementName>Test</p:ElementName><p:Name>test</p:Name>\
             <p:Query>SELECT * FROM CIM_InstCreation</p:Query><p:QueryLanguage>DMTF:CQL</p:QueryLanguage>\
             </p:CIM_IndicationFilter>"
        );
        let create = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create";
        self.client.ask(&Message::action(create, &uri, &body).selector("__cimnamespace", "root/interop"));
    }

    /// Looks at all instances of exactly one class.
    pub(crate) fn enumerate(&mut self, class: &str) {
        let options = format!("{WHOLE}<b:PolymorphismMode>None</b:PolymorphismMode>");
        let page = Message::enumerate(&uri_of(class), &options).selector("__cimnamespace", "root/interop");
        self.look(&page);
    }

    fn look(&mut self, request: &Message) {
        let page = self.client.ask(request);
        assert!(child(&page, "EndOfSequence").is_some(), "more than one page of {}", request.resource_uri);
        self.seen.add(&page);
    }

    pub(crate) fn enumerate_all(&mut self) {
        let with_instances = |class: &&std::sync::Arc<quartermaster::cim::Class>| {
            class.kind() != ClassKind::Indication && !class.is_abstract()
        };
        let classes: Vec<String> =
            self.schema.classes().filter(with_instances).map(|class| class.name().to_string()).collect();
        for class in classes {
            self.enumerate(&class);
        }
    }

    /// The keys of the first instance of a class that was seen, if it fits.
    pub(crate) fn selectors(&self, class: &str, fits: impl Fn(&crate::evidence::Seen) -> bool) -> Selectors {
        let instance = self.seen.instances(class).iter().find(|seen| fits(seen));
        let instance = instance.unwrap_or_else(|| panic!("no such instance of {class}"));
        let keys = self.schema.class(class).unwrap().keys();
        keys.map(|key| (key.name.to_string(), escape(&instance[&*key.name]))).collect()
    }

    pub(crate) fn first(&self, class: &str) -> Selectors {
        self.selectors(class, |_| true)
    }

    /// Calls a method and writes down what it answers.
    pub(crate) fn call(
        &mut self,
        class: &str,
        selectors: Selectors,
        method: &str,
        arguments: &[(&str, &str)],
    ) -> Element {
        let mut request = Message::invoke(&uri_of(class), method, arguments);
        request.selectors = selectors;
        request.selectors.push(("__cimnamespace".to_owned(), "root/interop".to_owned()));
        let reply = self.client.post(&request.envelope());
        if reply.status != 200 {
            self.seen.add_answer(class, method, reply.fault().0);
            return reply.content();
        }
        let output = reply.content();
        let value = crate::support::wsman::property(&output, "ReturnValue").unwrap();
        self.seen.add_answer(class, method, value);
        self.seen.add(&output);
        output
    }

    fn call_service(&mut self, method: &str, arguments: &[(&str, &str)]) -> Element {
        let service = self.first(SERVICE);
        self.call(SERVICE, service, method, arguments)
    }

    /// Starts a job and waits for its end; gives its InstanceID.
    fn work(&mut self, method: &str, arguments: &[(&str, &str)]) -> String {
        let id = job_of(&self.call_service(method, arguments));
        ended(&mut self.client, &id);
        id
    }

    fn system(&self) -> String {
        reference("PG_ComputerSystem", &self.first("PG_ComputerSystem"))
    }

    fn look_ahead(&mut self, fixture: &Fixture) {
        let (source, system) = (identity(&fixture.nevra("delta", "2.0")), self.system());
        self.call_service("FindIdentity", &[("Name", "alpha"), ("ExactMatch", "true")]);
        self.call_service("FindUpdates", &[]);
        self.call_service("CheckSoftwareIdentity", &[("Source", &source), ("Target", &system)]);
        self.call_service("PlanChanges", &[("Source", &source), ("Target", &system)]);
    }

    /// Installs in every way, updates and removes; gives the job that removed.
    fn change_software(&mut self, fixture: &Fixture) -> String {
        let system = self.system();
        let collection = "LMI_SystemSoftwareCollection";
        let collection = reference(collection, &self.first(collection));
        let file = |file: &std::path::Path| format!("file://{}", file.display());
        let options = |number: &'static str| [("InstallOptions", number), ("InstallOptionsValues", "")];
        let [install, no_value] = options("4");
        for package in [&fixture.good, &fixture.broken] {
            self.work("InstallFromURI", &[("URI", &file(package)), ("Target", &system), install, no_value]);
        }
        let image = encode_block(&fs::read(&fixture.sent).unwrap());
        self.work("InstallFromByteStream", &[("Image", &image), ("Target", &system), install, no_value]);
        self.work("RefreshRepositories", &[]);
        let gamma = identity(&fixture.nevra("gamma", "1.0"));
        self.work("InstallFromSoftwareIdentity", &[("Source", &gamma), ("Target", &system), install, no_value]);
        let delta = identity(&fixture.nevra("delta", "1.0"));
        let [update, _] = options("5");
        self.work("InstallFromSoftwareIdentity", &[("Source", &delta), ("Collection", &collection), update]);
        let good = identity(&fixture.nevra("good", "1.0"));
        let [remove, _] = options("9");
        self.work("InstallFromSoftwareIdentity", &[("Source", &good), ("Target", &system), remove])
    }

    /// Verifies a package that was changed, one whose package file nobody has, and one that is not installed.
    fn verify(&mut self, fixture: &Fixture) {
        let system = self.system();
        for name in ["alpha", "sent", "nothing"] {
            let source = identity(&fixture.nevra(name, "1.0"));
            self.work("VerifyInstalledIdentity", &[("Source", &source), ("Target", &system)]);
        }
    }

    fn switch_a_repository(&mut self) {
        let enabled = self.selectors(REPOSITORY, |repository| repository["EnabledState"] == "2");
        for state in ["3", "2"] {
            self.call(REPOSITORY, enabled.clone(), "RequestStateChange", &[("RequestedState", state)]);
        }
    }

    fn look_at_jobs(&mut self) {
        for class in [INSTALLATION_JOB, VERIFICATION_JOB] {
            self.look_at_jobs_of(class);
        }
    }

    /// Looks at the jobs of a class, and asks of one that failed why.
    pub(crate) fn look_at_jobs_of(&mut self, class: &str) {
        self.enumerate(class);
        let failed = self.selectors(class, |job| job["JobState"] == "10");
        for method in ["GetError", "GetErrors"] {
            self.call(class, failed.clone(), method, &[]);
        }
        self.call(class, failed, "RequestStateChange", &[("RequestedState", "4")]);
    }

    /// What is only found from a package: its files, and what it needs.
    fn walk_from(&mut self, nevra: &str) {
        for association in ["LMI_SoftwareIdentityChecks", "QM_OrderedDependency"] {
            let filter = format!(
                "<w:Filter Dialect=\"http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter\">\
                 <b:AssociatedInstances><b:Object>{}</b:Object><b:AssociationClassName>{association}</b:AssociationClassName>\
                 </b:AssociatedInstances></w:Filter>{WHOLE}",
                identity(nevra)
            );
            self.look(&Message::enumerate(ALL_CLASSES, &filter));
        }
    }

    fn check_files(&mut self) {
        let system = self.system();
        let file = |visit: &Self, name: &str| visit.selectors(FILE_CHECK, |check| check["Name"] == name);
        let (changed, same) = (file(self, "/usr/share/alpha/data"), file(self, "/etc/alpha.conf"));
        self.call(FILE_CHECK, changed, "Invoke", &[]);
        self.call(FILE_CHECK, same, "InvokeOnSystem", &[("TargetSystem", &system)]);
    }

    pub(crate) fn call_what_is_not_served(&mut self) {
        let family = self.seen.family;
        for entry in entries().filter(|entry| family.has(entry.class)) {
            for method in entry.methods.iter().filter(|method| !matches!(method.answer, Answer::Works { .. })) {
                let selectors = self.first(entry.class);
                let arguments = needed(&self.schema, entry.class, method.name);
                let arguments: Vec<(&str, &str)> = arguments.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                self.call(entry.class, selectors, method.name, &arguments);
            }
        }
    }

    pub(crate) fn remove_a_job(&mut self, class: &str, id: &str) {
        let delete = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete";
        self.client.ask(&Message::action(delete, &uri_of(class), "").selector("InstanceID", id));
    }

    /// Looks at the events, when the last of them is there: the one of the job that was removed.
    pub(crate) fn take_events(&mut self, sink: &Sink, last: &str) {
        let is_last = |event: &Event| event.indication().name == last && event.source("JobState").is_some();
        let wait = |events: &[Event]| events.iter().any(is_last).then(|| events.to_vec());
        for event in sink.wait_for("the removal of a job", PATIENCE, wait) {
            self.seen.add(&event.indication());
        }
    }
}

/// Values for the parameters that a call must give.
fn needed(schema: &Schema, class: &str, method: &str) -> Vec<(String, String)> {
    let parameters = &schema.class(class).unwrap().method(method).unwrap().parameters;
    let needed = parameters.iter().filter(|parameter| parameter.required && parameter.direction.is_in());
    needed.map(|parameter| (parameter.name.to_string(), "1".to_owned())).collect()
}

/// Credentials for a sink, as the header `wst:IssuedTokens`.
fn credentials(sink: &Sink) -> String {
    format!(
        "<t:IssuedTokens xmlns:t=\"http://schemas.xmlsoap.org/ws/2005/02/trust\" \
         xmlns:u=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd\">\
         <t:RequestSecurityTokenResponse><t:TokenType>\
         http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#UsernameToken</t:TokenType>\
         <t:RequestedSecurityToken><u:UsernameToken><u:Username>user</u:Username><u:Password>word</u:Password>\
         </u:UsernameToken></t:RequestedSecurityToken><p:AppliesTo xmlns:p=\"http://schemas.xmlsoap.org/ws/2004/09/policy\">\
         <a:EndpointReference><a:Address>{}</a:Address></a:EndpointReference></p:AppliesTo>\
         </t:RequestSecurityTokenResponse></t:IssuedTokens>",
        sink.url("/never")
    )
}

fn uri_of(class: &str) -> String {
    UriForm::Vendor.class_uri(class)
}

fn identity(nevra: &str) -> String {
    reference(IDENTITY, &vec![("InstanceID".to_owned(), format!("LMI:{IDENTITY}:{nevra}"))])
}

/// A reference to an instance, as XML.
pub(crate) fn reference(class: &str, selectors: &Selectors) -> String {
    let selectors: String =
        selectors.iter().map(|(name, value)| format!("<w:Selector Name=\"{name}\">{value}</w:Selector>")).collect();
    format!(
        "<a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{}</w:ResourceURI>\
         <w:SelectorSet>{selectors}</w:SelectorSet></a:ReferenceParameters>",
        uri_of(class)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
