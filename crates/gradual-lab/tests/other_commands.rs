//! The commands of the program beside `experiment`: `bench`, `doctor` and `conformance`.

use std::fs;
use std::process::Command;

/// What a command that must succeed prints.
fn run(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradual-lab"));
    let output = command.args(arguments).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a command that must fail says.
fn refused(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradual-lab"));
    let output = command.args(arguments).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && !said.contains("panicked"),
        "{arguments:?}: {said}"
    );
    said
}

#[test]
fn a_step_is_timed_for_every_model() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    run(&["bench", "--draws=8", "--repetitions=1", &out]);
    let csv = fs::read_to_string(home.path().join("ratios.csv")).unwrap();
    assert_eq!(
        csv.lines().count(),
        1 + 3 * 9,
        "three models, nine methods: {csv}"
    );
    let timed = |line: &str| {
        line.split(',')
            .skip(4)
            .take(4)
            .all(|field| field.parse::<f64>().is_ok())
    };
    assert!(csv.lines().skip(1).all(timed), "{csv}");
}

/// `--quick` yields to what is given beside it.
#[test]
fn the_short_version_yields_to_other_flags() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let quick = ["bench", "--quick", "--models=mlp-8", "--repetitions=1"];
    run(&[&quick[..], &[&out]].concat());
    let draws = || {
        let csv = fs::read_to_string(home.path().join("ratios.csv")).unwrap();
        let lines = csv.lines().skip(1);
        let draws = lines.map(|line| line.split(',').nth(2).unwrap().to_owned());
        draws.collect::<std::collections::BTreeSet<_>>()
    };
    assert!(draws().iter().eq(["128", "64"]));
    run(&[&quick[..], &[&out, "--draws=4"]].concat());
    assert!(draws().iter().eq(["4"]));
}

/// With more memory more fits, and the limit is one that is kept to.
#[cfg(target_os = "linux")]
#[test]
fn the_largest_draw_is_found() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let largest = |gib: &str| -> Vec<usize> {
        run(&["bench", "--largest", gib, "--models=convnet", &out]);
        let csv = fs::read_to_string(home.path().join("largest/largest.csv")).unwrap();
        let lines: Vec<&str> = csv.lines().skip(1).collect();
        assert!(
            lines.iter().all(|line| line.ends_with("\"memory\"")),
            "{csv}"
        );
        let draw = |line: &&str| line.split(',').nth(3).unwrap().parse().unwrap();
        lines.iter().map(draw).collect()
    };
    let (little, more) = (largest("0.1"), largest("0.15"));
    assert_eq!((little.len(), more.len()), (5, 5));
    assert!(
        little.iter().zip(&more).all(|(little, more)| little < more),
        "{little:?} {more:?}"
    );
    // Of parts that are computed twice a step holds one, however many there are.
    assert!(more[4] > 3 * more[2], "{more:?}");
    assert!(refused(&["bench", "--largest=0"]).contains("from 0.05 to 1024"));
}

#[test]
fn the_growth_of_cost_is_drawn() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let sizes = ["--draws=4,8", "--widths=16,512", "--repetitions=1"];
    run(&[&["bench", "--scaling", &out], &sizes[..]].concat());
    let folder = home.path().join("scaling");
    let csv = fs::read_to_string(folder.join("scaling.csv")).unwrap();
    // Two draws and two widths, three methods.
    assert_eq!(csv.lines().count(), 1 + 4 * 3, "{csv}");
    for plot in ["time-n", "time-p", "memory-n", "memory-p"] {
        let svg = fs::read_to_string(folder.join(format!("{plot}.svg"))).unwrap();
        assert!(svg.contains("gradual, exact"), "{plot}");
    }
    let markdown = fs::read_to_string(folder.join("scaling.md")).unwrap();
    assert!(markdown.contains("GFLOP/s") && markdown.contains("| gradual exact |"));
}

/// Every backend that is compiled in computes what the reference computes, and its devices work.
#[test]
fn backends_conform() {
    let found = run(&["doctor"]);
    assert!(found.contains("flex:0   works"), "{found}");
    let home = tempfile::tempdir().unwrap();
    let page = home.path().join("conformance.md");
    let argument = format!("--page={}", page.display());
    let table = run(&["conformance", "--backend", "flex", &argument]);
    assert!(table.contains("| flex | f32 |"), "{table}");
    assert!(!table.contains("**"), "{table}");
    assert!(fs::read_to_string(&page).unwrap().contains(&table));
    // Whatever else has that name stays as it was, and is looked at before any work.
    for mine in [
        &b"precious notes\n"[..],
        b"# Conformance\n\nmine\n",
        b"\xff\xfe",
    ] {
        fs::write(&page, mine).unwrap();
        let said = refused(&["conformance", "--backend", "flex", &argument]);
        assert!(
            said.contains("is no page that this command wrote"),
            "{said}"
        );
        assert_eq!(fs::read(&page).unwrap(), mine);
    }
}

/// What no machine has.
#[test]
fn sizes_of_benchmarks_have_bounds() {
    for (flag, said) in [
        ("--draws=100000000", "1..=65536"),
        ("--threads=1000000", "1..=1024"),
        ("--repetitions=18446744073709551615", "1..=100000"),
        ("--endurance=18446744073709551615", "1..=1000000000"),
        ("--models=mlp-1000000", "a whole number from 1 to 16384"),
    ] {
        let heard = refused(&["bench", flag]);
        assert!(heard.contains(said), "{flag}: {heard}");
    }
    let heard = refused(&["bench", "--scaling", "--widths=99999999"]);
    assert!(heard.contains("1..=16384"), "{heard}");
}
