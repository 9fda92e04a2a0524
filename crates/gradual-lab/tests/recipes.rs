//! A run folder holds the whole recipe: whatever is changed in it is another run, and is named.

mod common;

use std::fs;

use common::{refused, run};
use gradual::grad::registry::METRICS;
use gradual::group::registry::{GROUPINGS, WRAPPERS};
use gradual::loss::registry::{COMPOSITIONS, RULES, SCALES, WRAPPERS as COMPOSITION_WRAPPERS};
use gradual::train::registry::{LENSES, OPTIMIZERS, SAMPLERS};
use serde_json::{Value, json};

/// The paths of all leaves of `value`, as JSON pointers.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                leaves(field, &format!("{path}/{name}"), found);
            }
        }
        Value::Array(entries) if !entries.is_empty() => {
            for (at, entry) in entries.iter().enumerate() {
                leaves(entry, &format!("{path}/{at}"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

/// What messages call the leaf at a JSON pointer: `recipe.wrappers[0].name`.
fn name(pointer: &str) -> String {
    let parts = pointer.split('/').skip(1);
    let name: String = parts
        .map(|part| match part.parse::<usize>() {
            Ok(at) => format!("[{at}]"),
            Err(_) => format!(".{part}"),
        })
        .collect();
    name.trim_start_matches('.').to_owned()
}

/// Another value of the same kind.
fn other(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => json!(!flag),
        Value::Number(number) if number.is_u64() => json!(number.as_u64().unwrap() + 1),
        Value::Number(number) => json!(number.as_f64().unwrap() * 1.5 + 0.001),
        Value::String(text) => json!(format!("{text}x")),
        Value::Null => json!("something"),
        Value::Array(_) => json!(["something"]),
        Value::Object(_) => unreachable!("an object is no leaf"),
    }
}

#[test]
fn every_number_of_a_run_is_in_its_folder_and_a_change_is_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let arms = [
        "erm-half",
        "late",
        "cvar",
        "dro",
        "noisy30",
        "pcgrad",
        "matched",
        "curriculum",
    ];
    for arm in arms {
        let arms = format!("--arms={arm}");
        let arguments = [
            "skills",
            "--quick",
            "--seeds=1",
            "--steps=2",
            "--draw=8",
            &arms,
            &out,
        ];
        run(&arguments);
        let file = home
            .path()
            .join(format!("skills-quick/{arm}/seed-0/config.json"));
        let text = fs::read_to_string(&file).unwrap();
        let config: Value = serde_json::from_str(&text).unwrap();
        let mut paths = Vec::new();
        leaves(&config, "", &mut paths);
        assert!(paths.len() > 25, "{arm}: {paths:?}");
        for path in paths.iter().filter(|path| *path != "/schema") {
            let mut changed = config.clone();
            let leaf = changed.pointer_mut(path).unwrap();
            *leaf = other(leaf);
            fs::write(&file, changed.to_string()).unwrap();
            let said = refused(&arguments);
            let name = name(path);
            assert!(said.contains(&name), "{arm} {name}: {said}");
        }
        fs::write(&file, text).unwrap();
        run(&arguments);
    }
}

/// A setting that another one makes void, or that no number of single precision can follow, is refused before anything runs.
#[test]
fn settings_without_effect_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    for (arm, words) in [
        (
            "like:grouped,wrappers:priors(weights=[0,0,0,0,0,0,0,0])",
            "no group would count",
        ),
        (
            "like:grouped,composition_wrappers:shifted(floor=1e308)",
            "from -1e30 to 1e30",
        ),
        (
            "like:grouped,composition:dro(adjustment=3)",
            "adjustment = 3.0 makes no difference while sizes = none; give sizes",
        ),
        (
            "like:grouped,composition:dro(sizes=[1,2,3,4,5,6,7,8])",
            "makes no difference while adjustment = 0.0; give adjustment",
        ),
        (
            "like:grouped,composition:cvar(alpha=1e-300)",
            "alpha = 1e-300",
        ),
        (
            "like:erm,optimizer:sgd(momentum=0,nesterov=true)",
            "nesterov = true makes no difference while momentum = 0.0; give momentum",
        ),
        (
            "like:erm,optimizer:adam(epsilon=1e-300)",
            "epsilon = 1e-300",
        ),
        (
            "like:erm,optimizer:adamw(weight_decay=1e300)",
            "weight_decay = 1e300",
        ),
        (
            "like:whitened,grouping:landmarks(kept=3,axes=2)",
            "axes = 2 makes no difference while kept = 3; give kept = none",
        ),
        (
            "like:erm,scale:match-norm,trained:layers.0.*",
            "only some parameters learn (trained): leave one of the two out",
        ),
        (
            "like:grouped,composition:pcgrad,trained:layers.0.*",
            "name what it looks at, as in shared = [\"layers.0.*\"]",
        ),
        (
            "like:erm,optimizer:adamw(weight_decay=-0.0,cautious=true)",
            "give weight_decay, or leave cautious out",
        ),
        (
            "like:whitened,metric:none,grouping:landmarks(at_most=4),lens:search",
            "at_most = 4 of grouping landmarks makes no difference",
        ),
        (
            "like:whitened,grouping:landmarks(every=5),lens:snapshot(after=1)",
            "stay what they are, so that every = 5 makes no difference",
        ),
        (
            "like:whitened,grouping:landmarks(split_below=0.1)",
            "while split_merge = false; give split_merge = true, or leave split_below out",
        ),
        (
            "like:whitened,grouping:landmarks(k=4,at_most=8)",
            "while k = 4; give k = eigengap, tested-eigengap, silhouette, …",
        ),
        (
            "like:whitened,metric:euclidean(memory=0.5)",
            "while balanced = false; give balanced = true",
        ),
        (
            "like:whitened,metric:none,lens:search(metrics=whitened,damping=0.5)",
            "while metrics = whitened; give metrics = both or kronecker",
        ),
        (
            "like:erm,optimizer:adamw(weight_decay=0,cautious=true)",
            "give weight_decay, or leave cautious out",
        ),
        (
            "like:erm,optimizer:muon(momentum=0,nesterov=false)",
            "give momentum, or leave nesterov out",
        ),
    ] {
        let arm = format!("mine={arm}");
        let said = refused(&[
            "--quick",
            "--seeds=1",
            "--steps=2",
            "--arms=mine",
            "--arm",
            &arm,
            &out,
        ]);
        assert!(said.contains(words), "{arm}: {said}");
    }
    // What grows beyond bounds in a run is said with its step and what to do.
    let arm = "mine=like:erm,optimizer:sgd(weight_decay=1000),rate:1e3";
    let said = refused(&[
        "--quick",
        "--seeds=1",
        "--steps=60",
        "--arms=mine",
        "--arm",
        arm,
        &out,
    ]);
    assert!(
        said.contains("step ") && said.contains("learning rate"),
        "{said}"
    );
    let said = refused(&["--quick", "--backend=FLEX"]);
    assert!(said.contains("did you mean 'flex'?"), "{said}");
}

/// What each arm's constants are called, so that none of them can change unseen.
#[test]
fn constants_of_arms_stand_in_their_configurations() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let expected: &[(&str, &str, Value)] = &[
        ("cvar", "/composition/alpha", json!(0.5)),
        ("tilted", "/composition/t", json!(5.0)),
        ("dro", "/composition/eta", json!(0.1)),
        ("focal", "/composition/gamma", json!(2.0)),
        ("power4", "/composition/p", json!(4.0)),
        ("noisy30", "/grouping/share", json!(0.3)),
        ("kmeans", "/grouping/restarts", json!(10)),
        ("spectral", "/grouping/restarts", json!(2)),
        ("whitened", "/grouping/k", json!("eigengap")),
        ("whitened", "/layers/0", json!("layers.0.weight")),
        ("inputs", "/metric/part", json!("inputs")),
        ("matched", "/scale/name", json!("match-norm")),
        ("pcgrad", "/composition/name", json!("pcgrad")),
        ("mgda", "/composition/name", json!("mgda")),
        ("erm-half", "/slowdown", json!(2)),
        ("erm", "/rate", json!(0.003)),
        ("erm", "/optimizer/name", json!("adam")),
        ("curriculum", "/sampler/until", json!(0.5)),
    ];
    let mut arms: Vec<&str> = expected.iter().map(|(arm, ..)| *arm).collect();
    arms.dedup();
    let arms = format!("--arms={}", arms.join(","));
    run(&[
        "--quick",
        "--seeds=1",
        "--steps=2",
        "--draw=32",
        &arms,
        &out,
    ]);
    for (arm, path, value) in expected {
        let file = home
            .path()
            .join(format!("sparse-parity-quick/{arm}/seed-0/config.json"));
        let config: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let recipe = &config["recipe"];
        assert_eq!(recipe.pointer(path), Some(value), "{arm} {path}: {recipe}");
    }
}

/// `docs/recipes.md` is printed from the registries; `GRADUAL_GOLDEN=1` prints it again.
#[test]
fn the_page_of_parts_is_printed_from_the_registries() {
    let parts = [
        ("grouping", "Groupings", GROUPINGS.table()),
        ("wrappers", "Wrappers of groupings", WRAPPERS.table()),
        ("metric", "Metrics", METRICS.table()),
        ("lens", "Lenses", LENSES.table()),
        (
            "composition",
            "Compositions of group losses",
            COMPOSITIONS.table(),
        ),
        ("composition", "Rules on group gradients", RULES.table()),
        (
            "composition_wrappers",
            "Wrappers of compositions",
            COMPOSITION_WRAPPERS.table(),
        ),
        ("scale", "Scales of a step", SCALES.table()),
        ("sampler", "Samplers", SAMPLERS.table()),
        ("optimizer", "Optimizers", OPTIMIZERS.table()),
    ];
    let mut page = String::from(
        "# Parts of a recipe\n\nWhat the entries of a recipe can be, with all parameters, their defaults and their bounds. \
         [experiments.md](experiments.md) shows how recipes are written. This page is printed from the registries of the \
         crates; `cargo xtask experiment --list` prints the same in a terminal.\n",
    );
    for (key, title, table) in parts {
        page += &format!("\n## {title}\n\nFor the key `{key}`.\n\n{table}");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/recipes.md");
    if std::env::var_os("GRADUAL_GOLDEN").is_some() {
        fs::write(path, &page).unwrap();
    }
    let printed = fs::read_to_string(path).unwrap_or_default();
    assert!(
        printed == page,
        "print docs/recipes.md again with GRADUAL_GOLDEN=1"
    );
}

/// What stands between `<!-- NAME: …` and `<!-- end of NAME -->`, for the tables that are printed into a page.
fn printed_part(page: &str, name: &str) -> std::ops::Range<usize> {
    let start = page.find(&format!("<!-- {name}: ")).expect("the start");
    let start = start + page[start..].find('\n').expect("a line") + 1;
    let end = page
        .find(&format!("<!-- end of {name} -->"))
        .expect("the end");
    start..end
}

fn fact<C, T>(entry: &gradual_registry::Entry<C, T>, name: &str) -> &'static str {
    let found = entry.facts.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, fact)| fact)
}

/// The tables of `docs/choosing.md` are printed from the registries and `docs/costs.csv`; `GRADUAL_GOLDEN=1` prints them again.
#[test]
fn the_tables_for_choosing_are_printed_from_the_registries() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let costs = fs::read_to_string(docs.join("costs.csv")).unwrap();
    let cost = |name: &str| {
        let mut lines = costs.lines().map(|line| line.split_once(',').unwrap());
        let found = lines.find(|(known, _)| *known == name);
        found
            .unwrap_or_else(|| panic!("no cost of {name} in docs/costs.csv"))
            .1
    };
    let mut groupings = String::from(
        "\n| grouping | use it | needs | cost per draw of n | × ordinary |\n|---|---|---|---|---|\n",
    );
    for entry in GROUPINGS.iter() {
        let (needs, counted) = (fact(entry, "needs"), fact(entry, "cost per draw of n"));
        groupings += &format!(
            "| `{}` | {} | {needs} | {counted} | {} |\n",
            entry.name,
            fact(entry, "use it"),
            cost(entry.name),
        );
    }
    let mut compositions = String::from(
        "\n| composition | use it | group g pulls with | losses |\n|---|---|---|---|\n",
    );
    for entry in COMPOSITIONS.iter() {
        compositions += &format!(
            "| `{}` | {} | {} | {} |\n",
            entry.name,
            fact(entry, "use it"),
            fact(entry, "group g pulls with"),
            fact(entry, "losses"),
        );
    }
    let path = docs.join("choosing.md");
    let found = fs::read_to_string(&path).unwrap();
    let mut page = found.clone();
    for (name, table) in [("groupings", groupings), ("compositions", compositions)] {
        let part = printed_part(&page, name);
        page.replace_range(part, &(table + "\n"));
    }
    if std::env::var_os("GRADUAL_GOLDEN").is_some() {
        fs::write(&path, &page).unwrap();
    } else {
        assert!(
            found == page,
            "print docs/choosing.md again with GRADUAL_GOLDEN=1"
        );
    }
}

/// A wrapper that waits inside another one, whose last draw of waiting is that of the examples that a record is made of.
#[test]
fn a_grouping_that_waits_inside_a_wrapper_is_recorded() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let arm = "mine=like:whitened,grouping:singular-vectors(membership=squared),metric:unit,wrappers:after(draws=2)+tracked,\
               composition:cvar";
    run(&[
        "--quick",
        "--seeds=1",
        "--steps=12",
        "--draw=24",
        "--evaluate-every=5",
        "--arms=mine",
        "--arm",
        arm,
        &out,
    ]);
}
