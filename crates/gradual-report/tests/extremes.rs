//! Journals of extreme numbers have a report or a clear refusal.

use std::fs;
use std::path::Path;

use crate::common::{Arm, Fixture, run_folder, write};
use gradual_report::{Report, report};
use serde_json::{Value, json};
use tempfile::tempdir;

fn small() -> Fixture {
    let arm = |name| Arm::new(name, 100.0, 5.0, 0.4, true);
    Fixture {
        arms: vec![arm("erm"), arm("singular-vectors")],
        capabilities: 3,
        seeds: 2,
        evaluations: 5,
        ..Fixture::default()
    }
}

/// Changes every line of a journal of every run.
fn change(dir: &Path, journal: &str, change: &dyn Fn(usize, &mut Value)) {
    for arm in ["erm", "singular-vectors"] {
        for seed in 0..2 {
            let path = run_folder(dir, arm, seed).join(journal);
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.lines().enumerate().map(|(at, line)| {
                let mut record = serde_json::from_str(line).unwrap();
                change(at + seed as usize, &mut record);
                record.to_string() + "\n"
            });
            write(&path, &lines.collect::<String>());
        }
    }
}

fn refused(journal: &str, expected: &[&str], odd: &dyn Fn(usize, &mut Value)) {
    let root = tempdir().unwrap();
    let dir = small().write(root.path());
    change(&dir, journal, odd);
    let message = gradual_runs::message(&report(&dir).unwrap_err());
    for part in expected.iter().chain([&journal]) {
        assert!(message.contains(part), "{part} in {message}");
    }
}

fn accepted(journal: &str, odd: &dyn Fn(usize, &mut Value)) {
    let root = tempdir().unwrap();
    let dir = small().write(root.path());
    change(&dir, journal, odd);
    let report = Report::new([&dir]).with_tensorboard(true);
    let page = report
        .write()
        .unwrap_or_else(|error| panic!("{}", gradual_runs::message(&error)));
    assert!(fs::metadata(&page).unwrap().len() < 5_000_000);
    for table in ["runs.csv", "metrics.csv"] {
        let table = fs::read_to_string(page.with_file_name("tables").join(table)).unwrap();
        let mut cells = table.lines().flat_map(|line| line.split(','));
        let odd = cells.find(|cell| matches!(*cell, "inf" | "-inf" | "NaN"));
        assert_eq!(odd, None, "{table}");
    }
}

#[test]
fn counts_of_groups_have_a_bound() {
    for (members, sizes) in [
        (
            json!([{"task-00": u64::MAX, "task-01": 1}, {}, {}]),
            json!([]),
        ),
        (
            json!([{"task-00": u64::MAX}, {"task-00": 1}, {}]),
            json!([]),
        ),
        (
            json!([{"task-00": 1_u64 << 53}, {"task-00": 1}, {}]),
            json!([]),
        ),
        (json!([]), json!([u64::MAX, 1, 2])),
        (json!([]), json!([1_u64 << 53, 1, 2])),
        (
            json!([{"task-00": 3, "task-01": 3}, {}, {}]),
            json!([5, 1, 1]),
        ),
    ] {
        refused(
            "groups.jsonl",
            &["line 1 of", "erm/seed-0", "expected at most"],
            &|_, one| {
                one["members"] = members.clone();
                one["sizes"] = sizes.clone();
            },
        );
    }
    accepted("groups.jsonl", &|_, one| {
        one["members"] =
            json!([{"task-00": 1_u64 << 52, "task-01": (1_u64 << 52) - 9}, {"task-02": 9}, {}]);
        one["sizes"] = json!([(1_u64 << 53) - 9, 9, 0]);
    });
    for entry in ["births", "deaths"] {
        refused("groups.jsonl", &[entry], &|_, one| {
            one["churn"][entry] = u64::MAX.into()
        });
    }
    refused("groups.jsonl", &["estimates.many"], &|_, one| {
        one["estimates"] = json!({"many": u64::MAX})
    });
}

#[test]
fn no_journal_goes_beyond_the_last_step() {
    for journal in ["groups.jsonl", "timing.jsonl", "curves.jsonl"] {
        refused(journal, &["4001", "4000"], &|_, one| {
            if one["step"] == 4000 {
                one["step"] = 4001.into();
            }
        });
    }
}

#[test]
fn losses_of_every_size() {
    let numbers = [
        0.0,
        5e-324,
        -5e-324,
        1e-310,
        1e-150,
        0.1 + 0.2,
        1.0,
        1e15,
        1e17,
        -1e17,
        1e150,
        -1e150,
    ];
    let set = |one: &mut Value, loss: f64| {
        one["train_loss"] = loss.into();
        for (_, capability) in one["capabilities"].as_object_mut().unwrap() {
            capability["loss"] = loss.into();
        }
    };
    for number in numbers {
        accepted("curves.jsonl", &|_, one| set(one, number));
        // Constant up to one unit in the last place, and from one sign to the other.
        let (down, up) = (number.next_down(), number.next_up());
        let near = if up.abs() <= 1e150 { up } else { down };
        accepted("curves.jsonl", &|at, one| {
            set(one, if at % 2 == 0 { near } else { number })
        });
        accepted("curves.jsonl", &|at, one| {
            set(one, if at % 2 == 0 { -number } else { number })
        });
    }
}

#[test]
fn times_and_spectra_of_every_size() {
    for number in [0.0, 5e-324, 1e-310, 1e-30, 1e17, 1e150] {
        accepted("timing.jsonl", &|_, one| one["seconds"] = number.into());
        accepted("timing.jsonl", &|at, one| {
            one["seconds"] = (number / 32.0 * at as f64).into()
        });
        accepted("curves.jsonl", &|_, one| one["compute"] = number.into());
        accepted("groups.jsonl", &|_, one| {
            one["spectrum"] = json!([number, number, 0.0])
        });
        accepted("groups.jsonl", &|at, one| {
            one["spectrum"] = json!([1e150, number, at])
        });
    }
}

#[test]
fn accuracies_and_frequencies_at_their_ends() {
    for (accuracy, chance) in [
        (0.0, 0.0),
        (1.0, 1.0_f64.next_down()),
        (5e-324, 5e-324),
        (0.0, 1.0_f64.next_down()),
    ] {
        for frequency in [0.0, 5e-324, 1.0] {
            accepted("curves.jsonl", &|at, one| {
                for (_, capability) in one["capabilities"].as_object_mut().unwrap() {
                    capability["accuracy"] = if at % 2 == 0 { accuracy } else { 1.0 }.into();
                    capability["chance"] = chance.into();
                    capability["frequency"] = frequency.into();
                    capability["probability"] = if at % 2 == 0 { 1.0 } else { accuracy }.into();
                }
            });
        }
    }
    accepted("groups.jsonl", &|_, one| {
        one["shares"] = json!({"task-00": 5e-324, "task-01": 0.0, "task-02": 1.0});
        one["recovery"] = (-1.0).into();
        one["negative"] = 5e-324.into();
        one["churn"] =
            json!({"births": 1_u64 << 53, "deaths": 0, "changed": 5e-324, "adjusted_rand": -1.0});
        one["identities"] = json!([u64::MAX, 0, u64::MAX]);
        one["estimates"] = json!({"one": 0, "other": 1_u64 << 53});
    });
    let most = 1_u64 << 53;
    accepted("curves.jsonl", &|_, one| one["examples"] = most.into());
}
