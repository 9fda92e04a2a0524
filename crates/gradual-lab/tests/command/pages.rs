//! The commands of the pages.

use super::*;

/// The words of a line as a shell sees them, up to a comment or a redirection.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for letter in line.chars().chain([' ']) {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => {
                words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()))
            }
            _ => word.push(letter),
        }
    }
    let ends = |word: &String| word == "#" || word == ">" || word == "|";
    words.into_iter().take_while(|word| !ends(word)).collect()
}

/// Every experiment that a page shows is a command that the program understands: its flags are known, and its task takes them.
#[test]
fn commands_of_the_pages_are_understood() {
    let home = tempfile::tempdir().unwrap();
    let file = run(&["--show", "skills"].map(str::to_owned));
    fs::write(home.path().join("mine.toml"), file).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages = fs::read_dir(root.join("docs")).unwrap();
    let pages = pages.map(|page| page.unwrap().path());
    let mut tried = 0;
    for page in pages.chain([root.join("README.md")]) {
        if page.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let text = fs::read_to_string(&page).unwrap();
        for line in text.lines().map(str::trim) {
            let Some(rest) = line.strip_prefix("cargo xtask experiment") else {
                continue;
            };
            // Not what prose says of it, nor input that a shell makes.
            if rest.contains(['`', '<']) {
                continue;
            }
            let mut command = Command::new(env!("CARGO_BIN_EXE_gradual-lab"));
            let command = command.arg("experiment").args(words(rest)).arg("--help");
            let output = command.current_dir(home.path()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success(),
                "{}: {line}: {said}",
                page.display()
            );
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried}");
}
