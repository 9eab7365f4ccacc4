//! `cargo xtask codegen`: compiles the schema to Rust, and to JSON schemas, without protoc.
//!
//! The result is committed, so an ordinary build needs neither this nor any tool; `--check` fails when the
//! committed files are not what the schema says.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use prost::Message as _;

use crate::protocol_docs::schema_json;

const SCHEMA: &str = "protocol/proto/ringwire.proto";
const GENERATED: &str = "protocol/src/generated";

/// Generates the protocol's types; with `check` only compares them with the committed ones.
pub(crate) fn run(root: &Path, check: bool) -> Result<()> {
    let fresh = root.join("target/codegen");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh)?;
    }
    std::fs::create_dir_all(&fresh)?;
    generate(root, &fresh)?;

    let committed = root.join(GENERATED);
    std::fs::create_dir_all(&committed)?;
    let mut stale = Vec::new();
    for entry in std::fs::read_dir(&fresh)? {
        let path = entry?.path();
        let name = path.file_name().context("generated file has a name")?.to_owned();
        let new = std::fs::read(&path)?;
        let target = committed.join(&name);
        if std::fs::read(&target).ok().as_deref() != Some(new.as_slice()) {
            if check {
                stale.push(name.to_string_lossy().into_owned());
            } else {
                std::fs::write(&target, new)?;
                println!("wrote {GENERATED}/{}", name.to_string_lossy());
            }
        }
    }
    if stale.is_empty() {
        Ok(())
    } else {
        bail!("{GENERATED}/{} not fresh; run `cargo xtask codegen`", stale.join(", "))
    }
}

fn generate(root: &Path, out: &Path) -> Result<()> {
    let schema = root.join(SCHEMA);
    let include = schema.parent().context("schema has a folder")?;
    let descriptors =
        protox::compile([&schema], [include]).context("the schema does not compile")?;

    prost_build::Config::new()
        .bytes(["."])
        // In order, so that the same message always has the same bytes.
        .btree_map(["."])
        .out_dir(out)
        .compile_fds(descriptors.clone())?;

    pbjson_build::Builder::new()
        .register_descriptors(&descriptors.encode_to_vec())?
        .preserve_proto_field_names()
        .ignore_unknown_fields()
        .btree_map(["."])
        .out_dir(out)
        .build(&[".ringwire.v1"])?;
    std::fs::write(out.join("schema.json"), schema_json(root)?)?;
    Ok(())
}
