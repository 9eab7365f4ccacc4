//! Developer commands, run as `cargo xtask …`.

mod codegen;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer commands of Ringwire")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compile the schema to Rust.
    Codegen {
        /// Only compare with the committed files; exit 1 when they differ.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> Result<()> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = root.parent().context("xtask lies in the workspace")?;
    match Arguments::parse().command {
        Command::Codegen { check } => codegen::run(root, check),
    }
}
