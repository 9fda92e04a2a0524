//! `cargo xtask package`: every published crate as it would be uploaded.

use clap::Args;
use serde::Deserialize;

use crate::shell;

/// How thoroughly.
#[derive(Debug, Args)]
pub(crate) struct Package {
    /// Build every crate from what is packaged, which compiles Burn once more
    #[arg(long)]
    verify: bool,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Member>,
}

#[derive(Debug, Deserialize)]
struct Member {
    name: String,
    /// The registries that it may go to; an empty list for `publish = false`.
    publish: Option<Vec<String>>,
}

impl Package {
    /// Packages without building what is packaged.
    pub(crate) const QUICK: Self = Self { verify: false };

    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let sh = shell::shell()?;
        let read = ["metadata", "--quiet", "--no-deps", "--format-version=1"];
        let read = shell::cargo(&sh, &read).quiet().read()?;
        let metadata: Metadata = serde_json::from_str(&read)?;
        // Cargo would look for what a crate that is not published depends on in the registry.
        let kept = metadata.packages.iter();
        let kept = kept.filter(|one| one.publish.as_ref().is_some_and(Vec::is_empty));
        let excluded = kept.flat_map(|one| ["--exclude", one.name.as_str()]);
        let package = shell::cargo(&sh, &["package", "--workspace", "--quiet"]);
        let package = package.args((!self.verify).then_some("--no-verify"));
        // What is not committed is packaged, too: this is a check, nothing is uploaded.
        let package = package.arg("--allow-dirty").args(excluded);
        package.run()?;
        println!("package: {}", shell::target().join("package").display());
        Ok(())
    }
}
