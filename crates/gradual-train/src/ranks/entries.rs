//! Whether all ranks were started alike.

use super::error::RanksError;
use super::group::Ranks;
use super::message::Point;
use crate::error::TrainError;

/// Longest value that a message shows.
const SHOWN: usize = 60;

/// Named values, in a fixed order.
pub(crate) type Entries = Vec<(String, String)>;

impl Ranks {
    /// Refuses ranks whose entries are not those of rank 0, and names the first that differs. Gives what goes with a
    /// rank's own here.
    ///
    /// # Errors
    ///
    /// [`RanksError::Differs`] on all ranks; on one that could not make its entries, its own error.
    pub(crate) fn same_entries<V>(
        &self,
        own: Result<(Entries, V), TrainError>,
    ) -> Result<V, TrainError> {
        let own = own.and_then(|(own, value)| {
            let all: Entries = self.entries().iter().cloned().chain(own).collect();
            let bytes = serde_json::to_vec(&all);
            let bytes = bytes.map_err(|problem| RanksError::refused(problem.to_string()))?;
            Ok((bytes, value))
        });
        let (all, value) = self.gather_with(Point::Settings, own)?;
        let read = all.iter().enumerate().map(|(rank, bytes)| {
            let unread = |_| RanksError::Message {
                rank,
                at: Point::Settings.name(),
            };
            serde_json::from_slice::<Entries>(bytes).map_err(unread)
        });
        let read = read.collect::<Result<Vec<_>, RanksError>>()?;
        match difference(&read) {
            None => Ok(value),
            Some(differs) => Err(differs.into()),
        }
    }
}

/// The first rank whose entries are not those of the first, and the first of them that is not.
fn difference(all: &[Entries]) -> Option<RanksError> {
    let (first, others) = all.split_first()?;
    others.iter().zip(1..).find_map(|(own, rank)| {
        let longer = if own.len() > first.len() { own } else { first };
        let at = (0..longer.len()).find(|&at| own.get(at) != first.get(at))?;
        let of = |entries: &Entries| {
            let value = entries.iter().find(|(name, _)| *name == longer[at].0);
            value.map_or_else(|| "not there".to_owned(), |(_, value)| shown(value))
        };
        Some(RanksError::Differs {
            rank,
            entry: longer[at].0.clone(),
            expected: of(first),
            got: of(own),
        })
    })
}

fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        None => value.to_owned(),
        Some((end, _)) => format!("{}…", &value[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(entries: &[(&str, &str)]) -> Entries {
        let each = entries.iter();
        each.map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn the_first_difference_is_named() {
        let first = entries(&[("seed", "1"), ("steps", "20")]);
        assert_eq!(difference(&[first.clone(), first.clone()]), None);
        let other = entries(&[("seed", "1"), ("steps", "30")]);
        let short = entries(&[("seed", "1")]);
        for (other, got) in [(other, "30"), (short, "not there")] {
            let differs = difference(&[first.clone(), first.clone(), other]).unwrap();
            let expected = RanksError::Differs {
                rank: 2,
                entry: "steps".into(),
                expected: "20".into(),
                got: got.into(),
            };
            assert_eq!(differs, expected);
        }
    }
}
