//! Documents of metadata, and how what is wrong with them is told.

use super::super::descriptor::VibId;
use super::super::descriptor_xml::DescriptorProblem;
use super::super::error::{ImageError, ImageErrorClass};
use crate::xml::{Element, Limits};

/// How large the XML of a file of metadata may be.
const LIMITS: Limits = Limits { depth: 16, elements: 100_000, attributes: 16 };

/// The text of a file.
pub(super) fn text<'o>(file: &str, octets: &'o [u8]) -> Result<&'o str, ImageError> {
    str::from_utf8(octets).map_err(|_| invalid(file, "It is not written in UTF-8"))
}

/// Reads a file.
pub(super) fn parse(file: &str, octets: &[u8]) -> Result<Element, ImageError> {
    parse_text(file, text(file, octets)?)
}

/// Reads a file, or a piece of it.
pub(super) fn parse_text(file: &str, text: &str) -> Result<Element, ImageError> {
    crate::xml::read(text, &LIMITS).map_err(|error| invalid(file, &format!("It is {error}")))
}

/// Says that a file is not written as it should be.
pub(super) fn invalid(file: &str, why: &str) -> ImageError {
    let class = ImageErrorClass::MetadataFormatError;
    ImageError::new(class, format!("The metadata's {file} cannot be taken: {why}. {}", class.advice()))
}

/// Says that a VIB of metadata breaks a rule.
pub(super) fn rule(id: &VibId, rule: &str) -> ImageError {
    DescriptorProblem::Rule { id: id.clone(), rule: rule.to_owned() }.of_vib()
}

/// Says what is wrong with the descriptor in a file.
pub(super) fn vib_problem(file: &str, problem: DescriptorProblem) -> ImageError {
    match problem {
        DescriptorProblem::Xml(error) => invalid(file, &format!("It is {error}")),
        DescriptorProblem::Form(text) => ImageError::new(
            ImageErrorClass::MetadataFormatError,
            format!("The metadata's {file} cannot be taken: {text}"),
        ),
        problem @ DescriptorProblem::Rule { .. } => problem.of_vib(),
    }
}
