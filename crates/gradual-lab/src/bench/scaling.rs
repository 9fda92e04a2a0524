//! `bench --scaling`: how the cost of the MLP's step grows with the draw and with the number of
//! parameters, beside what was counted and what the peers take.

mod fit;
mod plots;
mod series;
mod text;

use gradual::runs::files::replace;
use std::path::Path;

use super::case::Measured;
use super::flops::{self, Flops};
use super::method::Method;
use super::model::{Kind, WIDTH, mlp_widths};
use super::rate;
use super::table::write_raw;
use super::turns::Turns;

/// Draws N at width [`WIDTH`], by default.
pub(super) const DRAWS: [usize; 7] = [32, 64, 128, 256, 512, 1024, 2048];
/// Widths at draw [`DRAW`], by default.
pub(super) const WIDTHS: [usize; 5] = [128, 256, 512, 1024, 2048];
/// The draw at which the number of parameters varies.
const DRAW: usize = 128;
/// What is timed of ours …
const METHODS: [Method; 3] = [Method::Ordinary, Method::Exact, Method::Sketch];
/// … and of the peers.
const PEERS: [&str; 3] = ["vmap", "torchjd", "ghost"];
/// Products beside each case whose rate enters the median.
const PRODUCTS: usize = 5;

/// One size of the sweep, and what was measured on it.
struct Size {
    draw: usize,
    width: usize,
    measured: Vec<Measured>,
}

/// All that was measured.
struct Sweep {
    sizes: Vec<Size>,
    threads: usize,
    /// Operations per second of a large matrix product, median over the whole run.
    rate: f64,
}

impl Size {
    /// P.
    fn parameters(&self) -> usize {
        flops::parameters(&mlp_widths(self.width))
    }

    fn flops(&self) -> Flops {
        Flops::of_mlp(&mlp_widths(self.width), self.draw)
    }
}

/// Measures every draw at one width and every width at one draw, and writes `raw.jsonl`, `scaling.csv`,
/// `scaling.md` and four plots into the folder `out`, after each size what is there so far: the large ones
/// take minutes.
pub(super) fn run(
    turns: &Turns,
    draws: &[usize],
    widths: &[usize],
    out: &Path,
) -> anyhow::Result<()> {
    let mut rates = Vec::new();
    let mut sweep = Sweep {
        sizes: Vec::new(),
        threads: turns.threads,
        rate: f64::NAN,
    };
    for (draw, width) in cases(draws, widths) {
        let kind = Kind::Mlp { width };
        eprintln!("{kind} at draw {draw} …");
        rates.extend(rate::measure(
            &turns.backend.device,
            turns.threads,
            PRODUCTS,
        )?);
        rates.sort_by(f64::total_cmp);
        sweep.rate = rates[rates.len() / 2];
        sweep.sizes.push(Size {
            draw,
            width,
            measured: turns.measure(kind, draw, &METHODS, &PEERS)?,
        });
        write(&sweep, out)?;
    }
    println!("{}", text::markdown(&sweep));
    println!("{}", out.join("scaling.md").display());
    Ok(())
}

/// The (draw, width) of both sweeps, each once, the draws first.
fn cases(draws: &[usize], widths: &[usize]) -> Vec<(usize, usize)> {
    let mut cases: Vec<(usize, usize)> = Vec::new();
    let by_draw = draws.iter().map(|&draw| (draw, WIDTH));
    for case in by_draw.chain(widths.iter().map(|&width| (DRAW, width))) {
        if !cases.contains(&case) {
            cases.push(case);
        }
    }
    cases
}

fn write(sweep: &Sweep, out: &Path) -> anyhow::Result<()> {
    let all: Vec<Measured> = sweep
        .sizes
        .iter()
        .flat_map(|size| size.measured.iter().cloned())
        .collect();
    write_raw(out, &all)?;
    replace(&out.join("scaling.csv"), text::csv(sweep))?;
    replace(&out.join("scaling.md"), text::markdown(sweep))?;
    for (name, svg) in plots::all(sweep)? {
        replace(&out.join(format!("{name}.svg")), &svg)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::case::sample;
    use super::*;

    /// Draws 32 and 64 at width 512, and width 1024 at draw 128. Our seconds are the counted operations at
    /// 10¹⁰ a second, half of the rate; the peer was skipped at draw 64.
    pub(super) fn sweep() -> Sweep {
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

    #[test]
    fn the_case_of_both_sweeps_is_measured_once() {
        assert_eq!(
            cases(&[64, 128], &[256, 512]),
            [(64, 512), (128, 512), (128, 256)]
        );
    }

    #[test]
    fn every_file_is_written() {
        let home = tempfile::tempdir().unwrap();
        write(&sweep(), &home.path().join("scaling")).unwrap();
        for name in [
            "raw.jsonl",
            "scaling.csv",
            "scaling.md",
            "time-n.svg",
            "time-p.svg",
            "memory-n.svg",
            "memory-p.svg",
        ] {
            assert!(home.path().join("scaling").join(name).exists(), "{name}");
        }
    }
}
