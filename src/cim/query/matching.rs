//! Whether an instance matches a query. Unknown (`None`) is neither true nor false, as in SQL.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::{CimType, Class, DateTime, Instance, Shape, Value};
use super::like::Pattern;
use super::{Comparison, Compiled, Elements, Path, Step};

/// A condition ready to be asked.
#[derive(Clone, Debug)]
pub(super) enum Check {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare {
        left: Side,
        comparison: Comparison,
        right: Side,
        ignore_case: bool,
    },
    Like(Side, Pattern),
    /// The instance, and the class with its subclasses.
    Isa(Steps, Vec<Arc<str>>),
    IsNull(Side),
}

/// One side of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Side {
    Value(Value),
    Path(Steps),
    /// Each element of an array; any of them, or every one, is to fulfil the comparison.
    Each(Elements, Steps),
}

/// The way to a property; no steps lead to the instance itself.
#[derive(Clone, Debug)]
pub(super) struct Steps(pub(super) Vec<Step>);

/// What a query asks of an instance; of what is no instance yet, it asks before one is made.
pub trait Properties {
    /// The class.
    fn class(&self) -> &Arc<Class>;

    /// A property's value; `None` if the class has no such property.
    fn property(&self, name: &str) -> Option<Value>;
}

impl Properties for Instance {
    fn class(&self) -> &Arc<Class> {
        Self::class(self)
    }

    fn property(&self, name: &str) -> Option<Value> {
        self.get(name).cloned()
    }
}

impl Compiled {
    /// Whether an instance is of the query's class or one of its subclasses and fulfils the condition.
    pub fn matches(&self, instance: &impl Properties) -> bool {
        instance.class().is_a(self.from.name())
            && self.check.as_ref().is_none_or(|check| check.holds(instance) == Some(true))
    }
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The class of the instance that has the property: the whole instance's, or an embedded one's.
    pub class: Arc<Class>,
    /// The property's name.
    pub name: Arc<str>,
    /// What the property's values are like; of one element, if the path names one.
    pub shape: Shape,
    /// Its value.
    pub value: Value,
}

impl Path {
    /// What the path leads to in an instance; nothing if the way ends early, or if the property is not one of the
    /// instance's class.
    pub fn find(&self, instance: &Instance) -> Option<Found> {
        let (last, way) = self.steps.split_last()?;
        let mut holder = None;
        for step in way {
            let Value::Instance(inner) = one_step(holder.as_deref().unwrap_or(instance), step) else { return None };
            holder = Some(inner);
        }
        let holder = holder.as_deref().unwrap_or(instance);
        let (name, mut shape) = match holder.class().property(&last.name) {
            Some(property) => (&property.name, property.shape.clone()),
            None if is_class_name(last) => (&last.name, Shape::scalar(CimType::String)),
            None => return None,
        };
        if last.index.is_some() {
            shape = Shape { array: false, octets: false, ..shape };
        }
        Some(Found { class: holder.class().clone(), name: name.clone(), shape, value: one_step(holder, last) })
    }
}

impl Check {
    fn holds(&self, instance: &impl Properties) -> Option<bool> {
        match self {
            Self::All(all) => every(all.iter().map(|one| one.holds(instance))),
            Self::Any(all) => any(all.iter().map(|one| one.holds(instance))),
            Self::Not(inner) => inner.holds(instance).map(|truth| !truth),
            Self::Compare { left, comparison, right, ignore_case } => left.asked(instance, |left| {
                right.asked(instance, |right| compared(left, *comparison, right, *ignore_case))
            }),
            Self::Like(side, pattern) => side.asked(instance, |value| match value {
                Value::String(text) => Some(pattern.matches(text)),
                _ => None,
            }),
            Self::Isa(steps, family) => steps.is_of(instance, family),
            Self::IsNull(side) => Some(side.value(instance).is_null()),
        }
    }
}

/// Whether all are true; unknown unless one is false or all are known.
fn every(all: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    any(all.map(|one| one.map(|truth| !truth))).map(|truth| !truth)
}

/// Whether one is true; unknown unless one is or all are known.
fn any(all: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut truth = Some(false);
    for one in all {
        match one {
            Some(true) => return Some(true),
            None => truth = None,
            Some(false) => {}
        }
    }
    truth
}

impl Side {
    /// Whether it is so of the value, or of the elements as they are asked for.
    fn asked(&self, instance: &impl Properties, is_so: impl Fn(&Value) -> Option<bool>) -> Option<bool> {
        let Self::Each(elements, steps) = self else { return is_so(&self.value(instance)) };
        let value = steps.value(instance);
        let all = value.as_array()?.iter().map(is_so);
        if *elements == Elements::Every { every(all) } else { any(all) }
    }

    fn value(&self, instance: &impl Properties) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::Path(steps) | Self::Each(_, steps) => steps.value(instance),
        }
    }
}

impl Steps {
    /// The property's value; NULL where the way ends early.
    fn value(&self, instance: &impl Properties) -> Value {
        let mut steps = self.0.iter();
        let mut value = steps.next().map_or(Value::Null, |step| one_step(instance, step));
        for step in steps {
            let Value::Instance(inner) = value else { return Value::Null };
            value = one_step(&*inner, step);
        }
        value
    }

    fn is_of(&self, instance: &impl Properties, family: &[Arc<str>]) -> Option<bool> {
        let is_of = |class: &str| Some(family.iter().any(|member| member.eq_ignore_ascii_case(class)));
        if self.0.is_empty() {
            return is_of(instance.class().name());
        }
        match self.value(instance) {
            Value::Instance(inner) => is_of(inner.class().name()),
            Value::Reference(path) => is_of(path.class()),
            _ => None,
        }
    }
}

fn one_step(instance: &impl Properties, step: &Step) -> Value {
    if step.class.as_ref().is_some_and(|class| !instance.class().is_a(class)) {
        return Value::Null;
    }
    let Some(value) = instance.property(&step.name) else {
        return if is_class_name(step) { Value::String(instance.class().name().clone()) } else { Value::Null };
    };
    match (step.index, value) {
        (None, value) => value,
        (Some(index), Value::Array(items)) => items.get(index).cloned().unwrap_or_default(),
        (Some(_), _) => Value::Null,
    }
}

/// Whether a step is Windows' name for the class of an instance.
fn is_class_name(step: &Step) -> bool {
    step.name.eq_ignore_ascii_case("__CLASS")
}

fn compared(left: &Value, comparison: Comparison, right: &Value, ignore_case: bool) -> Option<bool> {
    // Instances, references and arrays are the same or not, but none is less than another.
    if let (Value::Reference(_), Value::Reference(_))
    | (Value::Instance(_), Value::Instance(_))
    | (Value::Array(_), Value::Array(_)) = (left, right)
    {
        return match comparison {
            Comparison::Equal => Some(left == right),
            Comparison::NotEqual => Some(left != right),
            _ => None,
        };
    }
    let ordering = order(left, right, ignore_case)?;
    Some(match comparison {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
    })
}

/// How two values stand to each other; nothing if one is NULL or they are of kinds that cannot be compared.
fn order(left: &Value, right: &Value, ignore_case: bool) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return left.order(right);
    }
    match (left, right) {
        (Value::Boolean(left), Value::Boolean(right)) => Some(left.cmp(right)),
        (Value::Datetime(left), Value::Datetime(right)) => in_time(left, right),
        (Value::Datetime(left), Value::String(right)) => in_time(left, &DateTime::parse(right).ok()?),
        (Value::String(left), Value::Datetime(right)) => in_time(&DateTime::parse(left).ok()?, right),
        (Value::String(left), Value::String(right)) if !ignore_case => Some(left.cmp(right)),
        (Value::String(left), Value::String(right)) => Some(folded(left).cmp(folded(right))),
        (Value::Char16(left), Value::Char16(right)) => Some(left.cmp(right)),
        (Value::Char16(left), Value::String(right)) => order(&text(*left)?, &Value::String(right.clone()), ignore_case),
        (Value::String(left), Value::Char16(right)) => order(&Value::String(left.clone()), &text(*right)?, ignore_case),
        _ => None,
    }
}

fn in_time(left: &DateTime, right: &DateTime) -> Option<Ordering> {
    match (left, right) {
        (DateTime::Timestamp(left), DateTime::Timestamp(right)) => Some(left.cmp(right)),
        (DateTime::Interval(left), DateTime::Interval(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

fn text(unit: u16) -> Option<Value> {
    char::from_u32(u32::from(unit)).map(|c| Value::from(c.to_string()))
}

/// A number of any CIM type, by its value.
#[derive(Clone, Copy)]
enum Number {
    Whole(i128),
    Real(f64),
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        if let Some(whole) = value.as_integer() {
            return Some(Self::Whole(whole));
        }
        Some(match value {
            Value::Real32(n) => Self::Real((*n).into()),
            Value::Real64(n) => Self::Real(*n),
            _ => return None,
        })
    }

    fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => Some(left.cmp(&right)),
            (Self::Real(left), Self::Real(right)) => left.partial_cmp(&right),
            (Self::Whole(left), Self::Real(right)) => whole_and_real(left, right),
            (Self::Real(left), Self::Whole(right)) => whole_and_real(right, left).map(Ordering::reverse),
        }
    }
}

/// Exact, also where a whole number has more digits than a real number can hold.
fn whole_and_real(whole: i128, real: f64) -> Option<Ordering> {
    if real.is_nan() {
        return None;
    }
    // The conversion cuts the fraction off and stops at the ends of i128, which lie beyond every CIM integer.
    let by_whole_part = whole.cmp(&(real as i128));
    Some(by_whole_part.then_with(|| 0.0_f64.partial_cmp(&real.fract()).unwrap_or(Ordering::Equal)))
}
