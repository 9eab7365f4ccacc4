//! Processors and descriptors: who runs where, how much CPU a process used, how many sockets it may hold.

use std::io;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

/// The two cores of a comparison.
pub(crate) struct Cores {
    /// Runs nothing but the server.
    pub(crate) server: usize,
    /// Runs the load.
    pub(crate) load: usize,
}

impl Cores {
    /// The first two cores this process may use.
    pub(crate) fn choose() -> Result<Self> {
        // SAFETY: cpu_set_t is a plain array of bits, for which all zeroes are valid.
        let mut allowed: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is valid for writes of the size given.
        let result = unsafe { libc::sched_getaffinity(0, size_of_val(&allowed), &raw mut allowed) };
        ensure!(result == 0, "sched_getaffinity: {}", io::Error::last_os_error());
        // SAFETY: every index is below CPU_SETSIZE, the number of bits of the set.
        let mut cores = (0..libc::CPU_SETSIZE as usize)
            .filter(|&core| unsafe { libc::CPU_ISSET(core, &allowed) });
        match (cores.next(), cores.next()) {
            (Some(server), Some(load)) => Ok(Self { server, load }),
            _ => anyhow::bail!("the comparison needs two cores, one for the server alone"),
        }
    }
}

/// Pins the calling process; its children and threads inherit that. Allocates nothing, so it may run between
/// fork and exec.
pub(crate) fn pin(core: usize) -> io::Result<()> {
    // SAFETY: cpu_set_t is a plain array of bits, for which all zeroes are valid.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the core's number came out of such a set.
    unsafe { libc::CPU_SET(core, &mut set) };
    // SAFETY: the pointer is valid for reads of the size given.
    match unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Raises the soft limit of descriptors to the hard one; servers inherit it.
pub(crate) fn raise_descriptor_limit() -> Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is valid for writes.
    let read = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    ensure!(read == 0, "getrlimit: {}", io::Error::last_os_error());
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the pointer is valid for reads.
    let written = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    ensure!(written == 0, "setrlimit: {}", io::Error::last_os_error());
    Ok(())
}

/// CPU time since boot, in use by whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// The server: user and system time of all its threads, the kernel's io_uring workers among them.
    pub(crate) server: Duration,
    /// Neither the server nor this process.
    pub(crate) others: Duration,
}

impl Usage {
    /// As of now.
    pub(crate) fn now(server: u32) -> Result<Self> {
        let ticks_per_s = ticks_per_s()? as f64;
        let time = |ticks: u64| Duration::from_secs_f64(ticks as f64 / ticks_per_s);
        let of_process = |process: u32| -> Result<u64> {
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
            process_ticks(&stat).context("/proc/PID/stat has another form than proc(5) says")
        };
        let machine = std::fs::read_to_string("/proc/stat")?;
        let machine =
            machine_ticks(&machine).context("/proc/stat has another form than proc(5) says")?;
        let server = of_process(server)?;
        let others = machine.saturating_sub(server + of_process(std::process::id())?);
        Ok(Self { server: time(server), others: time(others) })
    }

    /// What was used since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            server: self.server.saturating_sub(before.server),
            others: self.others.saturating_sub(before.others),
        }
    }
}

/// The unit of times in /proc.
fn ticks_per_s() -> Result<i64> {
    // SAFETY: sysconf takes no pointers.
    let ticks_per_s = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    ensure!(ticks_per_s > 0, "sysconf(_SC_CLK_TCK): {}", io::Error::last_os_error());
    Ok(ticks_per_s)
}

/// utime + stime, fields 14 and 15. The second field, the name in parentheses, may hold spaces.
fn process_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// All processors together: user, nice, system, (idle, iowait,) irq, softirq and steal of the first line.
fn machine_ticks(stat: &str) -> Option<u64> {
    let fields: Vec<u64> = stat
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_ascii_whitespace()
        .map_while(|field| field.parse().ok())
        .collect();
    let [user, nice, system, _idle, _waiting, irq, softirq, steal, ..] = fields[..] else {
        return None;
    };
    Some(user + nice + system + irq + softirq + steal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_past_a_strange_name() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 901 0 3 0 70 30 5 6 20 0 1 0 99 0 0";
        assert_eq!(process_ticks(stat), Some(100));
        assert_eq!(process_ticks("42 (a) S 1"), None);
    }

    #[test]
    fn the_machine_is_busy_but_for_idle_and_waiting() {
        let stat = "cpu  10 20 30 9000 8000 1 2 3 0 0\ncpu0 5 10 15 4500 4000 1 1 1 0 0\n";
        assert_eq!(machine_ticks(stat), Some(66));
        assert_eq!(machine_ticks("intr 5"), None);
    }
}
