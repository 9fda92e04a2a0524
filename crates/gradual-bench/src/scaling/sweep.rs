//! A sweep over sizes of the MLP, and all that was measured in it.

use crate::flops::{self, Flops};
use crate::measured::Measured;
use crate::method::Method;
use crate::model::mlp_widths;

/// The draw at which the number of parameters varies.
pub(super) const DRAW: usize = 128;
/// What is timed of ours …
pub(super) const METHODS: [Method; 3] = [Method::Ordinary, Method::Exact, Method::Sketch];
/// … and of the peers.
pub(super) const PEERS: [&str; 3] = ["vmap", "torchjd", "ghost"];
/// Products beside each case whose rate enters the median.
pub(super) const PRODUCTS: usize = 5;

/// One size of the sweep, and what was measured on it.
pub(super) struct Size {
    pub(super) draw: usize,
    pub(super) width: usize,
    pub(super) measured: Vec<Measured>,
}

/// All that was measured.
pub(super) struct Sweep {
    pub(super) sizes: Vec<Size>,
    pub(super) threads: usize,
    /// Operations per second of a large matrix product, median over the whole run.
    pub(super) rate: f64,
}

impl Size {
    /// P.
    pub(super) fn parameters(&self) -> usize {
        flops::parameters(&mlp_widths(self.width))
    }

    pub(super) fn flops(&self) -> Flops {
        Flops::of_mlp(&mlp_widths(self.width), self.draw)
    }
}

/// Draws 32 and 64 at width 512, and width 1024 at draw 128. Our seconds are the counted operations at
/// 10¹⁰ a second, half of the rate; the peer was skipped at draw 64. For tests.
#[cfg(test)]
pub(super) fn sample() -> Sweep {
    use crate::measured::sample;
    use crate::model::Kind;

    let size = |draw: usize, width: usize, peer: Option<f64>| {
        let flops = Flops::of_mlp(&mlp_widths(width), draw);
        let at = |measured: Measured| Measured {
            draw,
            model: Kind::Mlp { width }.to_string(),
            ..measured
        };
        let mut vmap = at(sample(false, "vmap", peer.as_slice(), 100));
        if peer.is_none() {
            vmap.skipped = Some("too large".into());
            vmap.peak_memory_bytes = None;
        }
        let seconds = |operations: u64| operations as f64 / 1e10;
        Size {
            draw,
            width,
            measured: vec![
                vmap,
                at(sample(true, "ordinary", &[seconds(flops.ordinary)], 1)),
                at(sample(true, "exact", &[seconds(flops.exact())], 2)),
            ],
        }
    };
    Sweep {
        sizes: vec![
            size(32, 512, Some(0.5)),
            size(64, 512, None),
            size(128, 1024, Some(2.0)),
        ],
        threads: 1,
        rate: 2e10,
    }
}
