//! Which colour and which letter is which arm: the same in every figure of a page.
//!
//! The baseline is black, arms of a series share a colour, every other arm has its own. With more colours than
//! [`style::ARMS`] they come again, so letters tell arms apart that look alike.

use std::collections::{BTreeMap, BTreeSet};

use plotters::style::RGBColor;

use super::legend::{Key, letter};
use crate::folder::{Arm, Folder};
use crate::style::{self, INK};

/// The looks of the arms that a page shows, in the order of [`Folder::shown`].
pub(super) struct Looks<'a> {
    arms: Vec<&'a Arm>,
    colours: Vec<RGBColor>,
    /// The place of each series among the colours.
    series: BTreeMap<&'a str, usize>,
}

impl<'a> Looks<'a> {
    pub(super) fn of(folder: &'a Folder) -> Self {
        let arms: Vec<&Arm> = folder.shown().collect();
        let (mut series, mut next) = (BTreeMap::new(), 0);
        let mut fresh = || {
            next += 1;
            next - 1
        };
        let colours = arms.iter().map(|arm| {
            if arm.name == arm.baseline {
                return INK;
            }
            style::arm(match &arm.series {
                Some(one) => *series.entry(one.name.as_str()).or_insert_with(&mut fresh),
                None => fresh(),
            })
        });
        let colours = colours.collect();
        Self {
            arms,
            colours,
            series,
        }
    }

    /// The colour of the arm at `index`.
    pub(super) fn colour(&self, index: usize) -> RGBColor {
        self.colours[index]
    }

    /// The colour of a series; black where only the baseline is in it.
    pub(super) fn series(&self, name: &str) -> RGBColor {
        self.series.get(name).map_or(INK, |&at| style::arm(at))
    }

    /// Whether two arms have one colour.
    pub(super) fn any_alike(&self) -> bool {
        let colours = self.colours.iter();
        let different: BTreeSet<_> = colours
            .map(|&RGBColor(red, green, blue)| (red, green, blue))
            .collect();
        different.len() < self.colours.len()
    }

    /// What a legend says of the arm at `index`.
    pub(super) fn key(&self, index: usize) -> Key<'a> {
        Key {
            letter: letter(index),
            name: &self.arms[index].label,
            colour: self.colours[index],
        }
    }

    /// What a legend says of all arms.
    pub(super) fn keys(&self) -> Vec<Key<'a>> {
        (0..self.arms.len()).map(|index| self.key(index)).collect()
    }
}
