//! `docs/errors.md` is what the table of codes in `src/error.rs` says.
//!
//! After a change: `cargo xtask protocol-docs`.

use std::fmt::Write as _;
use std::path::Path;

use ringwire_protocol::error::Reconnect;
use ringwire_protocol::{CloseReason, ErrorCode};

fn reference() -> String {
    let mut page = String::from(
        "# Errors and close codes\n\n\
         Generated from `protocol/src/error.rs`. Numbers and names never change their meaning.\n\n\
         ## Errors\n\n\
         The `error` of a reply, and the body `{\"error\":{…}}` of an HTTP answer. *Temporary*: the same command may \
         succeed later; wait `retry_after_ms` where it is given.\n\n\
         | code | name | temporary | HTTP | meaning |\n|---|---|---|---|---|\n",
    );
    for code in ErrorCode::ALL {
        let temporary = if code.is_temporary() { "yes" } else { "" };
        let (number, name) = (*code as u32, code.name());
        let (http, meaning) = (code.http_status(), code.meaning());
        let _ = writeln!(page, "| {number} | `{name}` | {temporary} | {http} | {meaning} |");
    }
    page.push_str(
        "\n## Close codes\n\n\
         Beside those of RFC 6455 section 7.4.1, of which the server uses 1002 (protocol error), 1007 (invalid UTF-8) \
         and 1009 (message too big).\n\n\
         | code | reason | reconnect | meaning |\n|---|---|---|---|\n",
    );
    for reason in CloseReason::ALL {
        let reconnect = match reason.reconnect() {
            Reconnect::Never => "no",
            Reconnect::AfterBackoff => "after back-off",
            Reconnect::Now => "now",
        };
        let (code, text, meaning) = (reason.code(), reason.reason(), reason.meaning());
        let _ = writeln!(page, "| {code} | {text} | {reconnect} | {meaning} |");
    }
    page
}

#[test]
fn the_reference_is_generated_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    let reference = reference();
    if std::env::var_os("RINGWIRE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &reference).expect("the documentation can be written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/errors.md exists");
    assert!(written == reference, "docs/errors.md is stale: cargo xtask protocol-docs");
}
