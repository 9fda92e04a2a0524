//! The JSON Schemas say what the records are: what is written fits them, and what they refuse is refused by the reader.

#[path = "common/page.rs"]
mod run_folder_page;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::common::{config, evaluation, experiment, grouping, write_experiment};
use gradual_runs::{
    Done, Evaluation, ExperimentFolder, ExperimentRecord, GroupMembers, GroupingRecord, LookRecord,
    LooksRecord, MembersRecord, Record, RunConfig, SCHEMA, Timing,
};
use jsonschema::Validator;
use run_folder_page::{blocks, page, run_python};
use serde_json::{Value, json};

/// The schema of a kind of record.
fn schema(kind: &str) -> Validator {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{kind}.schema.json"));
    let text = fs::read_to_string(file).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    jsonschema::draft202012::new(&schema).unwrap()
}

fn fits(kind: &str, text: &str) {
    let value: Value = serde_json::from_str(text).unwrap();
    if let Err(error) = schema(kind).validate(&value) {
        panic!("{kind}: {error} at {}: {text}", error.instance_path);
    }
}

/// Every file of a folder against its schema; how many records there were.
fn folder_fits(folder: &Path) -> usize {
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    fits("experiment", &read(&folder.join("experiment.json")));
    let mut records = 1;
    for run in ExperimentFolder::read(folder).unwrap().runs {
        fits("config", &read(&run.folder.join("config.json")));
        let done = read(&run.folder.join("DONE"));
        if !done.trim().is_empty() {
            fits("done", &done);
        }
        for (journal, kind) in [
            ("curves.jsonl", "evaluation"),
            ("groups.jsonl", "grouping"),
            ("members.jsonl", "members"),
            ("looks.jsonl", "looks"),
            ("timing.jsonl", "timing"),
        ] {
            for line in read(&run.folder.join(journal)).lines() {
                fits(kind, line);
                records += 1;
            }
        }
    }
    records
}

#[test]
fn what_is_written_fits() {
    let home = tempfile::tempdir().unwrap();
    assert!(folder_fits(&write_experiment(home.path())) > 60);
    for metric in gradual_measure::Metric::ALL {
        let mut record = serde_json::to_value(experiment()).unwrap();
        record["claims"] = json!([{
            "statement": "", "source": "", "arm": "grouped", "metric": metric, "direction": "higher", "smallest_effect": 2
        }]);
        fits("experiment", &record.to_string());
        ExperimentRecord::from_line(&record.to_string()).unwrap();
    }
}

/// Claims of an experiment: one that is sound but for this entry.
fn claim(entry: &str, value: Value) -> Value {
    let mut claim = json!({
        "statement": "", "source": "", "arm": "grouped", "metric": "spread", "direction": "lower", "smallest_effect": 0.8
    });
    claim[entry] = value;
    json!([claim])
}

/// A change of a record: a pointer, and what is put there; nothing to remove it.
type Change = (&'static str, Option<Value>);

/// The schema and the reader both refuse each change, and take the record as it was.
fn both_refuse<R: Record>(kind: &str, record: &R, changes: &[Change]) {
    let schema = schema(kind);
    let sound = serde_json::to_value(record).unwrap();
    assert!(schema.is_valid(&sound), "{kind}");
    let read =
        |value: &Value| R::from_line(&value.to_string()).and_then(|record| record.check(None));
    read(&sound).unwrap();
    for (pointer, put) in changes {
        let mut changed = sound.clone();
        let (above, key) = pointer.rsplit_once('/').unwrap();
        let above = changed.pointer_mut(above).unwrap();
        match (put, above) {
            (None, Value::Object(map)) => assert!(map.remove(key).is_some(), "{pointer}"),
            (Some(put), Value::Object(map)) => drop(map.insert(key.to_owned(), put.clone())),
            (Some(put), Value::Array(list)) => list[key.parse::<usize>().unwrap()] = put.clone(),
            _ => panic!("{pointer}"),
        }
        assert!(
            !schema.is_valid(&changed),
            "the schema of {kind} takes {pointer} = {put:?}"
        );
        assert!(
            read(&changed).is_err(),
            "the reader of {kind} takes {pointer} = {put:?}"
        );
    }
}

#[test]
fn what_the_schema_refuses_the_reader_refuses() {
    let half = || Some(json!(1.5));
    let text = || Some(json!("no number"));
    let members = MembersRecord {
        schema: SCHEMA,
        step: 10,
        examples: 8,
        groups: 1,
        found: vec![GroupMembers {
            group: 3,
            share: 0.5,
            loss: 0.25,
            capabilities: BTreeMap::from([(String::from("add"), 4)]),
            nearest: vec![String::from("1+1=2")],
        }],
    };
    both_refuse::<MembersRecord>(
        "members",
        &members,
        &[
            ("/schema", Some(json!(2))),
            ("/step", None),
            ("/examples", half()),
            ("/groups", Some(json!(-1))),
            ("/found", None),
            ("/found/0/group", text()),
            ("/found/0/share", Some(json!(1.5))),
            ("/found/0/loss", Some(json!(1e200))),
            ("/found/0/capabilities/add", half()),
            ("/found/0/nearest", Some(json!(vec![""; 9]))),
            ("/found/0/nearest/0", Some(json!("x".repeat(201)))),
        ],
    );
    both_refuse::<Evaluation>(
        "evaluation",
        &evaluation(10, 0),
        &[
            ("/schema", Some(json!(2))),
            ("/schema", None),
            ("/step", None),
            ("/step", Some(json!(-1))),
            ("/step", half()),
            ("/examples", text()),
            ("/examples", None),
            ("/train_loss", None),
            ("/train_loss", Some(json!(1e200))),
            ("/train_loss", Some(Value::Null)),
            ("/compute", Some(json!(-1.0))),
            ("/capabilities", None),
            ("/capabilities", Some(json!([]))),
            ("/capabilities/add/accuracy", Some(json!(87))),
            ("/capabilities/add/accuracy", None),
            ("/capabilities/add/parts", Some(json!("copy"))),
            ("/capabilities/add/parts", Some(json!([1]))),
            ("/capabilities/add/parts", Some(json!(["copy", "copy"]))),
            ("/capabilities/add/loss", None),
            ("/capabilities/add/loss", Some(Value::Null)),
            ("/capabilities/add/chance", Some(json!(1))),
            ("/capabilities/add/chance", None),
            ("/capabilities/add/frequency", Some(json!(-0.1))),
            ("/capabilities/add/frequency", None),
            ("/capabilities/add/probability", half()),
            ("/capabilities/add/progress", Some(json!(-1))),
        ],
    );
    both_refuse::<RunConfig>(
        "config",
        &config("erm", 0),
        &[
            ("/schema", Some(json!(0))),
            ("/experiment", None),
            ("/arm", None),
            ("/arm", Some(json!(3))),
            ("/seed", None),
            ("/seed", Some(json!(-1))),
            ("/steps", None),
            ("/steps", text()),
            ("/draw", Some(json!(-2))),
            ("/backend", Some(json!(1))),
        ],
    );
    both_refuse::<ExperimentRecord>(
        "experiment",
        &experiment(),
        &[
            ("/schema", Some(json!("1"))),
            ("/name", None),
            ("/baseline", None),
            ("/arms", text()),
            ("/arms/0", Some(json!({"about": "no name"}))),
            ("/arms/0/series", Some(json!({"name": "power"}))),
            ("/arms/0/series", Some(json!({"at": 4}))),
            ("/arms/0/series", Some(json!({"name": "power", "at": 0}))),
            ("/arms/0/series", Some(json!({"name": "power", "at": "4"}))),
            ("/claims", Some(json!([{"arm": "erm"}]))),
            ("/claims", Some(claim("smallest_effect", json!(0)))),
            ("/claims", Some(claim("smallest_effect", json!(-0.8)))),
            ("/claims", Some(claim("smallest_effect", json!("0.8")))),
            ("/claims", Some(claim("against", json!(0)))),
            ("/claims", Some(claim("against", json!(-1e300)))),
            ("/claims", Some(claim("against", json!([1])))),
            ("/commands", Some(json!([1]))),
        ],
    );
    both_refuse::<GroupingRecord>(
        "grouping",
        &grouping(10),
        &[
            ("/groups", None),
            ("/step", Some(json!(-1))),
            ("/sizes/0", half()),
            ("/members/0", Some(json!({"add": -1}))),
            ("/shares/add", Some(json!(2))),
            ("/negative", Some(json!(2))),
            ("/spectrum/0", text()),
            ("/recovery", Some(json!(-2))),
            ("/churn/changed", Some(json!(7))),
            ("/churn/births", None),
        ],
    );
    let look = |stability, explained, recovery| LookRecord {
        layer: String::from("layers.0.weight"),
        metric: String::from("whitened"),
        groups: 4,
        stability,
        explained,
        recovery,
    };
    let looks = LooksRecord {
        schema: SCHEMA,
        step: 50,
        examples: 400,
        looks: vec![
            look(Some(0.9), Some(0.3), Some(0.8)),
            look(None, None, None),
        ],
        chosen: Some(0),
        held: Some(0.2),
        taken: true,
    };
    both_refuse::<LooksRecord>(
        "looks",
        &looks,
        &[
            ("/schema", Some(json!(2))),
            ("/step", None),
            ("/examples", half()),
            ("/looks", None),
            ("/looks/0/layer", None),
            ("/looks/0/groups", Some(json!(-1))),
            ("/looks/0/stability", Some(json!(1.5))),
            ("/looks/0/explained", Some(json!(1.5))),
            ("/looks/0/recovery", Some(json!(-2))),
            ("/chosen", half()),
            ("/held", Some(json!(1.5))),
            ("/taken", Some(json!(1))),
        ],
    );
    let without = LooksRecord {
        chosen: Some(1),
        ..looks.clone()
    };
    let said = without.check(None).unwrap_err().to_string();
    assert!(
        said.contains("chosen") && said.contains("a look that has a stability"),
        "{said}"
    );
    assert!(looks.check(Some(&looks)).is_err(), "steps increase");
    let timing = Timing {
        schema: SCHEMA,
        step: 5,
        seconds: 0.5,
        peak_memory: Some(3 << 20),
    };
    both_refuse::<Timing>(
        "timing",
        &timing,
        &[
            ("/seconds", Some(json!(-1))),
            ("/peak_memory", Some(json!(-1))),
            ("/peak_memory", Some(json!(1_u64 << 60))),
            ("/seconds", None),
            ("/step", None),
        ],
    );
    let done = schema("done");
    for (text, sound) in [
        (json!({}), true),
        (
            json!({"end": "stopped", "reason": "nothing more to learn"}),
            true,
        ),
        (json!({"end": "given up"}), false),
        (json!({"journals": {"curves.jsonl": {"bytes": 1}}}), false),
        (json!({"skipped_steps": -1}), false),
    ] {
        assert_eq!(done.is_valid(&text), sound, "{text}");
        assert_eq!(
            serde_json::from_value::<Done>(text.clone()).is_ok(),
            sound,
            "{text}"
        );
    }
}

/// Pointers to all entries that a schema names, in a record that has one of each list and map.
fn entries(schema: &Value, record: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{at}/{name}");
        found.extend(entries(below, &record[name], &at));
        found.push(at);
    }
    let each = record.as_object().and_then(|map| map.iter().next());
    if let (Value::Object(_), Some((name, record))) = (&schema["additionalProperties"], each) {
        let at = format!("{at}/{name}");
        found.extend(entries(&schema["additionalProperties"], record, &at));
    }
    if let (Value::Object(_), Some(record)) = (&schema["items"], record.get(0)) {
        found.extend(entries(&schema["items"], record, &format!("{at}/0")));
    }
    found
}

/// Puts null into the place of each entry that the schema names: the schema and the reader agree on each.
fn agree_on_null<R: Record>(kind: &str, record: &R, least: usize) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{kind}.schema.json"));
    let plain: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let schema = schema(kind);
    let sound = serde_json::to_value(record).unwrap();
    let entries = entries(&plain, &sound, "");
    assert!(entries.len() >= least, "{kind}: {entries:?}");
    for entry in entries {
        let mut changed = sound.clone();
        let (above, key) = entry.rsplit_once('/').unwrap();
        changed.pointer_mut(above).unwrap()[key] = Value::Null;
        let read = R::from_line(&changed.to_string()).and_then(|record| record.check(None));
        assert_eq!(schema.is_valid(&changed), read.is_ok(), "{kind}: {entry}");
    }
}

#[test]
fn schemas_and_readers_agree_on_null() {
    agree_on_null("evaluation", &evaluation(10, 0), 17);
    agree_on_null("config", &config("erm", 0), 10);
    agree_on_null("grouping", &grouping(10), 16);
    let mut record = serde_json::to_value(experiment()).unwrap();
    record["claims"] = claim("against", json!("erm"));
    record["commands"] = json!([{"command": "true"}]);
    record["arms"][0]["series"] = json!({"name": "power", "at": 2});
    let record = ExperimentRecord::from_line(&record.to_string()).unwrap();
    agree_on_null("experiment", &record, 24);
}

/// The writer of docs/run-folder.md.
#[test]
fn what_the_python_of_the_page_writes_fits() {
    let page = page();
    let python = blocks(&page, "python");
    assert_eq!(python.len(), 2);
    assert!(python[0].lines().filter(|line| !line.is_empty()).count() <= 20);
    let home = tempfile::tempdir().unwrap();
    if !run_python(&page, home.path()) {
        return;
    }
    let folder = home.path().join("runs/mine");
    assert_eq!(folder_fits(&folder), 1 + 2 * 5 * 21);
    let read = ExperimentFolder::read(&folder).unwrap();
    assert!(
        read.runs
            .iter()
            .all(|run| run.finished() && run.config.draw == 0)
    );
    assert_eq!(read.notes, [""; 0], "the journals are proved");
}
