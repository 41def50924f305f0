//! Queries checked against a schema, so that a misspelt name is told when the query comes and not never.

use std::cell::Cell;
use std::sync::Arc;

use super::super::{CimType, Class, DateTime, Schema, Shape, Value};
use super::like::{MAX_ITEMS, Pattern};
use super::matching::{Check, Side, Steps};
use super::{
    Comparison, Condition, Elements, Language, Literal, Operand, Path, Place, Query, QueryError, Select, Step,
};

/// A query that is known to make sense.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub(super) from: Arc<Class>,
    select: Select,
    pub(super) check: Option<Check>,
}

impl Compiled {
    /// The class whose instances match.
    pub fn from_class(&self) -> &Arc<Class> {
        &self.from
    }

    /// What of a matching instance is wanted. Paths start at the class's own properties and spell names as it does.
    pub fn select(&self) -> &Select {
        &self.select
    }
}

impl Query {
    /// Checks every name and every value against a schema. A property may be one of the class after FROM or of any of
    /// its subclasses; within an embedded object of no fixed class only `Class::Property` is checked.
    pub fn compile(&self, schema: &Schema) -> Result<Compiled, QueryError> {
        let from = known_class(schema, &self.from, self.from_at)?;
        let compiler = Compiler { schema, from, language: self.language, patterns: Cell::new(0) };
        let select = match &self.select {
            Select::All => Select::All,
            Select::Properties(paths) => {
                Select::Properties(paths.iter().map(|path| compiler.selected(path)).collect::<Result<_, _>>()?)
            }
        };
        let check = self.condition.as_ref().map(|condition| compiler.check(condition)).transpose()?;
        Ok(Compiled { from: from.clone(), select, check })
    }
}

fn known_class<'a>(schema: &'a Schema, name: &str, at: Place) -> Result<&'a Arc<Class>, QueryError> {
    schema.class(name).ok_or_else(|| QueryError::new(at, format!("there is no class {}", shown(name))))
}

fn shown(name: &str) -> String {
    name.chars().take(80).collect()
}

struct Compiler<'a> {
    schema: &'a Schema,
    from: &'a Arc<Class>,
    language: Language,
    /// How long all patterns up to now are together.
    patterns: Cell<usize>,
}

/// What a path leads to: steps to walk, and the shape of the value where the schema tells it.
struct Target<'a> {
    steps: Vec<Step>,
    shape: Option<&'a Shape>,
}

impl<'a> Compiler<'a> {
    fn pattern(&self, text: &str) -> Result<Pattern, String> {
        let pattern = Pattern::new(text, self.language)?;
        self.patterns.set(self.patterns.get() + pattern.length());
        if self.patterns.get() > MAX_ITEMS {
            return Err(format!("all patterns of LIKE in a query have at most {MAX_ITEMS} characters together"));
        }
        Ok(pattern)
    }

    fn check(&self, condition: &Condition) -> Result<Check, QueryError> {
        Ok(match condition {
            Condition::And(all) => Check::All(all.iter().map(|one| self.check(one)).collect::<Result<_, _>>()?),
            Condition::Or(all) => Check::Any(all.iter().map(|one| self.check(one)).collect::<Result<_, _>>()?),
            Condition::Not(inner) => Check::Not(Box::new(self.check(inner)?)),
            Condition::Compare { left, comparison, right } => self.comparison(left, *comparison, right)?,
            Condition::Like { operand, pattern, at } => {
                let (side, shape) = self.side(operand)?;
                if shape.is_some_and(|shape| shape.cim_type != CimType::String) {
                    return Err(QueryError::new(place(operand), "LIKE asks strings only"));
                }
                let pattern = self.pattern(pattern).map_err(|message| QueryError::new(*at, message))?;
                Check::Like(side, pattern)
            }
            Condition::Isa { path, class, at } => {
                let class = known_class(self.schema, class, *at)?;
                let family = self.schema.with_subclasses(class.name()).iter().map(|c| c.name().clone()).collect();
                Check::Isa(self.instance(path)?, family)
            }
            Condition::IsNull(operand) => Check::IsNull(match operand {
                Operand::Path(path) | Operand::Elements(Elements::Whole, path) => {
                    Side::Path(Steps(self.property(path)?.steps))
                }
                Operand::Elements(_, path) => {
                    return Err(QueryError::new(path.at, "IS NULL asks an array as a whole; leave ANY and EVERY out"));
                }
                Operand::Literal(literal, _) => Side::Value(value(literal)),
            }),
        })
    }

    fn comparison(&self, left: &Operand, comparison: Comparison, right: &Operand) -> Result<Check, QueryError> {
        let (left_side, left_shape) = self.side(left)?;
        let (right_side, right_shape) = self.side(right)?;
        whole_arrays(left, comparison, right)?;
        let left_side = fitted(left_side, left, right_shape)?;
        let right_side = fitted(right_side, right, left_shape)?;
        Ok(Check::Compare {
            left: left_side,
            comparison,
            right: right_side,
            ignore_case: self.language == Language::Wql,
        })
    }

    /// One side of a comparison: a value, a property that is no array, or the elements of one that is.
    fn side(&self, operand: &Operand) -> Result<(Side, Option<&'a Shape>), QueryError> {
        match operand {
            Operand::Literal(literal, _) => Ok((Side::Value(value(literal)), None)),
            Operand::Elements(elements, path) => {
                let target = self.property(path)?;
                if target.shape.is_some_and(|shape| !shape.array) {
                    return Err(QueryError::new(path.at, format!("{path} is no array; leave [*] out")));
                }
                let steps = Steps(target.steps);
                let whole = *elements == Elements::Whole;
                let side = if whole { Side::Path(steps) } else { Side::Each(*elements, steps) };
                Ok((side, target.shape))
            }
            Operand::Path(path) => {
                let target = self.property(path)?;
                let indexed = target.steps.last().is_some_and(|step| step.index.is_some());
                if target.shape.is_some_and(|shape| shape.array) && !indexed {
                    let message =
                        format!("{path} is an array; name one of its elements, as in {path}[0], or ask ANY {path}[*]");
                    return Err(QueryError::new(path.at, message));
                }
                Ok((Side::Path(Steps(target.steps)), target.shape))
            }
        }
    }

    /// What ISA asks: an embedded instance, a reference, or the instance itself by the name of the class after FROM.
    fn instance(&self, path: &Path) -> Result<Steps, QueryError> {
        if let [only] = &path.steps[..]
            && self.is_from(only)
        {
            return Ok(Steps(Vec::new()));
        }
        let target = self.property(path)?;
        let wrong = |shape: &Shape| !matches!(shape.cim_type, CimType::Instance | CimType::Reference);
        if target.shape.is_some_and(wrong) {
            return Err(QueryError::new(path.at, format!("{path} is neither an embedded instance nor a reference")));
        }
        Ok(Steps(target.steps))
    }

    fn selected(&self, path: &Path) -> Result<Path, QueryError> {
        Ok(Path { steps: self.property(path)?.steps, at: path.at })
    }

    /// Whether a step is the name of the class after FROM, put before its properties.
    fn is_from(&self, step: &Step) -> bool {
        step.class.is_none() && step.index.is_none() && step.name.eq_ignore_ascii_case(self.from.name())
    }

    fn property(&self, path: &Path) -> Result<Target<'a>, QueryError> {
        let steps = match path.steps.split_first() {
            Some((first, rest)) if !rest.is_empty() && self.is_from(first) => rest,
            _ => &path.steps[..],
        };
        let mut target = Target { steps: Vec::with_capacity(steps.len()), shape: None };
        let mut classes = Some(self.schema.with_subclasses(self.from.name()));
        for (i, step) in steps.iter().enumerate() {
            let (step, shape) = self.step(step, classes, path)?;
            target.steps.push(step);
            target.shape = shape;
            if i + 1 < steps.len() {
                classes = self.inside(shape, &target.steps, path.at)?;
            }
        }
        Ok(target)
    }

    /// The property a step names among `classes`, or in the class it names itself.
    fn step(
        &self,
        step: &Step,
        classes: Option<&'a [Arc<Class>]>,
        path: &Path,
    ) -> Result<(Step, Option<&'a Shape>), QueryError> {
        let mut step = step.clone();
        let candidates = match &step.class {
            Some(name) => {
                let class = known_class(self.schema, name, path.at)?;
                if let Some(base) = classes.and_then(<[_]>::first)
                    && !class.is_a(base.name())
                    && !base.is_a(class.name())
                {
                    let message = format!("{} is no subclass of {}", class.name(), base.name());
                    return Err(QueryError::new(path.at, message));
                }
                step.class = Some(class.name().clone());
                Some(std::slice::from_ref(class))
            }
            None => classes,
        };
        let Some(candidates) = candidates else { return Ok((step, None)) };
        if self.language == Language::Wql && step.name.eq_ignore_ascii_case("__CLASS") {
            return Ok((step, None));
        }
        let Some(property) = candidates.iter().find_map(|class| class.property(&step.name)) else {
            let class = candidates.first().map_or("", |class| class.name());
            let message = format!("class {class} has no property {}", shown(&step.name));
            return Err(QueryError::new(path.at, message));
        };
        if step.index.is_some() && !property.shape.array {
            return Err(QueryError::new(path.at, format!("{} is no array", property.name)));
        }
        step.name = property.name.clone();
        Ok((step, Some(&property.shape)))
    }

    /// The classes an embedded instance may be of; `None` if any.
    fn inside(
        &self,
        shape: Option<&'a Shape>,
        steps: &[Step],
        at: Place,
    ) -> Result<Option<&'a [Arc<Class>]>, QueryError> {
        let Some(shape) = shape else { return Ok(None) };
        let Some(step) = steps.last() else { return Ok(None) };
        if shape.cim_type != CimType::Instance {
            return Err(QueryError::new(at, format!("{} is no embedded instance; it has no properties", step.name)));
        }
        if shape.array && step.index.is_none() {
            let message = format!("{0} is an array; name one of its elements, as in {0}[0]", step.name);
            return Err(QueryError::new(at, message));
        }
        Ok(shape.class.as_ref().map(|class| self.schema.with_subclasses(class)))
    }
}

/// An array as a whole is the same as another one or not, and nothing else.
fn whole_arrays(left: &Operand, comparison: Comparison, right: &Operand) -> Result<(), QueryError> {
    let whole = |operand: &Operand| matches!(operand, Operand::Elements(Elements::Whole, _));
    let wrong = match (whole(left), whole(right)) {
        (false, false) => return Ok(()),
        (true, true) if matches!(comparison, Comparison::Equal | Comparison::NotEqual) => return Ok(()),
        (true, _) => left,
        (false, _) => right,
    };
    let message =
        "a whole array is compared by = or <> with another one; put ANY or EVERY before it to ask its elements";
    Err(QueryError::new(place(wrong), message))
}

fn place(operand: &Operand) -> Place {
    match operand {
        Operand::Path(path) | Operand::Elements(_, path) => path.at,
        Operand::Literal(_, at) => *at,
    }
}

fn value(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Boolean(truth) => Value::Boolean(*truth),
        Literal::Integer(n) => match (u64::try_from(*n), i64::try_from(*n)) {
            (Ok(n), _) => Value::Uint64(n),
            (_, Ok(n)) => Value::Sint64(n),
            _ => Value::Real64(*n as f64),
        },
        Literal::Real(n) => Value::Real64(*n),
        Literal::Text(text) => Value::String(text.clone()),
    }
}

/// A value in the form the property on the other side can be compared with: a text becomes a datetime, a number or a
/// truth value where the property is one.
fn fitted(side: Side, operand: &Operand, other: Option<&Shape>) -> Result<Side, QueryError> {
    let (Side::Value(given), Operand::Literal(_, at), Some(shape)) = (&side, operand, other) else { return Ok(side) };
    let wrong = |what: String| Err(QueryError::new(*at, what));
    let fitted = match (shape.cim_type, given) {
        (_, Value::Null) => return Ok(side),
        (CimType::String | CimType::Char16, Value::String(_)) | (CimType::Boolean, Value::Boolean(_)) => {
            return Ok(side);
        }
        (CimType::Datetime, Value::String(text)) => match DateTime::parse(text) {
            Ok(time) => Value::Datetime(time),
            Err(error) => return wrong(error.to_string()),
        },
        (CimType::Boolean, Value::Uint64(n @ 0..=1)) => Value::Boolean(*n == 1),
        (CimType::Boolean, Value::String(text)) => match Value::parse(CimType::Boolean, text) {
            Ok(truth) => truth,
            Err(error) => return wrong(error.to_string()),
        },
        (CimType::Reference | CimType::Instance, _) => {
            return wrong("an instance is asked for its class with ISA; it is not compared with a value".to_owned());
        }
        (CimType::String | CimType::Char16, _) => {
            return wrong("this is compared with a string; put it in quotes".to_owned());
        }
        (CimType::Boolean, _) => return wrong("this is compared with a boolean; write TRUE or FALSE".to_owned()),
        (CimType::Datetime, _) => return wrong("this is compared with a datetime; put it in quotes".to_owned()),
        (_, Value::String(text)) => {
            match Value::parse(CimType::Sint64, text).or_else(|_| Value::parse(CimType::Real64, text)) {
                Ok(number) => number,
                Err(_) => return wrong("this is compared with a number".to_owned()),
            }
        }
        (_, Value::Boolean(_)) => return wrong("this is compared with a number".to_owned()),
        _ => return Ok(side),
    };
    Ok(Side::Value(fitted))
}
