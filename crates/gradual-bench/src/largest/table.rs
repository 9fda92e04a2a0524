//! The table of largest draws, for people and for spreadsheets.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use gradual::runs::files::replace;
use gradual::runs::streams::say;

use super::Row;
use super::search::End;

/// Writes `largest.csv` and `largest.md` into the folder `out`.
pub(super) fn write(out: &Path, rows: &[Row], gib: f64) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    replace(&out.join("largest.csv"), csv(rows))?;
    Ok(replace(&out.join("largest.md"), markdown(rows, gib))?)
}

/// Prints the table, and where it is.
pub(super) fn show(out: &Path, rows: &[Row], gib: f64) -> anyhow::Result<()> {
    say(markdown(rows, gib))?;
    Ok(say(out.join("largest.md").display())?)
}

/// What the search ended at.
fn end(row: &Row) -> &str {
    match &row.found.end {
        End::Memory => "memory",
        End::Time => "time",
        End::Bound => "no larger one tried",
        End::Never(why) => why,
    }
}

fn markdown(rows: &[Row], gib: f64) -> String {
    let mut text = format!(
        "| model | side | step | largest draw at {gib} GiB | s | ends at |\n|---|---|---|---|---|---|\n"
    );
    for row in rows {
        let (draw, seconds) = match row.found.largest {
            Some((draw, seconds)) => (draw.to_string(), format!("{seconds:.2}")),
            None => ("–".to_owned(), "–".to_owned()),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {draw} | {seconds} | {} |",
            row.model,
            row.side,
            row.method,
            end(row).replace('|', "/")
        );
    }
    text
}

fn csv(rows: &[Row]) -> String {
    let mut text = String::from("side,model,method,largest_draw,seconds,end\n");
    for row in rows {
        let (draw, seconds) = match row.found.largest {
            Some((draw, seconds)) => (draw.to_string(), format!("{seconds:.3}")),
            None => Default::default(),
        };
        let _ = writeln!(
            text,
            "{},{},{},{draw},{seconds},\"{}\"",
            row.side,
            row.model,
            row.method,
            end(row).replace('"', "'")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::search::Found;
    use super::*;

    #[test]
    fn each_step_has_a_line() {
        let row = |side, method, largest, end| Row {
            model: "decoder".to_owned(),
            side,
            method,
            found: Found { largest, end },
        };
        let rows = [
            row("gradual", "exact", Some((1_448, 12.345)), End::Memory),
            row("gradual", "recomputed", Some((4_096, 60.0)), End::Time),
            row(
                "peer",
                "ghost",
                None,
                End::Never("not for \"it\"".to_owned()),
            ),
        ];
        assert_eq!(
            markdown(&rows, 8.0),
            "| model | side | step | largest draw at 8 GiB | s | ends at |\n\
             |---|---|---|---|---|---|\n\
             | decoder | gradual | exact | 1448 | 12.35 | memory |\n\
             | decoder | gradual | recomputed | 4096 | 60.00 | time |\n\
             | decoder | peer | ghost | – | – | not for \"it\" |\n"
        );
        assert_eq!(
            csv(&rows),
            "side,model,method,largest_draw,seconds,end\n\
             gradual,decoder,exact,1448,12.345,\"memory\"\n\
             gradual,decoder,recomputed,4096,60.000,\"time\"\n\
             peer,decoder,ghost,,,\"not for 'it'\"\n"
        );
    }
}
