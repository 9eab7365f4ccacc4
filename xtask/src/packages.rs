//! Packages of other languages that the tests use, in versions the workspace decides.
//!
//! ```text
//!   protocol/tests/second_implementation/requirements.txt ─┐
//!   docs/clients/python/requirements.txt ──────────────────┤
//!   gateway/tests/openapi/requirements.txt ────────────────┤
//!   gateway/tests/s3/requirements.txt ─────────────────────┴─► target/python (a virtual environment)
//!   docs/clients/javascript/package-lock.json ───────────────► node_modules beside it
//!   bench/compare/peers/node/package-lock.json ──────────────► likewise, when servers are compared
//! ```
//!
//! Invariant: a stamp beside the packages says what they were installed from, so nothing is fetched twice, and a
//! changed list is installed anew from nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command::run as run_command;
use crate::prerequisites::{Programs, Python};

const REQUIREMENTS: [&str; 4] = [
    "protocol/tests/second_implementation/requirements.txt",
    "docs/clients/python/requirements.txt",
    "gateway/tests/openapi/requirements.txt",
    "gateway/tests/s3/requirements.txt",
];
const ENVIRONMENT: &str = "target/python";
const NODE_CLIENT: &str = "docs/clients/javascript";
/// The servers that `bench compare` starts.
pub(crate) const NODE_PEERS: &str = "bench/compare/peers/node";
/// The name of a stamp.
const STAMP: &str = ".installed-from";

/// Installs what is missing; the Python that sees its packages.
pub(crate) fn ensure(root: &Path, programs: &Programs) -> Result<PathBuf> {
    install_node_packages(root, NODE_CLIENT, &programs.npm)?;
    match &programs.python {
        Python::Complete(python) => Ok(python.clone()),
        Python::Bare(python) => make_environment(root, python),
    }
}

fn make_environment(root: &Path, python: &Path) -> Result<PathBuf> {
    let folder = root.join(ENVIRONMENT);
    let inside = folder.join("bin/python");
    let mut wanted = String::new();
    for list in REQUIREMENTS {
        wanted += &fs::read_to_string(root.join(list)).with_context(|| list.to_owned())?;
    }
    if is_stamped(&folder, &wanted) && inside.exists() {
        return Ok(inside);
    }
    println!("the tests need packages for Python; installing them into {ENVIRONMENT}");
    run_command(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(&inside);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    for list in REQUIREMENTS {
        pip.arg("--requirement").arg(root.join(list));
    }
    run_command(&mut pip)?;
    fs::write(folder.join(STAMP), wanted)?;
    Ok(inside)
}

/// Installs the packages of a program for Node beside it.
pub(crate) fn install_node_packages(root: &Path, program: &str, npm: &Path) -> Result<()> {
    let client = root.join(program);
    let wanted = fs::read_to_string(client.join("package-lock.json"))
        .with_context(|| format!("{program}/package-lock.json"))?;
    let folder = client.join("node_modules");
    if is_stamped(&folder, &wanted) {
        return Ok(());
    }
    println!("packages for Node are missing; installing them into {program}/node_modules");
    let mut command = Command::new(npm);
    command.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&client);
    run_command(&mut command)?;
    fs::write(folder.join(STAMP), wanted)?;
    Ok(())
}

fn is_stamped(folder: &Path, wanted: &str) -> bool {
    fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_holds_for_exactly_what_was_installed() {
        let folder = std::env::temp_dir().join(format!("ringwire-stamp-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the folder is ours");
        assert!(!is_stamped(&folder, ""), "nothing was installed");
        fs::write(folder.join(STAMP), "protobuf==1").expect("the folder is ours");
        assert!(is_stamped(&folder, "protobuf==1"));
        assert!(!is_stamped(&folder, "protobuf==2"));
        fs::remove_dir_all(&folder).expect("the folder is ours");
    }
}
