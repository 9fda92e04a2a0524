//! How often verdicts are wrong, and how often they come: the tables of `docs/verdicts.md`.
//!
//!     cargo run --release -p gradual-measure --example verdict_errors
//!
//! Every claim of a table is drawn on its own, with a true ratio of exactly the claimed one, so that each decision is
//! an error and the share of tables with at least one is the error rate; then with a true ratio that makes the claim
//! true.

#[path = "../tests/simulated/mod.rs"]
mod simulated;

use std::io::{self, Write};

use simulated::{Noise, Share};

const SEEDS: [usize; 4] = [5, 8, 10, 20];
/// Claims that are drawn for each cell of the table of errors: as many tables of one claim, a tenth of tables of 15.
const CLAIMS: usize = 6_000;

/// Claims that are drawn for each cell of the table of power.
const DRAWS: usize = 3_000;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for claims in [1, 15] {
        let tables = if claims == 1 { CLAIMS } else { CLAIMS / 10 };
        writeln!(out, "\nTables of {claims}, {tables} of each kind:\n")?;
        writeln!(
            out,
            "| log ratios | 5 seeds | 8 | 10 | 20 |\n|---|---|---|---|---|"
        )?;
        for noise in Noise::ALL {
            write!(out, "| {} |", noise.label())?;
            for seeds in SEEDS {
                let Share { plain, verdict, .. } = simulated::wrong(noise, seeds, claims, tables);
                write!(out, " {:.1} → {:.1} |", 100.0 * plain, 100.0 * verdict)?;
                out.flush()?;
            }
            writeln!(out)?;
        }
    }
    // Of twenty seeds each draw takes long, and nearly all decide.
    writeln!(
        out,
        "\n| standard deviation | 5 seeds | 8 | 10 |\n|---|---|---|---|"
    )?;
    for deviation in [0.05, 0.1, 0.2] {
        write!(out, "| {deviation} |")?;
        for seeds in &SEEDS[..3] {
            let Share { plain, verdict, .. } = simulated::power(0.7, 0.8, deviation, *seeds, DRAWS);
            write!(out, " {:.0} → {:.0} |", 100.0 * plain, 100.0 * verdict)?;
            out.flush()?;
        }
        writeln!(out)?;
    }
    Ok(())
}
