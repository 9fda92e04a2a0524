//! The backends that are compiled in, and their devices.

use anyhow::bail;
use burn::tensor::Device;

/// A backend by name, with a device to run on.
#[derive(Debug, Clone)]
pub(crate) struct Backend {
    pub(crate) name: &'static str,
    pub(crate) device: Device,
}

impl Backend {
    /// The backend called `name`, or without a name the first that is compiled in.
    pub(crate) fn choose(name: Option<&str>) -> anyhow::Result<Self> {
        let compiled = Self::compiled();
        let names: Vec<&str> = compiled.iter().map(|backend| backend.name).collect();
        let found = match name {
            None => compiled.into_iter().next(),
            Some(name) => compiled.into_iter().find(|backend| backend.name == name),
        };
        match (found, name) {
            (Some(backend), _) => Ok(backend),
            (None, Some(name)) => bail!(
                "backend '{name}' is not compiled in (there is: {}); run it through \
                 `cargo xtask experiment --backend {name}`",
                names.join(", ")
            ),
            (None, None) => bail!("no backend is compiled in; build with `--features flex`"),
        }
    }

    fn compiled() -> Vec<Self> {
        vec![
            #[cfg(feature = "flex")]
            Self {
                name: "flex",
                device: Device::flex(),
            },
        ]
    }
}
