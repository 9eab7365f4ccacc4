//! The server as an operator runs it: a child process that can be killed and started again.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// A running `ringwire` with a data folder of its own, which lives as long as this value.
pub(crate) struct ServerProcess {
    folder: TempDir,
    arguments: Vec<String>,
    running: Running,
}

struct Running {
    child: Child,
    address: SocketAddr,
    /// Kept open: a server whose standard output is gone would fail at its next line.
    _stdout: BufReader<ChildStdout>,
}

impl ServerProcess {
    /// Starts the server on a free port of the loopback address and waits until it serves.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let running = launch(folder.path(), &arguments, "127.0.0.1:0");
        Self { folder, arguments, running }
    }

    /// Where the page is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.running.address)
    }

    /// Ends the process as a power cut would: SIGKILL, no chance to tidy up.
    pub(crate) fn kill(&mut self) {
        self.running.child.kill().expect("killing the server");
        self.running.child.wait().expect("waiting for the killed server");
    }

    /// Starts the server again after [`Self::kill`], on the same data and the same port.
    pub(crate) fn restart(&mut self) {
        let address = self.running.address.to_string();
        self.running = launch(self.folder.path(), &self.arguments, &address);
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have been killed already; then there is nothing left to do.
        let _ = self.running.child.kill();
        let _ = self.running.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the server ---\n{}", log(self.folder.path()));
        }
    }
}

fn launch(folder: &Path, arguments: &[String], listen: &str) -> Running {
    let log_file =
        File::options().create(true).append(true).open(folder.join("log")).expect("a log file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringwire"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RINGWIRE_")) {
        command.env_remove(name);
    }
    let mut child = command
        .current_dir(folder)
        .args(["--listen", listen, "--data-dir", "data"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log_file)
        .spawn()
        .expect("starting the server");
    let mut stdout = BufReader::new(child.stdout.take().expect("standard output is piped"));
    let mut line = String::new();
    let address = loop {
        line.clear();
        if stdout.read_line(&mut line).expect("reading the server's output") == 0 {
            let status = child.wait().expect("waiting for the server");
            panic!("the server ended with {status} before it was ready:\n{}", log(folder));
        }
        if let Some((_, rest)) = line.split_once("http://") {
            let address = rest.split('/').next().unwrap_or_default();
            break address.parse().expect("an address in the line that tells the server is ready");
        }
    };
    Running { child, address, _stdout: stdout }
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}
