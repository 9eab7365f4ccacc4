//! uWebSockets, built from its source, which no package registry has: C for the sockets, C++ for the rest and for the
//! server in `compare/peers/uwebsockets`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/compare/peers/uwebsockets/server.cpp");
/// As its own makefiles optimize, without TLS.
const FLAGS: [&str; 3] = ["-O3", "-flto=auto", "-DLIBUS_NO_SSL"];
/// Where the C of the sockets lies, in their folder.
const C_FOLDERS: [&str; 3] = ["", "eventing", "crypto"];

/// Builds the server beside this program; `source` holds uWebSockets, and in it uSockets.
pub(crate) fn build(source: &Path) -> Result<PathBuf> {
    let sockets = source.join("uSockets/src");
    for file in [source.join("src/App.h"), sockets.join("libusockets.h")] {
        ensure!(
            file.is_file(),
            "--uwebsockets needs the source of uWebSockets with its submodule uSockets: {} is missing",
            file.display()
        );
    }
    let (headers, sockets) = (fs::canonicalize(source.join("src"))?, fs::canonicalize(sockets)?);
    let this = std::env::current_exe()?;
    let folder = this.parent().context("this program lies in a folder")?.join("uwebsockets");
    // What an earlier source left would be linked too.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    println!("building uWebSockets of {}", source.display());

    let mut c = Command::new("cc");
    c.args(FLAGS).args(["-std=c11", "-c", "-I"]).arg(&sockets);
    for inside in C_FOLDERS {
        c.args(files(&sockets.join(inside), "c")?);
    }
    run(c.current_dir(&folder))?;

    let program = folder.join("peer_uwebsockets");
    let mut cpp = Command::new("c++");
    cpp.args(FLAGS).args(["-std=c++20", "-DUWS_NO_ZLIB", "-I"]).arg(headers).arg("-I").arg(sockets);
    cpp.arg(SERVER).args(files(&folder, "o")?).arg("-o").arg(&program);
    run(cpp.current_dir(&folder))?;
    Ok(program)
}

/// The files of a folder that end so, sorted.
fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut files = paths.collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    Ok(files)
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("{program} cannot be started"))?;
    ensure!(status.success(), "{program} could not build uWebSockets: it ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_without_its_sockets_is_told_by_the_file_that_is_missing() {
        let source = tempfile::tempdir().expect("there are temporary folders");
        let error = |file: &str| {
            let error = build(source.path()).expect_err("it is not whole").to_string();
            assert!(error.contains("--uwebsockets") && error.contains(file), "{error}");
        };
        error("src/App.h");
        fs::create_dir(source.path().join("src")).expect("the folder is ours");
        fs::write(source.path().join("src/App.h"), "").expect("the folder is ours");
        error("uSockets/src/libusockets.h");
    }
}
