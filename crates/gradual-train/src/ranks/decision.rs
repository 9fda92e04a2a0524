//! What rank 0 decides: the coefficients and hard groups of a draw.
//!
//! Every rank decides by itself from the same bytes, so that what groupings and compositions have learned is the same
//! everywhere. Devices that round in another way might still differ in a last bit, and then in a group. So all take the
//! coefficients of rank 0, and its groups where these are hard. Soft memberships are not sent: coefficients are all that
//! a step needs of them.

use burn::tensor::{Device, Tensor};
use gradual_group::Groups;

use super::error::RanksError;
use super::message::Point;
use super::numbers::Numbers;
use crate::error::TrainError;

/// Stands for no group.
const NONE: u32 = u32::MAX;
/// Before the coefficients: whether groups are hard.
const SOFT: u8 = 0;
const HARD: u8 = 1;

/// The decision as bytes: 4 for each coefficient (8 in double precision), and 4 for the group of each example where
/// groups are hard.
pub(crate) fn sent_decision(
    groups: &Groups,
    coefficients: &Tensor<1>,
) -> Result<Vec<u8>, TrainError> {
    let coefficients = Numbers::of("coefficient", coefficients.clone())?.bytes();
    let Some(assignment) = groups.assignment() else {
        return Ok([&[SOFT], coefficients.as_slice()].concat());
    };
    let number = |group: usize| {
        let number = u32::try_from(group).ok().filter(|&number| number < NONE);
        number.ok_or_else(|| RanksError::refused("there are too many groups"))
    };
    let mut bytes = vec![HARD];
    bytes.extend(number(groups.num_groups())?.to_le_bytes());
    for group in assignment {
        let group = group.map_or(Ok(NONE), number)?;
        bytes.extend(group.to_le_bytes());
    }
    bytes.extend(coefficients);
    Ok(bytes)
}

/// A rank's own groups with the decision of rank 0, for as many examples, and its coefficients.
pub(crate) fn taken_decision(
    sent: &[u8],
    own: Groups,
    device: &Device,
) -> Result<(Groups, Tensor<1>), TrainError> {
    let unread = || RanksError::Message {
        rank: 0,
        at: Point::Decision.name(),
    };
    let n = own.num_examples();
    let (kind, rest) = sent.split_first().ok_or_else(unread)?;
    let (groups, rest) = match *kind {
        SOFT => (own, rest),
        HARD => {
            let (numbers, rest) = rest.split_at_checked(4 * (1 + n)).ok_or_else(unread)?;
            let (numbers, _) = numbers.as_chunks();
            let mut numbers = numbers.iter().map(|&number| u32::from_le_bytes(number));
            let count = numbers.next().ok_or_else(unread)? as usize;
            let assignment: Vec<Option<usize>> = numbers
                .map(|number| (number != NONE).then_some(number as usize))
                .collect();
            let same = own.num_groups() == count && own.assignment() == Some(&assignment);
            match same {
                true => (own, rest),
                false => (own.renumbered(assignment, count)?, rest),
            }
        }
        _ => return Err(unread().into()),
    };
    let coefficients = Numbers::read(rest).filter(|numbers| numbers.len() == n);
    let coefficients = coefficients.ok_or_else(unread)?;
    Ok((groups, coefficients.tensor([n], device)))
}

#[cfg(test)]
mod tests {
    use gradual_group::Average;

    use super::*;

    fn read(tensor: &Tensor<1>) -> Vec<f32> {
        tensor.clone().into_data().try_to_vec().unwrap()
    }

    #[test]
    fn all_have_what_rank_0_has() {
        let device = Device::flex();
        let hard = |assignment: [Option<usize>; 3], groups| {
            Groups::hard(assignment.to_vec(), groups, Average::Sum, &device).unwrap()
        };
        let first = hard([Some(1), None, Some(0)], 2);
        let coefficients = Tensor::<1>::from_floats([0.1, 0.2, 0.7], &device);
        let sent = sent_decision(&first, &coefficients).unwrap();
        assert_eq!(sent.len(), 1 + 4 + 3 * 4 + 1 + 3 * 4);
        for own in [first.clone(), hard([Some(0), Some(2), None], 3)] {
            let (groups, own) = taken_decision(&sent, own, &device).unwrap();
            assert_eq!(
                (groups.num_groups(), groups.assignment()),
                (2, first.assignment())
            );
            let membership = groups.membership().clone().flatten(0, 1);
            assert_eq!(
                read(&membership),
                read(&first.membership().clone().flatten(0, 1))
            );
            assert_eq!(read(&own), [0.1, 0.2, 0.7]);
        }
        assert!(taken_decision(&sent, hard([None; 3], 1), &device).is_ok());
        for broken in [&sent[..10], &sent[..sent.len() - 1], &[7], &[]] {
            assert!(
                taken_decision(broken, first.clone(), &device).is_err(),
                "{broken:?}"
            );
        }
    }

    #[test]
    fn soft_groups_are_not_sent() {
        let device = Device::flex();
        let soft = Groups::soft(vec![0.25, 0.75], vec![1.0], vec![1.0], &device).unwrap();
        let coefficients = Tensor::<1>::from_floats([0.5, -0.5], &device);
        let sent = sent_decision(&soft, &coefficients).unwrap();
        assert_eq!(sent.len(), 1 + 1 + 2 * 4);
        let (groups, own) = taken_decision(&sent, soft, &device).unwrap();
        assert!(groups.assignment().is_none());
        assert_eq!(read(&own), [0.5, -0.5]);
    }
}
