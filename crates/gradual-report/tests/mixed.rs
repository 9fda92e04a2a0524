//! Runs that can't be compared, programs that differ, and the commands that made the runs.

use std::fs;
use std::path::Path;

use crate::common::{Fixture, run_folder, write};
use gradual_report::{Report, ReportError, claims, report};
use gradual_runs::files::JOURNALS;
use gradual_runs::{CommandRecord, Digest, Done, ExperimentRecord, Record, RunEnd};
use serde_json::{Value, json};
use tempfile::tempdir;

fn quick() -> Fixture {
    Fixture {
        evaluations: 20,
        ..Fixture::default()
    }
}

/// Changes the configuration of a run, which then has digests of its journals, as such runs have.
fn configure(dir: &Path, arm: &str, seed: u64, change: impl FnOnce(&mut Value)) {
    let path = run_folder(dir, arm, seed).join("config.json");
    let mut config = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut config);
    write(&path, &config.to_string());
    let run = path.parent().unwrap();
    let digest = |name: &&str| Some(((*name).to_owned(), Digest::of_file(&run.join(name)).ok()?));
    let done = Done {
        end: Some(RunEnd::Completed),
        journals: Some(JOURNALS.iter().filter_map(digest).collect()),
        ..Done::default()
    };
    done.write(run).unwrap();
}

fn summary(dir: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(dir.join("report/summary.json")).unwrap()).unwrap()
}

/// Runs that somebody has stopped are finished, and not whole.
#[test]
fn runs_that_were_stopped_are_not_judged() {
    let root = tempdir().unwrap();
    let dir = quick().write(root.path());
    for seed in 0..5 {
        configure(&dir, "erm", seed, |_| ());
    }
    report(&dir).unwrap();
    let before = summary(&dir);
    let judged = |summary: &Value| {
        let all = summary["verdicts"].as_array().unwrap();
        all.iter()
            .filter(|one| one["verdict"] != "inconclusive")
            .count()
    };
    assert!(judged(&before) > 0, "{before}");
    for seed in 0..5 {
        let path = run_folder(&dir, "erm", seed).join("curves.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        write(&path, &(lines[..lines.len() - 4].join("\n") + "\n"));
        for name in ["groups.jsonl", "members.jsonl", "timing.jsonl"] {
            let _ = fs::remove_file(path.with_file_name(name));
        }
        configure(&dir, "erm", seed, |_| ());
        let done = path.with_file_name("DONE");
        let mark = fs::read_to_string(&done).unwrap();
        write(&done, &mark.replace("completed", "stopped"));
    }
    let page = report(&dir).unwrap();
    let after = summary(&dir);
    assert_eq!(judged(&after), 0, "{after}");
    let reason = after["verdicts"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("5 of 5 runs of erm ended before their last step"),
        "{reason}"
    );
    let html = fs::read_to_string(page).unwrap();
    assert!(
        html.contains("Stopped before their last step: 5 of 5 runs of "),
        "no note"
    );
}

/// Groups that begin after the end of a run are none: the arm is the mean loss, whatever it is called.
#[test]
fn arms_that_end_before_they_group_are_not_judged() {
    let waiting = |after: u64| json!({"wrappers": [{"name": "after", "draws": after}]});
    let lens = |after: u64| json!({"lens": {"name": "snapshot", "after": after}});
    let search = |steps: [f64; 2]| json!({"lens": {"name": "search", "steps": steps}});
    let of_a_proxy = json!({"lens": {"name": "snapshot", "after": 1e6 as u64}, "proxy": {"name": "model", "width": 32}});
    for (judged, recipe) in [
        (false, waiting(1_000_000)),
        (true, waiting(1)),
        (false, lens(1_000_000)),
        (true, lens(1)),
        (false, search([2e6, 1e6])),
        (true, search([2e6, 1.0])),
        (
            false,
            json!({"lens": {"name": "search", "steps": [1.0, 1e6], "wait": true}}),
        ),
        (
            false,
            json!({"wrappers": [{"name": "after", "draws": 999_990}, {"name": "after", "draws": 10}]}),
        ),
        (
            false,
            json!({"then": {"after": 0.9999, "recipe": lens(1_000_000 - 4_000)}}),
        ),
        (true, json!({"then": {"after": 0.9999, "recipe": {}}})),
        (true, of_a_proxy),
    ] {
        let root = tempdir().unwrap();
        let dir = quick().write(root.path());
        for seed in 0..5 {
            for arm in ["erm", "labels", "singular-vectors"] {
                configure(&dir, arm, seed, |config| {
                    let own = arm == "labels";
                    config["recipe"] = if own { recipe.clone() } else { json!({}) };
                });
            }
        }
        let page = report(&dir).unwrap();
        let summary = summary(&dir);
        let all = summary["verdicts"].as_array().unwrap();
        let of = all.iter().filter(|one| one["arm"] == "labels");
        let reasons: Vec<_> = of.filter_map(|one| one["reason"].as_str()).collect();
        let late =
            "the groups of labels would begin after 1000000 steps, and its runs end before that";
        assert_eq!(reasons.contains(&late), !judged, "{recipe}: {reasons:?}");
        let noted = fs::read_to_string(page)
            .unwrap()
            .contains("Groups that would begin only after the end of a run");
        assert_eq!(noted, !judged, "{recipe}");
    }
}

/// Configurations that say nothing of it, as other programs write them, and curves that do.
#[test]
fn curves_of_another_grid_or_draw_have_no_verdict_together() {
    for (said, every, draw) in [
        ("evaluations of a run", 20, 1),
        ("examples per step", 1, 10),
    ] {
        let root = tempdir().unwrap();
        let dir = quick().write(root.path());
        let arms = ["erm", "labels", "singular-vectors"];
        for (arm, seed) in arms
            .iter()
            .flat_map(|arm| (0..5).map(move |seed| (arm, seed)))
        {
            if *arm == "labels" {
                let path = run_folder(&dir, arm, seed).join("curves.jsonl");
                let text = fs::read_to_string(&path).unwrap();
                let lines: Vec<Value> = text
                    .lines()
                    .map(|line| serde_json::from_str(line).unwrap())
                    .collect();
                let last = lines.len() - 1;
                let kept = lines
                    .into_iter()
                    .enumerate()
                    .filter(|(at, _)| at % every == 0 || *at == last);
                let changed = kept.map(|(_, mut line)| {
                    line["examples"] = json!(line["examples"].as_u64().unwrap() * draw);
                    format!("{line}\n")
                });
                write(&path, &changed.collect::<String>());
            }
            configure(&dir, arm, seed, |config| {
                let config = config.as_object_mut().unwrap();
                for entry in ["settings", "draw", "recipe", "task"] {
                    config.remove(entry);
                }
            });
        }
        let error = report(&dir).unwrap_err();
        assert!(matches!(error, ReportError::Incomparable { .. }), "{error}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(said), "{source}");
    }
}

/// The steps before a first evaluation are a gap like any other: curves are drawn across it.
#[test]
fn curves_that_begin_later_have_no_verdict_together() {
    for seeds in [0..5, 2..3] {
        let root = tempdir().unwrap();
        let dir = quick().write(root.path());
        for seed in seeds {
            let path = run_folder(&dir, "labels", seed).join("curves.jsonl");
            let text = fs::read_to_string(&path).unwrap();
            let later: Vec<&str> = text.lines().skip(5).collect();
            write(&path, &(later.join("\n") + "\n"));
            configure(&dir, "labels", seed, |_| {});
        }
        let error = report(&dir).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        let said = "evaluations of a run (by the most steps between two in curves.jsonl)";
        assert!(source.contains(said), "{source}");
    }
}

/// Configurations of other programs may say a number of examples that no evaluation shows.
#[test]
fn another_draw_than_configurations_say_is_told() {
    for (said, told) in [(1_000_000, true), (0, false)] {
        let root = tempdir().unwrap();
        let dir = quick().write(root.path());
        for arm in ["erm", "labels", "singular-vectors"] {
            for seed in 0..5 {
                configure(&dir, arm, seed, |config| config["draw"] = json!(said));
            }
        }
        let page = fs::read_to_string(report(&dir).unwrap()).unwrap();
        let note = "Examples of a step are not those that configurations say";
        assert_eq!(page.contains(note), told, "{said}");
    }
}

/// Seeds of which each has capabilities of its own are shown, and that is said.
#[test]
fn seeds_with_other_capabilities_are_told() {
    let root = tempdir().unwrap();
    let dir = quick().write(root.path());
    let note = "Seeds of an arm begin with different capabilities";
    let page = || fs::read_to_string(report(&dir).unwrap()).unwrap();
    assert!(!page().contains(note));
    for arm in ["erm", "labels", "singular-vectors"] {
        let path = run_folder(&dir, arm, 3).join("curves.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        let changed = text.lines().map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            let each = line["capabilities"].as_object_mut().unwrap();
            let first = each.keys().next().unwrap().clone();
            let record = each.remove(&first).unwrap();
            each.insert("another".to_owned(), record);
            format!("{line}\n")
        });
        write(&path, &changed.collect::<String>());
        configure(&dir, arm, 3, |_| {});
    }
    let page = page();
    assert!(page.contains(note) && page.contains("in seeds 0 and 3"));
}

/// A number over all capabilities is another one where arms train others, in whichever seed, or count from another chance.
#[test]
fn arms_with_other_capabilities_have_no_verdict_over_all() {
    let another = |each: &mut serde_json::Map<String, Value>| {
        let first = each.keys().next().unwrap().clone();
        let record = each.remove(&first).unwrap();
        each.insert("another".to_owned(), record);
    };
    let chance = |each: &mut serde_json::Map<String, Value>| {
        for record in each.values_mut() {
            record["chance"] = json!(0.01);
        }
    };
    type Change<'a> = &'a dyn Fn(&mut serde_json::Map<String, Value>);
    let changes: [(std::ops::Range<u64>, Change<'_>); 3] =
        [(0..5, &another), (4..5, &another), (1..2, &chance)];
    for (seeds, change) in changes {
        let root = tempdir().unwrap();
        let dir = quick().write(root.path());
        for seed in seeds {
            let path = run_folder(&dir, "labels", seed).join("curves.jsonl");
            let text = fs::read_to_string(&path).unwrap();
            let changed = text.lines().map(|line| {
                let mut line: Value = serde_json::from_str(line).unwrap();
                change(line["capabilities"].as_object_mut().unwrap());
                format!("{line}\n")
            });
            write(&path, &changed.collect::<String>());
            configure(&dir, "labels", seed, |_| {});
        }
        report(&dir).unwrap();
        let summary = summary(&dir);
        let judged = summary["verdicts"].as_array().unwrap();
        let of = |claim: &&Value| claim["arm"] == "labels" && claim["capability"].is_null();
        let judged: Vec<&Value> = judged.iter().filter(of).collect();
        assert!(!judged.is_empty());
        for claim in judged {
            let reason = claim["reason"].as_str().unwrap();
            assert!(reason.contains("different capabilities"), "{claim}");
            assert_eq!(claim["verdict"], "inconclusive");
        }
    }
}

/// Runs count once, however the folder is given.
#[test]
fn a_folder_is_given_once() {
    let root = tempdir().unwrap();
    let dir = quick().write(root.path());
    let again = dir.join("..").join(dir.file_name().unwrap());
    let twice = [dir.clone(), again];
    let error = Report::new(twice.clone()).write().unwrap_err();
    assert!(matches!(error, ReportError::Twice { .. }), "{error}");
    let error = claims(&twice, &root.path().join("claims.md")).unwrap_err();
    assert!(matches!(error, ReportError::Twice { .. }), "{error}");
    let both = [root.path().to_owned(), dir];
    let error = claims(&both, &root.path().join("claims.md")).unwrap_err();
    assert!(matches!(error, ReportError::Twice { .. }), "{error}");
}

/// An arm that shares are of and that is not there, or is the baseline; an arm that is there twice.
#[test]
fn a_record_that_says_what_can_t_be_is_told_of() {
    let root = tempdir().unwrap();
    let dir = quick().write(root.path());
    let path = dir.join("experiment.json");
    let whole: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut record = whole.clone();
        change(&mut record);
        write(&path, &record.to_string());
    };
    with(&|record| record["reference"] = "nobody".into());
    report(&dir).unwrap();
    let page = fs::read_to_string(dir.join("report/index.html")).unwrap();
    assert!(page.contains("The reference <code>nobody</code> has no evaluated run"));
    with(&|record| record["reference"] = record["baseline"].clone());
    let error = report(&dir).unwrap_err().to_string();
    assert!(error.contains("an arm that is not the baseline"), "{error}");
    with(&|record| {
        let first = record["arms"][0].clone();
        record["arms"].as_array_mut().unwrap().push(first);
    });
    let error = report(&dir).unwrap_err().to_string();
    assert!(error.contains("each arm once"), "{error}");
}

#[test]
fn runs_on_different_data_have_no_verdict_together() {
    for (entry, change) in [
        ("settings.sha256", json!({"sha256": "0123"})),
        ("draw", json!(64)),
        ("task.label", json!({"label": "y"})),
        ("backend", json!("wgpu")),
    ] {
        let root = tempdir().unwrap();
        let dir = quick().write(root.path());
        let key = entry.split('.').next().unwrap();
        for seed in 0..5 {
            configure(&dir, "labels", seed, |config| {
                if config[key].is_object() {
                    let change = change.as_object().unwrap().clone();
                    config[key].as_object_mut().unwrap().extend(change);
                } else {
                    config[key] = change.clone();
                }
            });
        }
        let error = report(&dir).unwrap_err();
        assert!(matches!(error, ReportError::Incomparable { .. }), "{error}");
        let message = error.to_string();
        for part in [key, "erm/seed-0", "labels/seed-0", "--without-verdicts"] {
            assert!(message.contains(part), "{part} in {message}");
        }
        assert!(!dir.join("report").exists());
        let page = root.path().join("claims.md");
        claims(std::slice::from_ref(&dir), &page).unwrap_err();
        assert!(!page.exists());
    }
}

#[test]
fn one_seed_of_other_settings_is_found_too() {
    let root = tempdir().unwrap();
    let dir = quick().write(root.path());
    configure(&dir, "labels", 3, |config| {
        config["recipe"] = json!({"lr": 1})
    });
    let message = report(&dir).unwrap_err().to_string();
    assert!(message.contains("labels/seed-3"), "{message}");
}

#[test]
fn without_verdicts_nothing_is_judged() {
    let root = tempdir().unwrap();
    let dir = quick().write(root.path());
    configure(&dir, "labels", 0, |config| config["draw"] = json!(64));
    let page = Report::new([&dir]).without_verdicts(true).write().unwrap();
    let html = fs::read_to_string(page).unwrap();
    assert!(
        html.contains("The runs can’t be compared:")
            || html.contains("The runs can't be compared:")
    );
    assert!(html.contains("No claim is judged, and nothing is compared with the baseline."));
    assert!(html.contains("this report was asked for without verdicts"));
    assert!(!html.contains("Against the baseline") && !html.contains("Gradualness against tax"));
    assert!(!html.contains("of the baseline’s)") && !html.contains("supported"));
    let summary = summary(&dir);
    assert_eq!(summary["verdicts"], json!([]));
    for arm in summary["arms"].as_array().unwrap() {
        for metric in arm["metrics"].as_array().unwrap() {
            assert_eq!(metric["effect"], Value::Null);
        }
    }
    let verdicts = fs::read_to_string(dir.join("report/tables/verdicts.csv")).unwrap();
    assert_eq!(verdicts.lines().count(), 1);
}

#[test]
fn experiments_side_by_side_are_compared_each_with_itself() {
    let (root, other) = (tempdir().unwrap(), tempdir().unwrap());
    let dirs = [&root, &other].map(|root| quick().write(root.path()));
    for arm in ["erm", "labels", "singular-vectors"] {
        for seed in 0..5 {
            configure(&dirs[1], arm, seed, |config| config["draw"] = json!(64));
        }
    }
    let out = root.path().join("both");
    let both = Report::new(dirs.clone()).with_out(&out);
    both.write().unwrap();
    configure(&dirs[1], "erm", 0, |config| config["draw"] = json!(128));
    assert!(matches!(
        both.write(),
        Err(ReportError::Incomparable { .. })
    ));
}

#[test]
fn different_programs_are_noted() {
    let root = tempdir().unwrap();
    let dir = quick().write(root.path());
    let html = fs::read_to_string(report(&dir).unwrap()).unwrap();
    assert!(!html.contains("Different versions"));
    let environment = run_folder(&dir, "labels", 1).join("environment.json");
    write(&environment, r#"{"gradual":"0.2.0","commit":"beef"}"#);
    let html = fs::read_to_string(report(&dir).unwrap()).unwrap();
    assert!(
        html.contains(
            "Different versions of the program made the runs: 14 runs by 0.1.0 (0123abc); 1 run by 0.2.0 (beef)."
        )
    );
}

/// Seconds of one machine are not those of another.
#[test]
fn times_of_different_machines_are_not_compared() {
    let root = tempdir().unwrap();
    let dir = quick().write(root.path());
    let seconds = || -> Vec<String> {
        report(&dir).unwrap();
        let text = fs::read_to_string(dir.join("report/summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
        let metrics = summary["arms"][0]["metrics"].as_array().unwrap().iter();
        let metrics = metrics.filter(|one| one["sample"]["mean"].is_number());
        let names = metrics.map(|one| one["metric"].as_str().unwrap().to_owned());
        names
            .filter(|name| name.starts_with("seconds_to") || name == "steps_per_second")
            .collect()
    };
    for name in ["seconds_to_90", "steps_per_second"] {
        assert!(seconds().contains(&name.to_owned()), "{name}");
    }
    let environment = run_folder(&dir, "labels", 1).join("environment.json");
    let text = fs::read_to_string(&environment).unwrap();
    for (key, other) in [
        ("cores", json!(64)),
        ("device", json!("CUDA GPU 0")),
        ("arch", json!("aarch64")),
    ] {
        let mut changed: serde_json::Value = serde_json::from_str(&text).unwrap();
        changed[key] = other;
        write(&environment, &changed.to_string());
        assert!(seconds().is_empty(), "{key}");
        let html = fs::read_to_string(dir.join("report/index.html")).unwrap();
        assert!(
            html.contains(
                "different machines or devices, and how long they took is not compared: "
            ),
            "{key}"
        );
    }
    write(&environment, &text);
    assert!(!seconds().is_empty());
}

#[test]
fn every_command_is_shown_in_order() {
    let root = tempdir().unwrap();
    let dir = quick().write(root.path());
    let path = dir.join("experiment.json");
    let mut record = ExperimentRecord::from_line(&fs::read_to_string(&path).unwrap()).unwrap();
    record.commands = vec![
        CommandRecord {
            command: "gradual-lab experiment table --data 'my file.csv'".to_owned(),
            version: Some("0.1.0".to_owned()),
            commit: Some("0123abc".to_owned()),
        },
        CommandRecord {
            command: "gradual-lab experiment table --seeds <5>".to_owned(),
            version: Some("0.2.0".to_owned()),
            commit: None,
        },
    ];
    write(&path, &record.to_line().unwrap());
    let html = fs::read_to_string(report(&dir).unwrap()).unwrap();
    let first = html
        .find("<pre>gradual-lab experiment table --data 'my file.csv'</pre><small>version 0.1.0, commit 0123abc</small>")
        .unwrap();
    let second = html
        .find(
            "<pre>gradual-lab experiment table --seeds &lt;5&gt;</pre><small>version 0.2.0</small>",
        )
        .unwrap();
    assert!(first < second);
    assert_eq!(
        summary(&dir)["commands"],
        serde_json::to_value(&record.commands).unwrap()
    );
    let page = root.path().join("claims.md");
    claims(&[dir], &page).unwrap();
    let text = fs::read_to_string(page).unwrap();
    assert!(text.contains("\n    gradual-lab experiment table --data 'my file.csv'\n\n(version 0.1.0, commit 0123abc)\n"));
}
