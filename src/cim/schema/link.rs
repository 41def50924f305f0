//! From declarations in any order to classes: who extends whom, what every name means, superclasses first.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::Class;
use super::super::mof::{ClassDeclaration, Position};
use super::{SchemaError, inherit};

/// Which declaration a name means, whatever its case.
pub(super) struct Names {
    index: HashMap<String, usize>,
    /// Beside each declaration: its name and the declaration it extends.
    links: Vec<(Arc<str>, Option<usize>)>,
}

impl Names {
    /// The class's name as its declaration spells it.
    pub(super) fn spelt(&self, name: &str) -> Option<&Arc<str>> {
        self.find(name).and_then(|i| self.links.get(i)).map(|(name, _)| name)
    }

    /// Whether `name` is `ancestor` or extends it.
    pub(super) fn is_a(&self, name: &str, ancestor: &str) -> bool {
        let mut current = self.find(name);
        // A circle would have been refused before; the bound keeps the loop finite whatever comes.
        for _ in 0..=self.links.len() {
            let Some((name, parent)) = current.and_then(|i| self.links.get(i)) else { return false };
            if name.eq_ignore_ascii_case(ancestor) {
                return true;
            }
            current = *parent;
        }
        false
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.index.get(&name.to_ascii_lowercase()).copied()
    }
}

/// All classes with what they inherit, in the order of the declarations.
pub(super) fn resolve(declarations: Vec<ClassDeclaration>) -> Result<Vec<Arc<Class>>, SchemaError> {
    let names = link(&declarations)?;
    for declaration in &declarations {
        check_references(declaration, &names)?;
    }
    let mut classes: Vec<Option<Arc<Class>>> = vec![None; declarations.len()];
    for position in superclasses_first(&declarations, &names)? {
        let Some(declaration) = declarations.get(position) else { continue };
        let parent = names.links.get(position).and_then(|(_, parent)| *parent);
        let superclass = parent.and_then(|i| classes.get(i)).and_then(Option::as_deref);
        let class = inherit::class(declaration, superclass, &names)?;
        if let Some(slot) = classes.get_mut(position) {
            *slot = Some(Arc::new(class));
        }
    }
    Ok(classes.into_iter().flatten().collect())
}

fn link(declarations: &[ClassDeclaration]) -> Result<Names, SchemaError> {
    let mut index: HashMap<String, usize> = HashMap::with_capacity(declarations.len());
    for (i, declaration) in declarations.iter().enumerate() {
        if let Some(first) = index.insert(declaration.name.to_ascii_lowercase(), i).and_then(|i| declarations.get(i)) {
            return Err(SchemaError::DuplicateClass {
                class: declaration.name.clone(),
                at: declaration.at.clone(),
                first: first.at.clone(),
            });
        }
    }
    let mut links = Vec::with_capacity(declarations.len());
    for declaration in declarations {
        let parent = match &declaration.superclass {
            None => None,
            Some(name) => {
                Some(index.get(&name.to_ascii_lowercase()).copied().ok_or_else(|| SchemaError::UnknownSuperclass {
                    class: declaration.name.clone(),
                    superclass: name.clone(),
                    at: declaration.at.clone(),
                })?)
            }
        };
        links.push((declaration.name.clone(), parent));
    }
    Ok(Names { index, links })
}

/// The declarations' positions such that every class comes after its superclass.
fn superclasses_first(declarations: &[ClassDeclaration], names: &Names) -> Result<Vec<usize>, SchemaError> {
    let mut placed = vec![false; declarations.len()];
    let mut order = Vec::with_capacity(declarations.len());
    for start in 0..declarations.len() {
        let mut line = Vec::new();
        let mut current = Some(start);
        while let Some(position) = current.filter(|&i| placed.get(i) == Some(&false)) {
            if line.len() > declarations.len() {
                return Err(cycle(declarations, position));
            }
            line.push(position);
            current = names.links.get(position).and_then(|(_, parent)| *parent);
        }
        for position in line.into_iter().rev() {
            if let Some(slot) = placed.get_mut(position) {
                *slot = true;
            }
            order.push(position);
        }
    }
    Ok(order)
}

fn cycle(declarations: &[ClassDeclaration], position: usize) -> SchemaError {
    let (class, at) = declarations.get(position).map_or_else(
        || ("".into(), Position { file: "".into(), line: 0, column: 0 }),
        |declaration| (declaration.name.clone(), declaration.at.clone()),
    );
    SchemaError::Cycle { class, at }
}

fn check_references(declaration: &ClassDeclaration, names: &Names) -> Result<(), SchemaError> {
    let properties = declaration.properties.iter().map(|p| (&p.name, &p.shape, &p.at));
    let parameters = declaration.methods.iter().flat_map(|m| &m.parameters).map(|p| (&p.name, &p.shape, &p.at));
    for (feature, shape, at) in properties.chain(parameters) {
        if let Some(target) = shape.class.as_ref().filter(|target| names.spelt(target).is_none()) {
            return Err(SchemaError::UnknownReference {
                class: declaration.name.clone(),
                feature: feature.clone(),
                target: target.clone(),
                at: at.clone(),
            });
        }
    }
    Ok(())
}
