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

/// A step of ours or of a peer.
#[derive(Debug, Clone, Copy)]
enum Step {
    Ours(Method),
    Peer(&'static str),
}

impl Step {
    fn side(self) -> &'static str {
        match self {
            Self::Ours(_) => "gradual",
            Self::Peer(_) => "peer",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ours(method) => method.name(),
            Self::Peer(name) => name,
        }
    }
}

/// The largest draw of one step.
#[derive(Debug, Clone)]
struct Row {
    model: String,
    side: &'static str,
    method: &'static str,
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
    let ours = METHODS.map(Step::Ours);
    let peers = PEERS.map(Step::Peer);
    let peers = peers.into_iter().filter(|_| turns.peers.is_some());
    let steps: Vec<Step> = ours.into_iter().chain(peers).collect();
    let mut rows: Vec<Row> = Vec::new();
    for &kind in kinds {
        for &step in &steps {
            let (side, method) = (step.side(), step.name());
            tell(format_args!("{kind}, {method} ({side}) …"));
            let found = search(|draw| match step {
                Step::Ours(method) => limits.ours(turns, kind, draw, method),
                Step::Peer(peer) => limits.peer(turns, kind, draw, peer),
            })?;
            rows.push(Row {
                model: kind.to_string(),
                side,
                method,
                found,
            });
            // So far: a search may take long.
            table::write(out, &rows, gib)?;
        }
    }
    table::show(out, &rows, gib)
}
