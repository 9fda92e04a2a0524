//! The table of the order in which capabilities come.

use gradual_measure::Sample;

use super::{Shown, table};
use crate::folder::Folder;
use crate::order::orders;
use crate::text::escape;

/// The section; nothing where no two runs have an order to compare.
pub(super) fn html(folder: &Folder) -> String {
    let shown: Vec<&str> = folder.shown().map(|arm| arm.name.as_str()).collect();
    let rows: Vec<Vec<Shown>> = orders(folder)
        .filter(|order| shown.contains(&order.arm.name.as_str()))
        .map(|order| {
            vec![
                format!("<code>{}</code>", escape(&order.arm.label)).into(),
                cell(order.with_baseline.as_ref()),
                cell(order.between_seeds.as_ref()),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<h2>Order of emergence</h2>\n{}<p class=\"small\">Kendall’s τ-b of t50: 1 where capabilities come in the same order, 0 \
         where the orders have nothing to do with one another, −1 in reverse; capabilities that never come are last. <b>As in \
         the baseline</b>: of each run with the baseline’s under the same seed, mean over seeds. <b>From seed to seed</b>: of \
         two runs of the arm, mean over all pairs. Behind them Student’s 95 % intervals, between seeds by the jackknife. An \
         arm that keeps the order of the baseline as well as two seeds of the baseline keep theirs does not change the order \
         of emergence: it then comes from the data and not from the loss (arXiv 2604.08510 asks that). Only runs in which at \
         least two capabilities emerge.</p>\n",
        table(
            "metrics",
            &["arm", "as in the baseline", "from seed to seed"],
            &rows
        )
    )
}

fn cell(found: Option<&Sample>) -> Shown {
    // Of two, it reaches far beyond −1 and 1.
    let several = found.filter(|sample| sample.count > 2);
    let interval = several.and_then(|sample| sample.interval);
    Shown::estimate(
        found.map(|sample| sample.mean),
        interval.map(|one| (one.low, one.high)),
    )
}
