//! `cargo xtask protocol-docs`: the generated pages for authors of clients.
//!
//! ```text
//!   ringwire.proto ─protox─► schema ─┬─► docs/reference.md       limits.rs, ringwire.toml ─► docs/limits.md
//!                                    └─► docs/asyncapi.yaml
//!   schema ─► protocol/src/generated/schema.json, of which the gateway makes its OpenAPI description (`codegen`)
//!   tables in the crates ─► their tests ─► docs/errors.md, docs/permissions.md
//! ```
//!
//! With `--check` nothing is written and a page that is not fresh is an error. Pages of tables that only a crate knows are
//! written by a test of that crate, which otherwise compares.

mod asyncapi;
mod commands;
mod limits;
mod reference;
mod schema;
mod table;
mod yaml;

use std::path::Path;

use anyhow::{Result, bail, ensure};

use crate::command::{cargo, run as run_command};
use commands::COMMANDS;
use schema::Schema;
pub(crate) use table::schema_json;

/// Tests that write a page when this variable is set.
const WRITE: &str = "RINGWIRE_WRITE_DOCS";
const RENDERERS: [&str; 2] = ["error_reference", "permissions_reference"];

/// Writes every page; with `check` only compares them with the committed ones.
pub(crate) fn run(root: &Path, check: bool) -> Result<()> {
    let mut render = cargo(root);
    // The whole workspace, for its features: what is built for one package alone is built again for the tests.
    render.args(["test", "--quiet", "--workspace"]);
    render.args(RENDERERS.iter().flat_map(|test| ["--test", test]));
    if check {
        render.env_remove(WRITE);
    } else {
        render.env(WRITE, "1");
    }
    run_command(&mut render)?;
    let mut stale = Vec::new();
    for (name, text) in pages(root)? {
        let path = root.join("docs").join(name);
        if std::fs::read_to_string(&path).ok().as_deref() == Some(text.as_str()) {
            continue;
        }
        if check {
            stale.push(name);
        } else {
            std::fs::write(&path, text)?;
            println!("wrote docs/{name}");
        }
    }
    if !stale.is_empty() {
        bail!("docs/{} not fresh; run `cargo xtask protocol-docs`", stale.join(", "));
    }
    Ok(())
}

/// The pages that are written here.
fn pages(root: &Path) -> Result<Vec<(&'static str, String)>> {
    let schema = Schema::read(root)?;
    check_commands(&schema, &std::fs::read_to_string(root.join("docs/errors.md"))?)?;
    Ok(vec![
        ("reference.md", reference::page(&schema)?),
        ("asyncapi.yaml", asyncapi::document(&schema)?),
        ("limits.md", limits::page(root)?),
    ])
}

/// Every command of the schema is told about, in order, and only answers and codes that exist are named.
fn check_commands(schema: &Schema, errors: &str) -> Result<()> {
    let in_schema: Vec<&str> = schema
        .message("Command")?
        .variants("op")
        .iter()
        .map(|(field, _)| field.name.as_str())
        .collect();
    let told: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    ensure!(in_schema == told, "commands.rs tells of {told:?}, the schema of {in_schema:?}");
    let replies = schema.message("Reply")?.variants("outcome");
    for command in &COMMANDS {
        let (name, reply) = (command.name, command.reply);
        ensure!(replies.iter().any(|(field, _)| field.name == reply), "{name}: no reply {reply}");
        for code in command.errors.iter().chain(&commands::ANY) {
            ensure!(errors.contains(&format!("| `{code}` |")), "{name}: no error {code}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_its_answers_are_on_the_page() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let pages = pages(root).expect("the pages");
        let (_, reference) = &pages[0];
        for command in &COMMANDS {
            assert!(reference.contains(&format!("\n### {}\n", command.name)), "{}", command.name);
        }
        assert!(
            reference.contains("| `retry_after_ms` | 5 | uint32 | How long to wait"),
            "a comment"
        );
        assert!(!reference.contains("Pull"), "a heading of a group is nobody's comment");
    }
}
