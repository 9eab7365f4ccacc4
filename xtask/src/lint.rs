//! `cargo xtask lint`: what can be said about the code without running it.

use std::path::Path;

use anyhow::Result;

use crate::command::{cargo, run as run_command};
use crate::steps::Steps;
use crate::tidy;

/// Runs the lints and prints what each took.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut steps = Steps::new();
    take_steps(root, &mut steps)?;
    steps.print();
    Ok(())
}

/// The lints, quickest first.
pub(crate) fn take_steps(root: &Path, steps: &mut Steps) -> Result<()> {
    steps.take("tidy", || tidy::run(root))?;
    steps.take("fmt", || run_command(cargo(root).args(["fmt", "--all", "--check"])))?;
    steps.take("clippy", || {
        run_command(cargo(root).args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    steps.take("doc", || {
        run_command(
            cargo(root)
                .args(["doc", "--workspace", "--no-deps"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    })
}
