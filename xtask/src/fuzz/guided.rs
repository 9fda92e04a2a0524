//! `cargo xtask fuzz`: the fuzz targets under libFuzzer, which keeps the inputs that reach new code and changes those.
//!
//! The tests are built once more, with counters in the code, into a folder of their own below `target`. What was found
//! to reach new code stays there, too, so a later run goes on where an earlier one stopped.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use xshell::{Shell, cmd};

use super::{Program, programs, targets_of};
use crate::{checked, shell};

/// Which targets, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Fuzz {
    /// Parts of the names of targets; all without one
    names: Vec<String>,
    /// Time for each target
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    minutes: u64,
    /// Print the targets, run none
    #[arg(long)]
    list: bool,
}

/// Counters in the code that libFuzzer reads. They are what cargo-bolero sets; it can't be used itself, as it builds the
/// unit tests of a package, too, which do not link where none of them is a fuzz target.
const COUNTERS: [&str; 5] = [
    "inline-8bit-counters",
    "level=4",
    "pc-table",
    "trace-compares",
    "stack-depth",
];

/// Where each package has its targets: in a program of their own, or among the unit tests of a library.
const BUILDS: [&[&str]; 2] = [
    &["--workspace", "--test=fuzz"],
    &["--package=gradual-lab", "--lib"],
];

/// Seconds after which one input counts as a hang.
const PATIENCE: u32 = 30;
/// Longest input in bytes. An input only chooses among the changes of known ones.
const LONGEST: u32 = 4096;

/// One fuzz target.
#[derive(Debug)]
struct Target {
    program: Program,
    name: String,
}

impl Fuzz {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let sh = shell::shell()?;
        let mut targets = targets(&sh)?;
        targets.retain(|target| self.means(&target.name));
        ensure!(
            !targets.is_empty(),
            "no fuzz target has a name with {}; `cargo xtask fuzz --list` prints them",
            self.names.join(" or ")
        );
        let home = folder();
        let mut failed = Vec::new();
        for target in &targets {
            println!("{}", target.name);
            if !self.list && !target.run(&home, Duration::from_secs(60 * self.minutes))? {
                failed.push(target.name.as_str());
            }
        }
        if failed.is_empty() {
            return Ok(());
        }
        bail!(
            "failed: {}; the panic above prints the input, which belongs into the test as one more known input",
            failed.join(", ")
        )
    }

    fn means(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|part| name.contains(part.as_str()))
    }
}

/// Where the tests with counters are built, and where inputs are kept.
fn folder() -> PathBuf {
    shell::target().join("fuzz")
}

/// Builds the tests with counters and finds the targets among them.
fn targets(sh: &Shell) -> anyhow::Result<Vec<Target>> {
    let host = host(&cmd!(sh, "rustc --version --verbose").quiet().read()?)?;
    let target = format!("--target={host}");
    let mut found = Vec::new();
    for selected in BUILDS {
        // With a target named, build scripts and procedural macros are built without counters.
        let built = checked::tests(sh)
            .args(selected)
            .args([&target, "--no-run", "--message-format=json"])
            .env("CARGO_TARGET_DIR", folder())
            .env("RUSTFLAGS", flags())
            .read()
            .context("building the fuzz targets with counters takes a compiler of C++")?;
        for program in programs(&built)? {
            for name in targets_of(&program)? {
                let program = program.clone();
                found.push(Target { program, name });
            }
        }
    }
    Ok(found)
}

fn host(version: &str) -> anyhow::Result<String> {
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .with_context(|| format!("rustc does not say for which machine it compiles: {version}"))
}

fn flags() -> String {
    let mut flags = String::from("--cfg fuzzing --cfg fuzzing_libfuzzer -Cpasses=sancov-module");
    for counter in COUNTERS {
        flags.push_str(" -Cllvm-args=-sanitizer-coverage-");
        flags.push_str(counter);
    }
    flags
}

impl Target {
    /// Runs it, and says whether it found nothing.
    fn run(&self, home: &Path, time: Duration) -> anyhow::Result<bool> {
        let name = self.name.replace("::", "-");
        let (corpus, failures) = (
            home.join("corpus").join(&name),
            home.join("failures").join(&name),
        );
        for folder in [&corpus, &failures] {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            // Bolero splits the arguments of libFuzzer at blanks.
            ensure!(
                !folder.display().to_string().contains(' '),
                "libFuzzer can't be given the folder {}: build in one without blanks (CARGO_TARGET_DIR)",
                folder.display()
            );
        }
        let arguments = format!(
            "{} {} -artifact_prefix={}/ -timeout={PATIENCE} -max_len={LONGEST} -max_total_time={} -print_final_stats=1",
            corpus.display(),
            failures.display(),
            failures.display(),
            time.as_secs()
        );
        let log = home.join(format!("{name}.log"));
        let mut command = super::command(&self.program);
        let said = command
            .args([&self.name, "--exact", "--nocapture", "--test-threads=1"])
            .env("BOLERO_TEST_NAME", &self.name)
            .env("BOLERO_LIBTEST_HARNESS", "1")
            .env("BOLERO_LIBFUZZER_ARGS", arguments)
            .output()
            .with_context(|| self.program.path.display().to_string())?;
        let mut file = fs::File::create(&log).with_context(|| log.display().to_string())?;
        file.write_all(&said.stdout)?;
        file.write_all(&said.stderr)?;
        let text = String::from_utf8_lossy(&said.stderr);
        if said.status.success() {
            println!("  {}", summary(&text));
        } else {
            println!("{text}\n  all of it: {}", log.display());
        }
        Ok(said.status.success())
    }
}

/// What libFuzzer says at the end: inputs tried, and those kept as they reached new code.
fn summary(said: &str) -> String {
    let number = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name));
        line.map_or("?", |rest| rest.trim_start_matches(':').trim())
    };
    format!(
        "{} inputs, {} of them reached new code",
        number("stat::number_of_executed_units"),
        number("stat::new_units_added")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_chosen_by_their_parts() {
        let fuzz = |names: &[&str]| Fuzz {
            names: names.iter().map(|&name| name.to_owned()).collect(),
            minutes: 1,
            list: true,
        };
        assert!(fuzz(&[]).means("changed_tables"));
        assert!(fuzz(&["text", "tables"]).means("changed_tables"));
        assert!(!fuzz(&["text"]).means("changed_tables"));
    }

    #[test]
    fn what_rustc_and_lib_fuzzer_say_is_read() {
        let version = "rustc 1.0.0\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\n";
        assert_eq!(host(version).unwrap(), "x86_64-unknown-linux-gnu");
        assert!(host("rustc 1.0.0").is_err());
        let said = "stat::number_of_executed_units: 74325\nstat::new_units_added:          816\n";
        assert_eq!(summary(said), "74325 inputs, 816 of them reached new code");
    }
}
