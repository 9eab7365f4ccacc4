//! A process that stands still while everything else goes on.

use anyhow::{Context as _, Result, ensure};

/// A process that was stopped, until this is dropped. Its sockets stay open; nobody answers on them.
#[derive(Debug)]
pub struct Frozen(i64);

impl Frozen {
    /// Stops a process, of a Postgres server that one started for instance.
    pub fn new(pid: i64) -> Result<Self> {
        send(pid, libc::SIGSTOP)?;
        Ok(Self(pid))
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // It may have been killed meanwhile.
        let _ = send(self.0, libc::SIGCONT);
    }
}

/// Signals one process, which must be a child not yet waited for, or a child of one: else the number may be a stranger's.
pub(crate) fn send(pid: i64, signal: i32) -> Result<()> {
    let number = libc::pid_t::try_from(pid).ok().filter(|number| *number > 0);
    let number = number.with_context(|| format!("{pid} is no process"))?;
    // SAFETY: kill takes plain numbers and touches no memory of ours.
    let sent = unsafe { libc::kill(number, signal) };
    ensure!(sent == 0, "cannot signal process {pid}: {}", std::io::Error::last_os_error());
    Ok(())
}
