//! The largest draw of a step that memory has room for, ours and the peers'.
//!
//! A step fits if a process that may hold so much data takes it. The limit is the system's own (`RLIMIT_DATA`: heap and
//! private pages that can be written, libraries' included), the same for both sides, and each try is a process of its
//! own, as one that runs out of memory ends. Draws are doubled until one does not fit, or takes too long, and the gap is
//! then halved, on a logarithmic scale.

mod search;
mod table;
mod tried;

use std::path::Path;

use anyhow::bail;
use gradual::runs::streams::tell;

use crate::memory;
use crate::method::Method;
use crate::model::Kind;
use crate::turns::Turns;
use search::{Found, search};
use tried::Limits;

/// Our steps.
const METHODS: [Method; 5] = [
    Method::Ordinary,
    Method::Grouped,
    Method::Exact,
    Method::Sketch,
    Method::Recomputed,
];
/// The peers, by the names that their script has for them.
const PEERS: [&str; 6] = ["ordinary", "vmap", "opacus", "torchjd", "jax", "ghost"];

/// The largest draw of one step.
#[derive(Debug, Clone)]
struct Row {
    model: String,
    ours: bool,
    method: String,
    found: Found,
}

/// Finds the largest draws of these models under `gib` GiB, and writes the table to the folder `out`.
pub(crate) fn run(turns: &Turns, kinds: &[Kind], gib: f64, out: &Path) -> anyhow::Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("--largest limits the data of a process, which only Linux keeps to");
    }
    if memory::on_device(&turns.backend.device).is_some() {
        bail!(
            "--largest limits the memory of the processor, and {} has its own: choose another backend",
            turns.backend.name
        );
    }
    let limits = Limits::new(gib);
    let mut rows = Vec::new();
    for &kind in kinds {
        for method in METHODS {
            tell(format_args!("{kind}, {} …", method.name()));
            let found = search(|draw| limits.ours(turns, kind, draw, method))?;
            rows.push(Row {
                model: kind.to_string(),
                ours: true,
                method: method.name().to_owned(),
                found,
            });
        }
        for peer in PEERS.into_iter().filter(|_| turns.peers.is_some()) {
            tell(format_args!("{kind}, {peer} of the peers …"));
            let found = search(|draw| limits.peer(turns, kind, draw, peer))?;
            rows.push(Row {
                model: kind.to_string(),
                ours: false,
                method: peer.to_owned(),
                found,
            });
        }
    }
    table::write(out, &rows, gib)
}
