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

/// User and system time a process has used so far, all its threads, the kernel's io_uring workers among them.
pub(crate) fn used_by(process: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let ticks = ticks_of(&stat).context("/proc/PID/stat has another form than proc(5) says")?;
    // SAFETY: sysconf takes no pointers.
    let ticks_per_s = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    ensure!(ticks_per_s > 0, "sysconf(_SC_CLK_TCK): {}", io::Error::last_os_error());
    Ok(Duration::from_secs_f64(ticks as f64 / ticks_per_s as f64))
}

/// utime + stime, fields 14 and 15. The second field, the name in parentheses, may hold spaces.
fn ticks_of(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_past_a_strange_name() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 901 0 3 0 70 30 5 6 20 0 1 0 99 0 0";
        assert_eq!(ticks_of(stat), Some(100));
        assert_eq!(ticks_of("42 (a) S 1"), None);
    }
}
