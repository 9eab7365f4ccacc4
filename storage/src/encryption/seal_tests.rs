//! What opens, and what does not.

use super::*;
use crate::encryption::{ActiveKey, new_key_line};
use crate::testing::{conversation, user};

fn keys(ids: &[u32]) -> BodyKeys {
    let lines: Vec<_> = ids.iter().map(|id| new_key_line(*id).expect("randomness")).collect();
    let text = lines.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("\n");
    BodyKeys::parse(&text, ActiveKey::Highest).expect("good keys")
}

fn place() -> Place {
    Place { conversation_id: conversation(7), seq: 9, sender_id: Some(user(3)), body_version: 2 }
}

#[test]
fn e1_a_sealed_body_opens_in_its_place_and_hides_its_content() {
    let keys = keys(&[1, 2]);
    for length in [1, 15, 16, 17, 64, 1_024, 70_000] {
        let body = Bytes::from(vec![0x41; length]);
        let stored = keys.seal(&place(), &body).expect("sealed");
        assert_eq!((stored.key_id, stored.body.len()), (2, NONCE_LEN + length + TAG_BYTES));
        assert!(!stored.body.windows(8).any(|window| window == [0x41; 8]));
        assert_eq!(keys.open(&place(), 2, &stored.body), Ok(body.clone()));
        let again = keys.seal(&place(), &body).expect("sealed");
        assert_ne!(again.body, stored.body, "each sealing has a nonce of its own");
    }
}

#[test]
fn e1_a_body_opens_nowhere_else() {
    let keys = keys(&[1, 2]);
    let stored = keys.seal(&place(), &Bytes::from_static(b"hello")).expect("sealed").body;
    let here = place();
    let elsewhere = [
        Place { conversation_id: conversation(8), ..here },
        Place { seq: 10, ..here },
        Place { sender_id: Some(user(4)), ..here },
        Place { sender_id: None, ..here },
        Place { body_version: 1, ..here },
        Place { body_version: 3, ..here },
    ];
    for place in elsewhere {
        assert_eq!(keys.open(&place, 2, &stored), Err(Fault::Changed(2)), "{place:?}");
    }
    assert_eq!(keys.open(&here, 1, &stored), Err(Fault::Changed(1)), "under another key's id");
    assert_eq!(keys.open(&here, 3, &stored), Err(Fault::UnknownKey(3)));
    let others = self::keys(&[1, 2]);
    assert_eq!(others.open(&here, 2, &stored), Err(Fault::Changed(2)), "another key of that id");
}

#[test]
fn e1_any_changed_bit_and_any_missing_byte_is_noticed() {
    let keys = keys(&[4]);
    let stored = keys.seal(&place(), &Bytes::from_static(b"hello")).expect("sealed").body;
    for bit in 0..stored.len() * 8 {
        let mut flipped = stored.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(keys.open(&place(), 4, &flipped), Err(Fault::Changed(4)), "bit {bit}");
    }
    for length in 0..stored.len() {
        assert_eq!(keys.open(&place(), 4, &stored[..length]), Err(Fault::Changed(4)));
    }
    let mut longer = stored.to_vec();
    longer.push(0);
    assert_eq!(keys.open(&place(), 4, &longer), Err(Fault::Changed(4)));
}

#[test]
fn e1_plain_bodies_are_read_until_they_are_refused() {
    let keys = keys(&[1]);
    assert_eq!(keys.open(&place(), 0, b"plain"), Ok(Bytes::from_static(b"plain")));
    let strict = keys.refuse_plain().expect("a key is active");
    assert_eq!(strict.open(&place(), 0, b"plain"), Err(Fault::Plain));
    assert_eq!(strict.open(&place(), 0, b""), Ok(Bytes::new()), "an erased body is no forgery");
}

#[test]
fn e1_an_empty_body_and_a_store_without_keys_stay_plain() {
    let empty = keys(&[1]).seal(&place(), &Bytes::new()).expect("stored");
    assert_eq!(empty, Stored { key_id: 0, body: Bytes::new() });
    let plain = BodyKeys::none().seal(&place(), &Bytes::from_static(b"hi")).expect("stored");
    assert_eq!(plain, Stored { key_id: 0, body: Bytes::from_static(b"hi") });
}
