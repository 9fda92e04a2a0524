//! `bench --scaling`: how the cost of the MLP's step grows with the draw and with the number of
//! parameters, beside what was counted and what the peers take.

mod plots;
mod series;
mod sweep;
mod text;

use std::path::Path;

use gradual::runs::files::replace;
use gradual::runs::streams::{say, tell};

use self::sweep::{DRAW, METHODS, PEERS, PRODUCTS, Size, Sweep};
use crate::measured::Measured;
use crate::model::{Kind, WIDTH};
use crate::rate;
use crate::turns::Turns;
use crate::write::write_raw;

/// Draws N at width [`WIDTH`], by default.
pub(crate) const DRAWS: [usize; 7] = [32, 64, 128, 256, 512, 1024, 2048];
/// Widths at draw [`DRAW`], by default.
pub(crate) const WIDTHS: [usize; 5] = [128, 256, 512, 1024, 2048];
/// Draws of the short version: enough for a slope.
pub(crate) const QUICK_DRAWS: [usize; 3] = [64, 256, 1024];
/// Widths of the short version.
pub(crate) const QUICK_WIDTHS: [usize; 3] = [128, 512, 1024];

/// Measures every draw at one width and every width at one draw, and writes `raw.jsonl`, `scaling.csv`,
/// `scaling.md` and four plots into the folder `out`, after each size what is there so far: the large ones
/// take minutes.
pub(crate) fn run(
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
        tell(format_args!("{kind} at draw {draw} …"));
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
    say(text::markdown(&sweep))?;
    say(out.join("scaling.md").display())?;
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
    use super::sweep::sample;
    use super::*;

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
        write(&sample(), &home.path().join("scaling")).unwrap();
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
