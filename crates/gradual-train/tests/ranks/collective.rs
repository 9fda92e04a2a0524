//! Ranks that are threads: what they share, and what becomes of those that are left.

use gradual_train::{Collective, RanksError, ThreadRank};

use crate::several::{all_ranks, on_ranks};

#[test]
fn all_have_the_bytes_of_all() {
    for size in [1, 2, 5] {
        let each = all_ranks(size, |rank| {
            let own = vec![rank.rank() as u8; rank.rank() + 1];
            let gathered = rank.all_gather(&own).unwrap();
            let mut told = own;
            rank.broadcast(size - 1, &mut told).unwrap();
            let mut sums = [rank.rank() as f32, 0.5];
            rank.all_reduce_f32(&mut sums).unwrap();
            let mut wide = [1e-300 * rank.rank() as f64];
            rank.all_reduce_f64(&mut wide).unwrap();
            (rank.size(), gathered, told, sums, wide)
        });
        let gathered: Vec<Vec<u8>> = (0..size).map(|rank| vec![rank as u8; rank + 1]).collect();
        let sum = (size * (size - 1) / 2) as f32;
        for one in each {
            assert_eq!((one.0, &one.1), (size, &gathered));
            assert_eq!(one.2, gathered[size - 1]);
            assert_eq!(one.3, [sum, 0.5 * size as f32]);
            assert!((one.4[0] - 1e-300 * f64::from(sum)).abs() <= 1e-312);
        }
    }
}

/// Sums are the same bits on all ranks, whichever came first.
#[test]
fn sums_do_not_depend_on_who_was_first() {
    let numbers = |rank: usize, at: usize| ((rank * 7919 + at * 104_729) % 1_000) as f32 / 7.0;
    let each = all_ranks(4, |rank| {
        let mut all = Vec::new();
        for _ in 0..50 {
            let mut sums: Vec<f32> = (0..100).map(|at| numbers(rank.rank(), at)).collect();
            rank.all_reduce_f32(&mut sums).unwrap();
            all.push(sums);
        }
        all
    });
    let expected: Vec<f32> = (0..100)
        .map(|at| (1..4).fold(numbers(0, at), |sum, rank| sum + numbers(rank, at)))
        .collect();
    assert!(each.iter().flatten().all(|sums| *sums == expected));
}

/// One is dropped, panics, or leaves: whether the others wait already or call later, they end.
#[test]
fn a_rank_that_is_gone_is_named() {
    type Way = (&'static str, fn(ThreadRank));
    let ways: [Way; 3] = [
        ("it was dropped", drop),
        ("its thread panicked", |_rank| panic!("of a test")),
        ("no more room", |rank| rank.leave("no more room")),
    ];
    for (why, go) in ways {
        for calls in [0, 3] {
            let each = on_ranks(4, |rank| {
                for _ in 0..calls {
                    rank.all_gather(&[]).unwrap();
                }
                if rank.rank() == 2 {
                    go(rank);
                    return None;
                }
                let error = rank.all_gather(&[1]).unwrap_err();
                // For good.
                assert!(rank.all_reduce_f32(&mut [1.0]).is_err());
                Some(error)
            });
            for (rank, one) in each.into_iter().enumerate() {
                if rank != 2 {
                    let expected = RanksError::Gone {
                        rank: 2,
                        why: why.to_owned(),
                        call: "all_gather",
                    };
                    assert_eq!(one.unwrap(), Some(expected));
                }
            }
        }
    }
}

#[test]
fn calls_that_disagree_fail_on_all() {
    let errors = all_ranks(3, |rank| match rank.rank() {
        1 => rank.all_reduce_f32(&mut [1.0]).unwrap_err(),
        _ => rank.all_gather(&[]).unwrap_err(),
    });
    for error in errors {
        let message = error.to_string();
        assert!(
            message.contains("all_gather") && message.contains("all_reduce_f32"),
            "{message}"
        );
    }
    let errors = all_ranks(3, |rank| {
        let mut numbers = vec![1.0; if rank.rank() == 2 { 5 } else { 4 }];
        rank.all_reduce_f32(&mut numbers).unwrap_err()
    });
    let expected = RanksError::Lengths {
        rank: 2,
        expected: 4,
        got: 5,
    };
    assert!(errors.iter().all(|error| *error == expected));
}
