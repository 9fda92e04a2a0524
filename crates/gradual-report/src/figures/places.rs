//! Places for the names of points, so that none covers another name or a point.

use std::f64::consts::TAU;
use std::ops::Range;

use plotters::prelude::*;

use super::canvas::{Area, Drawn, line};
use super::svg::{pixels, px};

/// A rectangle by its middle and its half size, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Box {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) half_width: f64,
    pub(super) half_height: f64,
}

impl Box {
    /// What lies between these pixels of a plot, as it counts them.
    pub(super) fn between(across: Range<i32>, down: Range<i32>) -> Self {
        let middle = |ends: &Range<i32>| (pixels(ends.start) + pixels(ends.end)) / 2.0;
        let half = |ends: &Range<i32>| (pixels(ends.end) - pixels(ends.start)).abs() / 2.0;
        Self {
            x: middle(&across),
            y: middle(&down),
            half_width: half(&across),
            half_height: half(&down),
        }
    }

    fn meets(&self, other: &Self) -> bool {
        (self.x - other.x).abs() < self.half_width + other.half_width
            && (self.y - other.y).abs() < self.half_height + other.half_height
    }

    fn is_within(&self, other: &Self) -> bool {
        (self.x - other.x).abs() + self.half_width <= other.half_width
            && (self.y - other.y).abs() + self.half_height <= other.half_height
    }
}

/// Half the size of what a name must not cover around a point.
const POINT: f64 = 5.5;
/// Directions that are tried around a point.
const DIRECTIONS: usize = 24;
/// A name further away than this has a line to its point.
const LEADER: f64 = 9.0;
/// From a point to its name: the first that is tried, and the step to the next.
const NEAR: f64 = 7.0;
const STEP: f64 = 5.0;

/// The middles of names of these sizes (width, height) beside their points, none further away than `reach`, inside of
/// `room` and clear of the `taken`; `None` where one has no such place. A name stands where it is nearest, away from the
/// middle of all points if there is a choice.
pub(super) fn places(
    points: &[(f64, f64)],
    sizes: &[(f64, f64)],
    room: Box,
    taken: &[Box],
    reach: f64,
) -> Option<Vec<(f64, f64)>> {
    let n = points.len().max(1) as f64;
    let middle = points.iter().fold((0.0, 0.0), |sum, one| {
        (sum.0 + one.0 / n, sum.1 + one.1 / n)
    });
    let away = |(x, y): (f64, f64)| (y - middle.1).atan2(x - middle.0);
    let distance = |(x, y): (f64, f64)| (x - middle.0).hypot(y - middle.1);
    let dots = points.iter().map(|&(x, y)| Box {
        x,
        y,
        half_width: POINT,
        half_height: POINT,
    });
    let mut taken: Vec<Box> = dots.chain(taken.iter().copied()).collect();
    // The inner ones have the least choice.
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&one, &other| distance(points[one]).total_cmp(&distance(points[other])));
    let mut places = vec![(0.0, 0.0); points.len()];
    for index in order {
        let (point, (width, height)) = (points[index], sizes[index]);
        let outward = away(point);
        let rings = (0..)
            .map(|ring| NEAR + STEP * f64::from(ring))
            .take_while(|&far| far <= reach);
        let free = rings
            .flat_map(|far| turns().map(move |turn| (far, turn)))
            .map(|(far, turn)| {
                let (sin, cos) = (outward + turn).sin_cos();
                Box {
                    x: point.0 + cos * (far + width / 2.0),
                    y: point.1 + sin * (far + height / 2.0),
                    half_width: width / 2.0 + 1.0,
                    half_height: height / 2.0 + 0.5,
                }
            })
            .find(|name| name.is_within(&room) && taken.iter().all(|other| !name.meets(other)))?;
        places[index] = (free.x, free.y);
        taken.push(free);
    }
    Some(places)
}

/// Draws the line from a point to its name of this `size` around `place`, if the name is not beside it.
pub(super) fn lead(
    on: &Area<'_>,
    point: (f64, f64),
    (x, y): (f64, f64),
    size: (f64, f64),
    colour: RGBColor,
) -> Drawn {
    let near = (
        point.0.clamp(x - size.0 / 2.0, x + size.0 / 2.0),
        point.1.clamp(y - size.1 / 2.0, y + size.1 / 2.0),
    );
    if (near.0 - point.0).hypot(near.1 - point.1) > LEADER {
        let leader = [point, near].map(|(x, y)| (px(x), px(y)));
        on.draw(&PathElement::new(leader, line(0.75, colour.mix(0.7))))?;
    }
    Ok(())
}

/// Turns from straight on to backwards, to either side in turn.
fn turns() -> impl Iterator<Item = f64> {
    (0..DIRECTIONS).map(|at| {
        let side = if at % 2 == 0 { 1.0 } else { -1.0 };
        side * at.div_ceil(2) as f64 * TAU / DIRECTIONS as f64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Box = Box {
        x: 150.0,
        y: 100.0,
        half_width: 150.0,
        half_height: 100.0,
    };

    fn check(points: &[(f64, f64)], sizes: &[(f64, f64)], reach: f64) -> bool {
        let Some(places) = places(points, sizes, ROOM, &[], reach) else {
            return false;
        };
        let boxes: Vec<Box> = places
            .iter()
            .zip(sizes)
            .map(|(&(x, y), size)| Box {
                x,
                y,
                half_width: size.0 / 2.0,
                half_height: size.1 / 2.0,
            })
            .collect();
        for (index, one) in boxes.iter().enumerate() {
            assert!(one.is_within(&ROOM));
            assert!(boxes[..index].iter().all(|other| !one.meets(other)));
            for &(x, y) in points {
                let inside =
                    (one.x - x).abs() < one.half_width && (one.y - y).abs() < one.half_height;
                assert!(!inside, "a name covers a point");
            }
        }
        true
    }

    #[test]
    fn names_cover_neither_names_nor_points() {
        let grid = |n: usize| -> Vec<(f64, f64)> {
            (0..n)
                .map(|at| (60.0 + 31.0 * (at % 6) as f64, 30.0 + 23.0 * (at / 6) as f64))
                .collect()
        };
        assert!(check(&grid(1), &[(60.0, 12.0)], 8.0));
        assert!(check(&grid(36), &[(8.0, 10.0); 36], 60.0));
        // There is no room for so many long ones.
        assert!(!check(&grid(36), &[(140.0, 12.0); 36], 60.0));
        // All in one place.
        assert!(check(&[(150.0, 100.0); 12], &[(8.0, 10.0); 12], 60.0));
        assert!(check(&[], &[], 8.0));
    }

    #[test]
    fn a_name_stands_outwards() {
        let points = [(100.0, 100.0), (200.0, 100.0)];
        let found = places(&points, &[(20.0, 10.0); 2], ROOM, &[], 8.0).unwrap();
        assert!(found[0].0 < 100.0 && found[1].0 > 200.0, "{found:?}");
    }

    #[test]
    fn what_is_taken_stays_free() {
        let half = Box {
            x: 75.0,
            half_width: 75.0,
            ..ROOM
        };
        let found = places(&[(150.0, 100.0)], &[(30.0, 10.0)], ROOM, &[half], 20.0).unwrap();
        assert!(found[0].0 > 165.0, "{found:?}");
    }
}
