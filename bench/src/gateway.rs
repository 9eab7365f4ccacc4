//! The gateway as a child process of a benchmark.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use ringwire_testkit::PrivatePostgres;

/// A gateway on a free port and in a folder of its own; dropping it ends it.
#[derive(Debug)]
pub struct Gateway {
    child: Child,
    address: SocketAddr,
    data_dir: tempfile::TempDir,
    // Open as long as the gateway lives, or its output would kill it.
    _output: BufReader<ChildStdout>,
}

impl Gateway {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    ///
    /// It is not built beside this program, or does not start.
    pub fn start<A: AsRef<OsStr>>(arguments: &[A]) -> Result<Self> {
        let data_dir = tempfile::tempdir()?;
        let mut command = Command::new(program("ringwire")?);
        command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir.path());
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("the gateway cannot be started")?;
        let mut output = BufReader::new(child.stdout.take().context("its output is piped")?);
        loop {
            let mut line = String::new();
            if output.read_line(&mut line)? == 0 {
                bail!("the gateway ended before it was ready: {}", child.wait()?);
            }
            if let Some((_, address)) = line.trim_end().split_once("http://") {
                let address = address.trim_end_matches('/').parse()?;
                return Ok(Self { child, address, data_dir, _output: output });
            }
        }
    }

    /// Starts it on a database of its own, `sqlite` or `postgres`. The server of the latter comes with it: first, so that
    /// locals named in this order end the gateway before it.
    ///
    /// # Errors
    ///
    /// There is no such database, or it or the gateway does not start.
    pub fn start_on(database: &str) -> Result<(Option<PrivatePostgres>, Self)> {
        match database {
            "sqlite" => Ok((None, Self::start::<&str>(&[])?)),
            "postgres" => {
                let postgres = PrivatePostgres::start().context("no private Postgres")?;
                let gateway = Self::start(&["--database", &postgres.url()])?;
                Ok((Some(postgres), gateway))
            }
            other => bail!("{other} is neither sqlite nor postgres"),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The file that signs tokens for it.
    pub fn jwt_secret_file(&self) -> PathBuf {
        self.data_dir.path().join("jwt.secret")
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Both fail only when it is gone already, and that is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program of this workspace: cargo puts it beside this one.
///
/// # Errors
///
/// It is not built.
pub fn program(name: &str) -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let program = this.parent().unwrap_or(Path::new(".")).join(name);
    ensure!(program.is_file(), "{} is not built; `cargo xtask bench` builds it", program.display());
    Ok(program)
}
