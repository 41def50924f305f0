//! What stands around every page.

use std::sync::Arc;

use askama::Template;

use super::assets;
use super::failure::Failure;
use crate::access::Role;

/// The places that the navigation leads to.
const SECTIONS: [Section; 9] = [
    Section { address: "/", name: "Overview", needs: Needs::Nothing },
    Section { address: "/software", name: "Installed", needs: Needs::Nothing },
    Section { address: "/available", name: "Available", needs: Needs::Packages },
    Section { address: "/updates", name: "Updates", needs: Needs::Packages },
    Section { address: "/bulletins", name: "Bulletins", needs: Needs::Patches },
    Section { address: "/jobs", name: "Jobs", needs: Needs::Nothing },
    Section { address: "/repositories", name: "Repositories", needs: Needs::Packages },
    Section { address: "/subscriptions", name: "Subscriptions", needs: Needs::Nothing },
    Section { address: "/history", name: "History", needs: Needs::Nothing },
];

/// A place that the navigation leads to.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) address: &'static str,
    pub(super) name: &'static str,
    needs: Needs,
}

/// What there must be for a section to have something in it.
#[derive(Debug)]
enum Needs {
    Nothing,
    Packages,
    Patches,
}

/// The frame of one page.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) title: String,
    /// The address of the section that the page belongs to.
    pub(super) section: &'static str,
    /// The names of the managed systems.
    pub(super) systems: Vec<String>,
    /// Whether one of them is a host with packages.
    pub(super) has_packages: bool,
    /// Whether one of them knows what it lacks of what was published for it.
    pub(super) has_patches: bool,
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
        Self {
            title: title.to_owned(),
            section: "",
            systems: Vec::new(),
            has_packages: false,
            has_patches: false,
            who: None,
        }
    }

    /// Whether whoever is logged in may change something.
    pub(super) fn may_change(&self) -> bool {
        self.who.as_ref().is_some_and(|who| who.role >= Role::Operator)
    }

    /// What proves that a form is one of ours.
    pub(super) fn token(&self) -> &str {
        self.who.as_ref().map_or("", |who| &who.token)
    }

    /// The sections that have something in them here.
    pub(super) fn sections(&self) -> impl Iterator<Item = &'static Section> {
        SECTIONS.iter().filter(|section| match section.needs {
            Needs::Nothing => true,
            Needs::Packages => self.has_packages,
            Needs::Patches => self.has_patches,
        })
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
