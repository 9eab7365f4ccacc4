//! Fuzzes `targets::glance`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ringwire_protocol_fuzz::targets::glance(data));
