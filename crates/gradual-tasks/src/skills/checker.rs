//! A second opinion on every answer: parses the prompt from its text and shares no code with the
//! generators.

use super::skill::Skill;

/// Whether `prompt` has the form of `skill` and `answer` is its one right answer.
pub(super) fn check(skill: Skill, prompt: &str, answer: &str) -> bool {
    verdict(skill, prompt, answer).unwrap_or(false)
}

/// None if the prompt or the answer has not even the right form.
fn verdict(skill: Skill, prompt: &str, answer: &str) -> Option<bool> {
    Some(match skill {
        Skill::Add => {
            let (a, b) = prompt.strip_suffix('=')?.split_once('+')?;
            add_columns(numeral(a, 2)?, numeral(b, 2)?) == answer
        }
        Skill::Multiply => {
            let (a, b) = prompt.strip_suffix('=')?.split_once('*')?;
            let times = numeral(a, 1)?.parse::<usize>().ok()?;
            let b = numeral(b, 2)?;
            (0..times).fold("0".to_owned(), |sum, _| add_columns(&sum, b)) == answer
        }
        Skill::ToNumber => {
            let number = read_words(prompt.strip_suffix('=')?)?;
            numeral(answer, 3)?.parse() == Ok(number)
        }
        Skill::ToWords => {
            let number = numeral(prompt.strip_suffix('=')?, 3)?;
            number.parse() == Ok(read_words(answer)?)
        }
        Skill::AddWords => {
            let (a, b) = prompt.strip_suffix('=')?.split_once('+')?;
            let below_hundred = |text| read_words(text).filter(|&number| number < 100);
            below_hundred(a)?.checked_add(below_hundred(b)?)? == below_hundred(answer)?
        }
        Skill::Lookup => value(prompt)? == answer,
        Skill::Copy => letters(prompt, "c:")? == answer,
        Skill::Reverse => {
            let (given, last) = (letters(prompt, "r:")?, answer.len().checked_sub(1)?);
            given.len() == answer.len()
                && (0..=last).all(|i| given.as_bytes()[i] == answer.as_bytes()[last - i])
        }
        Skill::Sort => {
            let given = letters(prompt, "s:")?;
            let count = |text: &str, letter: u8| text.bytes().filter(|&b| b == letter).count();
            answer.len() == given.len()
                && answer.as_bytes().windows(2).all(|pair| pair[0] <= pair[1])
                && (b'a'..=b'j').all(|letter| count(given, letter) == count(answer, letter))
        }
    })
}

/// A numeral without leading zeros, of at most so many digits.
fn numeral(text: &str, digits_at_most: usize) -> Option<&str> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    (digits && canonical && (1..=digits_at_most).contains(&text.len())).then_some(text)
}

/// Adds two numerals as at school, column by column from the right.
fn add_columns(a: &str, b: &str) -> String {
    let digit = |text: &str, column: usize| {
        text.len()
            .checked_sub(column + 1)
            .map_or(0, |place| text.as_bytes()[place] - b'0')
    };
    let mut carry = 0;
    let mut reversed = Vec::new();
    for column in 0..a.len().max(b.len()) {
        let sum = digit(a, column) + digit(b, column) + carry;
        reversed.push(sum % 10);
        carry = sum / 10;
    }
    if carry > 0 {
        reversed.push(carry);
    }
    reversed
        .iter()
        .rev()
        .map(|&digit| char::from(b'0' + digit))
        .collect()
}

/// The number that a number word stands for; none if it is not exactly one.
///
/// Reads from left to right and adds up; each word must be of a lower order than the one before.
pub(super) fn read_words(text: &str) -> Option<u32> {
    let (mut sum, mut before) = (0, None);
    for part in text.split('-') {
        let fits = match (part, before) {
            ("hundred", Some(Order::Units)) => sum < 10,
            (_, None) => part != "hundred",
            ("hundred" | "zero", _) | (_, Some(Order::Units | Order::Whole)) => false,
            (_, Some(Order::Tens)) => word(part)? < 10,
            (_, Some(Order::Hundreds)) => true,
        };
        if !fits {
            return None;
        }
        if part == "hundred" {
            sum *= 100;
            before = Some(Order::Hundreds);
        } else {
            let number = word(part)?;
            sum += number;
            before = Some(match number {
                1..10 => Order::Units,
                0 | 10..20 => Order::Whole,
                _ => Order::Tens,
            });
        }
    }
    (sum < 1000).then_some(sum)
}

/// What a word says of those that may follow it.
#[derive(Clone, Copy)]
enum Order {
    /// Anything but `zero` may follow.
    Hundreds,
    /// One to nine may follow.
    Tens,
    /// Only `hundred` may follow, and only if nothing came before.
    Units,
    /// Nothing may follow.
    Whole,
}

fn word(text: &str) -> Option<u32> {
    Some(match text {
        "zero" => 0,
        "one" => 1,
        "two" => 2,
        "three" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        "seven" => 7,
        "eight" => 8,
        "nine" => 9,
        "ten" => 10,
        "eleven" => 11,
        "twelve" => 12,
        "thirteen" => 13,
        "fourteen" => 14,
        "fifteen" => 15,
        "sixteen" => 16,
        "seventeen" => 17,
        "eighteen" => 18,
        "nineteen" => 19,
        "twenty" => 20,
        "thirty" => 30,
        "forty" => 40,
        "fifty" => 50,
        "sixty" => 60,
        "seventy" => 70,
        "eighty" => 80,
        "ninety" => 90,
        _ => return None,
    })
}

/// 3 to 6 letters between an operator and `>`.
fn letters<'a>(prompt: &'a str, operator: &str) -> Option<&'a str> {
    let letters = prompt.strip_prefix(operator)?.strip_suffix('>')?;
    let form =
        (3..=6).contains(&letters.len()) && letters.bytes().all(|b| (b'a'..=b'j').contains(&b));
    form.then_some(letters)
}

/// Reads the object entry by entry; none unless it has two different keys and the asked one is
/// there.
fn value(prompt: &str) -> Option<&str> {
    let (object, asked) = prompt.strip_prefix('{')?.split_once('}')?;
    let (mut keys, mut found) = (String::new(), None);
    for entry in object.split(',') {
        let (key, value) = entry.strip_prefix('"')?.split_once("\":")?;
        let digit = value.len() == 1 && value.as_bytes()[0].is_ascii_digit();
        let letter = matches!(key, "a" | "b" | "c" | "d" | "e");
        if !letter || !digit || keys.contains(key) {
            return None;
        }
        if key == asked {
            found = Some(value);
        }
        keys.push_str(key);
    }
    (keys.len() == 2).then_some(found)?
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::alphabet::Alphabet;
    use super::super::split::sample_training;
    use super::*;

    const ITEMS: usize = 5_000;

    #[test]
    fn every_drawn_answer_is_right() {
        for seed in 0..3 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            for skill in Skill::ALL {
                for _ in 0..ITEMS {
                    for item in [skill.sample(&mut rng), sample_training(skill, &mut rng)] {
                        assert!(check(skill, &item.prompt, &item.answer), "{item:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_wrong_answer_is_rejected() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let signs: Vec<char> = (0..48).filter_map(|id| Alphabet.character(id)).collect();
        for skill in Skill::ALL {
            for _ in 0..1_000 {
                let item = skill.sample(&mut rng);
                let right = &item.answer;
                let mut wrong = vec![
                    String::new(),
                    format!("0{right}"),
                    format!("{right}{right}"),
                ];
                wrong.push(right.chars().rev().collect());
                wrong.push(skill.sample(&mut rng).answer);
                for place in 0..right.len() {
                    wrong.push(format!("{}{}", &right[..place], &right[place + 1..]));
                    let sign = signs[rng.random_range(0..signs.len())];
                    wrong.push(format!("{}{sign}{}", &right[..place], &right[place..]));
                    for sign in &signs {
                        wrong.push(format!("{}{sign}{}", &right[..place], &right[place + 1..]));
                    }
                }
                for answer in wrong.iter().filter(|answer| *answer != right) {
                    assert!(!check(skill, &item.prompt, answer), "{item:?} {answer}");
                }
            }
        }
    }

    #[test]
    fn every_prompt_belongs_to_one_skill() {
        let mut rng = ChaCha8Rng::seed_from_u64(12);
        for skill in Skill::ALL {
            for _ in 0..ITEMS {
                let item = skill.sample(&mut rng);
                for other in Skill::ALL.into_iter().filter(|&other| other != skill) {
                    let answer = other.sample(&mut rng).answer;
                    assert!(
                        verdict(other, &item.prompt, &answer).is_none(),
                        "{item:?} {other}"
                    );
                }
            }
        }
    }

    #[test]
    fn no_prompt_begins_another() {
        let mut rng = ChaCha8Rng::seed_from_u64(13);
        let mut prompts: Vec<String> = Skill::ALL
            .iter()
            .flat_map(|skill| std::iter::repeat_n(*skill, ITEMS))
            .map(|skill| skill.sample(&mut rng).prompt)
            .collect();
        // After sorting, a prompt that begins others is followed directly by one of them.
        prompts.sort_unstable();
        prompts.dedup();
        for pair in prompts.windows(2) {
            assert!(!pair[1].starts_with(&pair[0]), "{pair:?}");
        }
    }

    #[test]
    fn known_items() {
        for (skill, prompt, answer) in [
            (Skill::Add, "12+7=", "19"),
            (Skill::Add, "99+99=", "198"),
            (Skill::Add, "0+0=", "0"),
            (Skill::Multiply, "7*38=", "266"),
            (Skill::Multiply, "0*99=", "0"),
            (Skill::ToNumber, "forty-two=", "42"),
            (Skill::ToNumber, "three-hundred-forty-two=", "342"),
            (Skill::ToNumber, "five-hundred=", "500"),
            (Skill::ToNumber, "nine-hundred-twelve=", "912"),
            (Skill::ToWords, "13=", "thirteen"),
            (Skill::ToWords, "807=", "eight-hundred-seven"),
            (Skill::Lookup, "{\"a\":3,\"d\":7}d", "7"),
            (Skill::Copy, "c:hag>", "hag"),
            (Skill::Reverse, "r:hag>", "gah"),
            (Skill::Sort, "s:caba>", "aabc"),
            (Skill::AddWords, "three+twenty=", "twenty-three"),
        ] {
            assert!(check(skill, prompt, answer), "{prompt}{answer}");
        }
    }

    #[test]
    fn malformed_prompts_are_rejected() {
        for (skill, prompt, answer) in [
            (Skill::Add, "012+7=", "19"),
            (Skill::Add, "12+7", "19"),
            (Skill::Add, "+=", "0"),
            (Skill::Multiply, "38*7=", "266"),
            (Skill::ToNumber, "forty-twelve=", "52"),
            (Skill::ToNumber, "forty-zero=", "40"),
            (Skill::ToNumber, "hundred=", "100"),
            (Skill::ToNumber, "ten-hundred=", "1000"),
            (Skill::ToNumber, "zero-hundred-two=", "2"),
            (Skill::ToNumber, "two-hundred-zero=", "200"),
            (Skill::ToNumber, "two-hundred-hundred=", "20000"),
            (Skill::ToNumber, "forty-two-hundred=", "4200"),
            (Skill::ToNumber, "two-hundred-three-hundred=", "500"),
            (Skill::ToNumber, "two-hundred-three-four=", "207"),
            (Skill::ToNumber, "two-three=", "5"),
            (Skill::ToNumber, "two-hundred=", "0200"),
            (Skill::ToWords, "1000=", "ten-hundred"),
            (Skill::AddWords, "sixty+forty=", "one-hundred"),
            (Skill::AddWords, "zero+one-hundred=", "one-hundred"),
            (Skill::Lookup, "{\"a\":3,\"d\":7}b", "3"),
            (Skill::Lookup, "{\"a\":3,\"h\":7}h", "7"),
            (Skill::Lookup, "{\"a\":3,\"b\":1,\"d\":7}d", "7"),
            (Skill::Lookup, "{\"a\":3,\"a\":7}a", "7"),
            (Skill::Lookup, "{\"a\":3}a", "3"),
            (Skill::Copy, "c:ha>", "ha"),
            (Skill::Copy, "c:hat>", "hat"),
            (Skill::Sort, "s:>", ""),
            (Skill::Reverse, "r:>", ""),
        ] {
            assert!(!check(skill, prompt, answer), "{prompt}{answer}");
        }
    }
}
