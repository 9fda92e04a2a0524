//! One digit of one sum, and what it takes to tell it.

/// What the places of a number are called, from the last.
const PLACES: [&str; 7] = [
    "units",
    "tens",
    "hundreds",
    "thousands",
    "ten-thousands",
    "hundred-thousands",
    "millions",
];

/// Token of the plus sign; digits are their own tokens.
const PLUS: u32 = 10;
/// Token of the equals sign.
const EQUALS: u32 = 11;
/// Token of what is not there to be read.
const PAD: u32 = 12;
/// Number of tokens.
pub(super) const TOKENS: usize = 13;

/// A digit that is asked for: that of `a + b` in one place, counted from the units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) place: usize,
}

impl Problem {
    /// The digit itself.
    pub(super) fn answer(self) -> u32 {
        digit(self.a + self.b, self.place)
    }

    /// Whether the places after it carry a one into it.
    pub(super) fn has_carry(self) -> bool {
        let below = 10_u32.pow(self.place as u32);
        self.a % below + self.b % below >= below
    }

    /// The capability that tells it, of numbers of so many digits: its place, and whether a one is carried into it. Nothing is carried
    /// into the units, and the first digit of the sum is the carry itself.
    pub(super) fn capability(self, digits: usize) -> usize {
        match self.place {
            0 => 0,
            place if place == digits => 2 * digits - 1,
            place => 2 * place - 1 + usize::from(self.has_carry()),
        }
    }

    /// What a model reads: both numbers and the digits of the sum before this one. The rest of the sum is left out.
    pub(super) fn tokens(self, digits: usize) -> Vec<u32> {
        let number = |number: u32, from: usize, to: usize| {
            (to..from).rev().map(move |place| digit(number, place))
        };
        let mut tokens: Vec<u32> = number(self.a, digits, 0).collect();
        tokens.push(PLUS);
        tokens.extend(number(self.b, digits, 0));
        tokens.push(EQUALS);
        tokens.extend(number(self.a + self.b, digits + 1, self.place + 1));
        tokens.resize(context(digits), PAD);
        tokens
    }

    /// Where the digit is told: at the last token that is there to be read.
    pub(super) fn scored(self, digits: usize) -> usize {
        2 * digits + 1 + digits - self.place
    }

    /// As a person would write it, the digit in brackets.
    pub(super) fn text(self, digits: usize) -> String {
        let Self { a, b, place } = self;
        let before: String = (place + 1..=digits)
            .rev()
            .map(|place| digit(a + b, place).to_string())
            .collect();
        let answer = self.answer();
        format!("{a:0digits$}+{b:0digits$}={before}[{answer}]")
    }
}

/// Tokens of the longest input.
pub(super) fn context(digits: usize) -> usize {
    3 * digits + 2
}

/// What the capabilities are called, in the order of their numbers.
pub(super) fn names(digits: usize) -> Vec<String> {
    let mut names = vec![PLACES[0].to_owned()];
    for place in &PLACES[1..digits] {
        names.extend([(*place).to_owned(), format!("{place} with carry")]);
    }
    names.push(PLACES[digits].to_owned());
    names
}

fn digit(number: u32, place: usize) -> u32 {
    number / 10_u32.pow(place as u32) % 10
}
