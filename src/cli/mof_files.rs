//! All classes as MOF files that any MOF compiler reads, even one that knows nothing yet.

use std::collections::HashSet;

use crate::cim::{Class, QualifierType, Schema};
use crate::wire::classes::SchemaFile;

const QUALIFIERS: &str = "qualifiers.mof";
const DRIVER: &str = "schema.mof";

/// A file for each class, named after it; `qualifiers.mof`, which declares the qualifiers; and `schema.mof`, which includes
/// all the others, what is used before what uses it.
pub(super) fn mof_files(schema: &Schema) -> Vec<SchemaFile> {
    let classes = in_order_of_use(schema);
    let names = [QUALIFIERS.to_owned()].into_iter().chain(classes.iter().map(|class| file_name(class)));
    let driver = names.map(|name| format!("#pragma include (\"{name}\")\n")).collect();
    let qualifiers = QualifierType::all().iter().map(ToString::to_string).collect();
    let shared = [file(DRIVER, driver), file(QUALIFIERS, qualifiers)];
    let classes = classes.iter().map(|class| file(&file_name(class), schema.declaration(class).to_string()));
    shared.into_iter().chain(classes).collect()
}

fn file(name: &str, content: String) -> SchemaFile {
    SchemaFile { name: name.to_owned(), content: content.into_bytes() }
}

fn file_name(class: &Class) -> String {
    format!("{}.mof", class.name())
}

/// All classes, each behind its superclass and behind the classes that it refers to or embeds.
fn in_order_of_use(schema: &Schema) -> Vec<&Class> {
    let mut waiting: Vec<&Class> = schema.classes().map(|class| &**class).collect();
    let (mut ordered, mut known) = (Vec::new(), HashSet::new());
    while !waiting.is_empty() {
        let knows = |name: &str| schema.class(name).is_none_or(|class| known.contains(class.name()));
        let has_superclass = |class: &Class| class.superclass().is_none_or(|name| knows(name));
        let uses_known = |class: &Class| used(class).all(|name| name.eq_ignore_ascii_case(class.name()) || knows(name));
        let ready = |class: &Class| has_superclass(class) && uses_known(class);
        // Where classes refer to each other in a circle, no order suits all of them; superclasses never do.
        let stuck = !waiting.iter().any(|class| ready(class));
        let (next, rest): (Vec<_>, Vec<_>) =
            waiting.iter().copied().partition(|class| ready(class) || stuck && has_superclass(class));
        known.extend(next.iter().map(|class| class.name().clone()));
        ordered.extend(next);
        waiting = rest;
    }
    ordered
}

/// The names of the classes that a class refers to or embeds.
fn used(class: &Class) -> impl Iterator<Item = &str> {
    let properties = class.properties().iter().map(|property| &property.shape);
    let parameters = class.methods().iter().flat_map(|method| &method.parameters).map(|parameter| &parameter.shape);
    properties.chain(parameters).filter_map(|shape| shape.class.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(mof: &str) -> Vec<String> {
        let schema = Schema::from_mof([("test.mof", mof)].into_iter()).unwrap();
        in_order_of_use(&schema).iter().map(|class| class.name().to_string()).collect()
    }

    #[test]
    fn what_is_used_stands_before_what_uses_it() {
        let mof = "class A { uint32 M(D REF Who); }; class B : C { [EmbeddedInstance(\"A\")] string S; }; \
            class C { uint32 M(C REF Who); }; class D : C {};";
        assert_eq!(order(mof), ["C", "D", "A", "B"]);
    }

    #[test]
    fn a_circle_is_no_obstacle_and_superclasses_still_come_first() {
        let mof = "class A : B { uint32 M(C REF Who); }; class B { uint32 N(A REF Who); }; class C : A {};";
        assert_eq!(order(mof), ["B", "A", "C"]);
    }

    #[test]
    fn the_classes_of_the_server_are_ordered_without_a_circle() {
        let schema = Schema::builtin().unwrap();
        let ordered = in_order_of_use(&schema);
        assert_eq!(ordered.len(), schema.classes().count());
        for (place, class) in ordered.iter().enumerate() {
            let before = &ordered[..=place];
            for name in used(class).chain(class.superclass().map(|name| &**name)) {
                assert!(before.iter().any(|class| **class.name() == *name), "{} uses {name}", class.name());
            }
        }
    }
}
