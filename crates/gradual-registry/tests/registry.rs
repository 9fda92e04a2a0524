//! Specs are read, checked against their entries, and built.

use gradual_registry::{Entry, Parameter, Registry, RegistryError, Spec, Value, nearest};
use proptest::prelude::*;

static POWER: Entry<u64, String> = Entry {
    name: "power",
    about: "the sum of p-th powers",
    facts: &[("loudness", "high")],
    parameters: &[
        Parameter::number("p", "the power", 2.0).at_least(1.0),
        Parameter::count("k", "number of groups", 1)
            .at_least(1.0)
            .or_words(&["known", "eigengap"])
            .word_by_default("known"),
    ],
    build: |arguments, seed| {
        Ok(format!(
            "{} {} {seed}",
            arguments.number("p")?,
            arguments.value("k")?
        ))
    },
};

static WEIGHED: Entry<u64, String> = Entry {
    name: "weighed",
    about: "needs weights, e.g. a|b",
    facts: &[("loudness", "high")],
    parameters: &[
        Parameter::numbers("weights", "one for each group").above(0.0),
        Parameter::flag("mean", "mean or sum", true),
        Parameter::choice("part", "which part", &["first", "second"]),
    ],
    build: |arguments, _| {
        if arguments.numbers("weights")?.is_empty() {
            return Err("no weights".into());
        }
        Ok(format!(
            "{} {}",
            arguments.flag("mean")?,
            arguments.word("part")?
        ))
    },
};

static WRONG: Entry<u64, String> = Entry {
    name: "wrong",
    about: "asks for what it does not declare",
    facts: &[("loudness", "high")],
    parameters: &[],
    build: |arguments, _| Ok(arguments.number("p")?.to_string()),
};

static ALL: Registry<u64, String> = Registry::new("composition", &[&POWER, &WEIGHED, &WRONG]);

fn spec(text: &str) -> Spec {
    text.parse().unwrap()
}

fn said(text: &str) -> String {
    ALL.build(&spec(text), 7).unwrap_err().to_string()
}

#[test]
fn defaults_are_filled_in_and_counts_become_numbers() {
    assert_eq!(
        ALL.resolve(&spec("power")).unwrap().to_string(),
        "power(k = known, p = 2.0)"
    );
    assert_eq!(
        ALL.resolve(&spec("power(p=4, k=8)")).unwrap().to_string(),
        "power(k = 8, p = 4.0)"
    );
    assert_eq!(
        ALL.build(&spec(" power ( p = 4.5 ) "), 7).unwrap(),
        "4.5 known 7"
    );
    assert_eq!(
        ALL.build(&spec("weighed(weights = [1, 2.5])"), 7).unwrap(),
        "true first"
    );
}

#[test]
fn what_is_wrong_is_named() {
    assert_eq!(
        said("powr"),
        "there is no composition 'powr'; did you mean 'power'? There are: power, weighed, wrong"
    );
    assert_eq!(
        said("qqq"),
        "there is no composition 'qqq'; there are: power, weighed, wrong"
    );
    assert_eq!(
        said("power(q = 1)"),
        "composition power has no parameter 'q'; it has: p, k"
    );
    assert_eq!(
        said("power(p = 0.5)"),
        "composition power: p = 0.5, but it is a number ≥ 1"
    );
    assert_eq!(
        said("power(p = true)"),
        "composition power: p = true, but it is a number ≥ 1"
    );
    assert_eq!(
        said("power(k = 0)"),
        "composition power: k = 0, but it is a whole number ≥ 1, or known, eigengap"
    );
    assert_eq!(
        said("power(k = eigengaps)"),
        "composition power: k = eigengaps, but it is a whole number ≥ 1, or known, eigengap"
    );
    assert_eq!(
        said("weighed"),
        "composition weighed needs the parameter weights, a list of numbers > 0: weighed(weights = …)"
    );
    assert_eq!(
        said("weighed(weights = [0])"),
        "composition weighed: weights = [0.0], but it is a list of numbers > 0"
    );
    assert_eq!(
        said("weighed(weights = [1], part = third)"),
        "composition weighed: part = third, but it is one of first, second"
    );
    assert_eq!(
        said("weighed(weights = [])"),
        "composition weighed: no weights"
    );
    assert_eq!(
        said("wrong"),
        "composition wrong: wrong declares no number 'p'"
    );
    assert_eq!(
        said("wrong(p = 1)"),
        "composition wrong has no parameter 'p'; it has none"
    );
}

#[test]
fn text_that_is_no_spec_is_refused() {
    for text in [
        "",
        "(",
        "power(",
        "power)",
        "power(p)",
        "power(p = )",
        "power(= 2)",
        "power(p = 2",
        "power(p = 2, p = 3)",
        "power(p = 2,)",
        "power(p = -)",
        "power(p = [1, x])",
        "8",
        "power(p = 1e999)",
        "power(p = 99999999999999999999)",
        "power p",
        "power(p = 2) x",
    ] {
        let error = text.parse::<Spec>().unwrap_err();
        assert!(
            matches!(error, RegistryError::Syntax { .. }),
            "{text}: {error}"
        );
    }
}

#[test]
fn maps_and_texts_are_the_same() {
    let map: Spec = serde_json::from_str(r#"{"name": "power", "p": 4, "k": "eigengap"}"#).unwrap();
    let text: Spec = serde_json::from_str(r#""power(p = 4, k = eigengap)""#).unwrap();
    assert_eq!(map, text);
    let written = serde_json::to_string(&ALL.resolve(&map).unwrap()).unwrap();
    assert_eq!(written, r#"{"name":"power","k":"eigengap","p":4.0}"#);
    for wrong in [
        "3",
        "{}",
        r#"{"p": 4}"#,
        r#"{"name": "power", "p": null}"#,
        r#""power(""#,
    ] {
        assert!(serde_json::from_str::<Spec>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn values_beyond_the_bounds_are_refused() {
    for entry in ALL.iter() {
        for parameter in entry.parameters {
            for value in parameter.refused() {
                assert_eq!(parameter.accept(&value), None, "{} {value}", parameter.name);
            }
            if let Some(default) = parameter.default() {
                assert_eq!(parameter.accept(&default), Some(default));
            }
        }
    }
}

#[test]
fn tables_have_a_row_for_each_entry() {
    let table = ALL.table();
    assert_eq!(table.lines().count(), 2 + ALL.iter().count());
    assert!(table.contains(
        "| `power` | the sum of p-th powers | p = 2.0: the power (a number ≥ 1)<br>k = known"
    ));
    assert!(table.contains("a\\|b"));
}

#[test]
fn names_that_are_alike_are_found() {
    assert_eq!(nearest("whitend", ["raw", "whitened"]), Some("whitened"));
    assert_eq!(nearest("GROUPED", ["erm", "grouped"]), Some("grouped"));
    assert_eq!(nearest("xyz", ["raw", "whitened"]), None);
}

fn value() -> impl Strategy<Value = Value> {
    let number = || any::<f64>().prop_filter("finite", |number| number.is_finite());
    prop_oneof![
        any::<bool>().prop_map(Value::Flag),
        any::<u64>().prop_map(Value::Count),
        number().prop_map(Value::Number),
        "[a-z][a-z0-9-]{0,8}"
            .prop_filter("a word", |word| word != "true" && word != "false")
            .prop_map(Value::Word),
        prop::collection::vec(number(), 0..4).prop_map(Value::Numbers),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        name in "[a-z][a-z0-9-]{0,12}",
        parameters in prop::collection::btree_map("[a-z][a-z0-9_]{0,8}", value(), 0..4),
    ) {
        prop_assume!(!parameters.contains_key("name"));
        let spec = Spec { name, parameters };
        prop_assert_eq!(&spec.to_string().parse::<Spec>().unwrap(), &spec);
        let json = serde_json::to_string(&spec).unwrap();
        let back: Spec = serde_json::from_str(&json).unwrap();
        // An empty list in JSON is a list all the same, and -0.0 a number.
        prop_assert_eq!(back, spec);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let _ = text.parse::<Spec>();
    }
}
