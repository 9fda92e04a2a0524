//! Text from elsewhere in a message.

/// `text` as a message can hold it: on one line, with characters that a terminal would act on escaped, and without its
/// middle where it has more than `most` characters.
///
/// ```
/// use gradual_registry::excerpt;
///
/// assert_eq!(excerpt("red\n\u{1b}[2J", 40), r"red\n\u{1b}[2J");
/// assert_eq!(excerpt("abcdefghij", 5), "ab…ij");
/// ```
#[must_use]
pub fn excerpt(text: &str, most: usize) -> String {
    let mut shown = String::new();
    if text.chars().nth(most).is_none() {
        text.chars().for_each(|letter| push(&mut shown, letter));
        return shown;
    }
    let (head, tail) = (most / 2, most.saturating_sub(1) / 2);
    text.chars()
        .take(head)
        .for_each(|letter| push(&mut shown, letter));
    shown.push('…');
    let end: Vec<char> = text.chars().rev().take(tail).collect();
    end.into_iter()
        .rev()
        .for_each(|letter| push(&mut shown, letter));
    shown
}

fn push(shown: &mut String, letter: char) {
    // Control characters, and those that order, join or hide the text around them.
    let acts = matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    match letter {
        letter if letter.is_control() => shown.extend(letter.escape_default()),
        letter if acts => shown.extend(letter.escape_unicode()),
        letter => shown.push(letter),
    }
}
