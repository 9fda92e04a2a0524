//! The study of one's own in `examples`, run as a library and as a program.

#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::missing_docs_in_private_items
)]
#[path = "../../../examples/study.rs"]
mod example;

use std::fs;

#[test]
fn a_study_of_ones_own_ends_with_a_report_and_resumes() {
    let home = tempfile::tempdir().unwrap();
    let study = || {
        example::study()
            .out(home.path())
            .seeds(2)
            .steps(20)
            .draw(16)
    };
    let page = study().run().unwrap();
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("<svg") && html.contains("Fast waves keep up with slow ones."));
    let folder = home.path().join("waves");
    let config = fs::read_to_string(folder.join("grouped/seed-1/config.json")).unwrap();
    assert!(
        config.contains("labels") && config.contains("squares"),
        "{config}"
    );
    let timing = || fs::read_to_string(folder.join("whitened/seed-0/timing.jsonl")).unwrap();
    let before = timing();
    study().run().unwrap();
    assert_eq!(timing(), before, "finished runs are kept");
    let error = study().steps(21).run().unwrap_err();
    assert!(format!("{error:#}").contains("steps"), "{error:#}");
}

#[test]
fn a_study_that_makes_no_sense_is_refused_before_it_runs() {
    let home = tempfile::tempdir().unwrap();
    let said = |lab: gradual_lab::Lab| format!("{:#}", lab.out(home.path()).run().unwrap_err());
    assert!(said(gradual_lab::Lab::new("empty").arms(["erm"])).contains("has no task"));
    assert!(said(example::study().arms(["groped"])).contains("did you mean 'grouped'?"));
    assert!(said(example::study().seeds(0)).contains("seeds = 0"));
    assert!(said(example::study().rate(-1.0)).contains("a number > 0"));
    assert!(said(example::study().baseline("nobody")).contains("baseline"));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}
