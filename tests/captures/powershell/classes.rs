//! Get-CimClass, and the retrieval of classes beside other cmdlets.

use super::{Message, peer};
use crate::names::{CLASSES, enumeration, transfer};
use crate::peer::{attribute, elements};
use crate::shared_host::SharedHost;

const INCLUDED: &str = "<w:Option Name=\"IncludeInheritanceHierarchy\" Type=\"xs:boolean\">true</w:Option>\
    <w:Option Name=\"IncludeInheritedElements\" Type=\"xs:boolean\">true</w:Option>\
    <w:Option Name=\"IncludeQualifiers\" Type=\"xs:boolean\">true</w:Option>";

fn get(class: &str) -> String {
    let selectors = [("__cimnamespace", "root/cimv2"), ("ClassName", class)];
    let action = transfer("Get");
    Message { action: &action, resource: CLASSES, selectors: &selectors, options: INCLUDED, body: "" }.envelope()
}

/// PowerShell learns from it which properties are keys and of what type they are. The cmdlet's request came with white
/// space around every text.
#[test]
fn get_cim_class_gets_a_class_with_what_it_inherits() {
    let host = SharedHost::get();
    let mut peer = peer(&host);
    let plain = get("LMI_SoftwareInstallationJob");
    let padded = plain.replace('<', "\n    <").replace('>', ">\n      ");
    for request in [plain, padded] {
        let answer = peer.ask(request.trim());
        assert_eq!(answer.action(), transfer("GetResponse"));
        let class = answer.content();
        assert_eq!((class.name.as_str(), attribute(class, "NAME")), ("CLASS", Some("LMI_SoftwareInstallationJob")));
        assert_eq!(attribute(class, "SUPERCLASS"), Some("LMI_SoftwareJob"));
        let key = elements(class).find(|e| attribute(e, "NAME") == Some("InstanceID")).unwrap();
        assert_eq!((key.name.as_str(), attribute(key, "TYPE")), ("PROPERTY", Some("string")));
        let qualifiers: Vec<_> = elements(key).filter_map(|e| attribute(e, "NAME")).collect();
        assert!(qualifiers.contains(&"Key"), "{qualifiers:?}");
        assert!(elements(class).any(|e| e.name == "METHOD" && attribute(e, "NAME") == Some("RequestStateChange")));
    }
    assert_eq!(peer.refused(&get("LMI_Unicorn")).subcode, "wsa:DestinationUnreachable");
}

/// All classes of a namespace, those below another among them: the client looks for a name in them itself.
#[test]
fn get_cim_class_lists_classes() {
    let host = SharedHost::get();
    let mut peer = peer(&host);
    let body = "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>32000</w:MaxElements></n:Enumerate>";
    let mut names = Vec::new();
    let selectors = [("__cimnamespace", "root/cimv2"), ("ClassName", "")];
    let action = enumeration("Enumerate");
    let begin = Message { action: &action, resource: CLASSES, selectors: &selectors, options: INCLUDED, body };
    let mut answer = peer.ask(&begin.envelope());
    loop {
        let page = answer.page();
        names.extend(page.items.iter().map(|class| attribute(class, "NAME").unwrap().to_owned()));
        let Some(context) = page.context else { break };
        let body = format!(
            "<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>32000</n:MaxElements></n:Pull>"
        );
        answer = peer.ask(&Message { action: &enumeration("Pull"), body: &body, ..begin }.envelope());
    }
    for name in ["CIM_ManagedElement", "CIM_ConcreteJob", "LMI_SoftwareInstallationJob"] {
        assert!(names.iter().any(|known| known == name), "{name} is not in {names:?}");
    }
}
