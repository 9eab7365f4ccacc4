//! `cargo xtask ci`: everything a change must pass. `.ci/run` calls nothing else.

use std::path::Path;

use anyhow::Result;

use crate::steps::Steps;
use crate::{codegen, lint, protocol_docs, targets, test};

/// Lints, freshness of generated code and pages, then the tests as the README runs them; stops at the first failure.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut steps = Steps::new();
    lint::take_steps(root, &mut steps)?;
    steps.take("codegen --check", || codegen::run(root, true))?;
    steps.take("protocol-docs --check", || protocol_docs::run(root, true))?;
    steps.take("bench readme --check", || targets::write_readme(root, true))?;
    steps.take("test", || test::run(root, false, None))?;
    steps.print();
    Ok(())
}
