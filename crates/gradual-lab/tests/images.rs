//! Images come from folders and IDX files, are read once, and are known by what is in them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::common::{lab, refused, run};
use image::{GrayImage, Luma, RgbImage};
use serde_json::Value;

/// How many images there are.
const IMAGES: u32 = 240;

/// The brightness of a pixel of image `at`, 8 pixels a side: a bar that lies, stands or leans, as its class says, with
/// noise. Images of the rare group are dark on bright.
fn pixel(at: u32, x: u32, y: u32) -> u8 {
    let shift = at / 3 % 3;
    let is_bar = match class(at) {
        0 => y == 2 + shift,
        1 => x == 2 + shift,
        _ => x == (y + shift) % 8,
    };
    let noise = (at * 31 + x * 17 + y * 13) * 7_919 % 61;
    let value = if is_bar { 190 } else { 20 } + noise;
    if is_rare(at) {
        255 - value as u8
    } else {
        value as u8
    }
}

fn class(at: u32) -> usize {
    (at % 3) as usize
}

fn is_rare(at: u32) -> bool {
    at / 9 % 6 == 5
}

const CLASSES: [&str; 3] = ["lies", "stands", "leans"];

/// All images as DIR/class/group/file.
fn write_folder(folder: &Path) {
    for at in 0..IMAGES {
        let group = if is_rare(at) { "dark" } else { "bright" };
        let place = folder.join(CLASSES[class(at)]).join(group);
        fs::create_dir_all(&place).unwrap();
        let image = GrayImage::from_fn(8, 8, |x, y| Luma([pixel(at, x, y)]));
        image.save(place.join(format!("{at}.png"))).unwrap();
    }
}

/// All images and their labels as IDX files, as MNIST's are called.
fn write_idx(folder: &Path) -> String {
    let mut images = vec![0, 0, 8, 3];
    for length in [IMAGES, 8, 8] {
        images.extend(length.to_be_bytes());
    }
    for at in 0..IMAGES {
        images.extend((0..64).map(|place| pixel(at, place % 8, place / 8)));
    }
    let mut labels = vec![0, 0, 8, 1];
    labels.extend(IMAGES.to_be_bytes());
    labels.extend((0..IMAGES).map(|at| class(at) as u8));
    fs::write(folder.join("train-labels-idx1-ubyte"), labels).unwrap();
    let file = folder.join("train-images-idx3-ubyte");
    fs::write(&file, images).unwrap();
    file.display().to_string()
}

fn words(home: &Path, data: &str, more: &[&str]) -> Vec<String> {
    let mut words = vec![
        "images".to_owned(),
        format!("--out={}", home.join("runs").display()),
        format!("--data={data}"),
    ];
    let usual = ["--seeds=1", "--draw=16", "--filters=4", "--jobs=1"];
    words.extend(usual.iter().chain(more).map(|word| (*word).to_owned()));
    words
}

fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

fn curves(home: &Path, arm: &str) -> String {
    fs::read_to_string(home.join(format!("runs/images/{arm}/seed-0/curves.jsonl"))).unwrap()
}

fn task(home: &Path) -> Value {
    let path = home.join("runs/images/erm/seed-0/config.json");
    let config: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    config["task"].clone()
}

/// The accuracy of each capability at the last evaluation.
fn accuracies(curves: &str) -> Vec<(String, f64)> {
    let last: Value = serde_json::from_str(curves.lines().last().unwrap()).unwrap();
    let capabilities = last["capabilities"].as_object().unwrap();
    let accuracy =
        |(name, one): (&String, &Value)| (name.clone(), one["accuracy"].as_f64().unwrap());
    capabilities.iter().map(accuracy).collect()
}

#[test]
fn folders_of_classes_and_groups_are_learned() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("bars");
    write_folder(&folder);
    let data = folder.display().to_string();
    let flags = [
        "--group=folders",
        "--steps=150",
        "--arms=erm,grouped,kmeans",
    ];
    let arguments = words(home.path(), &data, &flags);
    let output = lab(&strs(&arguments));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let described = "240 grey images of 8 × 8 pixels, 3 classes, 2 groups";
    assert!(
        said.contains(&format!("note: {data}: {described}")),
        "{said}"
    );
    let config = task(home.path());
    assert_eq!(config["images"], described);
    assert_eq!(
        config["classes"],
        serde_json::json!(["leans", "lies", "stands"])
    );
    assert!(!config.to_string().contains("bars"), "{config}");
    let page = String::from_utf8(output.stdout).unwrap();
    let html = fs::read_to_string(page.trim()).unwrap();
    assert!(html.contains("group=dark") && html.contains(described));
    for arm in ["erm", "grouped", "kmeans"] {
        for (name, accuracy) in accuracies(&curves(home.path(), arm)) {
            assert!(
                accuracy > 0.7,
                "{arm}: {name} is learned, but its accuracy is {accuracy}"
            );
        }
    }

    // A file that changed is refused by the name of its digest.
    GrayImage::from_pixel(8, 8, Luma([1]))
        .save(folder.join("lies/dark/135.png"))
        .unwrap();
    let changed = refused(&strs(&arguments));
    assert!(changed.contains("task.sha256"), "{changed}");
    // One of another size by its path.
    RgbImage::new(9, 8)
        .save(folder.join("stands/bright/1.png"))
        .unwrap();
    let size = refused(&strs(&arguments));
    assert!(
        size.contains("bars/stands/bright/1.png: is an image of 9 × 8 pixels"),
        "{size}"
    );
    let other = tempfile::tempdir().unwrap();
    let resized = words(
        other.path(),
        &data,
        &[
            "--group=folders",
            "--size=12x10",
            "--channels=colour",
            "--steps=2",
            "--arms=erm",
        ],
    );
    run(&strs(&resized));
    let config = task(other.path());
    assert_eq!([&config["height"], &config["width"]], [10, 12]);
    assert_eq!(config["channels"], "colour");
}

/// The same images give the same curves, whether they come from IDX files or from a folder, but for their names.
#[test]
fn idx_files_are_learned_and_go_on_where_they_were_killed() {
    let home = tempfile::tempdir().unwrap();
    let data = write_idx(home.path());
    let flags = ["--steps=120", "--arms=erm,grouped", "--checkpoint-every=5"];
    run(&strs(&words(home.path(), &data, &flags)));
    let whole = ["erm", "grouped"].map(|arm| curves(home.path(), arm));
    for (name, accuracy) in accuracies(&whole[0]) {
        assert!(
            name.starts_with("class=") && accuracy > 0.7,
            "{name}: {accuracy}"
        );
    }

    let killed = tempfile::tempdir().unwrap();
    let arguments = words(killed.path(), &data, &flags);
    for life in [120, 250, 400, 600] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gradual-lab"));
        command.arg("experiment").args(&arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        sleep(Duration::from_millis(life));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    run(&strs(&arguments));
    assert_eq!(
        ["erm", "grouped"].map(|arm| curves(killed.path(), arm)),
        whole
    );

    // Groups by a CSV file, images by number.
    let groups = home.path().join("groups.csv");
    let rows =
        (0..IMAGES).map(|at| format!("{at};{}\n", ["bright", "dark"][usize::from(is_rare(at))]));
    fs::write(&groups, format!("file;group\n{}", rows.collect::<String>())).unwrap();
    let other = tempfile::tempdir().unwrap();
    let group = format!("--group={}", groups.display());
    run(&strs(&words(
        other.path(),
        &data,
        &[&group, "--steps=2", "--arms=erm"],
    )));
    let names: Vec<String> = accuracies(&curves(other.path(), "erm"))
        .into_iter()
        .map(|one| one.0)
        .collect();
    assert_eq!(names, ["group=bright", "group=dark"]);
}

/// The second command would read the runs of the first as a class.
#[test]
fn runs_among_the_data_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("bars");
    write_folder(&folder);
    let data = format!("--data={}", folder.display());
    for out in [folder.clone(), folder.join("new/runs")] {
        let out = format!("--out={}", out.display());
        let message = refused(&["images", &data, "--group=folders", &out]);
        assert!(
            message.contains("be read as data: give another --out"),
            "{message}"
        );
    }
    assert!(!folder.join("new").exists() && !folder.join("images").exists());
}

/// A folder is as little to be seen by a pod as a file.
#[test]
fn a_pod_sees_no_relative_folder_of_data() {
    let home = tempfile::tempdir().unwrap();
    write_folder(&home.path().join("pictures"));
    // Of the same name as an arm.
    fs::create_dir(home.path().join("erm")).unwrap();
    let job = |data: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_gradual-lab"))
            .current_dir(home.path())
            .args([
                "cluster",
                "kubernetes",
                "--image=a",
                "--claim=b",
                "--time=1",
                "--memory=9",
            ])
            .args(["images", "--out=/runs", "--arms", "erm", "--group=folders"])
            .args(data)
            .output()
            .unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    for data in [&["--data", "pictures"][..], &["--data=pictures"]] {
        let (done, said) = job(data);
        assert!(
            !done && said.contains("put the folder on the volume"),
            "{said}"
        );
    }
    let whole = format!("--data={}", home.path().join("pictures").display());
    let (done, said) = job(&[&whole]);
    assert!(done, "{said}");
}

#[test]
fn shapes_are_drawn_where_no_data_is_named() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    run(&["images", "--quick", "--steps=10", "--arms=erm", &out]);
    let text =
        fs::read_to_string(home.path().join("images-quick/erm/seed-0/curves.jsonl")).unwrap();
    let names: Vec<String> = accuracies(&text).into_iter().map(|one| one.0).collect();
    assert_eq!(names, ["group=bright", "group=dark", "group=noisy"]);
}

#[test]
fn what_is_wrong_is_said_before_a_folder_is_made() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().join("runs").display());
    for (flags, said) in [
        (
            &["--size=12"][..],
            "images: task.images.size goes with images of one's own",
        ),
        (&["--data=no/such"], "images: no/such: No such file"),
        (
            &["--data=.", "--size=4"],
            "task.images.size = 4, but it is a whole number from 8 to 1024",
        ),
        (&["--size=4by4"], "'4by4' is no size: 28 is a square"),
        (&["--filters=0"], "--filters"),
        (&["--channels=blue"], "grey, colour"),
        (
            &["--label=y"],
            "experiment images has no --label; it goes with experiments on the task table",
        ),
    ] {
        let mut arguments = vec!["images", out.as_str()];
        arguments.extend(flags);
        let message = refused(&arguments);
        assert!(message.contains(said), "{message}");
    }
    // Folders and IDX files are images without a word more.
    for data in ["--data=.", "--data=no/train-images-idx3-ubyte.gz"] {
        let message = refused(&[data, "--held-out=3", out.as_str()]);
        assert!(message.starts_with("error: images: "), "{message}");
    }
    let file = home.path().join("mine.toml");
    for (settings, quick, said) in [
        ("size = 2.5", "", "2.5 is no size"),
        ("held_out = \"all\"", "", "expected a whole number"),
        (
            "filters = 300",
            "",
            "task.images.filters = 300, but it is a whole number from 1 to 256",
        ),
        (
            "",
            "held_out = 0",
            "with --quick: task.images.held_out = 0, but it is",
        ),
    ] {
        let text = format!(
            "name = \"mine\"\narms = [\"erm\"]\n[task.images]\n{settings}\n[run]\nsteps = 2\n[quick.task.images]\n{quick}\n"
        );
        fs::write(&file, text).unwrap();
        let message = refused(&[file.to_str().unwrap(), &out]);
        assert!(message.contains(said), "{settings} {quick}: {message}");
    }
    assert!(!home.path().join("runs").exists());
}
