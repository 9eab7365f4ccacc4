//! Chat gateway.
