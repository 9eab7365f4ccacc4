//! The server as an operator runs it: a child process that can be stopped, killed and started again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use ringwire_testkit::Observer;
use tempfile::TempDir;

use super::store::Database;
use super::token;

/// How a server is to be started. Two shards unless the arguments say otherwise.
#[derive(Default)]
pub(crate) struct Setup {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    config: String,
    database: Option<Database>,
    data: Option<PathBuf>,
}

impl Setup {
    /// The defaults: SQLite, two shards.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds command line arguments.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// Sets a variable of the environment.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds lines to the configuration file.
    pub(crate) fn config(mut self, lines: &str) -> Self {
        self.config.push_str(lines);
        self.config.push('\n');
        self
    }

    /// Takes away the bounds on how fast clients may send.
    pub(crate) fn without_rates(self) -> Self {
        self.config("[limits]\nsession_commands_per_s = 0\nuser_commands_per_s = 0")
    }

    /// Keeps the log in this database.
    pub(crate) fn database(mut self, database: Database) -> Self {
        self.database = Some(database);
        self
    }

    /// Keeps the data folder here instead of beside the log.
    pub(crate) fn data(mut self, folder: &Path) -> Self {
        self.data = Some(folder.to_owned());
        self
    }

    /// Starts the server on a free port of the loopback address and waits until it serves.
    pub(crate) fn start(self) -> ServerProcess {
        let mut server = self.launch();
        server.await_ready();
        server
    }

    /// Starts the server without waiting; [`ServerProcess::await_ready`] does.
    pub(crate) fn launch(self) -> ServerProcess {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("ringwire.toml"), &self.config).expect("a configuration file");
        let running = launch(folder.path(), &self, "127.0.0.1:0");
        ServerProcess { folder, setup: self, running, address: None }
    }
}

/// A running `ringwire` with a data folder of its own, which lives as long as this value.
pub(crate) struct ServerProcess {
    folder: TempDir,
    setup: Setup,
    running: Running,
    address: Option<SocketAddr>,
}

struct Running {
    child: Child,
    /// Kept open: a server whose standard output is gone would fail at its next line.
    stdout: BufReader<ChildStdout>,
}

impl ServerProcess {
    /// Starts the server with SQLite and these arguments, and waits until it serves.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Setup::new().arguments(arguments).start()
    }

    /// Waits for the line that tells the server is ready.
    pub(crate) fn await_ready(&mut self) {
        let mut line = String::new();
        loop {
            line.clear();
            if self.running.stdout.read_line(&mut line).expect("reading the server's output") == 0 {
                let status = self.running.child.wait().expect("waiting for the server");
                panic!("the server ended with {status} before it was ready:\n{}", self.log());
            }
            if let Some((_, rest)) = line.split_once("http://") {
                let address = rest.split('/').next().unwrap_or_default();
                self.address = Some(address.parse().expect("an address in the line"));
                return;
            }
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address.expect("the server is ready")
    }

    /// Where the page is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address())
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.setup.data.clone().unwrap_or_else(|| self.folder.path().join("data"))
    }

    /// The file with the key it signs tokens with.
    pub(crate) fn secret_file(&self) -> PathBuf {
        self.data().join("jwt.secret")
    }

    /// An independent look into its database, past any proxy; of Postgres at this address.
    pub(crate) fn observer(&self, postgres: Option<&str>) -> Observer {
        match postgres {
            Some(url) => Observer::postgres(url).expect("a connection to Postgres"),
            None => Observer::sqlite(&self.data().join("ringwire.db")).expect("the database"),
        }
    }

    /// Memory it has in use now, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = format!("/proc/{}/status", self.running.child.id());
        let status = fs::read_to_string(status).expect("the server runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// From now on it may have no descriptor of this number or above.
    pub(crate) fn limit_descriptors(&self, most: u64) {
        let pid = libc::pid_t::try_from(self.running.child.id()).expect("a process id");
        let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
        // SAFETY: the kernel reads one limit, which lives through the call, and writes none.
        let set = unsafe {
            libc::prlimit(pid, libc::RLIMIT_NOFILE, &raw const limit, std::ptr::null_mut())
        };
        assert_eq!(set, 0, "the limit cannot be set");
    }

    /// Descriptors it has open.
    pub(crate) fn descriptors(&self) -> u64 {
        let open = format!("/proc/{}/fd", self.running.child.id());
        fs::read_dir(open).expect("the server runs").count() as u64
    }

    /// Changes its SQLite database behind its back; how many rows.
    pub(crate) fn change_sqlite(&self, sql: &str) -> usize {
        let path = self.folder.path().join("data/ringwire.db");
        let connection = rusqlite::Connection::open(path).expect("the database");
        connection.busy_timeout(super::PATIENCE).expect("a timeout");
        connection.execute(sql, []).expect("a change")
    }

    /// A token for this user, valid for an hour.
    pub(crate) fn token(&self, user: u64) -> String {
        token::sign(&self.secret_file(), &token::claims(user, 3600))
    }

    /// Runs `ringwire` with the server's configuration and these arguments, to its end.
    pub(crate) fn tool(&self, arguments: &[&str]) -> Output {
        self.tool_command(arguments).output().expect("running a tool")
    }

    /// The same, to be started by the caller.
    pub(crate) fn tool_command(&self, arguments: &[&str]) -> Command {
        let mut command = command(self.folder.path(), &self.setup);
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// From its next start on, the log is kept in this database.
    pub(crate) fn move_to(&mut self, database: Database) {
        self.setup.database = Some(database);
    }

    /// The folder with the key and, on SQLite, the database.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Everything it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends the process as a power cut would: SIGKILL, no chance to tidy up.
    pub(crate) fn kill(&mut self) {
        self.running.child.kill().expect("killing the server");
        self.running.child.wait().expect("waiting for the killed server");
    }

    /// Asks the process to stop.
    pub(crate) fn terminate(&self) {
        self.signal(libc::SIGTERM);
    }

    /// Asks the process to read its key files again.
    pub(crate) fn reload(&self) {
        self.signal(libc::SIGHUP);
    }

    fn signal(&self, signal: libc::c_int) {
        let pid = libc::pid_t::try_from(self.running.child.id()).expect("a process id");
        // SAFETY: kill takes plain numbers; the process is a child not yet waited for, so its id is nobody else's.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// Waits for the process to end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.running.child.wait().expect("waiting for the server")
    }

    /// Starts the server again after it ended, on the same data and the same port.
    pub(crate) fn restart(&mut self) {
        let address = self.address().to_string();
        self.running = launch(self.folder.path(), &self.setup, &address);
        self.await_ready();
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have been killed already; then there is nothing left to do.
        let _ = self.running.child.kill();
        let _ = self.running.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the server ---\n{}", self.log());
        }
    }
}

/// `ringwire` with everything that tells where its data is.
fn command(folder: &Path, setup: &Setup) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringwire"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RINGWIRE_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).args(["--config", "ringwire.toml", "--data-dir"]);
    command.arg(setup.data.as_deref().unwrap_or(Path::new("data")));
    if let Some(url) = setup.database.as_ref().and_then(Database::url) {
        command.args(["--database", url]);
    }
    command.envs(setup.environment.iter().map(|(name, value)| (name, value)));
    command
}

fn launch(folder: &Path, setup: &Setup, listen: &str) -> Running {
    let log_file =
        File::options().create(true).append(true).open(folder.join("log")).expect("a log file");
    let mut command = command(folder, setup);
    command.args(["--listen", listen]);
    if !setup.arguments.iter().any(|argument| argument == "--shards") {
        command.args(["--shards", "2"]);
    }
    let mut child = command
        .args(&setup.arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log_file)
        .spawn()
        .expect("starting the server");
    let stdout = BufReader::new(child.stdout.take().expect("standard output is piped"));
    Running { child, stdout }
}
