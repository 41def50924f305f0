//! Fragments of an object read and changed: what DSP0226 7.8 to 7.11 ask of a path.
//!
//! A change is made whole or not at all (R7.7-8). Elements that come without a namespace get that of their place, since
//! fragments may be written without any (7.8).

use super::super::characters::is_blank;
use super::super::element::split_key;
use super::super::{Element, ElementExt, XMLNode, element};
use super::evaluate::{Selected, text};
use super::lexer::shortened;
use super::{End, Predicate, Step, XPath};

/// How an element says that it has no value.
const NIL: &str = "{http://www.w3.org/2001/XMLSchema-instance}nil";

/// Why a fragment is not read or changed, in a sentence for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FragmentError {
    /// There is nothing where the path leads.
    #[error("{0}")]
    Missing(String),
    /// Several nodes are there, and it is unclear which one is meant (Annex D.2).
    #[error("{0}")]
    Ambiguous(String),
    /// What is to be inserted is there already (R7.11-1).
    #[error("{0}")]
    Exists(String),
    /// The content does not fit the path.
    #[error("{0}")]
    Content(String),
    /// The path does not name a place where that can be done.
    #[error("{0}")]
    Place(String),
}

type Changed = Result<(), FragmentError>;

impl XPath {
    /// The fragment, to be read (7.8): what [`Self::select`] gives, which may be nothing. Texts and attributes of
    /// several elements are ambiguous, since side by side nobody could tell them apart.
    pub fn get<'e>(&self, root: &'e Element) -> Result<Vec<Selected<'e>>, FragmentError> {
        let several = self.route(root).places(root).len() > 1;
        if several && self.path.end != End::Element { Err(self.ambiguous()) } else { Ok(self.select(root)) }
    }

    /// Replaces the fragment (7.9): an element, one item of an array (`X[2]`), a whole array (`X`) by one or more
    /// items, the text of an element without children, or the value of an attribute.
    ///
    /// `content` is what takes its place: elements of the same name, or the text alone for `text()` and `@x`.
    pub fn replace(&self, root: &mut Element, content: &[XMLNode]) -> Changed {
        match &self.path.end {
            End::Element => self.replace_elements(root, content),
            End::Text => {
                let text = self.text_of(content)?;
                set_text(self.leaf(root)?, text);
                Ok(())
            }
            End::Attribute(name) => {
                let text = self.text_of(content)?;
                let attributes = &mut self.only_element(root)?.attributes;
                let found = attributes.iter_mut().find(|(key, _)| split_key(key).1 == name);
                *found.ok_or_else(|| self.missing())?.1 = text;
                Ok(())
            }
        }
    }

    /// Inserts the fragment (7.11): an element or a whole array where there is none, or an item of an array before the
    /// one that has its index now; the index behind the last one appends.
    ///
    /// `content` is as for [`Self::replace`]; with `text()` the element is made around the text.
    pub fn insert(&self, root: &mut Element, content: &[XMLNode]) -> Changed {
        let route = self.route(root);
        let Some((last, parents)) = route.split_last() else { return Err(self.exists()) };
        let index = self.index_to_insert(last)?;
        let places: Vec<_> = parents.places(root).into_iter().map(|place| place.at).collect();
        if places.is_empty() {
            return Err(FragmentError::Missing(format!("there is nothing to insert {self} into")));
        }
        let parent = element_at(root, self.only(&places)?).ok_or_else(|| self.missing())?;
        let new = match self.path.end {
            End::Text => vec![element("", &last.name).with_text(self.text_of(content)?)],
            _ => self.elements_of(content, &last.name)?,
        };
        if index.is_some() && new.len() > 1 {
            return Err(self.one_element(&last.name));
        }
        let at = self.position_to_insert(parent, last, index)?;
        let namespace = parent.namespace.clone();
        parent.children.splice(at..at, adopted(new, namespace.as_ref()));
        Ok(())
    }

    /// Removes the fragment (7.10): an element, an item of an array (`X[2]`), a whole array (`X`), the text of an
    /// element without children, or an attribute.
    pub fn remove(&self, root: &mut Element) -> Changed {
        match &self.path.end {
            End::Element => {
                let (parent, positions) = self.siblings(root)?.ok_or_else(|| {
                    FragmentError::Place(format!("{self} is the whole object, of which only parts can be removed here"))
                })?;
                take_out(parent, &positions);
            }
            End::Text => {
                let leaf = self.leaf(root)?;
                if leaf.children.is_empty() {
                    return Err(self.missing());
                }
                leaf.children.clear();
            }
            End::Attribute(name) => {
                let attributes = &mut self.only_element(root)?.attributes;
                let key = attributes.keys().find(|key| split_key(key).1 == name).cloned();
                attributes.shift_remove(&key.ok_or_else(|| self.missing())?);
            }
        }
        Ok(())
    }

    fn replace_elements(&self, root: &mut Element, content: &[XMLNode]) -> Changed {
        let is_array = self.route(root).below.last().is_some_and(|step| step.predicates.is_empty());
        let name = self.path.steps.last().map_or_else(|| root.name.clone(), |step| step.name.clone());
        let new = self.elements_of(content, &name)?;
        if !is_array && new.len() > 1 {
            return Err(self.one_element(&name));
        }
        let Some((parent, positions)) = self.siblings(root)? else {
            let namespace = root.namespace.clone();
            new.into_iter().for_each(|only| *root = with_namespace(only, namespace.as_ref()));
            return Ok(());
        };
        if !is_array && positions.len() > 1 {
            return Err(self.ambiguous());
        }
        let first = positions.first().copied().unwrap_or_default();
        let namespace = parent.children.get(first).and_then(|old| old.as_element()?.namespace.clone());
        take_out(parent, &positions);
        parent.children.splice(first..first, adopted(new, namespace.as_ref()));
        Ok(())
    }

    /// Which item is to be inserted, if the path tells.
    fn index_to_insert(&self, last: &Step) -> Result<Option<u32>, FragmentError> {
        match (&self.path.end, last.predicates.as_slice()) {
            (End::Attribute(_), _) => {
                Err(FragmentError::Place(format!("attributes cannot be inserted, as {self} would be")))
            }
            (_, []) => Ok(None),
            (_, [Predicate::Index(index)]) => Ok(Some(*index)),
            _ => Err(FragmentError::Place(format!(
                "{self} does not name one place to insert at: give {} no condition, only an index if it is an array",
                last.name
            ))),
        }
    }

    /// Where among the parent's children the new ones go.
    fn position_to_insert(&self, parent: &Element, last: &Step, index: Option<u32>) -> Result<usize, FragmentError> {
        let is_item = |node: &XMLNode| node.as_element().is_some_and(|child| child.name == last.name);
        let all = parent.children.iter().enumerate();
        let items: Vec<usize> = all.filter(|(_, node)| is_item(node)).map(|(position, _)| position).collect();
        let behind = items.last().map_or(parent.children.len(), |position| position + 1);
        let Some(index) = index else {
            return if items.is_empty() { Ok(behind) } else { Err(self.exists()) };
        };
        let before = usize::try_from(index - 1).unwrap_or(usize::MAX);
        if before > items.len() {
            let next = items.len() + 1;
            return Err(FragmentError::Place(format!("there is no {self} to insert before; the next index is {next}")));
        }
        Ok(items.get(before).copied().unwrap_or(behind))
    }

    /// The one parent of all elements that the path leads to and their positions in it; `None` if it is the root.
    fn siblings<'e>(&self, root: &'e mut Element) -> Result<Option<(&'e mut Element, Vec<usize>)>, FragmentError> {
        let places: Vec<_> = self.route(root).places(root).into_iter().map(|place| place.at).collect();
        let first = places.first().ok_or_else(|| self.missing())?;
        let Some((_, parent)) = first.split_last() else { return Ok(None) };
        let positions = places.iter().filter_map(|at| at.split_last().filter(|(_, other)| *other == parent));
        let positions: Vec<usize> = positions.map(|(position, _)| *position).collect();
        if positions.len() < places.len() {
            return Err(self.ambiguous());
        }
        let parent = element_at(root, parent).ok_or_else(|| self.missing())?;
        Ok(Some((parent, positions)))
    }

    /// The only element that the path leads to.
    fn only_element<'e>(&self, root: &'e mut Element) -> Result<&'e mut Element, FragmentError> {
        let places: Vec<_> = self.route(root).places(root).into_iter().map(|place| place.at).collect();
        element_at(root, self.only(&places)?).ok_or_else(|| self.missing())
    }

    /// The same, which must have no child elements.
    fn leaf<'e>(&self, root: &'e mut Element) -> Result<&'e mut Element, FragmentError> {
        let found = self.only_element(root)?;
        if found.elements().next().is_some() {
            let name = &found.name;
            return Err(FragmentError::Place(format!("{name} has no text but elements: leave text() out of {self}")));
        }
        Ok(found)
    }

    fn only<'p>(&self, places: &'p [Vec<usize>]) -> Result<&'p [usize], FragmentError> {
        match places {
            [] => Err(self.missing()),
            [only] => Ok(only),
            _ => Err(self.ambiguous()),
        }
    }

    /// The content as elements of a name, at least one.
    fn elements_of(&self, content: &[XMLNode], name: &str) -> Result<Vec<Element>, FragmentError> {
        let mut elements = Vec::new();
        for node in content {
            match node {
                XMLNode::Element(element) if element.name == name => elements.push(element.clone()),
                XMLNode::Element(element) => {
                    return Err(self.no_element(name, &format!("not {}", shortened(&element.name))));
                }
                other if text(other).is_some_and(|text| !text.trim_matches(is_blank).is_empty()) => {
                    return Err(self.no_element(name, "not text; for the value alone the path ends with text()"));
                }
                _ => {}
            }
        }
        if elements.is_empty() { Err(self.no_element(name, "not nothing")) } else { Ok(elements) }
    }

    /// The content as a text.
    fn text_of(&self, content: &[XMLNode]) -> Result<String, FragmentError> {
        if let Some(element) = content.iter().find_map(XMLNode::as_element) {
            let name = shortened(&element.name);
            return Err(FragmentError::Content(format!("{self} takes the value alone, not the element {name}")));
        }
        Ok(content.iter().filter_map(text).collect())
    }

    fn no_element(&self, name: &str, but: &str) -> FragmentError {
        FragmentError::Content(format!("{self} takes the element {name}, {but}"))
    }

    fn one_element(&self, name: &str) -> FragmentError {
        FragmentError::Content(format!("{self} takes one element {name}, not several"))
    }

    fn missing(&self) -> FragmentError {
        FragmentError::Missing(format!("there is no {self}"))
    }

    fn exists(&self) -> FragmentError {
        FragmentError::Exists(format!("{self} is there already"))
    }

    fn ambiguous(&self) -> FragmentError {
        FragmentError::Ambiguous(format!("{self} is in several places: tell which one with an index, as in a[2]"))
    }
}

fn element_at<'e>(root: &'e mut Element, at: &[usize]) -> Option<&'e mut Element> {
    at.iter().try_fold(root, |parent, position| parent.children.get_mut(*position)?.as_mut_element())
}

fn take_out(parent: &mut Element, positions: &[usize]) {
    let mut position = 0..;
    parent.children.retain(|_| position.next().is_none_or(|here| positions.binary_search(&here).is_err()));
}

/// A value is no longer nil once it has text.
fn set_text(leaf: &mut Element, text: String) {
    leaf.attributes.shift_remove(NIL);
    leaf.children = if text.is_empty() { Vec::new() } else { vec![XMLNode::Text(text)] };
}

fn adopted(new: Vec<Element>, namespace: Option<&String>) -> impl Iterator<Item = XMLNode> {
    new.into_iter().map(move |one| XMLNode::Element(with_namespace(one, namespace)))
}

fn with_namespace(mut element: Element, namespace: Option<&String>) -> Element {
    if element.namespace.is_none() {
        element.namespace = namespace.cloned();
    }
    element
}

#[cfg(test)]
mod tests;
