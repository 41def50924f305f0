//! Things of every type, kept in memory, and a client that sends messages as they are written.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::*;
use crate::broker::{Action, Change, Creation, Deletion, Instances, Invocation, MethodReply, Modification, Provider};
use crate::cim::{CimError, CimStatus, Class, Instance, Method, ObjectPath, Value};
use crate::store::changes::ChangeRecord;
use crate::xml::ElementExt;

const MOF: &str = r#"
class TST_Root {};
class TST_Thing : TST_Root {
    [Key] string Name;
    [Write, MaxLen(8)] string Text;
    [Write, MinValue(1), MaxValue(9)] uint8 Small;
    [Write, Required] string Must = "m";
    [Write] string List[];
    [Write] datetime When;
    [Write, EmbeddedInstance("TST_Thing")] string Inner;
    [Write, OctetString] uint8 Image[];
    string Fixed = "f";
    boolean Nothing;
    [Static] uint32 Count([In(false), Out] uint32 Number);
    uint32 Echo([In, Out] boolean B, [In, Out] string S, [In, Out] char16 C, [In, Out] uint64 U, [In, Out] sint64 I,
                [In, Out] real32 R, [In, Out] real64 D, [In, Out] datetime T, [In, Out] datetime L[],
                [In, Out] string Ss[], [In, Out, OctetString] uint8 O[], [In, Out] TST_Thing REF Ref,
                [In, Out] TST_Thing REF Refs[], [In, Out, EmbeddedInstance("TST_Thing")] string E,
                [In, Out, EmbeddedObject] string Es[], [In] uint16 In, [In(false), Out] uint16 Out);
};
[Abstract] class TST_Base { [Key] string Name; };
class TST_Derived : TST_Base { };
"#;

/// The things there are, by name.
#[derive(Debug, Default)]
struct Things(Mutex<BTreeMap<String, Instance>>);

impl Things {
    fn name(path: &ObjectPath) -> String {
        path.key_str("Name").unwrap_or_default().to_owned()
    }

    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Instance>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider for Things {
    fn classes(&self) -> Vec<Arc<str>> {
        vec!["TST_Thing".into()]
    }

    fn action_of(&self, _: &Class, method: &Method) -> Action {
        if &*method.name == "Count" { Action::Read } else { Action::Change }
    }

    fn allows(&self, _: &Class, _: Change) -> bool {
        true
    }

    fn get(&self, _: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        let missing = || CimError::not_found(format!("There is no thing {path}."));
        self.all().get(&Self::name(path)).cloned().ok_or_else(missing)
    }

    /// What is called "broken" cannot be shown.
    fn enumerate(&self, _: &Arc<Class>) -> Result<Instances, CimError> {
        let shown = |(name, thing): (&String, &Instance)| match name.as_str() {
            "broken" => Err(CimError::internal("A thing cannot be shown.", "for the test")),
            _ => Ok(thing.clone()),
        };
        let all: Vec<_> = self.all().iter().map(shown).collect();
        Ok(Box::new(all.into_iter()))
    }

    fn modify(&self, modification: &Modification<'_>) -> Result<(), CimError> {
        let mut all = self.all();
        let thing = all.get_mut(&Self::name(modification.path)).unwrap();
        for (name, value) in &modification.changes {
            thing.set(name, value.clone())?;
        }
        Ok(())
    }

    fn create(&self, creation: &Creation<'_>) -> Result<Instance, CimError> {
        let name = creation.wanted.get("Name").and_then(Value::as_str).unwrap_or("unnamed").to_owned();
        let mut thing = creation.wanted.clone();
        thing.set("Name", name.as_str())?;
        if self.all().insert(name, thing.clone()).is_some() {
            return Err(CimError::new(CimStatus::AlreadyExists, "There is a thing of that name."));
        }
        Ok(thing)
    }

    fn delete(&self, deletion: &Deletion<'_>) -> Result<(), CimError> {
        self.all().remove(&Self::name(deletion.path));
        Ok(())
    }

    fn invoke(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError> {
        if &*invocation.method.name == "Count" {
            return Ok(MethodReply::code(0).with("Number", u32::try_from(self.all().len()).unwrap()));
        }
        let outputs = invocation.method.parameters.iter().filter(|parameter| parameter.direction.is_out());
        let echoed =
            outputs.map(|parameter| (parameter.name.clone(), invocation.arguments.get(&parameter.name).clone()));
        Ok(MethodReply { return_value: Value::Uint32(7), outputs: echoed.collect(), why: None })
    }
}

struct Silence;

impl Describe for Silence {
    fn describe(&self, _: &ChangeRecord) -> Result<Option<Instance>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(None)
    }
}

/// A service of things, and who asks it.
pub(super) struct Host {
    service: Service,
    runtime: tokio::runtime::Runtime,
    role: Role,
    things: Arc<Things>,
}

/// A request as XML.
#[derive(Clone, Copy, Default)]
pub(super) struct Asked<'a> {
    /// What stands behind the namespace of WS-Transfer or WS-Enumeration, or a whole Action.
    pub(super) action: &'a str,
    /// A class, or a whole ResourceURI.
    pub(super) class: &'a str,
    /// Selectors by name.
    pub(super) keys: &'a [(&'a str, &'a str)],
    /// Further headers.
    pub(super) headers: &'a str,
    /// The body.
    pub(super) body: &'a str,
}

const OPEN: &str = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' \
    xmlns:a='http://schemas.xmlsoap.org/ws/2004/08/addressing' xmlns:w='http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd' \
    xmlns:n='http://schemas.xmlsoap.org/ws/2004/09/enumeration' xmlns:e='http://schemas.xmlsoap.org/ws/2004/08/eventing' \
    xmlns:x='http://www.w3.org/2001/XMLSchema-instance' xmlns:cim='http://schemas.dmtf.org/wbem/wscim/1/common' \
    xmlns:m='http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd'><s:Header><a:To>https://host/wsman</a:To>\
    <a:MessageID>uuid:1</a:MessageID><a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous\
    </a:Address></a:ReplyTo>";

impl Host {
    /// A service without things, asked by somebody with that role.
    pub(super) fn new(role: Role) -> Self {
        let schema = Arc::new(Schema::from_mof([("test.mof", MOF)].into_iter()).unwrap());
        let store = Arc::new(Store::in_memory().unwrap());
        let things = Arc::new(Things::default());
        let broker = Broker::new(schema.clone(), vec![things.clone()]).unwrap();
        Self { service: service(broker, schema, store, Arc::new(Silence)), runtime: runtime(), role, things }
    }

    /// Does something while nothing can be told of the things there are.
    pub(super) fn while_held<T>(&self, work: impl FnOnce() -> T) -> T {
        let _held = self.things.all();
        work()
    }

    /// The same service, asked by somebody with another role.
    pub(super) fn asked_by(self, role: Role) -> Self {
        Self { role, ..self }
    }

    /// The reply to a request.
    pub(super) fn send(&self, asked: Asked<'_>) -> Reply {
        let action = match asked.action {
            "Get" | "Put" | "Create" | "Delete" => {
                format!("http://schemas.xmlsoap.org/ws/2004/09/transfer/{}", asked.action)
            }
            "Enumerate" | "Pull" => format!("http://schemas.xmlsoap.org/ws/2004/09/enumeration/{}", asked.action),
            other => other.to_owned(),
        };
        let class = if asked.class.contains("://") { asked.class.to_owned() } else { format!("{CIM}{}", asked.class) };
        let keys: String = asked.keys.iter().map(|(n, v)| format!("<w:Selector Name='{n}'>{v}</w:Selector>")).collect();
        let text = format!(
            "{OPEN}<a:Action>{action}</a:Action><w:ResourceURI>{class}</w:ResourceURI>\
             <w:SelectorSet>{keys}</w:SelectorSet>{}</s:Header><s:Body>{}</s:Body></s:Envelope>",
            asked.headers, asked.body
        );
        self.runtime.block_on(self.service.handle(Request {
            body: text.into_bytes(),
            upload: None,
            charset: None,
            soap_action: None,
            caller: Some(Caller::new("ann", self.role)),
            address: "https://host/wsman".into(),
        }))
    }

    /// The text of a reply that is no fault.
    pub(super) fn ask(&self, asked: Asked<'_>) -> String {
        let reply = self.send(asked);
        let text = String::from_utf8(reply.body.join()).unwrap();
        assert_eq!(reply.status, 200, "{text}");
        text
    }

    /// The fault that a request is answered with: its kind, its first detail and its reason.
    pub(super) fn refused(&self, asked: Asked<'_>) -> (FaultKind, String, String) {
        let fault = fault(&self.send(asked));
        (fault.kind.unwrap(), fault.details.first().cloned().unwrap_or_default(), fault.reason)
    }

    /// Makes a thing with these properties.
    pub(super) fn create(&self, properties: &str) -> String {
        let body = thing(properties);
        self.ask(Asked { action: "Create", class: "TST_Thing", body: &body, ..Asked::default() })
    }

    /// What a Get shows of the thing named so.
    pub(super) fn get(&self, name: &str) -> Element {
        let asked = Asked { action: "Get", class: "TST_Thing", keys: &[("Name", name)], ..Asked::default() };
        envelope(&self.send(asked), Encoding::Utf8).body.unwrap()
    }
}

/// The representation of a thing.
pub(super) fn thing(properties: &str) -> String {
    format!("<p:TST_Thing xmlns:p='{CIM}TST_Thing'>{properties}</p:TST_Thing>")
}

/// A property's text; `None` if it is NULL.
pub(super) fn text(thing: &Element, property: &str) -> Option<String> {
    let element = thing.elements().find(|e| e.name == property).unwrap_or_else(|| panic!("no {property}: {thing:?}"));
    let nil = element.attribute("http://www.w3.org/2001/XMLSchema-instance", "nil").is_some();
    (!nil).then(|| element.text().to_owned())
}
