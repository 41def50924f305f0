//! The tags of a class's properties, put together once: writing an instance is then little more than copying.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::cim::Class;

/// The prefix that an instance declares for its class.
pub(super) const PREFIX: &str = "p";
/// How many classes a thread remembers; a server shows far fewer.
const REMEMBERED: usize = 64;

/// The tags of one property.
#[derive(Debug)]
pub(super) struct Tags {
    /// `<p:Name>`
    pub(super) open: String,
    /// `</p:Name>`
    pub(super) close: String,
    /// The whole element of a NULL.
    pub(super) nil: String,
}

/// A class and the tags of its properties, in their order.
struct Known {
    class: Arc<Class>,
    tags: Rc<[Tags]>,
}

thread_local! {
    static KNOWN: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

/// The tags of a class's properties, in their order.
pub(super) fn tags(class: &Arc<Class>) -> Rc<[Tags]> {
    KNOWN.with_borrow_mut(|known| {
        if let Some(found) = known.iter().find(|known| Arc::ptr_eq(&known.class, class)) {
            return found.tags.clone();
        }
        if known.len() == REMEMBERED {
            known.clear();
        }
        let tags: Rc<[Tags]> = class.properties().iter().map(|property| of(&property.name)).collect();
        known.push(Known { class: class.clone(), tags: tags.clone() });
        tags
    })
}

fn of(name: &str) -> Tags {
    Tags {
        open: format!("<{PREFIX}:{name}>"),
        close: format!("</{PREFIX}:{name}>"),
        nil: format!("<{PREFIX}:{name} xsi:nil=\"true\"/>"),
    }
}
