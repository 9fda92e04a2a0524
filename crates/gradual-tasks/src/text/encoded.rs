//! A line as a model sees it.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::line::Line;
use super::vocabulary::{EDGE, Vocabulary};

/// The tokens of a line. For the prompt `1+2` and the target `3`, with `|` for the token of edges:
///
/// ```text
/// tokens   | 1 + 2 | 3 |
/// learned            ^ ^
/// ```
///
/// Of a text everything is learned, its end included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) tokens: Vec<u32>,
    /// Where the tokens begin that are learned; 1 at least.
    pub(super) learned: usize,
}

impl Encoded {
    /// # Errors
    ///
    /// What the tokenizer says of a text that it can't encode.
    pub(super) fn new(line: &Line, vocabulary: &Vocabulary) -> Result<Self, String> {
        let mut tokens = vec![EDGE];
        if let Some(prompt) = &line.prompt {
            vocabulary.encode(prompt, &mut tokens)?;
            tokens.push(EDGE);
        }
        let learned = tokens.len();
        vocabulary.encode(&line.text, &mut tokens)?;
        tokens.push(EDGE);
        Ok(Self { tokens, learned })
    }

    /// The same in a context of so many tokens. Of a long text that is a window: a random one, or the first without
    /// random numbers. A long prompt loses its beginning; of a target that is too long itself the first tokens are
    /// learned.
    pub(super) fn within(self, context: usize, random: Option<&mut ChaCha8Rng>) -> Self {
        let Self { tokens, learned } = self;
        // The last token is predicted and never read.
        let most = context + 1;
        let over = tokens.len().saturating_sub(most);
        if over == 0 {
            return Self { tokens, learned };
        }
        let from = match (learned, random) {
            (1, None) => 0,
            (1, Some(random)) => random.random_range(0..=over),
            (learned, _) => over.min(learned - 1),
        };
        Self {
            tokens: tokens[from..from + most].to_vec(),
            learned: learned - from.min(learned - 1),
        }
    }

    /// Number of tokens that are read.
    pub(super) fn length(&self) -> usize {
        self.tokens.len() - 1
    }

    /// The text, for people: a prompt and its target with an arrow between.
    pub(super) fn text(&self, vocabulary: &Vocabulary) -> String {
        let (prompt, text) = self.tokens.split_at(self.learned);
        match self.learned {
            1 => vocabulary.decode(&self.tokens),
            _ => format!(
                "{} → {}",
                vocabulary.decode(prompt),
                vocabulary.decode(text)
            ),
        }
    }
}
