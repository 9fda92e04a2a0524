//! Where the lines of a file begin, and what group each is of: all that is held of it.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead as _, BufReader, Read};

use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

use gradual_registry::excerpt;

use super::error::{SHORT, TextError};
use super::file::{known_as_other, refused};
use super::line::{Fault, Form, GROUP, Line, TARGET, TEXT, parse};
use super::vocabulary::{CharacterCounts, Vocabulary};
use crate::finite::groups::tell_apart;

/// Bytes that are read at once.
const BUFFER: usize = 1 << 20;
/// Longest line in bytes.
pub(super) const LINE: u64 = 16 << 20;
/// Most lines.
pub(super) const LINES: usize = 100_000_000;
/// Most groups.
pub(super) const GROUPS: usize = 10_000;
/// The group of lines that name none, where others do.
const NO_GROUP: &str = "no group";
/// The mark of UTF-8 that some editors begin a file with.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines of a file: 8 bytes for each, and 4 more where there are groups.
#[derive(Debug)]
pub(super) struct Index {
    /// Where each line begins, and where the last one ends.
    offsets: Vec<u64>,
    pub(super) form: Form,
    /// The group of each line; empty without groups.
    groups: Vec<u32>,
    /// Names of the groups.
    pub(super) names: Vec<String>,
    pub(super) sha256: String,
    /// What is unusual, a sentence each.
    pub(super) notes: Vec<String>,
    /// How often each character occurs, where characters are the tokens.
    pub(super) characters: CharacterCounts,
}

/// What tokens there are while a file is indexed: of characters the vocabulary comes out of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Counted<'a> {
    Characters,
    Tokens(&'a Vocabulary),
}

impl Index {
    /// Reads all lines once. `name` is what messages call the file; `context` is the number of tokens that a model sees.
    pub(super) fn read(
        from: impl Read,
        name: &str,
        counted: Counted<'_>,
        context: usize,
    ) -> Result<Self, TextError> {
        let mut builder = Builder::new(name, counted, context);
        let mut from = BufReader::with_capacity(BUFFER, from);
        let failed = |source| TextError::Read {
            text: name.to_owned(),
            source,
        };
        let begin = from.fill_buf().map_err(failed)?;
        if let Some(what) = known_as_other(begin) {
            return Err(failed(refused(what)));
        }
        let (mut line, mut at) = (Vec::new(), 0u64);
        if begin.starts_with(MARK) {
            builder.digest.update(MARK);
            at = MARK.len() as u64;
            from.consume(MARK.len());
        }
        loop {
            line.clear();
            let mut limited = (&mut from).take(LINE + 1);
            let read = limited.read_until(b'\n', &mut line).map_err(failed)? as u64;
            if read == 0 {
                return builder.finish(at);
            }
            builder.digest.update(&line);
            if line.len() as u64 > LINE {
                builder.number += 1;
                return Err(builder.line(format!("has more than {LINE} bytes")));
            }
            builder.add(&line, at)?;
            at += read;
        }
    }

    /// Number of lines.
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Where a line is: its place and its length in bytes.
    pub(super) fn place(&self, line: u32) -> (u64, usize) {
        let (from, to) = (self.offsets[line as usize], self.offsets[line as usize + 1]);
        (from, (to - from) as usize)
    }

    /// The lines of each group, in the order of their names; one list of all lines without groups.
    pub(super) fn members(&self) -> Vec<(String, Vec<u32>)> {
        if self.names.is_empty() {
            return vec![(String::from("all"), (0..self.len() as u32).collect())];
        }
        let mut members: Vec<(String, Vec<u32>)> = self
            .names
            .iter()
            .map(|name| (name.clone(), Vec::new()))
            .collect();
        for (line, &group) in (0..).zip(&self.groups) {
            members[group as usize].1.push(line);
        }
        members.sort();
        members
    }
}

/// An index that grows line by line.
struct Builder<'a> {
    name: &'a str,
    counted: Counted<'a>,
    context: usize,
    digest: Sha256,
    offsets: Vec<u64>,
    form: Option<Form>,
    groups: Vec<u32>,
    /// Of each group, and of the lines that name none.
    places: HashMap<Option<String>, u32>,
    /// Number of the line that is being read, from 1.
    number: u64,
    /// Whether the lines before it were empty.
    blank: bool,
    unused: BTreeSet<String>,
    ungrouped: u64,
    long: u64,
    characters: CharacterCounts,
}

impl<'a> Builder<'a> {
    fn new(name: &'a str, counted: Counted<'a>, context: usize) -> Self {
        Self {
            name,
            counted,
            context,
            digest: Sha256::new(),
            offsets: Vec::new(),
            form: None,
            groups: Vec::new(),
            places: HashMap::new(),
            number: 0,
            blank: false,
            unused: BTreeSet::new(),
            ungrouped: 0,
            long: 0,
            characters: CharacterCounts::default(),
        }
    }

    fn line(&self, problem: String) -> TextError {
        TextError::Line {
            text: self.name.to_owned(),
            line: self.number,
            problem,
        }
    }

    fn unusable(&self, problem: String) -> TextError {
        TextError::Unusable {
            text: self.name.to_owned(),
            problem,
        }
    }

    fn fault(&self, Fault { field, problem }: Fault) -> TextError {
        match field {
            None => self.line(problem),
            Some(field) => TextError::Field {
                text: self.name.to_owned(),
                line: self.number,
                field,
                problem,
            },
        }
    }

    /// Adds the line that begins at `at`.
    fn add(&mut self, bytes: &[u8], at: u64) -> Result<(), TextError> {
        // Empty lines at the end of a file are no lines.
        if self.blank && !bytes.trim_ascii().is_empty() {
            return Err(self.line(String::from("is empty; every line is a JSON object")));
        }
        if bytes.trim_ascii().is_empty() {
            if !self.blank {
                self.number += 1;
                self.offsets.push(at);
            }
            self.blank = true;
            return Ok(());
        }
        self.number += 1;
        let mut unused = std::mem::take(&mut self.unused);
        let parsed = parse(bytes.trim_ascii_end(), &mut unused);
        self.unused = unused;
        let line = parsed.map_err(|fault| self.fault(fault))?;
        let form = *self.form.get_or_insert(line.form());
        if line.form() != form {
            return Err(self.line(format!(
                "has {}, but line 1 has {}; all lines of a file are alike",
                line.form().fields(),
                form.fields()
            )));
        }
        self.count(&line)?;
        self.group(line.group)?;
        if self.offsets.len() >= LINES {
            return Err(self.unusable(format!("has more than {LINES} lines")));
        }
        self.offsets.push(at);
        Ok(())
    }

    /// Whether a line fits.
    fn count(&mut self, line: &Line) -> Result<(), TextError> {
        let text = self.tokens(&line.text, line)?;
        if let Counted::Characters = self.counted {
            self.characters.add(&line.text);
        }
        let Some(prompt) = &line.prompt else {
            // An edge before it, and one after it, which is never read.
            self.long += u64::from(text + 1 > self.context);
            return Ok(());
        };
        if text + 1 > self.context {
            return Err(self.fault(Fault {
                field: Some(TARGET),
                problem: format!(
                    "has {text} tokens, and the context holds {}, one of which begins it; give it a context of {} at \
                     least, or shorten it",
                    self.context,
                    text + 1
                ),
            }));
        }
        if let Counted::Characters = self.counted {
            self.characters.add(prompt);
        }
        let prompt = self.tokens(prompt, line)?;
        self.long += u64::from(prompt + text + 2 > self.context);
        Ok(())
    }

    /// Number of tokens of a text of this line.
    fn tokens(&self, text: &str, line: &Line) -> Result<usize, TextError> {
        match self.counted {
            Counted::Characters => Ok(text.chars().count()),
            Counted::Tokens(Vocabulary::Bytes) => Ok(text.len()),
            Counted::Tokens(vocabulary) => {
                let mut tokens = Vec::new();
                let field = if line.prompt.is_some() { TARGET } else { TEXT };
                vocabulary.encode(text, &mut tokens).map_err(|problem| {
                    self.fault(Fault {
                        field: Some(field),
                        problem: format!("can't be cut into tokens: {problem}"),
                    })
                })?;
                Ok(tokens.len())
            }
        }
    }

    /// Adds the group of a line. Lines that name none have one together, as soon as there are any.
    fn group(&mut self, group: Option<String>) -> Result<(), TextError> {
        let none = group.is_none();
        self.ungrouped += u64::from(none);
        if none && self.places.is_empty() {
            return Ok(());
        }
        if self.groups.is_empty() && self.ungrouped > 0 {
            let first = self.place(None)?;
            self.groups = vec![first; self.offsets.len()];
        }
        let place = self.place(group)?;
        self.groups.push(place);
        Ok(())
    }

    fn place(&mut self, group: Option<String>) -> Result<u32, TextError> {
        let next = self.places.len() as u32;
        let place = *self.places.entry(group).or_insert(next);
        if self.places.len() > GROUPS {
            return Err(self.fault(Fault {
                field: Some(GROUP),
                problem: format!(
                    "is group {}, and {GROUPS} is the most; does it name lines instead of groups?",
                    GROUPS + 1
                ),
            }));
        }
        Ok(place)
    }

    fn finish(mut self, end: u64) -> Result<Index, TextError> {
        if !self.blank {
            self.offsets.push(end);
        }
        let lines = self.offsets.len() - 1;
        let form = self.form.filter(|_| lines >= 2).ok_or_else(|| {
            self.unusable(format!(
                "has {}; at least 2 are needed, each a JSON object such as {{\"text\": \"…\"}} or \
                 {{\"prompt\": \"…\", \"target\": \"…\"}}",
                match lines {
                    0 => "no lines",
                    _ => "1 line",
                }
            ))
        })?;
        let notes = self.notes(form);
        let without = self.without_group().to_owned();
        let mut names = vec![String::new(); self.places.len()];
        for (name, place) in self.places {
            names[place as usize] =
                name.map_or_else(|| without.clone(), |name| excerpt(&name, SHORT));
        }
        tell_apart(&mut names);
        Ok(Index {
            offsets: self.offsets,
            form,
            groups: self.groups,
            names,
            sha256: format!("{:x}", self.digest.finalize()),
            notes,
            characters: self.characters,
        })
    }

    /// What the group of the lines that name none is called: as no other.
    fn without_group(&self) -> &'static str {
        let is_taken = |name: &&str| self.places.contains_key(&Some((*name).to_owned()));
        let mut names = [NO_GROUP, "no group (lines that name none)"].into_iter();
        names.find(|name| !is_taken(name)).unwrap_or(NO_GROUP)
    }

    /// A group whose name looks like another's, and in what they differ.
    fn same_group(&self) -> Option<(&str, &'static str)> {
        let named = self.places.iter();
        let mut names: Vec<(u32, &str)> = named
            .filter_map(|(name, place)| Some((*place, name.as_deref()?)))
            .collect();
        names.sort_unstable();
        let mut plain: HashMap<String, &str> = HashMap::new();
        names.into_iter().find_map(|(_, name)| {
            let other = plain.insert(name.trim().nfc().collect(), name)?;
            Some(match other.trim() == name.trim() {
                true => (name, "with other blanks around it"),
                false => (name, "in two forms of Unicode"),
            })
        })
    }

    fn notes(&self, form: Form) -> Vec<String> {
        let mut notes = Vec::new();
        let lines = |count: u64| match count {
            1 => String::from("1 line"),
            _ => format!("{count} lines"),
        };
        if self.long > 0 {
            let what = match form {
                Form::Text => {
                    "a random part of such a text is trained on, and the first is held out"
                }
                Form::PromptAndTarget => "the beginning of such a prompt is cut off",
            };
            notes.push(format!(
                "{}: {} of {} {} longer than the context of {} tokens: {what}",
                self.name,
                lines(self.long),
                self.number - u64::from(self.blank),
                if self.long == 1 { "is" } else { "are" },
                self.context
            ));
        }
        if self.ungrouped > 0 && !self.places.is_empty() {
            let (are, their) = match self.ungrouped {
                1 => ("is", "its"),
                _ => ("are", "their"),
            };
            notes.push(format!(
                "{}: {} without a \"{GROUP}\" {are} a group of {their} own, '{}'",
                self.name,
                lines(self.ungrouped),
                self.without_group()
            ));
        }
        if let Some((one, why)) = self.same_group() {
            notes.push(format!(
                "{}: '{}' is there twice, {why}, which are two groups",
                self.name,
                excerpt(one, SHORT)
            ));
        }
        if !self.unused.is_empty() {
            let unused: Vec<String> = self
                .unused
                .iter()
                .map(|name| excerpt(name, SHORT))
                .collect();
            notes.push(format!(
                "{}: fields that have no meaning here: {}",
                self.name,
                unused.join(", ")
            ));
        }
        notes
    }
}
