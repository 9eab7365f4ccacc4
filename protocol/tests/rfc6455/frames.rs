//! The table of frames. Each row is run in both roles, and split in every way a network might split it.

use ringwire_protocol::websocket::{MessageKind, Role};

use crate::notation::{Outcome, Recorder, frames, outcome};

/// What arrives, what is told, what is answered.
struct Row(&'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Section 5.6: data frames
    Row("text", "81(Hello)", "text(Hello)", ""),
    Row("empty text", "81()", "text()", ""),
    Row("binary", r"82(\x00\xff\x80)", r"binary(\x00\xff\x80)", ""),
    Row("empty binary", "82()", "binary()", ""),
    Row("two messages in a row", "81(one) 82(two)", "text(one) binary(two)", ""),
    Row("half a frame tells nothing", "81[05](Hel)", "", ""),
    Row("half a header tells nothing", "82[7e01]()", "", ""),

    // Section 5.2: the length, in its shortest form
    Row("125 bytes", "82(a*125)", "binary(a*125)", ""),
    Row("126 bytes", "82(a*126)", "binary(a*126)", ""),
    Row("127 bytes", "82(a*127)", "binary(a*127)", ""),
    Row("128 bytes", "82(a*128)", "binary(a*128)", ""),
    Row("125 bytes in 16 bits", "82[7e007d](a*125)", "error(1002)", "88(\\x03\\xea)"),
    Row("5 bytes in 16 bits", "81[7e0005](Hello)", "error(1002)", "88(\\x03\\xea)"),
    Row("no bytes in 16 bits", "81[7e0000]()", "error(1002)", "88(\\x03\\xea)"),
    Row("5 bytes in 64 bits", "81[7f0000000000000005](Hello)", "error(1002)", "88(\\x03\\xea)"),
    Row("65,535 bytes in 64 bits", "82[7f000000000000ffff](a)", "error(1002)", "88(\\x03\\xea)"),
    Row("top bit of the length", "82[7f8000000000010000](a)", "error(1002)", "88(\\x03\\xea)"),
    Row("all bits of the length", "82[7fffffffffffffffff](a)", "error(1002)", "88(\\x03\\xea)"),

    // Section 5.2: reserved bits and opcodes
    Row("RSV1", "c1(Hello)", "error(1002)", "88(\\x03\\xea)"),
    Row("RSV2", "a1(Hello)", "error(1002)", "88(\\x03\\xea)"),
    Row("RSV3", "91(Hello)", "error(1002)", "88(\\x03\\xea)"),
    Row("all reserved bits", "f2(Hello)", "error(1002)", "88(\\x03\\xea)"),
    Row("RSV1 on a ping", "c9()", "error(1002)", "88(\\x03\\xea)"),
    Row("RSV2 on a continuation", "01(a) a0(b)", "error(1002)", "88(\\x03\\xea)"),
    Row("RSV3 on a close", "98()", "error(1002)", "88(\\x03\\xea)"),
    Row("opcode 3", "83()", "error(1002)", "88(\\x03\\xea)"),
    Row("opcode 4", "84(a)", "error(1002)", "88(\\x03\\xea)"),
    Row("opcode 5", "85()", "error(1002)", "88(\\x03\\xea)"),
    Row("opcode 6", "86()", "error(1002)", "88(\\x03\\xea)"),
    Row("opcode 7", "87()", "error(1002)", "88(\\x03\\xea)"),
    Row("opcode 11", "8b()", "error(1002)", "88(\\x03\\xea)"),
    Row("opcode 12", "8c(a)", "error(1002)", "88(\\x03\\xea)"),
    Row("opcode 13", "8d()", "error(1002)", "88(\\x03\\xea)"),
    Row("opcode 14", "8e()", "error(1002)", "88(\\x03\\xea)"),
    Row("opcode 15", "8f()", "error(1002)", "88(\\x03\\xea)"),
    Row("messages before a bad frame count", "81(a) 83()", "text(a) error(1002)", "88(\\x03\\xea)"),
    Row("nothing after a bad frame counts", "83() 81(a)", "error(1002)", "88(\\x03\\xea)"),

    // Section 5.1: masks
    Row("mask the wrong way", "81!(Hello)", "error(1002)", "88(\\x03\\xea)"),
    Row("mask the wrong way, empty", "82!()", "error(1002)", "88(\\x03\\xea)"),
    Row("mask the wrong way on a ping", "89!(x)", "error(1002)", "88(\\x03\\xea)"),
    Row("mask the wrong way on a close", "88!()", "error(1002)", "88(\\x03\\xea)"),
    Row("mask the wrong way in a fragment", "01(a) 80!(b)", "error(1002)", "88(\\x03\\xea)"),

    // Section 5.4: fragments
    Row("two fragments", "01(Hel) 80(lo)", "text(Hello)", ""),
    Row("binary fragments", "02(a) 00(b) 80(c)", "binary(abc)", ""),
    Row("empty fragments", "01() 00() 80()", "text()", ""),
    Row("empty middle", "01(a) 00() 80(b)", "text(ab)", ""),
    Row("empty end", "01(a) 80()", "text(a)", ""),
    Row("a fragment alone tells nothing", "01(a) 00(b)", "", ""),
    Row("message after fragments", "01(a) 80(b) 82(c)", "text(ab) binary(c)", ""),
    Row("fragments after fragments", "01(a) 80(b) 02(c) 80(d)", "text(ab) binary(cd)", ""),
    Row("continuation of nothing", "80(a)", "error(1002)", "88(\\x03\\xea)"),
    Row("open continuation of nothing", "00(a)", "error(1002)", "88(\\x03\\xea)"),
    Row("continuation after the end", "01(a) 80(b) 80(c)", "text(ab) error(1002)", "88(\\x03\\xea)"),
    Row("continuation of a whole message", "81(a) 80(b)", "text(a) error(1002)", "88(\\x03\\xea)"),
    Row("text inside text", "01(a) 81(b)", "error(1002)", "88(\\x03\\xea)"),
    Row("binary inside text", "01(a) 82(b)", "error(1002)", "88(\\x03\\xea)"),
    Row("fragment inside fragments", "01(a) 01(b)", "error(1002)", "88(\\x03\\xea)"),
    Row("ping between fragments", "01(a) 89(x) 80(b)", "ping(x) text(ab)", "8a(x)"),
    Row("pong between fragments", "02(a) 8a(x) 80(b)", "pong(x) binary(ab)", ""),
    Row("two pings between fragments", "01(a) 89(x) 89(y) 80(b)", "ping(x) ping(y) text(ab)", "8a(x) 8a(y)"),
    Row("ping after every fragment", "01(a) 89(x) 00(b) 89(y) 80(c)", "ping(x) ping(y) text(abc)", "8a(x) 8a(y)"),
    Row("close between fragments", "01(a) 88(\\x03\\xe8)", "close(1000)", "88(\\x03\\xe8)"),

    // Section 5.5: control frames
    Row("ping", "89(Hello)", "ping(Hello)", "8a(Hello)"),
    Row("empty ping", "89()", "ping()", "8a()"),
    Row("binary ping", r"89(\x00\xff\xfe)", r"ping(\x00\xff\xfe)", r"8a(\x00\xff\xfe)"),
    Row("largest ping", "89(a*125)", "ping(a*125)", "8a(a*125)"),
    Row("ping too long", "89(a*126)", "error(1002)", "88(\\x03\\xea)"),
    Row("ping too long by 64 bits", "89[7f0000000000010000](a)", "error(1002)", "88(\\x03\\xea)"),
    Row("pong too long", "8a(a*126)", "error(1002)", "88(\\x03\\xea)"),
    Row("close too long", "88(a*126)", "error(1002)", "88(\\x03\\xea)"),
    Row("fragmented ping", "09(a) 80(b)", "error(1002)", "88(\\x03\\xea)"),
    Row("fragmented pong", "0a(a)", "error(1002)", "88(\\x03\\xea)"),
    Row("fragmented close", "08()", "error(1002)", "88(\\x03\\xea)"),
    Row("pong unasked", "8a(Hello)", "pong(Hello)", ""),
    Row("empty pong", "8a()", "pong()", ""),
    Row("pings and messages", "89(1) 81(a) 89(2) 82(b)", "ping(1) text(a) ping(2) binary(b)", "8a(1) 8a(2)"),

    // Sections 5.5.1 and 7.4: close
    Row("close without a code", "88()", "close()", "88()"),
    Row("close with half a code", "88(\\x03)", "error(1002)", "88(\\x03\\xea)"),
    Row("close 1000", "88(\\x03\\xe8)", "close(1000)", "88(\\x03\\xe8)"),
    Row("close with a reason", "88(\\x03\\xe8bye)", "close(1000,bye)", "88(\\x03\\xe8)"),
    Row("close with the longest reason", "88(\\x0f\\xa0+a*123)", "close(4000,a*123)", "88(\\x0f\\xa0)"),
    Row("reason that is not UTF-8", "88(\\x03\\xe8\\xce\\xba\\xe1\\xbd)", "error(1007)", "88(\\x03\\xef)"),
    Row("close 1001", "88(\\x03\\xe9)", "close(1001)", "88(\\x03\\xe9)"),
    Row("close 1003", "88(\\x03\\xeb)", "close(1003)", "88(\\x03\\xeb)"),
    Row("close 1007", "88(\\x03\\xef)", "close(1007)", "88(\\x03\\xef)"),
    Row("close 1011", "88(\\x03\\xf3)", "close(1011)", "88(\\x03\\xf3)"),
    Row("close 3000", "88(\\x0b\\xb8)", "close(3000)", "88(\\x0b\\xb8)"),
    Row("close 4999", "88(\\x13\\x87)", "close(4999)", "88(\\x13\\x87)"),
    Row("close 0", "88(\\x00\\x00)", "error(1002)", "88(\\x03\\xea)"),
    Row("close 999", "88(\\x03\\xe7)", "error(1002)", "88(\\x03\\xea)"),
    Row("close 1004", "88(\\x03\\xec)", "error(1002)", "88(\\x03\\xea)"),
    Row("close 1005", "88(\\x03\\xed)", "error(1002)", "88(\\x03\\xea)"),
    Row("close 1006", "88(\\x03\\xee)", "error(1002)", "88(\\x03\\xea)"),
    Row("close 1015", "88(\\x03\\xf7)", "error(1002)", "88(\\x03\\xea)"),
    Row("close 1016", "88(\\x03\\xf8)", "error(1002)", "88(\\x03\\xea)"),
    Row("close 1100", "88(\\x04\\x4c)", "error(1002)", "88(\\x03\\xea)"),
    Row("close 2999", "88(\\x0b\\xb7)", "error(1002)", "88(\\x03\\xea)"),
    Row("close 5000", "88(\\x13\\x88)", "error(1002)", "88(\\x03\\xea)"),
    Row("close 65535", "88(\\xff\\xff)", "error(1002)", "88(\\x03\\xea)"),
    Row("nothing after a close counts", "88() 81(a) 89(b)", "close()", "88()"),
    Row("not even nonsense after a close", "88(\\x03\\xe8) 83(\\xff)", "close(1000)", "88(\\x03\\xe8)"),
    Row("messages before a close", "81(a) 88()", "text(a) close()", "88()"),

    // Section 8.1: UTF-8
    Row("text of two to four bytes", r"81(\xc2\xa2\xe2\x82\xac\xf0\x9f\x98\x80)", r"text(\xc2\xa2\xe2\x82\xac\xf0\x9f\x98\x80)", ""),
    Row("character across fragments", r"01(\xe2\x82) 80(\xac)", r"text(\xe2\x82\xac)", ""),
    Row("character across three fragments", r"01(\xf0\x9f) 00(\x98) 80(\x80)", r"text(\xf0\x9f\x98\x80)", ""),
    Row("character around a ping", r"01(\xe2) 89(x) 80(\x82\xac)", r"ping(x) text(\xe2\x82\xac)", "8a(x)"),
    Row("NUL and DEL are characters", r"81(\x00\x7f)", r"text(\x00\x7f)", ""),
    Row("noncharacters are characters", r"81(\xef\xbf\xbf\xf4\x8f\xbf\xbf)", r"text(\xef\xbf\xbf\xf4\x8f\xbf\xbf)", ""),
    Row("stray continuation byte", r"81(ab\x80)", "error(1007)", "88(\\x03\\xef)"),
    Row("overlong", r"81(\xc0\xaf)", "error(1007)", "88(\\x03\\xef)"),
    Row("surrogate", r"81(\xed\xa0\x80)", "error(1007)", "88(\\x03\\xef)"),
    Row("above U+10FFFF", r"81(\xf4\x90\x80\x80)", "error(1007)", "88(\\x03\\xef)"),
    Row("text ends inside a character", r"81(\xe2\x82)", "error(1007)", "88(\\x03\\xef)"),
    Row("fragments end inside a character", r"01(a) 80(\xe2\x82)", "error(1007)", "88(\\x03\\xef)"),
    Row("bad text in an open message fails at once", r"01(a\xff)", "error(1007)", "88(\\x03\\xef)"),
    Row("bad text in an incomplete frame fails at once", r"81[7d](a\xff)", "error(1007)", "88(\\x03\\xef)"),
    Row("messages before bad text count", r"81(a) 81(\xff)", "text(a) error(1007)", "88(\\x03\\xef)"),
    Row("binary is not checked", r"82(\xc0\xaf\xff)", r"binary(\xc0\xaf\xff)", ""),
];

/// Rows too large to be split at every byte.
#[rustfmt::skip]
const LARGE_ROWS: &[Row] = &[
    Row("65,535 bytes", "82(a*65535)", "binary(a*65535)", ""),
    Row("65,536 bytes", "81(a*65536)", "text(a*65536)", ""),
    Row("as large as allowed", "81(a*70000)", "text(a*70000)", ""),
    Row("as large as allowed, in fragments", "01(a*69999) 80(a)", "text(a*70000)", ""),
    Row("one byte too large", "81(a*70001)", "error(1009)", "88(\\x03\\xf1)"),
    Row("one byte too large, in fragments", "01(a*70000) 80(a)", "error(1009)", "88(\\x03\\xf1)"),
    Row("too large by its header", "82[7f0000000000011171]()", "error(1009)", "88(\\x03\\xf1)"),
    Row("2^62 bytes by its header", "82[7f4000000000000000]()", "error(1009)", "88(\\x03\\xf1)"),
    Row("fragment too large by its header", "01(a) 00[7f7fffffffffffffff]()", "error(1009)", "88(\\x03\\xf1)"),
    Row("the limit counts per message", "81(a*70000) 81(a*70000)", "text(a*70000) text(a*70000)", ""),
    Row("control frames do not count", "01(a*69999) 89(x*125) 80(a)", "ping(x*125) text(a*70000)", "8a(x*125)"),
];

const ROLES: [Role; 2] = [Role::Server, Role::Client];

/// Calls `check` with every row in every role.
fn for_each_row(rows: &[Row], check: impl Fn(&str, Role, &[u8], &Outcome)) {
    for Row(name, arriving, events, answers) in rows {
        for role in ROLES {
            let expected = Outcome::expected(events, answers);
            check(&format!("{name} ({role:?})"), role, &frames(arriving, role), &expected);
        }
    }
}

#[test]
fn f1_every_row_comes_to_what_the_rfc_says() {
    assert!(ROWS.len() + LARGE_ROWS.len() >= 100);
    for rows in [ROWS, LARGE_ROWS] {
        for_each_row(rows, |name, role, bytes, expected| {
            assert_eq!(&outcome(role, [bytes]), expected, "{name}");
        });
    }
}

#[test]
fn f3_one_byte_at_a_time_comes_to_the_same() {
    for rows in [ROWS, LARGE_ROWS] {
        for_each_row(rows, |name, role, bytes, expected| {
            assert_eq!(&outcome(role, bytes.chunks(1)), expected, "{name}");
        });
    }
}

#[test]
fn f3_every_two_way_split_comes_to_the_same() {
    for_each_row(ROWS, |name, role, bytes, expected| {
        for at in 0..=bytes.len() {
            let (first, second) = bytes.split_at(at);
            assert_eq!(&outcome(role, [first, second]), expected, "{name}, split at {at}");
        }
    });
}

#[test]
fn f3_large_messages_in_pieces_of_any_size_come_to_the_same() {
    for_each_row(LARGE_ROWS, |name, role, bytes, expected| {
        for size in [7, 1_448, 4_096, 65_536] {
            assert_eq!(&outcome(role, bytes.chunks(size)), expected, "{name}, pieces of {size}");
        }
    });
}

#[test]
fn f4_bad_text_is_refused_before_its_frame_is_complete() {
    for role in ROLES {
        let mut recorder = Recorder::new(role);
        recorder.read(&frames(r"01(\xce\xba)", role));
        assert!(!recorder.connection().is_closed());
        // The frame claims 65,536 bytes; the third that arrives cannot be right.
        recorder.read(&frames(r"80[7f0000000000010000](ab\xff)", role));
        assert!(recorder.connection().is_closed(), "{role:?}");
        assert_eq!(recorder.finish(), Outcome::expected("error(1007)", "88(\\x03\\xef)"));
    }
}

#[test]
fn f4_a_flood_of_pings_is_answered_in_order_and_stops_with_the_close() {
    for role in ROLES {
        let flood = "89(x) ".repeat(2_000) + "88() " + &"89(x) ".repeat(2_000);
        let expected_events = "ping(x) ".repeat(2_000) + "close()";
        let expected_answers = "8a(x) ".repeat(2_000) + "88()";
        let expected = Outcome::expected(&expected_events, &expected_answers);
        assert_eq!(outcome(role, frames(&flood, role).chunks(1_000)), expected);
    }
}

#[test]
fn f4_a_flood_of_empty_fragments_ends_at_no_limit_and_holds_nothing() {
    for role in ROLES {
        let flood = "01() ".to_owned() + &"00() ".repeat(10_000) + "80(a)";
        assert_eq!(outcome(role, [&frames(&flood, role)[..]]), Outcome::expected("text(a)", ""));
    }
}

#[test]
fn f1_closing_waits_for_the_peer_and_sends_nothing_more() {
    for role in ROLES {
        let mut recorder = Recorder::new(role);
        recorder.connection().send(MessageKind::Text, b"last");
        recorder.connection().close(4200, "drain");
        assert!(recorder.connection().is_closing() && !recorder.connection().is_closed());
        recorder.connection().send(MessageKind::Text, b"too late");
        recorder.connection().ping(b"too late");
        recorder.connection().close(1000, "too late");
        // The peer had not seen the close yet; its ping is told but cannot be answered.
        recorder.read(&frames("81(a) 89(b) 88(\\x10\\x68)", role));
        assert!(recorder.connection().is_closed());
        recorder.read(&frames("81(c)", role));
        let expected =
            Outcome::expected("text(a) ping(b) close(4200)", "81(last) 88(\\x10\\x68drain)");
        assert_eq!(recorder.finish(), expected);
    }
}

#[test]
fn f1_an_error_while_closing_sends_no_second_close() {
    for role in ROLES {
        let mut recorder = Recorder::new(role);
        recorder.connection().close(1000, "");
        recorder.read(&frames("83()", role));
        assert!(recorder.connection().is_closed());
        assert_eq!(recorder.finish(), Outcome::expected("error(1002)", "88(\\x03\\xe8)"));
    }
}

#[test]
fn f1_what_does_not_fit_a_control_frame_is_cut_at_a_character() {
    for role in ROLES {
        let mut recorder = Recorder::new(role);
        recorder.connection().ping(&[b'a'; 200]);
        // 122 bytes, then a character of two of which only one would fit.
        recorder.connection().close(1000, &("a".repeat(122) + "é"));
        let expected = Outcome::expected("", "89(a*125) 88(\\x03\\xe8+a*122)");
        assert_eq!(recorder.finish(), expected);
    }
}
