//! `cargo xtask test`: all tests, documentation examples included; or the conformance suite of a backend.

use clap::Args;

use crate::{backends, programs, shell};

/// What to test and how.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Run the conformance suite on these backends instead, NAME or NAME:INDEX separated by commas
    #[arg(long, value_name = "A,B", conflicts_with_all = ["arguments", "program_arguments"])]
    backend: Option<String>,
    /// Where a page with the table of the suite goes
    #[arg(long, value_name = "FILE", requires = "backend")]
    page: Option<String>,
    /// Arguments of `cargo test`: the name of a test, -p CRATE, --doc
    #[arg(allow_hyphen_values = true)]
    arguments: Vec<String>,
    /// Arguments of the test programs
    #[arg(last = true)]
    program_arguments: Vec<String>,
}

impl Test {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if let Some(text) = &self.backend {
            let page = self.page.map(|page| format!("--page={page}"));
            let arguments = [format!("--backend={text}")].into_iter().chain(page);
            let arguments: Vec<String> = arguments.collect();
            match programs::become_lab(&backends::choose(text)?, "conformance", &arguments)? {}
        }
        let sh = shell::shell()?;
        Ok(shell::cargo(&sh, &["test", "--release"])
            .args(self.cargo_arguments())
            .run()?)
    }

    /// Tests run in release: Burn, which is most of the build, is then compiled once for runs and tests, and tests
    /// that train something end soon.
    fn cargo_arguments(&self) -> Vec<String> {
        let mut arguments = self.arguments.clone();
        let selects =
            |argument: &String| argument.starts_with("-p") || argument.starts_with("--package");
        if !self.arguments.iter().any(selects) {
            // Cargo would quietly test everything, were both given.
            arguments.insert(0, "--workspace".to_owned());
        }
        if !self.program_arguments.is_empty() {
            arguments.push("--".to_owned());
            arguments.extend_from_slice(&self.program_arguments);
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;
    use crate::shell::root;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        test: Test,
    }

    /// Where most files of tests are one program (`tests/main.rs`), Cargo does not look for others: one that nobody names
    /// would never run.
    #[test]
    fn every_file_of_tests_is_part_of_a_program() {
        let mut files = 0;
        for entry in fs::read_dir(root().join("crates")).unwrap() {
            let folder = entry.unwrap().path();
            let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
            if !manifest.contains("autotests = false") {
                continue;
            }
            let main = fs::read_to_string(folder.join("tests/main.rs")).unwrap();
            for file in fs::read_dir(folder.join("tests")).unwrap() {
                let path = file.unwrap().path();
                let name = path.file_stem().unwrap().to_str().unwrap();
                let is_code = path.extension().is_some_and(|end| end == "rs");
                let file = match is_code {
                    true => format!("tests/{name}.rs"),
                    false => format!("tests/{name}/main.rs"),
                };
                if !folder.join(&file).is_file() {
                    continue;
                }
                let is_named = manifest.contains(&format!("path = \"{file}\""));
                let is_in_main = main.contains(&format!("\nmod {name};\n"));
                assert!(
                    is_named != is_in_main,
                    "{}: add `mod {name};` to tests/main.rs, or a [[test]] to Cargo.toml",
                    folder.join(&file).display()
                );
                files += 1;
            }
        }
        assert!(files > 30, "{files}");
    }

    #[test]
    fn arguments_go_to_cargo_and_to_the_test_program() {
        for (line, expected) in [
            (
                "--doc rises -- --nocapture",
                "--workspace --doc rises -- --nocapture",
            ),
            ("-- --nocapture", "--workspace -- --nocapture"),
            // One package leaves the others alone.
            ("-p gradual-loss", "-p gradual-loss"),
            ("rises --package=gradual-lab", "rises --package=gradual-lab"),
        ] {
            let words = ["xtask"].into_iter().chain(line.split(' '));
            let test = Line::try_parse_from(words).unwrap().test;
            assert_eq!(test.cargo_arguments().join(" "), expected);
        }
    }
}
