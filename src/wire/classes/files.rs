//! The XML Schema documents of all classes, as files that find each other.

use super::common::write_common;
use super::xsd::{Document, write_document};
use crate::cim::{Class, Schema};
use crate::wire::UriForm;
use crate::wire::names::{CIM, XS};
use crate::xml::Writer;

const COMMON: &str = "common.xsd";
const DRIVER: &str = "schema.xsd";

/// One document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaFile {
    /// The file's name, without a folder.
    pub name: String,
    /// What it holds.
    pub content: Vec<u8>,
}

/// The documents of all classes: one for each class, named after it; `common.xsd` with the common types; and `schema.xsd`,
/// which imports all the others. A folder that holds them is all that a validator needs: instances name each other's
/// classes in `xsi:type`, so it needs every class.
pub fn schema_files(schema: &Schema) -> impl Iterator<Item = SchemaFile> {
    let shared = [file(COMMON, write_common), file(DRIVER, |w| write_driver(w, schema))];
    let classes = schema.classes().map(|class| file(&file_name(class), |w| write_document(w, class, Some(COMMON))));
    shared.into_iter().chain(classes)
}

fn file(name: &str, write: impl FnOnce(&mut Writer)) -> SchemaFile {
    let mut w = Writer::new(usize::MAX);
    write(&mut w);
    SchemaFile { name: name.to_owned(), content: w.finish() }
}

fn file_name(class: &Class) -> String {
    format!("{}.xsd", class.name())
}

fn write_driver(w: &mut Writer, schema: &Schema) {
    w.start("xs:schema").attribute("xmlns:xs", XS);
    let mut document = Document::new(w, true);
    document.component(|w| write_import(w, CIM, COMMON));
    for class in schema.classes() {
        document.component(|w| write_import(w, &UriForm::Vendor.class_uri(class.name()), &file_name(class)));
    }
    document.end();
}

fn write_import(w: &mut Writer, namespace: &str, place: &str) {
    w.start("xs:import").attribute("namespace", namespace).attribute("schemaLocation", place).end("xs:import");
}
