//! `cargo xtask doctor`: which backends this machine can run, and why not the others.

use clap::Args;

use crate::backend::{Backend, Backends};
use crate::{machine, terminal};

/// What to look at.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Build the lab with these backends, separated by commas, and compute something on each of their devices
    #[arg(long, value_name = "A,B")]
    backend: Option<String>,
}

impl Doctor {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        if let Some(names) = &self.backend {
            let backends = Backends::choose(Some(names))?;
            match backends.become_lab(vec!["doctor".into()])? {}
        }
        for backend in Backend::all()? {
            println!("{}", line(&backend, machine::can_run(&backend.name)));
        }
        println!("\n`cargo xtask doctor --backend NAME` builds a backend and tries its devices.");
        Ok(())
    }
}

fn line(backend: &Backend, found: Result<String, String>) -> String {
    let name = terminal::bold(&format!("{:8}", backend.name));
    let default = if backend.is_default {
        " (the default)"
    } else {
        ""
    };
    match found {
        Ok(what) => format!("{name} yes: {what}{default}"),
        Err(missing) => format!("{name} no: {missing}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_yes_or_what_is_missing() {
        let backend = |is_default| Backend {
            name: "flex".to_owned(),
            is_default,
        };
        let yes = line(&backend(true), Ok("it".to_owned()));
        assert!(yes.ends_with("yes: it (the default)"), "{yes}");
        let no = line(&backend(false), Err("a driver".to_owned()));
        assert!(no.ends_with("no: a driver"), "{no}");
    }
}
