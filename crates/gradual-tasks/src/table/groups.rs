//! The groups of a table.

/// Rows that are one group.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: String,
    /// Two at least.
    pub(super) rows: Vec<u32>,
    /// The only row of another group, to be trained on with these.
    pub(super) lone: Option<u32>,
}

/// The groups of a column, in the order of its values, those of a single row together at the end. `column` has the
/// place of each row's value. None where all are of a single row.
pub(super) fn named_groups(group: &str, values: &[f64], column: &[u32]) -> Option<Vec<Named>> {
    let mut rows = vec![Vec::new(); values.len()];
    for (row, &value) in column.iter().enumerate() {
        rows[value as usize].push(row as u32);
    }
    let (mut named, mut single) = (Vec::new(), Vec::new());
    for (&value, rows) in values.iter().zip(rows) {
        match rows.as_slice() {
            [row] => single.push((value, *row)),
            _ => named.push(Named {
                name: format!("{group}={}", written(value)),
                rows,
                lone: None,
            }),
        }
    }
    let smallest = named.iter_mut().min_by_key(|each| each.rows.len())?;
    match single.as_slice() {
        [] => {}
        [(value, row)] => {
            smallest.name += &format!(" (and {}, a single row)", written(*value));
            smallest.lone = Some(*row);
        }
        several => named.push(Named {
            name: format!("{group}=other ({} groups of a single row)", several.len()),
            rows: several.iter().map(|(_, row)| *row).collect(),
            lone: None,
        }),
    }
    Some(named)
}

/// A number in few characters, from which no other is written alike.
fn written(value: f64) -> String {
    match value.abs() {
        1e17.. => format!("{value:e}"),
        size if size > 0.0 && size < 1e-9 => format!("{value:e}"),
        _ => value.to_string(),
    }
}
