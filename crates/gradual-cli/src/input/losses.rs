//! Losses.

use std::path::Path;

use anyhow::bail;
use burn::tensor::TensorData;

use super::array::Array;
use super::arrays;
use super::columns::Table;
use super::ends_in;

/// Losses `[n]`: an array, or the column `loss` of a table, in double precision.
pub(crate) fn read(path: &Path) -> anyhow::Result<Array> {
    let array = match ends_in(path, "csv") {
        false => arrays::one(path, "losses")?,
        true => {
            let table = Table::read(path)?;
            let mut losses = Vec::with_capacity(table.rows.len());
            for (line, cell) in table.column(path, "loss")? {
                match cell.parse::<f64>() {
                    Ok(loss) if loss.is_finite() => losses.push(loss),
                    _ => bail!(
                        "{}: line {line}: expected a loss, found {}",
                        path.display(),
                        gradual::runs::shown(cell)
                    ),
                }
            }
            let n = losses.len();
            Array::new(path.display().to_string(), TensorData::new(losses, [n]))
        }
    };
    array.check_float()?;
    array.check_dimensions("losses", "[n], one for each example", 1)?;
    array.check_finite()?;
    Ok(array)
}
