//! What a word is, and what somebody who searches may write.
//!
//! Both databases are handed words that were made here, letters and digits only, so they agree on what matches and
//! nothing a user types reaches the grammar of a query:
//! - words are runs of letters and digits in lower case; accents written as characters of their own are dropped;
//! - in scripts without spaces between words (Chinese, Japanese, Korean) each character is a word;
//! - a query means all of its words; `"words in quotes"` one behind the other; `begin*` words that begin so.

use std::fmt::Write as _;

/// The longest word that is told apart, in characters; longer ones are cut.
const WORD_CHARS: usize = 64;
/// Words of one message that are found.
const INDEXED_WORDS: usize = 8_192;
/// Words of one query that count.
const QUERY_WORDS: usize = 32;

/// The words of a text, in order.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for_each_word(text, |word| words.push(word.to_owned()));
    words
}

/// Hands over the words of a text, in order.
fn for_each_word(text: &str, mut take: impl FnMut(&str)) {
    let mut taken = 0;
    let mut word = String::new();
    let mut chars = 0;
    let mut end = |word: &mut String, chars: &mut usize| {
        *chars = 0;
        if !word.is_empty() && taken < INDEXED_WORDS {
            taken += 1;
            take(word);
        }
        word.clear();
    };
    for c in text.chars().flat_map(char::to_lowercase).filter(|c| !is_accent(*c)) {
        if !c.is_alphanumeric() {
            end(&mut word, &mut chars);
        } else if stands_alone(c) {
            end(&mut word, &mut chars);
            word.push(c);
            end(&mut word, &mut chars);
        } else if chars < WORD_CHARS {
            word.push(c);
            chars += 1;
        }
    }
    end(&mut word, &mut chars);
}

/// Marks that change the letter before them.
const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Han, kana and Hangul.
const fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// What to search for. There is always a word in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchQuery {
    terms: Vec<Term>,
}

/// Words one behind the other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    words: Vec<String>,
    /// The last one is the beginning of a word.
    prefix: bool,
}

impl SearchQuery {
    /// Understands any text; `None`: there is no word in it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut terms = Vec::new();
        let mut left = QUERY_WORDS;
        let mut add = |text: &str, prefix: bool| {
            let mut words = words(text);
            words.truncate(left);
            left -= words.len();
            if !words.is_empty() {
                terms.push(Term { words, prefix });
            }
        };
        for (place, part) in text.split('"').enumerate() {
            if place % 2 == 1 {
                add(part, false);
            } else {
                for chunk in part.split_whitespace() {
                    add(chunk, chunk.ends_with('*'));
                }
            }
        }
        (!terms.is_empty()).then_some(Self { terms })
    }

    /// As a `tsquery`.
    pub(crate) fn tsquery(&self) -> String {
        let term = |term: &Term| {
            let words: Vec<_> = term.words.iter().map(|word| format!("'{word}'")).collect();
            format!("({}{})", words.join(" <-> "), if term.prefix { ":*" } else { "" })
        };
        self.terms.iter().map(term).collect::<Vec<_>>().join(" & ")
    }

    /// As an FTS5 query.
    pub(crate) fn fts5(&self) -> String {
        let term = |term: &Term| {
            format!("\"{}\"{}", term.words.join(" "), if term.prefix { " *" } else { "" })
        };
        self.terms.iter().map(term).collect::<Vec<_>>().join(" AND ")
    }
}

/// A text as a `tsvector`: every word with its place.
pub(crate) fn tsvector(text: &str) -> String {
    let mut vector = String::with_capacity(text.len() * 2);
    let mut place = 0;
    for_each_word(text, |word| {
        place += 1;
        let between = if place == 1 { "" } else { " " };
        // Writing to a string does not fail.
        let _ = write!(vector, "{between}'{word}':{place}");
    });
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_and_digits_in_lower_case() {
        assert_eq!(words("Hello, WORLD! It's 5pm."), ["hello", "world", "it", "s", "5pm"]);
        assert_eq!(words("Füße Cafe\u{301}"), ["füße", "cafe"]);
        assert_eq!(words("明天 in東京"), ["明", "天", "in", "東", "京"]);
        assert_eq!(words("' \\ \0 \" : * & | !"), [] as [&str; 0]);
        assert_eq!(words(&"x".repeat(100)), ["x".repeat(WORD_CHARS)]);
        assert_eq!(words(&"a ".repeat(INDEXED_WORDS + 5)).len(), INDEXED_WORDS);
    }

    #[test]
    fn a_vector_numbers_the_words() {
        assert_eq!(tsvector("Hello, it's me"), "'hello':1 'it':2 's':3 'me':4");
        assert_eq!(tsvector("?"), "");
    }

    #[test]
    fn a_query_has_words_phrases_and_beginnings() {
        let query = SearchQuery::parse(r#"Red "two  Words" gre* e-mail*"#).unwrap();
        assert_eq!(
            query.tsquery(),
            "('red') & ('two' <-> 'words') & ('gre':*) & ('e' <-> 'mail':*)"
        );
        assert_eq!(query.fts5(), r#""red" AND "two words" AND "gre" * AND "e mail" *"#);
        assert_eq!(SearchQuery::parse("\"open").unwrap().fts5(), "\"open\"");
        for nothing in ["", "  ", "\"\"", "*", "!?", "\0"] {
            assert_eq!(SearchQuery::parse(nothing), None, "{nothing:?}");
        }
        let long = SearchQuery::parse(&"a ".repeat(1_000)).unwrap();
        assert_eq!(long.terms.len(), QUERY_WORDS);
    }
}
