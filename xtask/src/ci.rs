//! `cargo xtask ci`: everything a change must pass. `.ci/run` calls nothing else.

use std::path::Path;

use anyhow::Result;

use crate::steps::Steps;
use crate::{codegen, instructions, lint, protocol_docs, targets, test};

/// Lints, freshness of generated code and pages, the tests as the README runs them, then the instructions of the hot
/// paths, built beside what the tests have built; stops at the first failure.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut steps = Steps::new();
    lint::take_steps(root, &mut steps)?;
    steps.take("codegen --check", || codegen::run(root, true))?;
    steps.take("protocol-docs --check", || protocol_docs::run(root, true))?;
    steps.take("bench readme --check", || targets::write_readme(root, true))?;
    steps.take("test", || test::run(root, false, None))?;
    steps.take("bench instructions", || instructions::run(root, false))?;
    steps.print();
    Ok(())
}
