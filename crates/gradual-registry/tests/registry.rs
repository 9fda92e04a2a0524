//! Specs are read, checked against their entries, and built.

use gradual_registry::{
    Entry, Parameter, Registry, RegistryError, Spec, Value, excerpt, nearest, split,
};
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

static SPLIT: Entry<u64, String> = Entry {
    name: "split",
    about: "settings that make no difference beside others",
    facts: &[("loudness", "low")],
    parameters: &[
        Parameter::flag("split", "whether groups split", false),
        Parameter::number("below", "where they do", 0.3).only_if("split", &["true"]),
        Parameter::count("k", "number of groups, or a rule", 1)
            .or_words(&["known", "gap", "silhouette", "eigengap", "stability"])
            .word_by_default("gap"),
        Parameter::count("at_most", "most that a rule finds", 32)
            .only_if("k", &["gap", "silhouette", "eigengap", "stability"]),
        Parameter::number("momentum", "of the last update", 0.9),
        Parameter::flag("nesterov", "whether it looks ahead", false).only_unless("momentum", "0.0"),
    ],
    build: |arguments, _| Ok(arguments.number("below")?.to_string()),
};

static WRONG: Entry<u64, String> = Entry {
    name: "wrong",
    about: "asks for what it does not declare",
    facts: &[("loudness", "high")],
    parameters: &[],
    build: |arguments, _| Ok(arguments.number("p")?.to_string()),
};

static ALL: Registry<u64, String> =
    Registry::new("composition", &[&POWER, &WEIGHED, &SPLIT, &WRONG]);

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
        "there is no composition 'powr'; did you mean 'power'? There are: power, weighed, split, wrong"
    );
    assert_eq!(
        said("qqq"),
        "there is no composition 'qqq'; there are: power, weighed, split, wrong"
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
        "composition power: k = 'eigengaps', but it is a whole number ≥ 1, or known, eigengap"
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
        "composition weighed: part = 'third', but it is one of first, second"
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
            for value in parameter.extremes() {
                assert!(
                    parameter.accept(&value).is_some(),
                    "{} {value}",
                    parameter.name
                );
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
    assert_eq!(nearest("quality", ["Quality", "age"]), Some("Quality"));
    // As fast for names without an end.
    let long = "x".repeat(1_000_000);
    assert_eq!(nearest(&long, [long.as_str()]), Some(long.as_str()));
    assert_eq!(nearest("xyz", ["raw", "whitened"]), None);
}

/// A text that looks like something else is said to be a text.
#[test]
fn texts_in_the_place_of_numbers_are_named() {
    let refused = |value: Value| {
        let spec = Spec::new("power").with("p", value);
        ALL.resolve(&spec).unwrap_err().to_string()
    };
    for (value, shown) in [
        (Value::Word("2".into()), "'2' (text)"),
        (Value::Word("true".into()), "'true' (text)"),
        (Value::Word("-inf".into()), "'-inf' (text)"),
        (Value::Word("two".into()), "'two'"),
        (Value::Word("a\u{1b}[2J\n".into()), "'a\\u{1b}[2J\\n'"),
        (Value::Flag(true), "true"),
        (Value::Number(-0.5), "-0.5"),
    ] {
        assert_eq!(
            refused(value),
            format!("composition power: p = {shown}, but it is a number ≥ 1")
        );
    }
    for long in [
        refused(Value::Word("x".repeat(10_000))),
        refused(Value::Numbers(vec![1.0; 10_000])),
        said(&"x".repeat(10_000)),
        said(&format!("power({} = 1)", "x".repeat(10_000))),
        format!("power({}", "\u{7}".repeat(10_000))
            .parse::<Spec>()
            .unwrap_err()
            .to_string(),
    ] {
        assert!(long.chars().count() < 1_200, "{long}");
        assert!(!long.chars().any(char::is_control));
    }
}

/// A constructor may begin with its own name, which its message has already.
#[test]
fn no_name_is_said_twice() {
    static TWICE: Entry<u64, String> = Entry {
        name: "twice",
        about: "says who it is",
        facts: &[],
        parameters: &[],
        build: |_, how| {
            Err(match how {
                0 => "sampler twice: no".into(),
                1 => "twice: no".into(),
                _ => "twice, no".into(),
            })
        },
    };
    static SAMPLERS: Registry<u64, String> = Registry::new("sampler", &[&TWICE]);
    let said = |how| {
        let refused = SAMPLERS.build(&Spec::new("twice"), how);
        refused.unwrap_err().to_string()
    };
    assert_eq!(said(0), "sampler twice: no");
    assert_eq!(said(1), "sampler twice: no");
    assert_eq!(said(2), "sampler twice: twice, no");
}

#[test]
fn bounds_are_said_in_words() {
    let from = Parameter::count("k", "", 1).at_least(1.0).at_most(64.0);
    assert_eq!(from.expected(), "a whole number from 1 to 64");
    assert_eq!(from.extremes(), [Value::Count(1), Value::Count(64)]);
    let half = Parameter::number("p", "", 0.5).at_least(0.0).below(1.0);
    assert_eq!(half.expected(), "a number ≥ 0 and < 1");
    assert_eq!(
        half.extremes(),
        [Value::Number(0.0), Value::Number(1.0f64.next_down())]
    );
    let any = Parameter::count("seed", "", 0);
    assert_eq!(any.extremes(), [Value::Count(0), Value::Count(u64::MAX)]);
    assert!(Parameter::flag("f", "", true).extremes().is_empty());
}

/// A whole number may be written by its power of ten, as one that is not exact may not.
#[test]
fn counts_may_have_powers_of_ten() {
    let steps = Parameter::count("steps", "", 1).at_most(1e6);
    let accepted = |number: f64| steps.accept(&Value::Number(number));
    assert_eq!(accepted(1e4), Some(Value::Count(10_000)));
    assert_eq!(accepted(0.0), Some(Value::Count(0)));
    for number in [1.5, -1.0, 1e7, f64::NAN, f64::INFINITY] {
        assert_eq!(accepted(number), None, "{number}");
    }
    let any = Parameter::count("seed", "", 0);
    assert_eq!(any.accept(&Value::Number(1e16)), None);
}

#[test]
fn excerpts_are_short_and_on_one_line() {
    assert_eq!(excerpt("plain – text", 40), "plain – text");
    assert_eq!(excerpt("a\tb\r\n", 40), r"a\tb\r\n");
    assert_eq!(
        excerpt("\u{202e}\u{200b}\u{feff}", 40),
        r"\u{202e}\u{200b}\u{feff}"
    );
    assert_eq!(excerpt("äöüäöüäöü", 5), "äö…öü");
    assert_eq!(excerpt("abc", 3), "abc");
    assert_eq!(excerpt("abcd", 3), "a…d");
    assert_eq!(excerpt("abcd", 0), "…");
    assert_eq!(excerpt("", 0), "");
}

#[test]
fn texts_are_split_outside_of_brackets() {
    assert_eq!(split("a,b(c,d),[e,f]", ','), ["a", "b(c,d)", "[e,f]"]);
    assert_eq!(split("a+b(c+d)", '+'), ["a", "b(c+d)"]);
    assert_eq!(split(")a,b", ','), [")a", "b"]);
    assert!(split(" ", ',').is_empty());
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

#[test]
fn a_list_may_have_a_default() {
    const LIST: Parameter = Parameter::numbers("at", "some numbers")
        .at_least(0.0)
        .list_by_default(&[0.0, 2.5]);
    assert_eq!(LIST.default(), Some(Value::Numbers(vec![0.0, 2.5])));
    assert!(
        LIST.to_string()
            .starts_with("at = [0.0, 2.5]: some numbers")
    );
    assert!(Parameter::numbers("at", "some numbers").default().is_none());
}

#[test]
fn what_makes_no_difference_is_refused() {
    for (text, words) in [
        (
            "split(below = 0.1)",
            "split: below = 0.1 makes no difference while split = false; give split = true, or leave below out",
        ),
        (
            "split(k = 4, at_most = 8)",
            "at_most = 8 makes no difference while k = 4; give k = gap, silhouette, eigengap, …, or leave at_most out",
        ),
        ("split(k = known, at_most = 8)", "while k = known"),
        (
            "split(momentum = 0, nesterov = true)",
            "nesterov = true makes no difference while momentum = 0.0; give momentum, or leave nesterov out",
        ),
    ] {
        let error = ALL.resolve(&spec(text)).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    for text in [
        "split",
        "split(split = true, below = 0.1)",
        "split(split = false, below = 0.3)",
        "split(k = 4)",
        "split(at_most = 8)",
        "split(momentum = 0)",
    ] {
        let complete = ALL.resolve(&spec(text)).unwrap();
        // What it was completed to is taken again.
        assert_eq!(ALL.resolve(&complete).unwrap(), complete);
    }
    let table = ALL.table();
    assert!(table.contains("(a number; with split = true)"), "{table}");
    let below = &SPLIT.parameters[1];
    assert_eq!(below.beside(), Some(("split", Value::Flag(true))));
    assert_eq!(SPLIT.parameters[0].beside(), None);
}
