//! RFC 6455 as tables: what arrives, what is told, what is answered (promises F1, F3 and F4).

mod deflate;
mod frames;
mod handshakes;
mod notation;
