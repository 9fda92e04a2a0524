//! The groupings of the registry, under many settings.

use gradual_grad::Metric;
use gradual_group::Grouping;
use gradual_group::registry::{GROUPINGS, GroupingContext, WRAPPERS};
use gradual_registry::{Entry, Kind, Parameter, Spec, Value};

/// What groupings are built with: so many known groups.
pub fn context(num_groups: usize, metric: Option<Metric>) -> GroupingContext {
    GroupingContext {
        num_groups,
        seed: 1,
        metric,
    }
}

/// A grouping of this spec.
pub fn grouping(spec: &Spec, context: GroupingContext) -> Box<dyn Grouping> {
    GROUPINGS
        .build(spec, context)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// A wrapper of this spec around a grouping.
pub fn wrapped(
    spec: &Spec,
    context: GroupingContext,
    inner: Box<dyn Grouping>,
) -> Box<dyn Grouping> {
    WRAPPERS
        .build(spec, (context, inner))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Values other than the default that a parameter takes.
fn others(parameter: &Parameter) -> Vec<Value> {
    let words = parameter
        .words()
        .iter()
        .map(|&word| Value::Word(word.to_owned()));
    let numbers = match parameter.kind() {
        // Fewer labels than there are known groups are refused.
        Kind::Count if parameter.name == "k" => vec![Value::Count(4), Value::Count(8)],
        Kind::Count => vec![Value::Count(2), Value::Count(8)],
        Kind::Number => vec![Value::Number(0.5)],
        Kind::Flag => vec![Value::Flag(true)],
        Kind::Choice | Kind::Numbers => Vec::new(),
    };
    let all = words
        .chain(numbers)
        .filter(|value| parameter.accept(value).as_ref() == Some(value));
    all.filter(|value| Some(value) != parameter.default().as_ref())
        .collect()
}

/// An entry with its defaults, and what has to be given: for `groups` groups.
pub fn by_default<C, T>(entry: &Entry<C, T>, groups: usize) -> Spec {
    let required = entry
        .parameters
        .iter()
        .filter(|parameter| parameter.default().is_none());
    required.fold(Spec::new(entry.name), |spec, parameter| {
        let value = match parameter.kind() {
            Kind::Numbers => Value::Numbers((0..groups).map(|group| 0.5 + group as f64).collect()),
            _ => others(parameter).remove(0),
        };
        spec.with(parameter.name, value)
    })
}

/// The same with this value of a parameter, and with one of another parameter if that is needed for a difference.
pub fn set(spec: Spec, parameter: &Parameter, value: Value) -> Spec {
    let spec = match parameter.beside() {
        Some((other, needed)) => spec.with(other, needed),
        None => spec,
    };
    spec.with(parameter.name, value)
}

/// An entry with its defaults, and with each parameter but those `fixed` at other values.
pub fn variations<C, T>(entry: &Entry<C, T>, groups: usize, fixed: &[&str]) -> Vec<Spec> {
    let default = by_default(entry, groups);
    let varied = entry
        .parameters
        .iter()
        .filter(|parameter| !fixed.contains(&parameter.name));
    let varied = varied.flat_map(|parameter| {
        let with = |value| set(default.clone(), parameter, value);
        others(parameter).into_iter().map(with)
    });
    std::iter::once(default.clone()).chain(varied).collect()
}

/// Whether an entry has a parameter of this name.
pub fn has<C, T>(entry: &Entry<C, T>, parameter: &str) -> bool {
    entry.parameters.iter().any(|own| own.name == parameter)
}
