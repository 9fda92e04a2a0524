//! The study of one's own in `examples`, run as a library and as a program.

#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::missing_docs_in_private_items
)]
#[path = "../../../examples/study.rs"]
mod example;

#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::missing_docs_in_private_items
)]
#[path = "../../../examples/convnet.rs"]
mod convnet;

#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
#[path = "../../../examples/own_grouping.rs"]
mod own_grouping;

use std::fs;

use gradual::prelude::SumOfSquares;
use gradual::train::Objective;
use gradual_lab::Arm;
use own_grouping::HardAndEasy;

/// A grouping that no crate here knows is an arm beside the others, and its settings are part of its configuration.
#[test]
fn a_grouping_of_ones_own_is_an_arm() {
    let home = tempfile::tempdir().unwrap();
    let study = |settings: serde_json::Value| {
        let arm = Arm::own(
            "hard",
            "hard and easy examples apart",
            settings,
            |labels, _seed| Ok(Objective::new(HardAndEasy::new(labels), SumOfSquares)),
        );
        let study = example::study().arm(arm.as_control_for("a test"));
        let study = study.reference("hard");
        study.out(home.path()).seeds(1).steps(10).draw(16)
    };
    let page = study(serde_json::json!({ "version": 1 })).run().unwrap();
    assert!(
        fs::read_to_string(page)
            .unwrap()
            .contains("hard and easy examples apart")
    );
    let record = fs::read_to_string(home.path().join("waves/experiment.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["reference"], "hard");
    let config = fs::read_to_string(home.path().join("waves/hard/seed-0/config.json")).unwrap();
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["recipe"]["own"]["version"], 1);
    assert_eq!(
        config["recipe"].get("grouping"),
        None,
        "the recipe's own is not used"
    );
    let error = study(serde_json::json!({ "version": 2 }))
        .run()
        .unwrap_err();
    assert!(
        format!("{error:#}").contains("recipe.own.version"),
        "{error:#}"
    );
}

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
    assert!(said(example::study().reference("nobody")).contains("reference"));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

/// The model of the page on models of one's own learns both questions, and its report is written.
#[test]
fn a_convolutional_net_of_ones_own() {
    let home = tempfile::tempdir().unwrap();
    let study = convnet::study().out(home.path());
    let page = study.seeds(1).steps(300).draw(64).run().unwrap();
    assert!(fs::read_to_string(page).unwrap().contains("direction"));
    let curves = fs::read_to_string(home.path().join("bars/grouped/seed-0/curves.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(curves.lines().last().unwrap()).unwrap();
    for question in ["direction", "half"] {
        let accuracy = last["capabilities"][question]["accuracy"].as_f64().unwrap();
        assert!(accuracy > 0.8, "{question}: {accuracy}");
    }
}
