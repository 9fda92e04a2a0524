//! The groups of a column, and its distinct values.

/// Rows that are one group.
pub(super) struct Named {
    pub(super) name: String,
    /// Two at least.
    pub(super) rows: Vec<usize>,
    /// The only row of another group, to be trained on with these.
    pub(super) lone: Option<usize>,
}

/// The groups of a column, in the order of its values, those of a single row together at the end. None where all are of
/// a single row.
pub(super) fn named_groups(group: &str, column: &[f64]) -> Option<Vec<Named>> {
    let rows_of = |value: f64| (0..column.len()).filter(move |&row| column[row] == value);
    let (mut named, mut single) = (Vec::new(), Vec::new());
    for value in distinct(column) {
        let rows: Vec<usize> = rows_of(value).collect();
        match rows.as_slice() {
            [row] => single.push((value, *row)),
            _ => named.push(Named {
                name: format!("{group}={value}"),
                rows,
                lone: None,
            }),
        }
    }
    let smallest = named.iter_mut().min_by_key(|each| each.rows.len())?;
    match single.as_slice() {
        [] => {}
        [(value, row)] => {
            smallest.name += &format!(" (and {value}, a single row)");
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

/// The distinct values of a column, in order.
pub(super) fn distinct(column: &[f64]) -> Vec<f64> {
    let mut values = column.to_vec();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

/// Where a value stands among distinct ones.
pub(super) fn position(values: &[f64], value: f64) -> usize {
    values.partition_point(|&other| other < value)
}
