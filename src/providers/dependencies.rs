//! What packages need (DSP1023 7.9): each package that is installed or offered, linked with the packages that meet its
//! dependencies.
//!
//! What a package needs is told of every package. What needs a package is told of installed packages alone, and so are all
//! links together: those of some ten thousand packages that are only offered would tell nobody anything.

use std::collections::HashSet;
use std::sync::Arc;

use super::links::if_there;
use super::model::{Model, unreadable};
use super::requirements::{named, requirement_path};
use crate::broker::{Instances, Provider};
use crate::cim::{CimError, Class, Instance, ObjectPath, PropertyError, Value};
use crate::software::{DependencyKind, Nevra, Relations, Requirement};

const DEPENDENCY: &str = "QM_OrderedDependency";
const ANTECEDENT: &str = "Antecedent";
const DEPENDENT: &str = "Dependent";

/// Serves the dependencies of packages.
#[derive(Debug)]
pub(super) struct Dependencies(Arc<Model>);

impl Dependencies {
    pub(super) fn new(model: Arc<Model>) -> Self {
        Self(model)
    }

    /// What the package that a path names needs; nothing of what names no package.
    fn needed_by(&self, path: &ObjectPath) -> Result<Vec<Link>, CimError> {
        match if_there(self.0.nevra(path))? {
            Some(nevra) => Ok(Known::read(&self.0)?.needed_by(&nevra)),
            None => Ok(Vec::new()),
        }
    }

    /// What the installed packages need, one after the other; only what `antecedent` meets if there is one.
    fn needed_by_installed(&self, known: Known, antecedent: Option<Antecedent>) -> impl Iterator<Item = Link> + use<> {
        let is_wanted = move |link: &Link| antecedent.as_ref().is_none_or(|wanted| link.antecedent == *wanted);
        let packages = 0..known.installed.len();
        packages.flat_map(move |number| known.needed_by_number(&known.installed, number)).filter(is_wanted)
    }

    /// The links from installed packages to what a path names.
    fn needing(&self, path: &ObjectPath) -> Result<Box<dyn Iterator<Item = Link> + Send>, CimError> {
        let antecedent = match named(path) {
            Some(requirement) => Antecedent::Requirement(requirement),
            None => match if_there(self.0.nevra(path))? {
                Some(nevra) => Antecedent::Package(nevra),
                None => return Ok(Box::new(std::iter::empty())),
            },
        };
        // What is installed is preferred, so what is offered matters to nobody who needs an installed package.
        let known = match &antecedent {
            Antecedent::Package(nevra) if self.0.manager.inventory().find(nevra).is_some() => {
                Known { installed: installed(&self.0)?, offered: None }
            }
            _ => Known::read(&self.0)?,
        };
        Ok(Box::new(self.needed_by_installed(known, Some(antecedent))))
    }

    fn instances(&self, class: &Arc<Class>, links: impl Iterator<Item = Link> + Send + 'static) -> Instances {
        let (model, class) = (self.0.clone(), class.clone());
        Box::new(links.map(move |link| Ok(link.instance(&model, &class)?)))
    }
}

impl Provider for Dependencies {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![DEPENDENCY.into()]
    }

    /// They are read from the package database and from the metadata of repositories.
    fn is_ready(&self, _: &Class, _: Option<&ObjectPath>) -> bool {
        false
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        let end = |name: &str| path.key(name).and_then(Value::as_reference);
        let links = end(DEPENDENT).map(|dependent| self.needed_by(dependent)).transpose()?.unwrap_or_default();
        let link = end(ANTECEDENT)
            .and_then(|antecedent| links.into_iter().find(|link| link.antecedent.path(&self.0).same_keys(antecedent)));
        let link = link.ok_or_else(|| CimError::not_found("The one package does not depend on the other."))?;
        Ok(link.instance(&self.0, class)?)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        Ok(self.instances(class, self.needed_by_installed(Known::read(&self.0)?, None)))
    }

    fn references(&self, class: &Arc<Class>, source: &ObjectPath, role: Option<&str>) -> Result<Instances, CimError> {
        let plays = |end: &str| role.is_none_or(|role| role.eq_ignore_ascii_case(end));
        let needed = if plays(DEPENDENT) { self.needed_by(source)? } else { Vec::new() };
        if !plays(ANTECEDENT) {
            return Ok(self.instances(class, needed.into_iter()));
        }
        Ok(self.instances(class, needed.into_iter().chain(self.needing(source)?)))
    }
}

/// What meets a dependency.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Antecedent {
    Package(Nevra),
    Requirement(Requirement),
}

impl Antecedent {
    fn path(&self, model: &Model) -> Arc<ObjectPath> {
        match self {
            Self::Package(nevra) => model.identity_path(nevra),
            Self::Requirement(requirement) => requirement_path(model, requirement),
        }
    }
}

/// One package needs another, or something that no known package has.
#[derive(Debug)]
struct Link {
    antecedent: Antecedent,
    dependent: Nevra,
    /// From 1; alternatives of one dependency have the same.
    sequence: u64,
    kind: DependencyKind,
    /// The dependency with all its alternatives.
    text: String,
}

impl Link {
    fn instance(&self, model: &Model, class: &Arc<Class>) -> Result<Instance, PropertyError> {
        let kind: u16 = match self.kind {
            DependencyKind::PreDepends => 2,
            DependencyKind::Depends => 3,
            DependencyKind::Recommends => 4,
            DependencyKind::Suggests => 5,
        };
        let mut link = Instance::new(class.clone());
        link.set(ANTECEDENT, self.antecedent.path(model))?
            .set(DEPENDENT, model.identity_path(&self.dependent))?
            .set("AssignedSequence", self.sequence)?
            .set("DependencyType", kind)?
            .set("Requirement", self.text.as_str())?;
        Ok(link)
    }
}

/// What is known of packages' needs.
#[derive(Clone, Debug)]
struct Known {
    installed: Arc<Relations>,
    /// Without it only links to installed packages are made.
    offered: Option<Arc<Relations>>,
}

impl Known {
    fn read(model: &Model) -> Result<Self, CimError> {
        let offered = model.manager.offered_relations().map_err(unreadable)?;
        Ok(Self { installed: installed(model)?, offered: Some(offered) })
    }

    /// What a package needs: by what is installed, else by what is offered.
    fn needed_by(&self, nevra: &Nevra) -> Vec<Link> {
        let places = std::iter::once(&self.installed).chain(&self.offered);
        let found = places.filter_map(|relations| Some((relations, relations.find(nevra)?))).next();
        found.map(|(relations, number)| self.needed_by_number(relations, number)).unwrap_or_default()
    }

    /// One link for each alternative. What needs the same package in several ways is linked once, in the strictest way; what
    /// a package has itself it need not be linked with.
    fn needed_by_number(&self, relations: &Relations, number: usize) -> Vec<Link> {
        let Some(dependent) = relations.nevra(number) else { return Vec::new() };
        let mut met = HashSet::new();
        let mut links = Vec::new();
        for (sequence, dependency) in (1..).zip(relations.dependencies(number)) {
            for alternative in &dependency.alternatives {
                let antecedent = self.antecedent(alternative, dependent);
                let is_itself = |of: &Antecedent| *of == Antecedent::Package(dependent.clone());
                let Some(antecedent) = antecedent.filter(|of| !is_itself(of) && met.insert(of.clone())) else {
                    continue;
                };
                links.push(Link {
                    antecedent,
                    dependent: dependent.clone(),
                    sequence,
                    kind: dependency.kind,
                    text: dependency.to_string(),
                });
            }
        }
        links
    }

    /// The installed package that meets a requirement, else the newest that is offered, else the requirement itself.
    fn antecedent(&self, requirement: &Requirement, dependent: &Nevra) -> Option<Antecedent> {
        let best = |relations: &Relations| {
            let number = *relations.meeting(requirement, dependent).first()?;
            relations.nevra(number).cloned().map(Antecedent::Package)
        };
        best(&self.installed).or_else(|| {
            let offered = self.offered.as_deref()?;
            Some(best(offered).unwrap_or_else(|| Antecedent::Requirement(requirement.clone())))
        })
    }
}

fn installed(model: &Model) -> Result<Arc<Relations>, CimError> {
    model.manager.installed_relations().map_err(|error| {
        CimError::internal("What the installed packages need cannot be read; the operator's log says why.", error)
    })
}
