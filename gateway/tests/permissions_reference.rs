//! `docs/permissions.md` is what the table in `src/permissions.rs` says.
//!
//! After a change: `cargo xtask protocol-docs`.

use std::fmt::Write as _;
use std::path::Path;

use ringwire_gateway::permissions::{Caller, Operation};

fn reference() -> String {
    let mut page = String::from(
        "# Who may do what\n\n\
         Generated from `gateway/src/permissions.rs`, from which the server takes its decisions too, over WebSocket and HTTP \
         alike. A cell that names a code of [errors.md](errors.md) is a refusal.\n\n\
         ## Callers\n\n| column | meaning |\n|---|---|\n",
    );
    for caller in Caller::ALL {
        let _ = writeln!(page, "| {} | {} |", caller.title(), caller.meaning());
    }
    page.push_str(
        "\n## In a conversation\n\n\
         *Own*: only what they said themselves, and within its window (`limits.edit_window_ms`, `limits.recall_window_ms`). \
         *Lower roles*: only those whose role is lower than theirs. *As their role*: the restriction does not matter here.\n\n\
         | operation | does |",
    );
    for caller in Caller::ALL {
        let _ = write!(page, " {} |", caller.title());
    }
    page.push_str("\n|---|---|");
    page.push_str(&"---|".repeat(Caller::ALL.len()));
    page.push('\n');
    for row in Operation::TABLE.iter().filter(|row| !row.of_caller_alone) {
        let _ = write!(page, "| `{}` | {} |", row.name, row.meaning);
        for caller in Caller::ALL {
            let _ = write!(page, " {} |", row.cell(caller).words());
        }
        page.push('\n');
    }
    page.push_str(
        "\n## About the caller alone\n\nWhoever is connected may.\n\n| operation | does |\n|---|---|\n",
    );
    for row in Operation::TABLE.iter().filter(|row| row.of_caller_alone) {
        let _ = writeln!(page, "| `{}` | {} |", row.name, row.meaning);
    }
    page
}

#[test]
fn the_reference_is_generated_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/permissions.md");
    let reference = reference();
    if std::env::var_os("RINGWIRE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &reference).expect("the documentation can be written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/permissions.md exists");
    assert!(written == reference, "docs/permissions.md is stale: cargo xtask protocol-docs");
}
