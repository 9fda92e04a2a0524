//! `cargo xtask doctor`: which backends this machine can run, and why not the others.

use clap::Args;

use crate::{backends, programs};

/// What to look at.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Build the lab with these backends, separated by commas, and compute something on each of their devices
    #[arg(long, value_name = "A,B")]
    backend: Option<String>,
}

impl Doctor {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if let Some(text) = self.backend {
            let names = backends::choose(&text)?;
            match programs::become_lab(&names, "doctor", &["--backend", &text])? {}
        }
        for (name, can_run) in backends::ALL {
            println!("{}", line(name, can_run()));
        }
        println!("\n`cargo xtask doctor --backend NAME` builds a backend and tries its devices.");
        Ok(())
    }
}

fn line(name: &str, found: Result<String, String>) -> String {
    match found {
        Ok(what) if name == backends::DEFAULT => format!("{name:8} yes: {what} (the default)"),
        Ok(what) => format!("{name:8} yes: {what}"),
        Err(missing) => format!("{name:8} no: {missing}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_yes_or_what_is_missing() {
        let yes = line("flex", Ok("it".to_owned()));
        assert_eq!(yes, "flex     yes: it (the default)");
        let no = line("wgpu", Err("a driver".to_owned()));
        assert_eq!(no, "wgpu     no: a driver");
    }
}
