//! The page on the run folder, and its program.

#![allow(dead_code, unreachable_pub, reason = "not every test uses every part")]

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// The page.
pub fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/run-folder.md");
    std::fs::read_to_string(page).unwrap()
}

/// The code blocks of a language on a page.
pub fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    let blocks = page.split(begin.as_str()).skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

/// Runs the Python of the page in a folder. False where there is no Python, which continuous integration has.
pub fn run_python(page: &str, folder: &Path) -> bool {
    let python = Command::new("python3")
        .arg("-c")
        .arg(blocks(page, "python").concat())
        .current_dir(folder)
        .output();
    match python {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
            true
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "python3: {error}");
            let said = format!("no python3 ({error}): docs/run-folder.md was not tried\n");
            drop(std::io::stderr().write_all(said.as_bytes()));
            false
        }
    }
}
