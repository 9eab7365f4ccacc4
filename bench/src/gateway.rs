//! The gateway as a child process of a benchmark.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use ringwire_testkit::PrivatePostgres;

use crate::load::Target;
use crate::server::Server;

/// What a Postgres with its default settings writes between two checkpoints (`max_wal_size` of 1 GiB, divided by 1 +
/// `checkpoint_completion_target`), and so has to use again.
const OLD_SEGMENTS: u32 = 32;

/// A gateway on a free port and in a folder of its own; dropping it ends it.
#[derive(Debug)]
pub struct Gateway {
    server: Server,
    data_dir: tempfile::TempDir,
}

impl Gateway {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    ///
    /// It is not built beside this program, or does not start.
    pub fn start<A: AsRef<OsStr>>(arguments: &[A]) -> Result<Self> {
        Self::start_with(arguments, &[])
    }

    fn start_with<A: AsRef<OsStr>>(arguments: &[A], variables: &[(&str, &str)]) -> Result<Self> {
        let data_dir = tempfile::tempdir()?;
        let mut command = Command::new(program("ringwire")?);
        command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir.path());
        command.args(arguments).envs(variables.iter().copied());
        Ok(Self { server: Server::start(command, "http://")?, data_dir })
    }

    /// Starts it with these arguments and environment variables on a database of its own, `sqlite` or `postgres`. The
    /// server of the latter, whose log is that of one that has run for a while, comes with it: first, so that locals named
    /// in this order end the gateway before it.
    ///
    /// # Errors
    ///
    /// There is no such database, or it or the gateway does not start.
    pub fn start_on(
        database: &str,
        arguments: &[String],
        variables: &[(&str, &str)],
    ) -> Result<(Option<PrivatePostgres>, Self)> {
        match database {
            "sqlite" => Ok((None, Self::start_with(arguments, variables)?)),
            "postgres" => {
                let postgres = PrivatePostgres::start().context("no private Postgres")?;
                postgres.age(OLD_SEGMENTS)?;
                let mut arguments = arguments.to_vec();
                arguments.push(format!("--database={}", postgres.url()));
                let gateway = Self::start_with(&arguments, variables)?;
                Ok((Some(postgres), gateway))
            }
            other => bail!("{other} is neither sqlite nor postgres"),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// What a load is played against: it, whose CPU time comes first, and other processes that serve it.
    pub fn target(&self, others: &[u32]) -> Target {
        Target {
            url: format!("ws://{}/ws", self.address()),
            jwt_secret_file: Some(self.jwt_secret_file()),
            pids: std::iter::once(self.pid()).chain(others.iter().copied()).collect(),
        }
    }

    /// The file that signs tokens for it.
    pub fn jwt_secret_file(&self) -> PathBuf {
        self.data_dir.path().join("jwt.secret")
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
