//! Developer commands, run as `cargo xtask …`.
//!
//! ```text
//! test ──► prerequisites, packages ──► cargo test
//! bench ──► criterion | instructions | bench/compare ──► targets ──► README
//! ci   ──► lint ──► codegen, protocol-docs, bench readme --check ──► test ──► bench instructions
//!            └──► rustfmt, clippy, rustdoc, tidy
//! ```

mod bench;
mod ci;
mod codegen;
mod command;
mod instructions;
mod lint;
mod packages;
mod prerequisites;
mod protocol_docs;
mod simulate;
mod steps;
mod targets;
mod test;
mod tidy;

use std::path::Path;
use std::process::ExitCode;

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
    /// Run every test; installs what they need (Postgres, Chromium, Python, Node) where it is missing.
    Test {
        /// Also run the long variants: more kills, longer outages, more seeds.
        #[arg(long)]
        full: bool,
        /// Only tests whose name contains this, for instance the promise `d2_`.
        filter: Option<String>,
    },
    /// Everything a change must pass, from a clean checkout.
    Ci,
    /// Format, clippy, documentation and house rules; changes nothing.
    Lint,
    /// Compile the schema to Rust.
    Codegen {
        /// Only compare with the committed files; exit 1 when they differ.
        #[arg(long)]
        check: bool,
    },
    /// Write the generated pages for authors of clients into docs/.
    ProtocolDocs {
        /// Only compare with the committed files; exit 1 when they differ.
        #[arg(long)]
        check: bool,
    },
    /// Run whole servers and clients in virtual time, with faults; a seed is repeated by `--seed`.
    Simulate(simulate::Arguments),
    /// Run the micro-benchmarks, or one of the measurements.
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    // Asked of cargo at run time: checkouts that share a target folder share this program too.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").context("start this by `cargo xtask`")?;
    let root = Path::new(&package).parent().context("xtask lies in the workspace")?;
    match Arguments::parse().command {
        Command::Test { full, filter } => test::run(root, full, filter.as_deref()),
        Command::Ci => ci::run(root),
        Command::Lint => lint::run(root),
        Command::Codegen { check } => codegen::run(root, check),
        Command::ProtocolDocs { check } => protocol_docs::run(root, check),
        Command::Simulate(arguments) => simulate::run(root, &arguments),
        Command::Bench(arguments) => bench::run(root, &arguments),
    }
}
