//! What a subscription wants to hear of: compiled once, asked for every event.

use std::sync::Arc;

use super::SubscribeError;
use crate::cim::query::{self, Compiled, Language, Select};
use crate::cim::{Class, ClassKind, Instance, Schema};

/// A class and a condition.
pub(super) struct Filter {
    class: Option<Arc<Class>>,
    condition: Option<Compiled>,
}

impl Filter {
    /// Checks and compiles what a subscriber asked for.
    pub(super) fn compile(
        schema: &Schema,
        class: Option<&str>,
        filter: Option<(Language, &str)>,
    ) -> Result<Self, SubscribeError> {
        let class = class.map(|name| indication_class(schema, name)).transpose()?;
        let Some((language, text)) = filter else {
            return if class.is_some() {
                Ok(Self { class, condition: None })
            } else {
                Err(SubscribeError::FilterMissing)
            };
        };
        let condition = query::parse(text, language).and_then(|q| q.compile(schema)).map_err(SubscribeError::filter)?;
        if matches!(condition.select(), Select::Properties(_)) {
            let message = "events are delivered whole: write SELECT *".to_owned();
            return Err(SubscribeError::Filter { message, position: None });
        }
        let from = indication_class(schema, condition.from_class().name())?;
        match class {
            Some(class) if class.name() != from.name() => {
                Err(SubscribeError::ClassesDiffer { resource: class.name().clone(), filter: from.name().clone() })
            }
            _ => Ok(Self { class: Some(from), condition: Some(condition) }),
        }
    }

    pub(super) fn matches(&self, indication: &Instance) -> bool {
        self.class.as_ref().is_none_or(|class| indication.class().is_a(class.name()))
            && self.condition.as_ref().is_none_or(|condition| condition.matches(indication))
    }
}

fn indication_class(schema: &Schema, name: &str) -> Result<Arc<Class>, SubscribeError> {
    let class = schema.class(name).filter(|class| class.kind() == ClassKind::Indication);
    class.cloned().ok_or_else(|| SubscribeError::NoIndication(name.into()))
}
