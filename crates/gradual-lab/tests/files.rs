//! Experiments in files: the built-in ones are such files, and whatever is wrong with one is named with its line.

use std::fs;

use crate::common::{refused, run, written};
use gradual::measure::Metric;

/// A small experiment that is right.
const SMALL: &str = r#"name = "small"
arms = ["erm", "mine"]

[task.sparse-parity]
tasks = 3
bits = 8
hidden = 8
held_out = 20

[run]
seeds = 1
steps = 4
draw = 16

[[arm]]
name = "mine"
about = "fourth powers of landmarks' groups"
like = "whitened"
recipe.grouping = "landmarks(k = 2, examples = 30)"
recipe.composition = { name = "power", p = 4 }
recipe.layers = ["layers.0.weight"]

[[claim]]
statement = "Mine are closer together."
source = "a test"
arm = "mine"
metric = "gap"
direction = "lower"
smallest_effect = 0.8
"#;

#[test]
fn a_built_in_experiment_is_a_file_that_runs_alike() {
    let home = tempfile::tempdir().unwrap();
    let text = run(&["--show", "sparse-parity"]);
    let file = home.path().join("shown.toml");
    fs::write(&file, &text).unwrap();
    let file = file.display().to_string();
    let curves = |which: &str, out: &str| {
        let out = home.path().join(out);
        let to = format!("--out={}", out.display());
        run(&[
            which,
            "--quick",
            "--seeds=1",
            "--steps=20",
            "--draw=32",
            "--arms=erm,whitened,dro",
            &to,
        ]);
        let of = |arm: &str| {
            fs::read(out.join(format!("sparse-parity-quick/{arm}/seed-0/curves.jsonl"))).unwrap()
        };
        ["erm", "whitened", "dro"].map(of)
    };
    assert_eq!(curves("sparse-parity", "built-in"), curves(&file, "shown"));
    for name in [
        "skills",
        "table",
        "grouping-quality",
        "grouping-quality-skills",
    ] {
        assert!(run(&["--show", name]).contains(&format!("name = \"{name}\"")));
    }
}

#[test]
fn a_file_of_ones_own_runs_with_its_arms_and_claims() {
    let home = tempfile::tempdir().unwrap();
    let file = written(home.path(), SMALL);
    let out = format!("--out={}", home.path().display());
    let page = run(&[&file, &out]);
    assert!(
        fs::read_to_string(page.trim())
            .unwrap()
            .contains("Mine are closer together.")
    );
    let config = fs::read_to_string(home.path().join("small/mine/seed-0/config.json")).unwrap();
    for part in [
        "\"p\":4.0",
        "\"k\":2",
        "\"examples\":30",
        "layers.0.weight",
        "\"tasks\":3",
    ] {
        assert!(config.replace(": ", ":").contains(part), "{part}: {config}");
    }

    // Arms from the command line, as they stand in no file.
    let more = "two=like:mine,composition:cvar(alpha=0.25),wrappers:damped+after(draws=2)";
    run(&[&file, &out, "--arm", more, "--arms", "erm"]);
    // It stays in the report when the next command does not know it.
    let page = run(&[&file, &out]);
    assert!(
        fs::read_to_string(page.trim())
            .unwrap()
            .contains("cvar(alpha = 0.25)")
    );
    let config = fs::read_to_string(home.path().join("small/two/seed-0/config.json")).unwrap();
    for part in ["\"alpha\":0.25", "\"draws\":2", "\"examples\":30"] {
        assert!(config.replace(": ", ":").contains(part), "{part}: {config}");
    }
}

/// The page for people who write their own shows files and arms that run.
#[test]
fn the_page_on_experiments_has_every_metric() {
    let page = include_str!("../../../docs/experiments.md");
    for metric in Metric::ALL {
        let row = format!("| `{}` | {} |\n", metric.name(), metric.about());
        assert!(page.contains(&row), "docs/experiments.md has no row {row}");
    }
}

#[test]
fn the_page_on_experiments_tells_what_runs() {
    let page = include_str!("../../../docs/experiments.md");
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let short = ["--seeds=1", "--steps=2", "--draw=32", &out];
    let blocks = page.split("```toml\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split("```").next());
    let mut files = 0;
    for text in blocks.filter(|text| text.contains("[run]")) {
        let file = written(home.path(), text);
        run(&[&[file.as_str()], &short[..]].concat());
        files += 1;
    }
    assert!(files > 0, "no file in the page");
    let arms: Vec<&str> = page
        .split("--arm '")
        .skip(1)
        .filter_map(|rest| rest.split('\'').next())
        .collect();
    assert!(arms.len() > 1, "{arms:?}");
    for arm in arms
        .iter()
        .filter(|arm| arm.contains('=') && !arm.contains('…'))
    {
        run(&[&["--quick", "--arms=erm", "--arm", arm], &short[..]].concat());
    }
}

#[test]
fn what_is_wrong_with_a_file_is_named_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "steps = 4",
            "stesp = 4",
            &["stesp", "line 12", "did you mean 'steps'?"],
        ),
        ("steps = 4", "steps = \"4\"", &["line 12", "steps"]),
        (
            "steps = 4",
            "steps = 0",
            &[
                "line 12",
                "steps = 0, but it is a whole number from 1 to 1000000000",
            ],
        ),
        ("steps = 4", "steps = -4", &["line 12"]),
        ("steps = 4", "", &["run.steps is missing"]),
        ("seeds = 1", "rate = -1.0", &["line 11", "a number > 0"]),
        (
            "tasks = 3",
            "taskz = 3",
            &["line 5", "taskz", "did you mean 'tasks'?"],
        ),
        ("tasks = 3", "tasks = true", &["line 5"]),
        (
            "tasks = 3",
            "tasks = 0",
            &["task.sparse-parity.tasks = 0", "from 1 to 10000"],
        ),
        (
            "[task.sparse-parity]",
            "[task.sparse-party]",
            &["line 4", "did you mean 'sparse-parity'?"],
        ),
        ("[run]", "[runs]", &["runs", "did you mean 'run'?"]),
        (
            "\"erm\", \"mine\"",
            "\"erm\", \"mime\"",
            &["line 2", "mime", "did you mean 'mine'?"],
        ),
        (
            "like = \"whitened\"",
            "like = \"whitend\"",
            &["line 18", "whitend", "did you mean 'whitened'?"],
        ),
        (
            "like = \"whitened\"",
            "like = \"mine\"",
            &["line 18", "arm mine is like mine"],
        ),
        (
            "landmarks(k = 2,",
            "landmark(k = 2,",
            &["line 19", "did you mean 'landmarks'?"],
        ),
        (
            "landmarks(k = 2,",
            "landmarks(kk = 2,",
            &["line 19", "no parameter 'kk'"],
        ),
        (
            "landmarks(k = 2,",
            "landmarks(k = 0,",
            &["line 19", "k = 0", "whole number from 1 to 100000"],
        ),
        (
            "landmarks(k = 2, examples = 30)",
            "landmarks(k = 2",
            &["line 19", "parenthesis"],
        ),
        (
            "p = 4 }",
            "p = 0 }",
            &["line 20", "p = 0", "a number > 0 and ≤ 1000000"],
        ),
        (
            "name = \"power\"",
            "name = \"powr\"",
            &["line 20", "did you mean 'power'?"],
        ),
        (
            "recipe.layers",
            "recipe.layer",
            &["line 21", "did you mean 'layers'?"],
        ),
        (
            "arm = \"mine\"",
            "arm = \"mien\"",
            &["line 26", "did you mean 'mine'?"],
        ),
        (
            "metric = \"gap\"",
            "metric = \"gab\"",
            &["line 27", "did you mean 'gap'?"],
        ),
        (
            "smallest_effect = 0.8",
            "smallest_effect = 0",
            &["line 29", "a number > 0"],
        ),
        (
            "name = \"small\"",
            "name = \"../small\"",
            &["letters, digits"],
        ),
        ("name = \"small\"", "", &["missing field `name`"]),
        (
            "seeds = 1",
            "seeds = 1\nseeds = 2",
            &["line 12", "duplicate key"],
        ),
        ("[run]", "[run", &["line 10"]),
        (
            "name = \"mine\"",
            "name = \"../mine\"",
            &["letters, digits"],
        ),
        ("name = \"mine\"", "name = \"report\"", &["is taken"]),
        (
            "\"erm\", \"mine\"",
            "\"erm\", \"mine\", \"erm\"",
            &["'erm' twice"],
        ),
        (
            "arms = [\"erm\", \"mine\"]",
            "arms = []",
            &["there are no arms"],
        ),
        (
            "tasks = 3",
            "tasks = 3\nexponent = nan",
            &["exponent", "finite"],
        ),
        ("tasks = 3", "tasks = 3\ncode = inf", &["code", "finite"]),
        (
            "[run]",
            "[quick.quality]\nexamples = 3\n\n[run]",
            &["no [quality]"],
        ),
        (
            "arms = [\"erm\", \"mine\"]",
            "arms = [\"erm\"]\n[quality]\nexamples = 4294967295\n",
            &["quality.examples = 4294967295", "from 1 to 10000"],
        ),
        (
            "arms = [\"erm\", \"mine\"]",
            "arms = [\"mine\"]\n[quality]\nexamples = 30\n",
            &["arms does not name them", "arms = [\"erm\", …]"],
        ),
        (
            "[[claim]]",
            "[[arm]]\nname = \"idle\"\nlike = \"idle\"\n\n[[claim]]",
            &["idle"],
        ),
        (
            "[[claim]]",
            "[[arm]]\nname = \"idle\"\nrecipe.slowdown = 0\n\n[[claim]]",
            &["slowdown = 0, but it is a whole number from 1 to", "line 2"],
        ),
        (
            "recipe.layers",
            "recipe.rate = -1.0\nrecipe.layers",
            &["line 21", "a number > 0"],
        ),
        (
            "arm = \"mine\"",
            "arm = \"erm\"",
            &["line 26", "the baseline with itself"],
        ),
        (
            "Mine are closer together.",
            " ",
            &["line 26", "the claim has no statement"],
        ),
        (
            "arms = [\"erm\", \"mine\"]",
            "arms = [\"erm\", \"mine\"]\nbaseline = \"emr\"",
            &["line 3", "did you mean 'erm'?"],
        ),
        (
            "arms = [\"erm\", \"mine\"]",
            "arms = [\"erm\", \"mine\"]\nreference = \"mien\"",
            &["line 3", "reference", "did you mean 'mine'?"],
        ),
        (
            "arms = [\"erm\", \"mine\"]",
            "arms = [\"erm\", \"mine\"]\nreference = \"erm\"",
            &["'erm' is the baseline", "name another arm"],
        ),
        (
            "about = \"fourth",
            "series = \"power\"\nabout = \"fourth",
            &[
                "line 15",
                "arm mine",
                "series 'power'",
                "at = NUMBER is missing",
            ],
        ),
        (
            "about = \"fourth",
            "at = 4\nabout = \"fourth",
            &["line 15", "at = 4", "no series"],
        ),
        (
            "about = \"fourth",
            "series = \"power\"\nat = -4\nabout = \"fourth",
            &["line 15", "at = -4", "a number > 0"],
        ),
        (
            "about = \"fourth",
            "seeds = 0\nabout = \"fourth",
            &[
                "line 17",
                "seeds = 0, but it is a whole number from 1 to 10000",
            ],
        ),
        (
            "\"erm\", \"mine\"",
            "\"erm\", \"mime*\"",
            &["line 2", "no arm 'mime*'"],
        ),
    ];
    for (old, new, expected) in cases {
        assert!(SMALL.contains(old), "{old}");
        let file = written(home.path(), &SMALL.replacen(old, new, 1));
        let said = refused(&[&file, &format!("--out={}", home.path().display())]);
        assert!(said.contains("mine.toml"), "{new}: {said}");
        for part in *expected {
            assert!(said.contains(part), "{new}: '{part}' is not in\n{said}");
        }
    }
    let many = refused(&["--quick", "--steps=4000000000"]);
    assert!(
        many.contains("'4000000000' for '--steps <N>': it is a whole number from 1 to 1000000000"),
        "{many}"
    );
    let many = SMALL.replacen("about = \"fourth", "seeds = 20000\nabout = \"fourth", 1);
    let many = refused(&[&written(home.path(), &many)]);
    assert!(
        many.contains("seeds = 20000, but it is a whole number from 1 to 10000"),
        "{many}"
    );
    let missing = home.path().join("missing.toml").display().to_string();
    assert!(refused(&[&missing]).contains("could not read"));
    assert!(refused(&["--show", "skils"]).contains("did you mean 'skills'?"));
    assert!(refused(&["skils"]).contains("did you mean 'skills'?"));
}

/// What only the first step can find leaves nothing behind that is in the way of the mended recipe.
#[test]
fn a_run_that_would_fail_at_its_first_step_leaves_no_folder() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let with = |layers: &str| format!("mine=like:whitened,layers:{layers}");
    let short = [
        "--quick",
        "--seeds=1",
        "--steps=2",
        "--draw=32",
        "--arms=erm",
        &out,
        "--arm",
    ];
    let said = refused(&[&short[..], &[&with("nope")]].concat());
    assert!(said.contains("nope"), "{said}");
    assert!(!home.path().join("sparse-parity-quick").exists());
    run(&[&short[..], &[&with("layers.0.weight")]].concat());
}

#[test]
fn arms_of_the_command_line_are_checked() {
    let cases = [
        ("mine", "NAME=key:value"),
        ("../x=grouping:labels", "letters, digits"),
        ("erm=grouping:labels", "has an arm 'erm' already"),
        ("mine=grouping", "the keys are"),
        ("mine=gruoping:labels", "did you mean 'grouping'?"),
        ("mine=grouping:label", "did you mean 'labels'?"),
        (
            "mine=grouping:labels,grouping:random",
            "grouping is there twice",
        ),
        ("mine=rate:fast", "rate:fast"),
        ("mine=rate:-1", "a number > 0"),
        // In the precision of the parameters this is zero.
        ("mine=rate:1e-320", "a number > 0"),
        ("REPORT=grouping:labels", "is taken"),
        (
            "mine=grouping:labels,composition:dro,wrappers:after(draws=5)",
            "composition dro remembers its groups",
        ),
        (
            "mine=grouping:labels,scale:running-sum,wrappers:after(draws=5)",
            "scale running-sum remembers its groups",
        ),
        (
            "mine=grouping:kmeans,metric:whitened,layers:[nothing*],wrappers:after(draws=5)",
            "nothing*",
        ),
        (
            "mine=grouping:landmarks(k=500,examples=100)",
            "there are 100 standing examples; give examples = 500 or more",
        ),
        (
            "mine=slowdown:0",
            "slowdown:0, but it is a whole number from 1 to",
        ),
        (
            "mine=draw:0",
            "draw:0, but it is a whole number from 1 to 1000000",
        ),
        (
            "mine=draw:1e14",
            "draw:1e14, but it is a whole number from 1 to 1000000",
        ),
        ("mine=rate:fast", "rate:fast, but it is a number"),
        (
            "mine=through_trace:1",
            "through_trace:1, but it is true or false",
        ),
        ("mine=like:groped", "did you mean 'grouped'?"),
        ("mine=rate:1e-3,like:groped", "did you mean 'grouped'?"),
        ("mine=like:erm,like:svd", "like one arm only"),
        ("mine=metric:none(x=3)", "has no parameters"),
        ("report=like:erm", "is taken"),
        ("mine=sampler:stratified(capabilities=99)", "99"),
        (
            "mine=grouping:labels,metric:whitened",
            "makes no difference",
        ),
        ("mine=layers:layers.0.weight", "there is no metric"),
        ("mine=shared:layers.0.weight", "composition of losses"),
        ("mine=optimizer:adma", "did you mean 'adam'?"),
    ];
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    for (arm, expected) in cases {
        let said = refused(&["--quick", "--steps=2", &out, "--arm", arm]);
        assert!(said.contains(expected), "{arm}: {said}");
    }
    assert_eq!(
        fs::read_dir(home.path()).unwrap().count(),
        0,
        "nothing is made"
    );
}

/// What is nested or repeated without end is refused at once.
#[test]
fn what_is_too_much_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let damped = vec!["damped"; 500].join("+");
    let said = refused(&[
        "--quick",
        "--arm",
        &format!("x=grouping:labels,wrappers:{damped}"),
        &out,
    ]);
    assert!(
        said.contains("there are 500 wrappers, but at most 16"),
        "{said}"
    );
    let running = vec!["running-means"; 1_000].join("+");
    let arm = format!("x=grouping:labels,composition_wrappers:{running}");
    let said = refused(&["--quick", "--arm", &arm, &out]);
    assert!(
        said.contains("there are 1000 composition_wrappers"),
        "{said}"
    );

    let arms = |count: usize, like: bool| {
        let arm = |at: usize| match like && at > 0 {
            true => format!("[[arm]]\nname = \"a{at}\"\nlike = \"a{}\"\n", at - 1),
            false => format!("[[arm]]\nname = \"a{at}\"\n"),
        };
        SMALL.to_owned() + &(0..count).map(arm).collect::<String>()
    };
    let file = written(home.path(), &arms(900, true));
    assert!(refused(&[&file, &out]).contains("32 times at most"));
    let file = written(home.path(), &arms(5_000, false));
    assert!(
        refused(&[&file, &out])
            .contains("5001 arms, those of each [[sweep]] among them, but at most 1000")
    );

    let names: Vec<String> = (0..100_000).map(|at| format!("\"a{at}\"")).collect();
    let names = format!("\"erm\", \"mine\", {}", names.join(","));
    let file = written(home.path(), &SMALL.replacen("\"erm\", \"mine\"", &names, 1));
    let before = std::time::Instant::now();
    assert!(refused(&[&file, &out]).contains("arms has 100002 names, but at most 1000"));
    // It took tens of seconds to look each up among all others.
    assert!(before.elapsed().as_secs() < 10, "{:?}", before.elapsed());

    // A number that is written over and over, and the texts that it would stand in.
    let sweep = |about: &str, number: &str| {
        let arm = "recipe.composition = \"power(p = {})\"";
        let text = format!(
            "[[sweep]]\nname = \"p-{{}}\"\nlike = \"grouped\"\nabout = \"{about}\"\n{arm}\nat = [{number}]\n"
        );
        let all = SMALL.replacen("\"erm\", \"mine\"", "\"erm\", \"mine\", \"p-*\"", 1);
        written(home.path(), &(all + &text))
    };
    let digits = format!("2.{}", "0".repeat(500_000));
    let said = refused(&[&sweep("{}", &digits), &out]);
    assert!(
        said.contains("a number of 500002 characters, but at most 40"),
        "{said}"
    );
    let said = refused(&[&sweep(&"{}".repeat(100_000), "2"), &out]);
    assert!(
        said.contains("stands 100000 times in one text, but at most 100 times"),
        "{said}"
    );
    // What could not be read back is not begun: 900 arms, each with a text of 20 000 letters.
    let about = "x".repeat(20_000);
    let numbers: Vec<String> = (2..900).map(|number| format!("{number}")).collect();
    let said = refused(&[&sweep(&about, &numbers.join(",")), &out]);
    assert!(
        said.contains("nothing was run") && said.contains("is the most that is read"),
        "{said}"
    );
    assert!(!home.path().join("small").exists());

    // Nobody reads a message of a megabyte.
    let file = written(
        home.path(),
        &SMALL.replacen("small", &"a".repeat(900_000), 1),
    );
    let said = refused(&[&file, &out]);
    assert!(
        said.len() < 10_000 && said.contains("are left out"),
        "{}",
        said.len()
    );
}
