//! Burn's modules with parameters, from its sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders of those of Burn's crates that hold modules and are there: beside each other, in the registry or where
/// the dependencies are vendored.
pub fn crates() -> Vec<(String, PathBuf)> {
    // Those of other platforms need not have been fetched.
    let version = cargo(&["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.expect("cargo names its host");
    let text = cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--offline",
        "--filter-platform",
        host,
    ]);
    let key = "\"manifest_path\":\"";
    let manifests = text
        .split(key)
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let known: BTreeMap<String, PathBuf> = manifests
        .filter_map(|manifest| {
            let folder = Path::new(manifest).parent()?;
            let name = folder.file_name()?.to_str()?;
            Some((name.to_owned(), folder.to_owned()))
        })
        .collect();
    let (nn, folder) = known
        .iter()
        .find(|(name, _)| name.starts_with("burn-nn"))
        .expect("burn-nn is a dependency");
    let version = nn.trim_start_matches("burn-nn");
    ["burn-nn", "burn-core", "burn-vision", "burn-train"]
        .into_iter()
        .filter_map(|name| {
            let folder = folder.parent()?.join(format!("{name}{version}"));
            folder.is_dir().then(|| (name.to_owned(), folder))
        })
        .collect()
}

/// What cargo prints.
fn cargo(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    let command = command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.output().expect("cargo runs");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {problem}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Modules by name: their crate, and what their fields are made of.
pub type Modules = BTreeMap<String, (String, BTreeSet<String>)>;

/// All structs and enums that derive `Module` in a crate.
pub fn modules(name: &str, folder: &Path) -> Modules {
    let mut found = Modules::new();
    let mut folders = vec![folder.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)
            .expect("a folder of sources")
            .flatten()
        {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let source = fs::read_to_string(&path).expect("UTF-8");
                for (module, words) in in_source(&source) {
                    found.insert(module, (name.to_owned(), words));
                }
            }
        }
    }
    found
}

/// Modules of one file, without those of its tests.
pub fn in_source(source: &str) -> Vec<(String, BTreeSet<String>)> {
    let source = source.split("#[cfg(test)]\nmod").next().unwrap_or_default();
    let kept = |line: &&str| {
        let line = line.trim_start();
        let wanted = line.starts_with("#[derive(") || line.starts_with("#[module(skip)]");
        !line.starts_with("//") && (wanted || !line.starts_with("#["))
    };
    let source = source.lines().filter(kept).collect::<Vec<_>>().join("\n");
    let derived = source.split("#[derive(").skip(1);
    let modules = derived.filter_map(|rest| {
        let (traits, rest) = rest.split_once(")]")?;
        if !traits.split(',').any(|name| name.trim() == "Module") {
            return None;
        }
        // What is private to Burn is nobody's layer.
        let body = rest.trim_start().strip_prefix("pub ")?;
        let mut head = body.split_whitespace();
        let kind = head.next()?;
        let name = head.next()?;
        let name: String = name.chars().take_while(|c| c.is_alphanumeric()).collect();
        let body = &body[body.find(['{', ';', '('])?..];
        (kind == "struct" || kind == "enum").then(|| (name, words(closed(body))))
    });
    modules.collect()
}

/// The text up to the bracket that closes the first one.
fn closed(body: &str) -> &str {
    let mut depth = 0;
    for (at, c) in body.char_indices() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &body[..at];
        }
    }
    body
}

/// Names in the types of fields, but of those that Burn skips; a float parameter is `Param<Tensor`.
fn words(body: &str) -> BTreeSet<String> {
    let mut fields = String::new();
    for (at, part) in body.split("#[module(skip)]").enumerate() {
        fields += match at {
            0 => part,
            _ => part.split_once(',').map_or("", |(_, rest)| rest),
        };
    }
    let fields: String = fields.split_whitespace().collect::<Vec<_>>().join(" ");
    let parameter = fields
        .contains("Param<Tensor")
        .then(|| "Param<Tensor".to_owned());
    fields
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .map(str::to_owned)
        .chain(parameter)
        .collect()
}

/// The modules that have float parameters, in themselves or in their parts.
pub fn with_parameters(all: &Modules) -> BTreeMap<String, String> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = found.len();
        for (module, (_, words)) in all {
            if words
                .iter()
                .any(|word| word == "Param<Tensor" || found.contains(word.as_str()))
            {
                found.insert(module);
            }
        }
        if found.len() == before {
            break;
        }
    }
    let named = found
        .into_iter()
        .map(|module| (module.to_owned(), all[module].0.clone()));
    named.collect()
}
