//! What stands around every page.

use std::sync::Arc;

use askama::Template;

use super::assets;
use super::failure::Failure;
use crate::access::Role;

/// The places that the navigation leads to: address, name.
const SECTIONS: [(&str, &str); 1] = [("/software", "Installed")];

/// The frame of one page.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) title: String,
    /// The address of the section that the page belongs to.
    pub(super) section: &'static str,
    /// The names of the managed systems.
    pub(super) systems: Vec<String>,
    /// Who is logged in.
    pub(super) who: Option<Who>,
}

/// Who is logged in.
#[derive(Debug)]
pub(super) struct Who {
    pub(super) name: Arc<str>,
    pub(super) role: Role,
    /// What proves that a form is one of ours.
    pub(super) token: Arc<str>,
}

impl Frame {
    /// The frame of a page for those who are not logged in.
    pub(super) fn outside(title: &str) -> Self {
        Self { title: title.to_owned(), section: "", systems: Vec::new(), who: None }
    }

    /// Whether whoever is logged in may change something.
    pub(super) fn may_change(&self) -> bool {
        self.who.as_ref().is_some_and(|who| who.role >= Role::Operator)
    }

    /// What proves that a form is one of ours.
    pub(super) fn token(&self) -> &str {
        self.who.as_ref().map_or("", |who| &who.token)
    }

    pub(super) fn sections(&self) -> &'static [(&'static str, &'static str)] {
        &SECTIONS
    }

    /// The version of the style and the script, so that a browser keeps them until they change.
    pub(super) fn version(&self) -> &'static str {
        assets::version()
    }
}

/// A page that says why there is no other.
#[derive(Debug, Template)]
#[template(path = "failure.html")]
pub(super) struct FailurePage {
    pub(super) frame: Frame,
    pub(super) message: String,
}

impl FailurePage {
    pub(super) fn new(frame: Frame, failure: &Failure) -> Self {
        Self { frame: Frame { title: failure.title().to_owned(), ..frame }, message: failure.message.clone().into() }
    }
}
