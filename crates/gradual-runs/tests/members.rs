//! Records of what found groups hold.

use std::collections::BTreeMap;
use std::fs;

use gradual_runs::files::{MEMBERS, NAMES};
use gradual_runs::{GroupMembers, GroupNames, Lines, MembersRecord, Record, SCHEMA};

fn group(group: u64, share: f64) -> GroupMembers {
    GroupMembers {
        group,
        share,
        loss: 0.5,
        capabilities: BTreeMap::from([(String::from("a"), 3)]),
        nearest: vec![String::from("one\n\"two\" \u{1b}[2J"), String::from("三")],
    }
}

fn record() -> MembersRecord {
    MembersRecord {
        schema: SCHEMA,
        step: 10,
        examples: 8,
        groups: 2,
        found: vec![group(4, 0.5), group(1, 0.25)],
    }
}

#[test]
fn a_record_is_read_back_as_it_was() {
    let line = record().to_line().unwrap();
    assert!(!line.contains('\n') && !line.contains('\u{1b}'), "{line}");
    assert_eq!(MembersRecord::from_line(&line).unwrap(), record());
}

#[test]
fn a_record_that_contradicts_itself_is_refused_by_its_entry() {
    type Change = dyn Fn(&mut MembersRecord);
    let refused = |change: &Change| {
        let mut changed = record();
        change(&mut changed);
        changed.check(None).unwrap_err().to_string()
    };
    let cases: [(&str, &Change); 9] = [
        ("found", &|record| record.groups = 1),
        ("found[1].group", &|record| record.found[1].group = 4),
        ("found[0].share", &|record| record.found[0].share = 1.5),
        ("the sum of shares", &|record| record.found[1].share = 0.6),
        ("found[1].loss", &|record| record.found[1].loss = 1e200),
        ("found[0].capabilities.a", &|record| record.examples = 2),
        ("found[0].nearest", &|record| {
            record.found[0].nearest = vec![String::new(); 9];
        }),
        ("found[0].nearest", &|record| {
            record.found[0].nearest = vec!["x".repeat(201)];
        }),
        ("step", &|record| record.step = 1 << 60),
    ];
    for (entry, change) in cases {
        let said = refused(change);
        assert!(said.contains(entry), "{entry}: {said}");
    }
    let many = MembersRecord {
        groups: 65,
        found: (0..65).map(|number| group(number, 0.0)).collect(),
        ..record()
    };
    assert!(many.check(None).is_err());
    assert!(record().check(Some(&record())).is_err(), "steps increase");
}

#[test]
fn a_journal_names_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(MEMBERS);
    let line = record().to_line().unwrap();
    fs::write(&path, format!("{line}\n{line}\n")).unwrap();
    let said = Lines::<MembersRecord>::read(&path, true).unwrap_err();
    assert!(said.to_string().contains("line 2"), "{said}");
}

#[test]
fn names_come_from_the_folder_of_the_experiment() {
    let folder = tempfile::tempdir().unwrap();
    let read = || GroupNames::read(folder.path(), ["found"].into_iter());
    assert_eq!(read().unwrap(), GroupNames::default());
    let path = folder.path().join(NAMES);
    fs::write(&path, "[found.seed-3]\n1 = \"fonts\"\n").unwrap();
    assert_eq!(read().unwrap().of("found", 3, 1), Some("fonts"));
    fs::write(&path, "[found.seed-3]\n1 = \"fonts\"\n\n[other.seed-3]\n").unwrap();
    let said = read().unwrap_err().to_string();
    assert!(
        said.contains("names.toml, line 4: \"other\" is none of the arms found"),
        "{said}"
    );
    fs::write(&path, b"\xff").unwrap();
    assert!(read().unwrap_err().to_string().contains("UTF-8"));
}
