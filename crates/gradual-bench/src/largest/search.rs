//! The search for the largest draw.

/// The first draw that is tried, and the largest.
const FIRST: usize = 8;
const LAST: usize = 65_536;
/// How often the gap between what fits and what does not is halved: 1/16 of a doubling is left, 4 %.
const HALVINGS: usize = 4;

/// What came of one draw.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tried {
    /// The seconds of a step.
    Fits(f64),
    TooLarge,
    TooSlow,
    /// Why it can't be had at any draw.
    Never(String),
}

/// What ends a search.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    Memory,
    Time,
    /// No larger draw is tried.
    Bound,
    /// It can't be had.
    Never(String),
}

/// The largest draw that fits, if one does, with the seconds of its step, and why it is not larger.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) largest: Option<(usize, f64)>,
    pub(super) end: End,
}

/// Looks for the largest draw that `attempt` says fits.
pub(super) fn search(
    mut attempt: impl FnMut(usize) -> anyhow::Result<Tried>,
) -> anyhow::Result<Found> {
    let (mut largest, mut draw) = (None, FIRST);
    let (mut above, mut end) = loop {
        match attempt(draw)? {
            Tried::Fits(seconds) => largest = Some((draw, seconds)),
            other => break (draw, ended(other)),
        }
        if draw >= LAST {
            return Ok(Found {
                largest,
                end: End::Bound,
            });
        }
        draw *= 2;
    };
    for _ in 0..HALVINGS {
        let Some((below, _)) = largest else { break };
        let middle = (below as f64 * above as f64).sqrt().round() as usize;
        if middle <= below || middle >= above {
            break;
        }
        match attempt(middle)? {
            Tried::Fits(seconds) => largest = Some((middle, seconds)),
            other => (above, end) = (middle, ended(other)),
        }
    }
    Ok(Found { largest, end })
}

fn ended(tried: Tried) -> End {
    match tried {
        Tried::TooSlow => End::Time,
        Tried::Never(why) => End::Never(why),
        Tried::Fits(_) | Tried::TooLarge => End::Memory,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits_up_to(most: usize) -> (Found, usize) {
        let mut tries = 0;
        let found = search(|draw| {
            tries += 1;
            Ok(match draw <= most {
                true => Tried::Fits(draw as f64),
                false => Tried::TooLarge,
            })
        });
        (found.unwrap(), tries)
    }

    #[test]
    fn the_largest_draw_is_found_to_a_few_percent() {
        for most in [8, 9, 100, 300, 1_000, 5_000, 65_535] {
            let (Found { largest, end }, tries) = fits_up_to(most);
            let (draw, seconds) = largest.unwrap();
            assert!(
                draw <= most && draw as f64 * 1.05 >= most as f64,
                "{draw} of {most}"
            );
            assert!((seconds - draw as f64).abs() < 1e-9 && end == End::Memory);
            assert!(tries <= 19, "{tries} tries");
        }
        assert_eq!(fits_up_to(7).0.largest, None);
        let (Found { largest, end }, _) = fits_up_to(usize::MAX);
        assert_eq!((largest.unwrap().0, end), (LAST, End::Bound));
    }

    #[test]
    fn what_ends_a_search_is_told() {
        let slow = search(|draw| {
            Ok(match draw {
                0..100 => Tried::Fits(1.0),
                100..120 => Tried::TooSlow,
                _ => Tried::TooLarge,
            })
        });
        let slow = slow.unwrap();
        assert_eq!(slow.end, End::Time);
        assert!((94..100).contains(&slow.largest.unwrap().0));
        let never = search(|_| Ok(Tried::Never("not for this model".to_owned()))).unwrap();
        assert_eq!(never.largest, None);
        assert_eq!(never.end, End::Never("not for this model".to_owned()));
        assert!(search(|_| anyhow::bail!("no such program")).is_err());
    }
}
