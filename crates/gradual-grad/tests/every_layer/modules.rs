//! Every module of Burn that has parameters has a tap or a reason, and `docs/layers.md` is printed from the list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::list::{WITHOUT, tapped};
use crate::sources::{Modules, crates, in_source, modules, with_parameters};

#[test]
fn every_module_with_parameters_has_a_tap_or_a_reason() {
    let mut all = Modules::new();
    let crates = crates();
    for needed in ["burn-nn", "burn-core"] {
        assert!(
            crates.iter().any(|(name, _)| name == needed),
            "no sources of {needed}"
        );
    }
    for (name, folder) in &crates {
        all.extend(modules(name, folder));
    }
    let with = with_parameters(&all);
    assert!(
        all.len() > 90 && with.len() > 30,
        "{} of {}",
        with.len(),
        all.len()
    );

    let taps: BTreeSet<String> = tapped().into_iter().map(|each| each.module).collect();
    let mut wrong = String::new();
    for (module, of) in &with {
        let reason = WITHOUT
            .iter()
            .find(|(name, which, _)| name == of && (which == module || *which == "*"));
        let covered = taps.contains(module) && of == "burn-nn";
        match (covered, reason) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(_)) => {
                writeln!(wrong, "{module} has a tap and a reason to have none").unwrap()
            }
            (false, None) => {
                writeln!(wrong, "{module} of {of} has neither a tap nor a reason").unwrap()
            }
        }
    }
    for module in taps.iter().filter(|module| !with.contains_key(*module)) {
        writeln!(wrong, "{module} is no module with parameters").unwrap();
    }
    for (of, module, _) in WITHOUT.iter().filter(|(_, module, _)| *module != "*") {
        if with.get(*module).is_none_or(|found| found != of) {
            writeln!(wrong, "{module} is no module with parameters of {of}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The reading of sources, on one that has every kind.
#[test]
fn modules_are_read_from_sources() {
    let source = r#"
        #[derive(Module, Debug)]
        #[module(custom_display)]
        pub struct Own {
            /// Not a Param<Tensor<1>>.
            pub weight: Option<Param<Tensor<2>>>,
        }
        #[derive(Debug, Module)]
        pub enum Either { One(Own), Other(Nothing) }
        #[derive(Module, Clone, Debug, Default)]
        pub struct Nothing;
        #[derive(Module, Debug)]
        pub struct Skipped {
            #[module(skip)]
            pub activation: Own,
            pub training: Param<Flag>,
        }
        #[derive(Module, Debug)]
        struct Hidden { own: Own }
        #[derive(Config, Debug)]
        pub struct OwnConfig { weight: Param<Tensor<2>> }
    "#;
    let found = in_source(source).into_iter();
    let all: Modules = found
        .map(|(module, words)| (module, ("it".to_owned(), words)))
        .collect();
    assert_eq!(
        all.keys().collect::<Vec<_>>(),
        ["Either", "Nothing", "Own", "Skipped"]
    );
    let with = with_parameters(&all);
    assert_eq!(with.keys().collect::<Vec<_>>(), ["Either", "Own"]);
}

/// The tests that the page names are there.
#[test]
fn every_tap_has_its_test() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut tests = fs::read_to_string(folder.join("layers.rs")).expect("a test");
    for entry in fs::read_dir(folder.join("every_layer"))
        .expect("a folder")
        .flatten()
    {
        if entry.path().is_file() {
            tests += &fs::read_to_string(entry.path()).expect("a test");
        }
    }
    for each in tapped() {
        let function = format!("fn {}(", each.test);
        assert!(
            tests.contains(&function),
            "{}: no test {}",
            each.module,
            each.test
        );
    }
}

/// `GRADUAL_GOLDEN=1` writes the page anew.
#[test]
fn the_page_is_printed_from_the_list() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/layers.md");
    let page = page();
    if std::env::var_os("GRADUAL_GOLDEN").is_some() {
        fs::write(&path, &page).expect("docs/layers.md");
    }
    let found = fs::read_to_string(&path).expect("docs/layers.md");
    assert!(
        found == page,
        "docs/layers.md is not what GRADUAL_GOLDEN=1 prints"
    );
}

fn page() -> String {
    let mut page = include_str!("page/head.md").to_owned();
    // Layers of one row stand together.
    let mut rows: Vec<([&str; 3], Vec<String>)> = Vec::new();
    for each in tapped() {
        let key = [each.input, each.gradient, each.test];
        match rows.iter_mut().find(|(known, _)| *known == key) {
            Some((_, modules)) => modules.push(format!("`{}`", each.module)),
            None => rows.push((key, vec![format!("`{}`", each.module)])),
        }
    }
    for ([input, gradient, test], modules) in rows {
        writeln!(
            page,
            "| {} | {input} | {gradient} | `{test}` |",
            modules.join(", ")
        )
        .unwrap();
    }
    page += include_str!("page/taps.md");
    let mut reasons: BTreeMap<&str, String> = BTreeMap::new();
    for (of, module, reason) in WITHOUT {
        let subject = match *module {
            "*" => format!("The modules of `{of}`"),
            module => format!("`{module}`"),
        };
        writeln!(reasons.entry(of).or_default(), "- {subject} {reason}.").unwrap();
    }
    page.extend(reasons.into_values());
    page + include_str!("page/faults.md")
}
