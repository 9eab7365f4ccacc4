//! A second implementation of the protocol agrees: Google's own Protobuf for Python reads and writes every golden
//! vector in both encodings, and validates it against the published AsyncAPI document.
//!
//! ```text
//!   ringwire.proto ─protox─► descriptors ─┐
//!   golden/vectors.json ──────────────────┼─► python check_*.py ─► exit code, and what differs
//!   docs/asyncapi.yaml ───────────────────┘
//! ```
//!
//! `RINGWIRE_PYTHON` names a Python with the packages of `requirements.txt`; `cargo xtask test` makes one. Without it
//! these tests fail: a skipped comparison would look like agreement.

use std::path::{Path, PathBuf};
use std::process::Command;

use prost::Message as _;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The schema as a `FileDescriptorSet`, in a file of its own.
fn descriptors() -> PathBuf {
    let folder = root().join("protocol/proto");
    let set = protox::compile([folder.join("ringwire.proto")], [&folder]).expect("a sound schema");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ringwire.descriptors");
    std::fs::write(&file, set.encode_to_vec()).expect("the file is ours");
    file
}

/// Runs a script of this folder to its end; it has to find nothing wrong.
fn python(script: &str, arguments: &[&Path]) {
    let python = std::env::var_os("RINGWIRE_PYTHON").expect(
        "RINGWIRE_PYTHON names no Python with protocol/tests/second_implementation/requirements.txt; \
         `cargo xtask test` installs one",
    );
    let folder = root().join("protocol/tests/second_implementation");
    let output = Command::new(python)
        .arg(folder.join(script))
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("RINGWIRE_PYTHON can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {}\n{said}{complained}", output.status);
    println!("{said}");
}

#[test]
fn googles_protobuf_reads_and_writes_every_vector() {
    let vectors = root().join("protocol/tests/golden/vectors.json");
    python("check_vectors.py", &[&descriptors(), &vectors]);
}

#[test]
fn the_asyncapi_document_describes_every_vector() {
    let vectors = root().join("protocol/tests/golden/vectors.json");
    python("check_asyncapi.py", &[&root().join("docs/asyncapi.yaml"), &vectors]);
}
