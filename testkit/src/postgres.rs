//! A Postgres server of one's own: a fresh cluster in a temporary folder on a free port.
//!
//! ```text
//!   test process ── child ──► postgres
//!        │
//!        └── pipe ──► guard (sh): when the pipe closes, stops the server and deletes the folder
//! ```
//!
//! The pipe closes when the value is dropped and also when the test process ends in any other way, kill -9 included;
//! so nothing is ever left behind, and a server may live in a `static`.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tokio_postgres::NoTls;

use crate::frozen::send;
use crate::server_user::ServerUser;

/// The longest wait for the server to start or stop.
const PATIENCE: Duration = Duration::from_mins(1);

/// Ends the server and deletes its folder ($0) when standard input does.
const GUARD: &str = r#"trap "" INT TERM HUP
while read -r line; do :; done
pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
    for child in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do kill -CONT "$child"; done
    kill -CONT "$pid" 2>/dev/null
    kill -INT "$pid" 2>/dev/null
    tries=0
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
    kill -9 "$pid" 2>/dev/null
fi
rm -rf "$0""#;

/// A running server; stopped and deleted when dropped.
#[derive(Debug)]
pub struct PrivatePostgres {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    user: Option<ServerUser>,
    guard: Child,
    server: Option<Child>,
    settings: Vec<String>,
}

impl PrivatePostgres {
    /// Makes a cluster and starts it with its default settings.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// Makes a cluster and starts it with settings, each as `name=value`.
    pub fn start_with(settings: &[&str]) -> Result<Self> {
        Self::start_in(&std::env::temp_dir(), settings, &[])
    }

    /// The same below `parent`, a small disk perhaps, with further arguments for `initdb`.
    pub fn start_in(parent: &Path, settings: &[&str], initdb: &[&str]) -> Result<Self> {
        let this = Self::prepare(parent, settings)?;
        this.initialise(initdb)?;
        this.booted()
    }

    /// A folder, its guard and a port; no cluster yet.
    pub(crate) fn prepare(parent: &Path, settings: &[&str]) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let programs = find_programs()?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = parent.join(format!("ringwire-postgres-{}-{number}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let user = ServerUser::choose()?;
        if let Some(user) = user {
            user.give(&folder)?;
        }
        let mut guard = Command::new("sh");
        guard.arg("-c").arg(GUARD).arg(&folder).current_dir("/").stdin(Stdio::piped());
        guard.stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(user) = user {
            user.apply(&mut guard);
        }
        let guard = guard.spawn().context("cannot start sh")?;
        let settings = settings.iter().map(ToString::to_string).collect();
        let port = free_port()?;
        Ok(Self { programs, folder, port, user, guard, server: None, settings })
    }

    /// The same with its server running.
    pub(crate) fn booted(mut self) -> Result<Self> {
        self.boot()?;
        Ok(self)
    }

    /// The address of the database that every cluster has.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Makes an empty database and tells its address.
    pub fn create_database(&self, name: &str) -> Result<String> {
        self.execute(&format!("CREATE DATABASE \"{name}\""))?;
        Ok(self.url_of(name))
    }

    /// Runs statements as superuser in the database `postgres`.
    pub fn execute(&self, sql: &str) -> Result<()> {
        let url = self.url();
        // A thread of its own, so that callers inside a runtime may use this.
        thread::scope(|scope| scope.spawn(|| execute(&url, sql)).join())
            .unwrap_or_else(|_| bail!("the thread that ran the statement panicked"))
    }

    /// Gives the server what one has that has run for a while: so many segments of its log, 16 MiB each, that can be used
    /// again; no more than its `max_wal_size`. A new one fills each with zeros before it writes there, and holds up every
    /// commit meanwhile.
    pub fn age(&self, segments: u32) -> Result<()> {
        // Nobody reads these messages; they only take room.
        self.execute(&format!(
            "SELECT pg_logical_emit_message(false, 'age', repeat('x', 1048576)) FROM generate_series(1, {})",
            segments * 16
        ))?;
        // Old segments become future ones, as far ahead as this checkpoint is behind the last.
        self.execute("CHECKPOINT")
    }

    /// The port on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the postmaster while the server runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    /// Stops the server in an orderly way: connections are cut, a checkpoint is written.
    pub fn stop(&mut self) -> Result<()> {
        self.end(libc::SIGINT)
    }

    /// Kills the postmaster with -9; its processes follow, nothing is written.
    pub fn kill9(&mut self) -> Result<()> {
        self.end(libc::SIGKILL)
    }

    /// Starts the server again, on the same port with the same data.
    pub fn restart(&mut self) -> Result<()> {
        if self.server.is_some() {
            self.stop()?;
        }
        self.boot()
    }

    /// Starts the server again if it has ended by itself, as it does when it cannot recover; whether it had.
    pub fn restart_if_ended(&mut self) -> Result<bool> {
        let Some(server) = &mut self.server else { return Ok(false) };
        if server.try_wait()?.is_none() {
            return Ok(false);
        }
        self.server = None;
        self.boot()?;
        Ok(true)
    }

    /// Freezes the server and all its processes: connections stay, nobody answers.
    pub fn pause(&self) -> Result<()> {
        self.signal_all(libc::SIGSTOP)
    }

    /// Lets a frozen server go on.
    pub fn resume(&self) -> Result<()> {
        self.signal_all(libc::SIGCONT)
    }

    /// What the server has logged since it was made.
    pub fn log(&self) -> Result<String> {
        let bytes = fs::read(self.folder.join("log")).context("cannot read the server's log")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://ringwire@127.0.0.1:{}/{database}", self.port)
    }

    pub(crate) const fn server_user(&self) -> Option<ServerUser> {
        self.user
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn command(&self, program: &str) -> Result<Command> {
        let mut command = Command::new(self.programs.join(program));
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .context("cannot write the server's log")?;
        command.current_dir("/").env_clear().env("LC_ALL", "C").stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        if let Some(user) = self.user {
            user.apply(&mut command);
        }
        Ok(command)
    }

    fn initialise(&self, arguments: &[&str]) -> Result<()> {
        let status = self
            .command("initdb")?
            .arg("-D")
            .arg(self.data())
            .args(["-U", "ringwire", "--auth=trust", "--no-sync", "--encoding=UTF8"])
            .args(arguments)
            .status()
            .context("cannot run initdb")?;
        ensure!(status.success(), "initdb failed: {}", self.log_end());
        Ok(())
    }

    fn boot(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut command = self.command("postgres")?;
        command.arg("-D").arg(self.data()).arg("-p").arg(self.port.to_string());
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        for setting in &self.settings {
            command.arg("-c").arg(setting);
        }
        loop {
            let mut server = command.spawn().context("cannot run postgres")?;
            loop {
                if self.execute("SELECT 1").is_ok() {
                    self.server = Some(server);
                    return Ok(());
                }
                if server.try_wait()?.is_some() {
                    // After a kill -9 the last processes of the old server may still hold the folder.
                    break;
                }
                if Instant::now() > deadline {
                    server.kill()?;
                    server.wait()?;
                    break;
                }
                thread::sleep(Duration::from_millis(20));
            }
            ensure!(Instant::now() < deadline, "postgres did not start: {}", self.log_end());
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn end(&mut self, signal: i32) -> Result<()> {
        let Some(mut server) = self.server.take() else { return Ok(()) };
        send(server.id().into(), signal)?;
        server.wait()?;
        Ok(())
    }

    fn signal_all(&self, signal: i32) -> Result<()> {
        let pid = self.pid().context("the server is not running")?;
        // The postmaster first when freezing, so that it starts nothing new meanwhile.
        send(pid.into(), signal)?;
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        for child in children.split_whitespace() {
            // One that has just ended is no harm.
            let _ = send(child.parse()?, signal);
        }
        Ok(())
    }

    pub(crate) fn log_end(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        // Closing the pipe makes the guard clean up; its server is our child and has to be collected by us.
        drop(self.guard.stdin.take());
        if let Some(server) = &mut self.server {
            let _ = server.wait();
        }
        let _ = self.guard.wait();
    }
}

/// Looks in `RINGWIRE_PG_BIN`, then `PATH`, then Debian's folders, newest version first.
fn find_programs() -> Result<PathBuf> {
    let complete =
        |folder: &Path| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    if let Some(folder) = std::env::var_os("RINGWIRE_PG_BIN").map(PathBuf::from) {
        ensure!(complete(&folder), "RINGWIRE_PG_BIN holds no initdb and postgres");
        return Ok(folder);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(folder) = std::env::split_paths(&path).find(|folder| complete(folder)) {
        return Ok(folder);
    }
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|version| {
            let number = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin")))
        })
        .filter(|(_, folder)| complete(folder))
        .collect();
    versions.sort();
    match versions.pop() {
        Some((_, folder)) => Ok(folder),
        None => bail!(
            "this test needs the programs initdb and postgres: run `cargo xtask test`, which installs them, \
             or name their folder in RINGWIRE_PG_BIN"
        ),
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").context("no free port")?.local_addr()?.port())
}

fn execute(url: &str, sql: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let driver = tokio::spawn(connection);
        client.batch_execute(sql).await?;
        drop(client);
        let _ = driver.await;
        Ok(())
    })
}
