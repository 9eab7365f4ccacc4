//! The durable log and directory.

pub mod append;
pub mod model;
