//! Every composition of the registry, for tests that go over all of them.

use gradual_loss::Composition;
use gradual_loss::registry::{COMPOSITIONS, WRAPPERS};
use gradual_registry::{Kind, Parameter, Spec, Value};

/// A spec as text, and what it stands for.
pub(crate) type Named = (String, Box<dyn Composition>);

/// Settings at which a formula bends differently than by default.
const BENDS: [&str; 18] = [
    "power(p = 0.5)",
    "power(p = 1)",
    "power(p = 1.5)",
    "power(p = 4)",
    "power(p = 0.5, rooted = true)",
    "power(p = 1, rooted = true)",
    "power(p = 3, rooted = true)",
    "power(p = 30, rooted = true)",
    "cvar(alpha = 0.3)",
    "cvar(alpha = 1)",
    "tilted(t = 5)",
    "tilted(t = 0)",
    "tilted(t = 0.01)",
    "tilted(t = -2)",
    "focal(gamma = 0)",
    "focal(gamma = 0.5)",
    "dro(eta = 0.5)",
    "shifted(floor = -0.5)",
];

/// One number for each of k groups, where a list has to be given.
fn per_group(parameter: &Parameter, k: usize) -> Option<Value> {
    let list = parameter.kind() == Kind::Numbers && parameter.default().is_none();
    let number = |group| 0.3 * f64::from(group);
    list.then(|| Value::Numbers((0..k as u32).map(number).collect()))
}

fn specs(name: &'static str, parameters: &[Parameter], k: usize) -> Vec<Spec> {
    let given = |spec: Spec| {
        parameters
            .iter()
            .fold(spec, |spec, parameter| match per_group(parameter, k) {
                Some(list) => spec.with(parameter.name, list),
                None => spec,
            })
    };
    let bends = BENDS.iter().map(|text| text.parse::<Spec>().unwrap());
    let mut specs: Vec<Spec> = std::iter::once(Spec::new(name))
        .chain(bends.filter(|spec| spec.name == name))
        .map(given)
        .collect();
    if name == "dro" {
        let sizes = (1..=k as u32).map(f64::from).collect();
        let adjusted = Spec::new(name).with("sizes", Value::Numbers(sizes));
        specs.push(adjusted.with("adjustment", Value::Number(2.0)));
    }
    specs
}

/// Every composition of the registry for k groups, by default and where its formula bends; every wrapper around the sum
/// of squares and around one that keeps state.
pub(crate) fn all(k: usize) -> Vec<Named> {
    let mut all = Vec::new();
    for entry in COMPOSITIONS.iter() {
        for spec in specs(entry.name, entry.parameters, k) {
            all.push((spec.to_string(), COMPOSITIONS.build(&spec, ()).unwrap()));
        }
    }
    for entry in WRAPPERS.iter() {
        for spec in specs(entry.name, entry.parameters, k) {
            for inner in ["squares", "dro"] {
                let composition = COMPOSITIONS.build(&inner.parse().unwrap(), ()).unwrap();
                let wrapped = WRAPPERS.build(&spec, composition).unwrap();
                all.push((format!("{spec} of {inner}"), wrapped));
            }
        }
    }
    all
}
