//! The registries: every entry is built, documented and bounded, and a box forwards everything.

mod common;

use std::path::Path;

use burn::tensor::{Device, Tensor};
use gradual_group::{Average, Groups};
use gradual_loss::registry::{COMPOSITIONS, RULES, RuleContext, SCALES, WRAPPERS};
use gradual_loss::{Composition, GramComposition, Scale, SumOfSquares};
use gradual_registry::{Entry, Registry, RegistryError, Spec, Value};

/// What every entry of a registry has to hold: a sentence, and bounds that are those of the constructor.
fn sound<C, T>(
    registry: &Registry<C, T>,
    context: impl Fn() -> C,
    given: impl Fn(&Entry<C, T>) -> Spec,
) {
    let mut names: Vec<&str> = registry.names().collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(
        names.len(),
        registry.names().count(),
        "a name is there twice"
    );
    for entry in registry.iter() {
        let spec = given(entry);
        assert!(registry.build(&spec, context()).is_ok(), "{spec}");
        assert!(
            !entry.about.is_empty() && !entry.about.ends_with('.'),
            "{}",
            entry.about
        );
        for parameter in entry.parameters {
            assert!(
                !parameter.about.is_empty(),
                "{}: {}",
                entry.name,
                parameter.name
            );
            for outside in parameter.refused() {
                let spec = spec.clone().with(parameter.name, outside);
                let refused = registry.build(&spec, context()).err();
                assert!(
                    matches!(refused, Some(RegistryError::Value { .. })),
                    "{spec}"
                );
            }
        }
    }
}

#[test]
fn every_entry_is_built_and_bounded() {
    let filled = |name: &str| {
        let text = match name {
            "excess" => "excess(reference = [0.1, 0.2])",
            "cap" => "cap(limit = 2)",
            other => other,
        };
        text.parse::<Spec>().unwrap()
    };
    sound(&COMPOSITIONS, || (), |entry| filled(entry.name));
    sound(
        &WRAPPERS,
        || Box::new(SumOfSquares) as Box<dyn Composition>,
        |entry| filled(entry.name),
    );
    sound(
        &RULES,
        || RuleContext { seed: 3 },
        |entry| filled(entry.name),
    );
    sound(&SCALES, || (), |entry| filled(entry.name));
}

/// The least and the largest number of every parameter: a draw is composed, or refused by an error.
#[test]
fn the_ends_of_every_range_are_safe() {
    let device = Device::flex();
    let losses = Tensor::<1>::from_floats([0.2, 1.5, 0.7, 0.4], &device);
    let labels = vec![Some(0), Some(1), Some(1), None];
    let groups = Groups::hard(labels, 2, Average::Mean, &device).unwrap();
    let filled = |name: &str| {
        let text = match name {
            "excess" => "excess(reference = [0.1, 0.2])",
            "dro" => "dro(adjustment = 1, sizes = [10, 20])",
            "cap" => "cap(limit = 2)",
            other => other,
        };
        text.parse::<Spec>().unwrap()
    };
    fn ends<C, T>(entry: &Entry<C, T>) -> Vec<(&'static str, Value)> {
        let each = entry.parameters.iter();
        each.flat_map(|parameter| {
            let ends = parameter.extremes().into_iter();
            ends.map(|value| (parameter.name, value))
        })
        .collect()
    }
    let mut composed = 0;
    let mut compose = |composition: Result<Box<dyn Composition>, RegistryError>| {
        if let Ok(mut composition) = composition {
            for _ in 0..3 {
                composed += usize::from(composition.compose(&losses, &groups).is_ok());
            }
        }
    };
    for entry in COMPOSITIONS.iter() {
        for (parameter, value) in ends(entry) {
            let spec = filled(entry.name).with(parameter, value);
            compose(COMPOSITIONS.build(&spec, ()));
        }
    }
    for entry in WRAPPERS.iter() {
        for (parameter, value) in ends(entry) {
            let spec = filled(entry.name).with(parameter, value);
            compose(WRAPPERS.build(&spec, Box::new(SumOfSquares)));
        }
    }
    assert!(composed > 30, "{composed}");
    for entry in SCALES.iter() {
        for (parameter, value) in ends(entry) {
            let spec = filled(entry.name).with(parameter, value);
            if let Ok(Some(scale)) = SCALES.build(&spec, ()) {
                let mut squares = SumOfSquares;
                let composed = squares.compose(&losses, &groups).unwrap();
                let _ = scale.apply(composed.coefficients);
            }
        }
    }
}

/// What the constructors themselves refuse is outside of the bounds, and what is inside they take.
#[test]
fn bounds_end_where_the_constructors_do() {
    let built = |text: &str| COMPOSITIONS.build(&text.parse().unwrap(), ()).is_ok();
    for (inside, outside) in [
        ("power(p = 1e-9)", "power(p = 0)"),
        ("cvar(alpha = 1)", "cvar(alpha = 1.0000001)"),
        ("cvar(alpha = 1e-6)", "cvar(alpha = 1e-7)"),
        ("dro(eta = 0)", "dro(eta = -1e-9)"),
        ("focal(gamma = 0)", "focal(gamma = -1e-9)"),
        ("focal(gamma = 1e6)", "focal(gamma = 1e30)"),
        ("power(p = 1e6)", "power(p = 1e19)"),
        (
            "excess(reference = [0.5], smoothing = 1)",
            "excess(reference = [0.5], smoothing = 1.1)",
        ),
        (
            "dro(adjustment = 1, sizes = [1, 2])",
            "dro(adjustment = 1, sizes = [1, 0])",
        ),
        ("dro", "dro(sizes = [1, 2])"),
        ("dro(adjustment = 0)", "dro(adjustment = 1)"),
        ("excess(reference = [0.5])", "excess"),
    ] {
        assert!(built(inside), "{inside}");
        assert!(!built(outside), "{outside}");
    }
}

#[test]
fn scales_are_those_of_the_enumeration() {
    let built = |text: &str| SCALES.build(&text.parse().unwrap(), ()).unwrap();
    assert_eq!(built("usual"), None);
    assert_eq!(built("raw"), Some(Scale::Raw));
    assert_eq!(built("unit-sum"), Some(Scale::UnitSum));
    assert_eq!(built("unit-absolute"), Some(Scale::UnitAbsolute));
    assert_eq!(built("match-norm"), Some(Scale::MatchNorm));
    assert_eq!(built("cap(limit = 8)"), Some(Scale::Cap(8.0)));
    assert_eq!(
        built("running-sum(memory = 0.5)"),
        Some(Scale::RunningSum(0.5))
    );
    assert_eq!(SCALES.names().count(), 7);
}

/// The tables of the crate's documentation are printed from the registry; `GRADUAL_GOLDEN=1` prints them again.
#[test]
fn the_tables_of_the_documentation_are_printed_from_the_registry() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (file, table) in [
        ("compositions.md", COMPOSITIONS.overview()),
        ("rules.md", RULES.overview()),
    ] {
        let path = sources.join(file);
        if std::env::var_os("GRADUAL_GOLDEN").is_some() {
            std::fs::write(&path, &table).unwrap();
        }
        let printed = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            printed, table,
            "{file}: print it again with GRADUAL_GOLDEN=1"
        );
        let columns = |line: &str| line.matches(" | ").count();
        let mut lines = table.lines();
        let wanted = columns(lines.next().unwrap());
        assert!(lines.skip(1).all(|line| columns(line) == wanted), "{table}");
    }
}

/// The names of the methods in a block of source, from `start` to the brace in the first column.
fn methods<'a>(source: &'a str, start: &str) -> Vec<&'a str> {
    let block = source.split_once(start).expect("is there").1;
    let block = block.split_once("\n}").expect("ends").0;
    let signatures = block
        .lines()
        .filter_map(|line| line.strip_prefix("    fn "));
    let mut names: Vec<&str> = signatures
        .filter_map(|line| line.split('(').next())
        .collect();
    names.sort_unstable();
    names
}

/// A method with a default that a box did not forward would be another one than that of what is in the box.
#[test]
fn a_box_forwards_every_method() {
    for (source, of_trait, of_box) in [
        (
            include_str!("../src/composition.rs"),
            "pub trait Composition",
            "Composition for Box<C>",
        ),
        (
            include_str!("../src/rules/gram.rs"),
            "pub trait GramComposition",
            "GramComposition for Box<R>",
        ),
    ] {
        let wanted = methods(source, of_trait);
        assert!(wanted.len() > 4, "{wanted:?}");
        assert_eq!(methods(source, of_box), wanted);
    }
}

/// A box of a box is what is inside, for all that can be seen of it.
#[test]
fn boxes_are_what_is_in_them() {
    let device = Device::flex();
    let losses = Tensor::<1>::from_floats([0.2, 1.5, 0.7, 0.4], &device);
    let labels = vec![Some(0), Some(1), Some(1), None];
    let groups = Groups::hard(labels, 2, Average::Mean, &device).unwrap();
    let numbers = |tensor: Tensor<1>| tensor.into_data().try_to_vec::<f32>().unwrap();
    for ((name, mut plain), (_, inner)) in common::all(2).into_iter().zip(common::all(2)) {
        let mut boxed: Box<dyn Composition> = Box::new(inner);
        for _ in 0..2 {
            let one = plain.compose(&losses, &groups).unwrap();
            let other = boxed.compose(&losses, &groups).unwrap();
            assert_eq!(numbers(one.value), numbers(other.value), "{name}");
            assert_eq!(
                numbers(one.coefficients),
                numbers(other.coefficients),
                "{name}"
            );
        }
        let draw = |one: &dyn Composition| numbers(one.forward(losses.clone(), &groups).unwrap());
        assert_eq!(draw(&*plain), draw(&*boxed), "{name}");
        assert_eq!(plain.state(), boxed.state(), "{name}");
        boxed.restore(&plain.state()).unwrap();
        assert_eq!(
            (
                plain.name(),
                plain.least(&groups),
                plain.takes_signed(),
                plain.keeps_state()
            ),
            (
                boxed.name(),
                boxed.least(&groups),
                boxed.takes_signed(),
                boxed.keeps_state()
            ),
            "{name}"
        );
    }
    let gram = Tensor::<2>::eye(4, &device);
    for entry in RULES.iter() {
        let rule = || {
            RULES
                .build(&Spec::new(entry.name), RuleContext { seed: 1 })
                .unwrap()
        };
        let (mut plain, mut boxed) = (rule(), Box::new(rule()));
        for _ in 0..2 {
            let [one, other] = [
                plain.compose(&losses, &groups, &gram).unwrap(),
                GramComposition::compose(&mut boxed, &losses, &groups, &gram).unwrap(),
            ];
            assert_eq!(
                numbers(one.coefficients),
                numbers(other.coefficients),
                "{}",
                entry.name
            );
        }
        assert_eq!(
            plain.state(),
            GramComposition::state(&boxed),
            "{}",
            entry.name
        );
        boxed.restore(&plain.state()).unwrap();
    }
}
