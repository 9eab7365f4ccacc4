//! What a file is called: a random number, so nobody guesses one, and no path is ever made of anything else.

use std::fmt;

/// Hexadecimal digits of an id: 128 random bits.
const ID_CHARS: usize = 32;

/// The id of a file that this server, or another node on its database, made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileId(Box<str>);

impl FileId {
    /// A new one; `None`: the system gives no random bytes.
    pub fn random() -> Option<Self> {
        let mut random = [0; ID_CHARS / 2];
        getrandom::fill(&mut random).ok()?;
        Some(Self(format!("{:032x}", u128::from_be_bytes(random)).into()))
    }

    /// What a client or a folder calls a file; `None`: it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == ID_CHARS && text.bytes().all(digit)).then(|| Self(text.into()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Files are kept in as many folders as this has values.
    pub(crate) fn folder(&self) -> &str {
        // 32 digits have two.
        self.0.get(..2).unwrap_or_default()
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u1_only_digits_name_a_file() {
        let id = FileId::random().unwrap();
        assert_eq!(FileId::parse(id.as_str()), Some(id.clone()));
        assert_ne!(FileId::random().unwrap(), id);
        let long = format!("{id}0");
        let upper = "ABCDEF0123456789ABCDEF0123456789";
        for text in ["", "f", "../../../../../../../etc/passwd0", &long, upper, &"é".repeat(16)] {
            assert_eq!(FileId::parse(text), None, "{text}");
        }
    }
}
