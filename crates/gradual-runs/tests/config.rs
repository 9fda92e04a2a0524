//! Two configurations: every entry that differs is named.

use gradual_runs::{Difference, Record, RunConfig, SCHEMA, differences};
use serde_json::{Value, json};

fn config() -> RunConfig {
    RunConfig {
        schema: SCHEMA,
        experiment: "parity".into(),
        arm: "cvar".into(),
        seed: 3,
        steps: 1000,
        draw: 512,
        backend: "flex".into(),
        task: json!({"bits": 40, "hidden": [128, 64], "signed": true, "data": null}),
        recipe: json!({
            "grouping": {"landmarks": {"groups": 5, "metric": "whitened", "layers": ["first", "*.bias"]}},
            "composition": {"cvar": {"alpha": 0.5}},
            "scale": "unit-sum",
            "optimizer": {"adam": {"rate": 1e-3, "betas": [0.9, 0.999]}},
            "slowdown": 1,
        }),
        settings: json!({"evaluate_every": 10, "empty": {}, "none": []}),
    }
}

/// Paths of all leaves; empty objects and arrays are leaves, too.
fn leaves(path: &str, value: &Value, found: &mut Vec<(String, String)>) {
    let mut below = |step: String, pointer: String, value: &Value| {
        let mut inner = Vec::new();
        leaves("", value, &mut inner);
        found.extend(inner.into_iter().map(|(rest, to)| {
            let name = format!("{step}{rest}");
            (name, format!("{pointer}{to}"))
        }));
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                below(
                    format!(".{key}"),
                    format!("/{}", key.replace('~', "~0").replace('/', "~1")),
                    value,
                );
            }
        }
        Value::Array(entries) if !entries.is_empty() => {
            for (at, value) in entries.iter().enumerate() {
                below(format!("[{at}]"), format!("/{at}"), value);
            }
        }
        _ => found.push((path.to_owned(), String::new())),
    }
}

/// Another value of the same kind.
fn changed(value: &Value) -> Value {
    match value {
        Value::Null => json!(0),
        Value::Bool(is) => json!(!is),
        Value::Number(number) if number.is_f64() => {
            // The next number that there is.
            json!(f64::from_bits(number.as_f64().unwrap().to_bits() + 1))
        }
        Value::Number(number) => json!(number.as_u64().unwrap() + 1),
        Value::String(text) => json!(format!("{text}-")),
        Value::Array(_) => json!([0]),
        Value::Object(_) => json!({"new": 0}),
    }
}

#[test]
fn an_equal_configuration_differs_nowhere() {
    let text = config().to_line().unwrap();
    assert_eq!(config().differences_from(&text).unwrap(), []);
}

#[test]
fn a_change_of_any_leaf_is_named() {
    let whole: Value = serde_json::from_str(&config().to_line().unwrap()).unwrap();
    let mut found = Vec::new();
    leaves("", &whole, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for (name, pointer) in found {
        let mut other = whole.clone();
        let leaf = other.pointer_mut(&pointer).unwrap();
        let (held, new) = (leaf.clone(), changed(leaf));
        *leaf = new.clone();
        let named = name.trim_start_matches('.');
        let found = differences(&whole, &other);
        let path = match &new {
            // A new key is an entry of its own.
            Value::Object(_) => format!("{named}.new"),
            _ => named.to_owned(),
        };
        let paths: Vec<&str> = found.iter().map(|each| each.path.as_str()).collect();
        assert_eq!(paths, [path.as_str()], "{held} to {new}");
        // What the folder holds is another one, seen from the configuration. Another schema is refused as a whole.
        let text = other.to_string();
        match (config().differences_from(&text), named) {
            (Ok(found), named) => {
                assert_ne!(named, "schema");
                assert_eq!(found.len(), 1, "{named}");
                assert!(found[0].to_string().starts_with(&path), "{}", found[0]);
            }
            (Err(error), named) => assert_eq!(named, "schema", "{error}"),
        }
        // Without the entry: no less a difference.
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let mut without = whole.clone();
        if let Some(Value::Object(map)) = without.pointer_mut(parent) {
            map.remove(key).unwrap();
            let found = differences(&whole, &without);
            assert_eq!(found.len(), 1, "{named}");
            assert_eq!((found[0].path.as_str(), &found[0].asked), (named, &None));
        }
    }
}

#[test]
fn differences_read_as_sentences() {
    let held = json!({"recipe": {"composition": {"cvar": {"alpha": 0.5}}, "layers": ["a", "b"], "old": null}});
    let asked =
        json!({"recipe": {"composition": {"cvar": {"alpha": 0.4}}, "layers": ["a"], "new": "x"}});
    let said: Vec<String> = differences(&held, &asked)
        .iter()
        .map(Difference::to_string)
        .collect();
    assert_eq!(
        said,
        [
            "recipe.composition.cvar.alpha is 0.5 in the folder and 0.4 asked for",
            "recipe.layers is [\"a\",\"b\"] in the folder and [\"a\"] asked for",
            "recipe.new is not in the folder and \"x\" asked for",
            "recipe.old is null in the folder and not asked for",
        ]
    );
}

#[test]
fn configurations_of_the_older_form_are_read() {
    let old = r#"{"schema":1,"experiment":"p","arm":"erm","seed":0,"steps":9,"draw":4,"backend":"flex","settings":{"rate":0.1}}"#;
    let read = RunConfig::from_line(old).unwrap();
    assert!(read.task.is_null() && read.recipe.is_null());
    assert_eq!(read.to_line().unwrap(), old);
    let found = RunConfig {
        recipe: json!({"scale": "raw"}),
        ..read
    }
    .differences_from(old)
    .unwrap();
    let said: Vec<String> = found.iter().map(Difference::to_string).collect();
    assert_eq!(
        said,
        [r#"recipe is not in the folder and {"scale":"raw"} asked for"#]
    );
}

mod comparable {
    use std::path::PathBuf;

    use gradual_runs::{RunConfig, SCHEMA, comparable};
    use serde_json::{Value, json};

    fn run(arm: &str, seed: u64) -> RunConfig {
        RunConfig {
            schema: SCHEMA,
            experiment: "table".into(),
            arm: arm.into(),
            seed,
            steps: 1_000,
            draw: 64,
            backend: "flex".into(),
            task: json!({ "sha256": "aa" }),
            recipe: json!({ "grouping": arm, "slowdown": 1 }),
            settings: json!({ "evaluate_every": 10 }),
        }
    }

    fn paths(one: &RunConfig, other: &RunConfig) -> Vec<String> {
        let differences = comparable::incomparable(one, other);
        differences.into_iter().map(|each| each.path).collect()
    }

    #[test]
    fn arms_seeds_and_a_slower_arm_may_be_compared() {
        assert_eq!(paths(&run("erm", 0), &run("grouped", 3)), [""; 0]);
        let mut slow = run("erm-half", 0);
        slow.steps = 2_000;
        slow.recipe["slowdown"] = json!(2);
        assert_eq!(paths(&run("erm", 0), &slow), [""; 0]);
        slow.steps = 2_001;
        assert_eq!(paths(&run("erm", 0), &slow), ["steps"]);
    }

    #[test]
    fn whatever_else_differs_is_named() {
        type Change = fn(&mut RunConfig);
        let changes: [(&str, Change); 6] = [
            ("experiment", |run| run.experiment = "other".into()),
            ("steps", |run| run.steps = 900),
            ("draw", |run| run.draw = 32),
            ("backend", |run| run.backend = "wgpu".into()),
            ("task.sha256", |run| run.task["sha256"] = json!("bb")),
            ("settings.evaluate_every", |run| {
                run.settings["evaluate_every"] = json!(5);
            }),
        ];
        for (path, change) in changes {
            let mut other = run("grouped", 0);
            change(&mut other);
            assert_eq!(paths(&run("erm", 0), &other), [path]);
        }
        let mut other = run("erm", 1);
        other.recipe["grouping"] = Value::Null;
        assert_eq!(paths(&run("erm", 0), &other), ["recipe.grouping"]);
    }

    /// Nothing said how much slower an arm was.
    #[test]
    fn arms_from_before_recipes_may_take_whole_multiples_of_the_steps() {
        let old = |arm: &str, steps| RunConfig {
            steps,
            task: Value::Null,
            recipe: Value::Null,
            ..run(arm, 0)
        };
        let erm = old("erm", 200);
        for steps in [200, 400, 1_000] {
            assert_eq!(paths(&erm, &old("slow", steps)), [""; 0]);
            assert_eq!(paths(&old("slow", steps), &erm), [""; 0]);
        }
        for steps in [0, 1, 199, 201, 300] {
            assert_eq!(paths(&old("slow", steps), &erm).is_empty(), steps == 1);
        }
        assert_eq!(paths(&erm, &old("erm", 400)), ["steps"]);
        let mut other = old("slow", 400);
        other.draw = 32;
        assert_eq!(paths(&erm, &other), ["draw"]);
        // In whatever order.
        let folders = ["a", "b", "c"].map(PathBuf::from);
        let check = |arms: [&RunConfig; 3]| comparable::check(folders.iter().zip(arms));
        let (half, third) = (old("erm-half", 400), old("erm-third", 600));
        check([&erm, &half, &third]).unwrap();
        check([&half, &third, &erm]).unwrap();
        check([&third, &erm, &old("erm-half", 401)]).unwrap_err();
        check([&erm, &half, &old("erm-half", 800)]).unwrap_err();
        // With a recipe, its slowdown is the word.
        let mut slow = run("slow", 0);
        slow.steps = 2_000;
        assert_eq!(paths(&run("erm", 0), &slow), ["steps"]);
    }

    /// Other programs write a number now so and now so.
    #[test]
    fn whole_numbers_are_equal_in_either_form() {
        let with = |settings: Value| RunConfig {
            settings,
            ..run("erm", 0)
        };
        let one = with(json!({"lr": 1, "sizes": [2.0, 0.5]}));
        assert_eq!(
            paths(&one, &with(json!({"lr": 1.0, "sizes": [2, 0.5]}))),
            [""; 0]
        );
        assert_eq!(
            paths(&one, &with(json!({"lr": 1.5, "sizes": [2, 0.5]}))),
            ["settings.lr"]
        );
        assert_eq!(
            paths(&one, &with(json!({"lr": "1", "sizes": [2, 0.5]}))),
            ["settings.lr"]
        );
    }

    #[test]
    fn an_arm_without_a_recipe_is_not_compared_with_one_that_has_one() {
        let mut old = run("erm", 0);
        old.recipe = Value::Null;
        assert_eq!(paths(&old, &run("grouped", 0)), ["recipe"]);
        assert_eq!(paths(&run("grouped", 0), &old), ["recipe"]);
        assert_eq!(paths(&run("erm", 1), &old), ["recipe"]);
    }

    #[test]
    fn a_run_is_compared_with_the_first_and_with_the_first_of_its_arm() {
        let folder = |name: &str| PathBuf::from(name);
        let (erm, grouped, mut again) = (run("erm", 0), run("grouped", 0), run("grouped", 1));
        let names = ["erm/seed-0", "grouped/seed-0", "grouped/seed-1"].map(folder);
        let check = |runs: [&RunConfig; 3]| comparable::check(names.iter().zip(runs));
        check([&erm, &grouped, &again]).unwrap();
        again.recipe["k"] = json!(8);
        let error = check([&erm, &grouped, &again]).unwrap_err().to_string();
        let expected = "grouped/seed-0 and grouped/seed-1 can't be compared:\n  \
             recipe.k is missing in the first and 8 in the second;\nchoose another --out for one of them";
        assert_eq!(error, expected);
        // What nobody has said is no number.
        let unsaid = RunConfig {
            draw: 0,
            ..run("grouped", 0)
        };
        let error = check([&erm, &grouped, &unsaid]).unwrap_err().to_string();
        assert!(
            error.contains("draw is 64 in the first and missing in the second"),
            "{error}"
        );
        // A line for each difference, and no more than somebody reads.
        again.recipe["a"] = json!(1);
        let error = check([&erm, &grouped, &again]).unwrap_err().to_string();
        assert_eq!(error.lines().count(), 4, "{error}");
        assert!(error.contains("in the second,\n  recipe.k is"), "{error}");
        for at in 0..40 {
            again.recipe[format!("k{at}")] = json!(8);
        }
        let error = check([&erm, &grouped, &again]).unwrap_err().to_string();
        assert!(error.contains("\n  and 22 more;\n"), "{error}");
    }

    /// What another program leaves out of its configurations, its evaluations tell.
    #[test]
    fn evaluations_show_what_configurations_leave_out() {
        use gradual_measure::Evaluation;

        let unsaid = |arm: &str| RunConfig {
            draw: 0,
            recipe: Value::Null,
            settings: Value::Null,
            ..run(arm, 0)
        };
        let curves = |every: u64, draw: u64| -> Vec<Evaluation> {
            let steps = (0..=1_000).step_by(every as usize);
            let evaluation = |step| Evaluation {
                schema: SCHEMA,
                step,
                examples: step * draw,
                standing_examples: None,
                gradient_evaluations: None,
                left_out: None,
                train_loss: 1.0,
                moved: None,
                compute: None,
                capabilities: [].into(),
            };
            steps.map(evaluation).collect()
        };
        let names = ["erm/seed-0", "grouped/seed-0"].map(PathBuf::from);
        let check = |configs: [&RunConfig; 2], curves: [&[Evaluation]; 2]| {
            let runs = names.iter().zip(configs).zip(curves);
            comparable::check_evaluations(
                runs.map(|((name, config), curves)| (name, config, curves)),
            )
        };
        let (erm, grouped) = (unsaid("erm"), unsaid("grouped"));
        let usual = curves(10, 64);
        check([&erm, &grouped], [&usual, &usual]).unwrap();
        check([&erm, &grouped], [&usual, &curves(12, 64)]).unwrap();
        for (other, said) in [
            (curves(200, 64), "evaluations of a run"),
            (curves(10, 640), "examples per step"),
        ] {
            let error = check([&erm, &grouped], [&usual, &other])
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(said) && error.contains("grouped/seed-0"),
                "{error}"
            );
            // A recipe says how many examples a step has. That settings say how often a run is evaluated does not make it so.
            for settings in [Value::Null, json!({ "evaluate_every": 10 })] {
                let known = |arm| RunConfig {
                    settings: settings.clone(),
                    ..run(arm, 0)
                };
                let told = check([&known("erm"), &known("grouped")], [&usual, &other]);
                assert_eq!(told.is_err(), said == "evaluations of a run", "{settings}");
            }
        }
        // Nor does it in runs of other programs, whatever number stands there.
        for every in [10, 50, 1_000] {
            let told = |arm: &str| RunConfig {
                settings: json!({ "evaluate_every": every }),
                ..unsaid(arm)
            };
            check([&told("erm"), &told("grouped")], [&usual, &curves(50, 64)]).unwrap_err();
        }
        // Nor does a draw that the configurations name, where the curves have another one, or none.
        let drawn = |arm: &str| RunConfig {
            draw: 64,
            ..unsaid(arm)
        };
        for other in [curves(10, 4), curves(10, 0)] {
            check([&drawn("erm"), &drawn("grouped")], [&usual, &other]).unwrap_err();
        }
        // Nor a gap in the middle, whatever the median is.
        let mut gap = curves(10, 64);
        gap.retain(|one| !(210..=790).contains(&one.step) || one.step % 200 == 0);
        check([&erm, &grouped], [&usual, &gap]).unwrap_err();
        // A slower arm has as many evaluations.
        let mut slow = unsaid("slow");
        slow.steps = 2_000;
        let every = curves(20, 64).into_iter();
        let later = every.map(|one| Evaluation {
            step: 2 * one.step,
            examples: 2 * one.examples,
            ..one
        });
        check([&erm, &slow], [&curves(20, 64), &later.collect::<Vec<_>>()]).unwrap();
    }

    /// The grid of a run is close at first. In a slower arm its regular part is longer, and a second phase may begin on it or off it.
    #[test]
    fn the_grids_of_slower_arms_and_second_phases_are_one() {
        use gradual_measure::Evaluation;

        let evaluated = |steps: u64, every: u64, change: Option<u64>| -> Vec<Evaluation> {
            let early = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500].into_iter();
            let early = early.filter(|&step| step < every && step < steps);
            let mut grid: Vec<u64> = early
                .chain((every..steps).step_by(every as usize))
                .collect();
            grid.extend(change.into_iter().chain([steps]));
            grid.sort_unstable();
            grid.dedup();
            let line = |step: u64| {
                let moved = change.filter(|&change| step > change).map(|_| 1.0);
                json!({ "schema": SCHEMA, "step": step, "examples": step, "train_loss": 1.0, "moved": moved, "capabilities": {} })
            };
            let lines = grid.into_iter().map(line);
            lines
                .map(|line| serde_json::from_value(line).unwrap())
                .collect()
        };
        let names = ["erm/seed-0", "other/seed-0"].map(PathBuf::from);
        for every in [1, 7, 50, 60, 100, 200] {
            for steps in (every..=1_500).step_by(20) {
                for slowdown in [1, 2, 4] {
                    for change in [None, Some(steps / 2), Some(50), Some(steps / 10)] {
                        let change = change.filter(|&change| change > 0 && change < steps);
                        let known = |arm: &str, steps| RunConfig {
                            steps,
                            recipe: json!({ "slowdown": if arm == "erm" { 1 } else { slowdown } }),
                            settings: json!({ "evaluate_every": every }),
                            ..run(arm, 0)
                        };
                        let (one, other) = (known("erm", steps), known("other", steps * slowdown));
                        let curves = [
                            evaluated(steps, every, None),
                            evaluated(steps * slowdown, every, change),
                        ];
                        let runs = names.iter().zip([&one, &other]).zip(&curves);
                        let runs = runs.map(|((name, config), curves)| (name, config, &curves[..]));
                        comparable::check_evaluations(runs).unwrap_or_else(|error| {
                            panic!("{steps}, {every}, {slowdown}, {change:?}: {error}")
                        });
                    }
                }
            }
        }
    }
}
