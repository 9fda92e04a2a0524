//! A file of lines, which all seeds share.

use std::path::Path;
use std::sync::Arc;

use gradual_registry::excerpt;

use super::config::TextConfig;
use super::error::{LONG, TextError};
use super::file::LineFile;
use super::groups::measurable;
use super::index::{Counted, Index};
use super::line::{Form, GROUP, Line, parse};
use super::split::out_of;
use super::vocabulary::{CHARACTERS, TextTokens, Vocabulary};
use crate::counted::counted;
use crate::decoder::DecoderConfig;
use crate::finite::few::few_held_out;

/// What messages call text that came from standard input.
const INPUT: &str = "standard input";

/// A file of lines that was indexed, for as many [`Text`](super::Text)s as there are seeds. A clone shares it.
///
/// What is held in memory is where each line begins (8 bytes), and what group it is of (4 bytes where there are groups).
/// The text itself stays in the file and is read line by line when it is drawn.
#[derive(Debug, Clone)]
pub struct TextData {
    pub(super) lines: Arc<Lines>,
    notes: Vec<String>,
}

/// The lines of a file.
#[derive(Debug)]
pub(super) struct Lines {
    name: String,
    file: LineFile,
    index: Index,
    pub(super) vocabulary: Vocabulary,
    pub(super) config: TextConfig,
    pub(super) decoder: DecoderConfig,
    /// Names of the groups, and their lines: two at least.
    pub(super) groups: Vec<(String, Vec<u32>)>,
}

impl TextData {
    /// Indexes a file with one JSON object on every line: `{"prompt": …, "target": …}` or `{"text": …}`, the same in all
    /// lines, and `"group": …` in all of them, in some, or in none. Other fields are passed over with a
    /// [note](Self::notes). `-` is standard input; that and pipes are copied into a temporary file first. Empty lines at
    /// the end are no lines. A file has at most 100 million lines, of at most 16 MiB each, in 10 000 groups.
    ///
    /// # Errors
    ///
    /// [`TextError`] naming the file, the line and the field: what is no JSON object or no UTF-8, an empty line, a field
    /// that is missing, there twice, empty or no text, another form than that of the first line, a target of more tokens
    /// than the context of `config` has room for, too long a line, too many groups, fewer than two lines; a tokenizer's
    /// file that can't be read; a setting that is out of range.
    pub fn open(path: &Path, tokens: &TextTokens, config: &TextConfig) -> Result<Self, TextError> {
        config.check()?;
        let name = match path.as_os_str() == "-" {
            true => INPUT.to_owned(),
            false => excerpt(&path.display().to_string(), LONG),
        };
        Self::new(LineFile::open(path)?, name, tokens, config)
    }

    /// The same of any bytes, called `name` in messages. They are copied into a temporary file.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn read(
        from: impl std::io::Read,
        name: &str,
        tokens: &TextTokens,
        config: &TextConfig,
    ) -> Result<Self, TextError> {
        config.check()?;
        let name = excerpt(name, LONG);
        let file = LineFile::copied(from).map_err(|source| TextError::Read {
            text: name.clone(),
            source,
        })?;
        Self::new(file, name, tokens, config)
    }

    fn new(
        file: LineFile,
        name: String,
        tokens: &TextTokens,
        config: &TextConfig,
    ) -> Result<Self, TextError> {
        let start = file.rewound().map_err(|source| TextError::Read {
            text: name.clone(),
            source,
        })?;
        let given = match tokens {
            TextTokens::Characters => None,
            TextTokens::Bytes => Some(Vocabulary::Bytes),
            TextTokens::File(path) => Some(Vocabulary::open(path)?),
        };
        let tokens = given.as_ref().map_or(Counted::Characters, Counted::Tokens);
        let mut index = Index::read(start, &name, tokens, config.context)?;
        let mut notes = std::mem::take(&mut index.notes);
        let vocabulary = given.unwrap_or_else(|| {
            if let (rare @ 1.., all) = index.characters.rare() {
                notes.push(format!(
                    "{name}: {rare} of {all} characters are none of the {CHARACTERS} most frequent ones: they are one token"
                ));
            }
            Vocabulary::of_characters(&index.characters)
        });
        let decoder = config.decoder(vocabulary.size())?;
        let members = index.members();
        let single = members.iter().filter(|(_, lines)| lines.len() == 1).count();
        if 2 * single > members.len() {
            notes.push(format!(
                "{name}: {single} of {} groups have a single line; does \"{GROUP}\" name lines instead of groups?",
                members.len()
            ));
        }
        let groups = measurable(members);
        let held = groups
            .iter()
            .map(|(name, lines)| (name.as_str(), out_of(lines.len(), config.held_out)));
        if let Some(few) = few_held_out(held, "line", index.form == Form::PromptAndTarget) {
            notes.push(format!("{name}: {few}"));
        }
        let described = format!(
            "{name}: {} with {}, {}; {}; {} in the vocabulary",
            counted(index.len(), "line"),
            index.form.fields(),
            match index.form {
                Form::PromptAndTarget => "of which the target is learned",
                Form::Text => "of which all is learned",
            },
            match index.names.len() {
                0 => "no groups are named, so groups have to be found".to_owned(),
                _ => counted(groups.len(), "group"),
            },
            counted(vocabulary.size(), "token"),
        );
        notes.insert(0, described);
        Ok(Self {
            lines: Arc::new(Lines {
                name,
                file,
                index,
                vocabulary,
                config: config.clone(),
                decoder,
                groups,
            }),
            notes,
        })
    }

    /// SHA-256 of the bytes of the file, in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.lines.index.sha256
    }

    /// How text is cut into tokens: `characters`, `bytes`, or `sha256:` and the digest of a tokenizer's file.
    #[must_use]
    pub fn tokens(&self) -> String {
        self.lines.vocabulary.described()
    }

    /// Whether its lines name groups.
    #[must_use]
    pub fn has_groups(&self) -> bool {
        !self.lines.index.names.is_empty()
    }

    /// Number of lines.
    #[must_use]
    pub fn num_lines(&self) -> usize {
        self.lines.index.len()
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &TextConfig {
        &self.lines.config
    }

    /// What was read, and what is unusual about it, though it can be learned: a sentence each.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl Lines {
    pub(super) fn form(&self) -> Form {
        self.index.form
    }

    /// A line, read from the file.
    pub(super) fn line(&self, line: u32) -> Result<Line, TextError> {
        let (at, length) = self.index.place(line);
        let mut bytes = vec![0; length];
        let read = self.file.read_at(&mut bytes, at);
        // Why a line is not where it was is told before that it isn't.
        let read = read.or_else(|source| self.file.unchanged().and(Err(source)));
        read.map_err(|source| self.failed(source))?;
        let parsed = parse(bytes.trim_ascii_end(), &mut Default::default());
        // It could be read before.
        parsed.map_err(|fault| TextError::Line {
            text: self.name.clone(),
            line: u64::from(line) + 1,
            problem: format!("has changed since the run began: it {}", fault.problem),
        })
    }

    /// Refuses a file that somebody has written to.
    pub(super) fn unchanged(&self) -> Result<(), TextError> {
        self.file.unchanged().map_err(|source| self.failed(source))
    }

    /// What the tokenizer says of a line that it can't encode.
    pub(super) fn not_encoded(&self, line: u32, problem: String) -> TextError {
        TextError::Line {
            text: self.name.clone(),
            line: u64::from(line) + 1,
            problem: format!("can't be cut into tokens: {problem}"),
        }
    }

    fn failed(&self, source: std::io::Error) -> TextError {
        TextError::Read {
            text: self.name.clone(),
            source,
        }
    }
}
