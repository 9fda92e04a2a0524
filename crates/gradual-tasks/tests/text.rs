//! Runs on lines of text: they resume bit for bit, and say what their found groups hold.

use std::fs;
use std::path::Path;

use burn::optim::AdamConfig;
use burn::tensor::Device;
use gradual::grad::Metric;
use gradual::group::{HowMany, KMeans, Landmarks};
use gradual::loss::SumOfSquares;
use gradual::runs::files::{CURVES, GROUPS, MEMBERS};
use gradual::runs::{Digest, Done, Lines, MembersRecord, RunConfig, SCHEMA};
use gradual::train::{End, Interrupt, Keep, Objective, RunFolder, Trainer, TrainerConfig};
use gradual_tasks::{Decoder, Text, TextConfig, TextData, TextTokens};
use serde_json::json;

const STEPS: u64 = 120;

/// Two kinds of lines that have nothing in common.
fn lines() -> String {
    let line = |at: u32| match at % 3 {
        0 => format!("{{\"text\":\"count {} and {}\"}}\n", at, at + 1),
        _ => format!("{{\"text\":\"XYZ{}XYZ\"}}\n", "Q".repeat(at as usize % 7)),
    };
    (0..300).map(line).collect()
}

fn data() -> TextData {
    let config = TextConfig {
        context: 20,
        width: 8,
        heads: 2,
        layers: 1,
        hidden: 16,
        held_out: 20,
    };
    TextData::read(lines().as_bytes(), "lines", &TextTokens::Bytes, &config).unwrap()
}

/// Groups that have numbers of their own, and groups that are found anew in every draw.
fn objective(arm: &str) -> Objective {
    match arm {
        "landmarks" => {
            let landmarks = Landmarks::new(HowMany::Fixed(3), Metric::euclidean(), 1);
            Objective::new(landmarks.with_examples(60).unwrap(), SumOfSquares)
        }
        _ => Objective::new(KMeans::new(3, 1), SumOfSquares),
    }
}

fn run(path: &Path, arm: &str, until: Option<u64>) {
    let config = RunConfig {
        schema: SCHEMA,
        experiment: "text".into(),
        arm: arm.into(),
        seed: 0,
        steps: STEPS,
        draw: 16,
        backend: "flex".into(),
        task: json!({"sha256": data().sha256()}),
        recipe: json!({}),
        settings: json!({}),
    };
    let resumed = RunFolder::resume(path, &config, &json!({}), &[]).unwrap();
    let task = Text::new(&data(), 0);
    let interrupt = Interrupt::default();
    let asking = interrupt.clone();
    let settings = TrainerConfig {
        steps: STEPS,
        draw: 16,
        every: 20,
        ..TrainerConfig::default()
    };
    let optimizer = AdamConfig::new().init();
    let ended = Trainer::new(&task, objective(arm), optimizer, &Device::flex(), settings)
        .with_rate(5e-3)
        .observe(resumed.folder.with_checkpoints(7, Keep::default()))
        .watch(move |step, _: &Decoder| {
            if Some(step) == until {
                asking.ask();
            }
            Ok(())
        })
        .interrupted_by(&interrupt)
        .resume(resumed.snapshot)
        .run()
        .unwrap();
    assert_eq!(ended.end == End::Interrupted, until.is_some());
}

#[test]
fn a_run_that_was_interrupted_writes_the_same_bytes() {
    for arm in ["landmarks", "kmeans"] {
        let home = tempfile::tempdir().unwrap();
        let (whole, stopped) = (
            home.path().join("whole").join(arm),
            home.path().join("stopped").join(arm),
        );
        run(&whole, arm, None);
        for until in [3, 33, 61, 100] {
            run(&stopped, arm, Some(until));
        }
        run(&stopped, arm, None);
        for name in [CURVES, GROUPS, MEMBERS] {
            let [one, other] =
                [&whole, &stopped].map(|folder| fs::read(folder.join(name)).unwrap());
            assert!(one == other && !one.is_empty(), "{arm}: {name}");
        }
        let done = Done::read(&whole).unwrap().unwrap();
        assert!(done.journals.as_ref().unwrap().contains_key(MEMBERS));
        done.check_journals(&whole).unwrap();
        found_groups_are_told(arm, &whole);
    }
}

fn found_groups_are_told(arm: &str, folder: &Path) {
    let lines = Lines::<MembersRecord>::read(&folder.join(MEMBERS), true).unwrap();
    let records = lines.records;
    // The first groups, one after 25 times the four steps that a record costs, and the last.
    let steps: Vec<u64> = records.iter().map(|record| record.step).collect();
    assert_eq!(steps, [1, 120], "{arm}");
    for record in &records {
        assert_eq!(record.examples, 64);
        assert!((1..=3).contains(&record.groups), "{arm}");
        let sum: f64 = record.found.iter().map(|group| group.share).sum();
        assert!(sum > 0.9 && sum < 1.0 + 1e-9, "{arm}: {sum}");
        assert!(
            record
                .found
                .iter()
                .all(|group| group.capabilities.is_empty())
        );
    }
    // Trained gradients tell the two kinds apart, and fresh ones, of which landmarks are, need not.
    let last = records.last().unwrap();
    let trained = arm == "kmeans";
    for group in last.found.iter().filter(|_| trained) {
        let counts = group
            .nearest
            .iter()
            .filter(|line| line.starts_with("count"))
            .count();
        assert!(
            counts == 0 || counts == group.nearest.len(),
            "{arm}: {:?}",
            group.nearest
        );
        let different: std::collections::BTreeSet<&String> = group.nearest.iter().collect();
        assert_eq!(different.len(), group.nearest.len());
    }
}

/// A checkpoint from before there was this journal has none, and the run goes on.
#[test]
fn a_run_from_before_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("kmeans");
    run(&folder, "kmeans", Some(60));
    fs::remove_file(folder.join(MEMBERS)).unwrap();
    for entry in fs::read_dir(folder.join("checkpoints")).unwrap() {
        let checkpoint = entry.unwrap().path();
        fs::remove_file(checkpoint.join(MEMBERS)).unwrap();
        let file = checkpoint.join("manifest.json");
        let text = fs::read_to_string(&file).unwrap();
        let mut manifest: serde_json::Value =
            serde_json::from_str(text.lines().next().unwrap()).unwrap();
        manifest["files"].as_object_mut().unwrap().remove(MEMBERS);
        let line = manifest.to_string();
        let sum = Digest::of(line.as_bytes()).crc32;
        fs::write(&file, format!("{line}\n{sum:08x}\n")).unwrap();
    }
    run(&folder, "kmeans", None);
    let whole = home.path().join("whole").join("kmeans");
    run(&whole, "kmeans", None);
    let [one, other] = [&whole, &folder].map(|folder| fs::read(folder.join(CURVES)).unwrap());
    assert!(one == other);
    let last = Lines::<MembersRecord>::read(&folder.join(MEMBERS), true).unwrap();
    assert_eq!(last.records.last().unwrap().step, STEPS);
}
