//! What a user name may look like.

/// The longest user name, in characters.
pub const MAX_USERNAME_CHARS: usize = 32;

/// 1 to 32 of `A–Z a–z 0–9 _ . -`: names that look alike in other scripts would let people pose as others, and
/// display names may hold anything. Without `@`, so that a name is never an e-mail address.
pub fn is_username(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (1..=MAX_USERNAME_CHARS).contains(&name.len()) && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::is_username;

    #[test]
    fn names_are_plain_and_cannot_be_addresses() {
        for name in ["a", "Ann_B.c-9", &"x".repeat(32)] {
            assert!(is_username(name), "{name}");
        }
        // The one that looks like "a" is Cyrillic.
        for name in ["", "a b", "a@b", "änn", "а", "a\n", "a/b", &"x".repeat(33)] {
            assert!(!is_username(name), "{name}");
        }
    }
}
