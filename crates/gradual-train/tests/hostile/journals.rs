//! Journals that contradict what stands beside them, or that nobody could read.

use super::*;

/// Lines that are missing are put back from a checkpoint, or their loss is an error; it is never silent.
#[test]
fn lost_lines_are_not_lost_silently() {
    let cut = |path: &Path, lines: usize| {
        let text = fs::read_to_string(path).unwrap();
        fs::write(
            path,
            text.split_inclusive('\n').take(lines).collect::<String>(),
        )
        .unwrap();
    };
    for name in ["curves.jsonl", "groups.jsonl", "timing.jsonl", "seen.jsonl"] {
        // Of an unfinished run with its checkpoints.
        let home = Home::new();
        cut(&home.run().join(name), 1);
        let (damaged, mended) = run(&home.run(), None).unwrap();
        assert!(damaged.is_empty());
        assert!(
            mended.len() == 1 && mended[0].starts_with(name) && mended[0].contains("had lost"),
            "{mended:?}"
        );
        compare_with_whole(&home.run());

        // Of a finished one.
        let path = home.run();
        let whole = fs::read(path.join(name)).unwrap();
        cut(&path.join(name), 1);
        for result in [
            RunFolder::state(&path, &config()).map(drop),
            run(&path, None).map(drop),
        ] {
            let said = result.unwrap_err().to_string();
            assert!(
                said.contains(&format!("{name} is not what it was")) && said.contains("--fresh"),
                "{said}"
            );
        }
        fs::write(path.join(name), whole).unwrap();
        assert_eq!(
            RunFolder::state(&path, &config()).unwrap(),
            FolderState::Done
        );

        // A checkpoint that does not list it has lost it.
        let home = Home::new();
        for step in ["step-000000000012", "step-000000000008"] {
            forge(&home.run().join("checkpoints").join(step), |manifest| {
                manifest["files"].as_object_mut().unwrap().remove(name);
            });
        }
        match run(&home.run(), None) {
            Ok((damaged, _)) => assert_eq!(damaged.len(), 2, "{damaged:?}"),
            Err(error) => {
                let said = error.to_string();
                assert!(said.contains(&format!("{name} is missing")), "{said}");
            }
        }
    }
    // Without any checkpoint: the journals say that the run had begun, whichever of them does.
    for emptied in [
        vec![],
        vec!["curves.jsonl"],
        vec!["curves.jsonl", "groups.jsonl"],
    ] {
        let home = Home::new();
        fs::remove_dir_all(home.run().join("checkpoints")).unwrap();
        for name in emptied {
            cut(&home.run().join(name), 0);
        }
        let said = run(&home.run(), None).unwrap_err().to_string();
        assert!(
            said.contains("the run has begun, but there is none"),
            "{said}"
        );
    }
    // A finished run is not run again because its checkpoints are gone.
    let home = Home::new();
    run(&home.run(), None).unwrap();
    fs::remove_dir_all(home.run().join("checkpoints")).unwrap();
    assert!(run(&home.run(), None).is_err());
}

/// A checkpoint whose journal contradicts it, under right checksums.
#[test]
fn journals_in_checkpoints_are_read_before_they_are_put_back() {
    let changes: [Change; 3] = [
        ("line 2", |text| {
            text.replacen("\"accuracy\":", "\"accuracy\":7", 2)
        }),
        ("line 3", |text| {
            let lines: Vec<&str> = text.lines().collect();
            [lines[0], lines[1], lines[1], ""].join("\n")
        }),
        ("after the checkpoint", |text| {
            text.replace("\"step\":10,", "\"step\":19,")
        }),
    ];
    for (reason, change) in changes {
        let home = Home::new();
        let checkpoint = home.run().join("checkpoints").join(LAST);
        let file = checkpoint.join("curves.jsonl");
        let text = fs::read_to_string(&file).unwrap();
        let mut changed = change(&text);
        if reason == "line 2" {
            let (first, rest) = text.split_once('\n').unwrap();
            changed = format!(
                "{first}\n{}",
                rest.replacen("\"accuracy\":", "\"accuracy\":7", 1)
            );
        }
        assert_ne!(text, changed);
        fs::write(&file, &changed).unwrap();
        forge(&checkpoint, |manifest| {
            manifest["files"]["curves.jsonl"] = json!({
                "bytes": changed.len(), "crc32": crc32fast::hash(changed.as_bytes()),
            });
        });
        let (damaged, _) = run(&home.run(), None).unwrap();
        assert!(damaged[0].contains(reason), "{reason}: {damaged:?}");
        compare_with_whole(&home.run());
    }
}

/// A journal has a name that no other file can have, and it is named when the run starts.
#[test]
fn journals_are_declared() {
    let home = tempfile::tempdir().unwrap();
    for name in [
        "",
        "a",
        ".jsonl",
        "../a.jsonl",
        "/a.jsonl",
        "a/b.jsonl",
        "curves.jsonl",
        "Curves.jsonl",
        "config.json",
        "DONE",
        "a\0.jsonl",
        "a b.jsonl",
    ] {
        let made = RunFolder::create(&home.path().join("run"), &config(), &json!({}), &[name]);
        assert!(
            matches!(made, Err(TrainError::Runs(RunsError::Journal { .. }))),
            "{name:?}"
        );
    }
    let twice = RunFolder::resume(
        &home.path().join("run"),
        &config(),
        &json!({}),
        &["a.jsonl", "A.jsonl"],
    );
    assert!(matches!(
        twice,
        Err(TrainError::Runs(RunsError::Journal { .. }))
    ));
    assert!(!home.path().join("run").exists());
    let folder = RunFolder::create(
        &home.path().join("run"),
        &config(),
        &json!({}),
        &["a.jsonl"],
    )
    .unwrap();
    folder.journal("a.jsonl").unwrap();
    for name in ["b.jsonl", "../a.jsonl", "config.json"] {
        assert!(
            matches!(folder.journal(name), Err(RunsError::Undeclared { .. })),
            "{name}"
        );
    }
}

/// What could not be read again is not written: a task that scores beyond its range, or changes what chance is.
#[test]
fn what_nobody_could_read_is_not_written() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("run");
    let mut folder = RunFolder::create(&path, &config(), &json!({}), &[]).unwrap();
    let line = |step: u64, accuracy: f64, chance: f64| {
        let capability = json!({"accuracy": accuracy, "loss": 1, "chance": chance, "frequency": 1});
        let line = json!({
            "schema": 1, "step": step, "examples": step, "train_loss": 1, "capabilities": {"a": capability},
        });
        Evaluation::from_line(&line.to_string()).unwrap()
    };
    assert!(
        folder
            .evaluated(&line(0, 0.5, 0.5), 0.0)
            .unwrap()
            .is_continue()
    );
    for (evaluation, said) in [
        (
            line(1, 7.5, 0.5),
            "capabilities.a.accuracy is 7.5, expected 0 to 1",
        ),
        (
            line(1, 0.5, 0.25),
            "capabilities.a.chance is 0.25, expected the 0.5 before it",
        ),
        (
            line(0, 0.5, 0.5),
            "step is 0, expected more than the 0 before it",
        ),
    ] {
        let error = folder.evaluated(&evaluation, 1.0).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    assert!(
        folder
            .evaluated(&line(1, 0.5, 0.5), 1.0)
            .unwrap()
            .is_continue()
    );
    folder.ended(&End::Completed).unwrap();
    drop(folder);
    let curves = fs::read_to_string(path.join("curves.jsonl")).unwrap();
    assert_eq!(curves.lines().count(), 2);
    assert_eq!(
        RunFolder::state(&path, &config()).unwrap(),
        FolderState::Done
    );
}
