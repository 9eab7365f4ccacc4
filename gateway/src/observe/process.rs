//! What the kernel knows of this process: memory, descriptors, processor time by thread.

use std::collections::BTreeMap;
use std::fs;

/// What it uses.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Usage {
    /// Memory in use, in bytes.
    pub(super) resident_bytes: u64,
    /// Its address space.
    pub(super) virtual_bytes: u64,
    /// Open descriptors.
    pub(super) descriptors: u64,
    /// When it started, in seconds of Unix time; 0: unknown.
    pub(super) started_at: f64,
    /// Processor time of everything it ever did, in seconds.
    pub(super) cpu_seconds: f64,
    /// The threads there are, by name.
    pub(super) threads: BTreeMap<String, Thread>,
}

/// What threads of one name did.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Thread {
    /// Processor time, in seconds.
    pub(super) cpu_seconds: f64,
    /// How often they gave their processor up to wait for something.
    pub(super) waits: u64,
    /// How often it was taken from them.
    pub(super) preemptions: u64,
}

/// The threads that have a name of their own in the figures; all others are told together.
const NAMES: [&str; 4] = ["shard-", "writer-", "password-", "ringwire"];
/// What all others are called.
const OTHERS: &str = "other";

/// Memory in use, in bytes.
pub(super) fn resident_bytes() -> u64 {
    memory().1
}

/// The address space, and what of it is in memory.
fn memory() -> (u64, u64) {
    let page = system(libc::_SC_PAGESIZE);
    let memory = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let mut pages = memory.split(' ').map(|field| field.trim().parse().unwrap_or(0));
    let mut next = || pages.next().unwrap_or(0) * page;
    (next(), next())
}

/// Reads it. What the kernel does not tell is 0.
pub(super) fn usage() -> Usage {
    let tick = system(libc::_SC_CLK_TCK) as f64;
    let (virtual_bytes, resident_bytes) = memory();
    let own = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let Stat { ticks, started, .. } = Stat::parse(&own).unwrap_or_default();
    let mut threads = BTreeMap::new();
    for entry in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        // A thread that ends meanwhile is passed over.
        let text = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let Some(stat) = Stat::parse(&text) {
            let known = NAMES.iter().any(|name| stat.name.starts_with(name));
            let name = if known { stat.name } else { OTHERS };
            let thread: &mut Thread = threads.entry(name.to_owned()).or_default();
            thread.cpu_seconds += stat.ticks as f64 / tick;
            let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            thread.waits += switches(&status, "voluntary_ctxt_switches:");
            thread.preemptions += switches(&status, "nonvoluntary_ctxt_switches:");
        }
    }
    Usage {
        resident_bytes,
        virtual_bytes,
        // The one that reads is not counted.
        descriptors: fs::read_dir("/proc/self/fd").map_or(0, |open| open.count() as u64 - 1),
        started_at: boot_time().map_or(0.0, |boot| boot + started as f64 / tick),
        cpu_seconds: ticks as f64 / tick,
        threads,
    }
}

fn system(name: libc::c_int) -> u64 {
    // SAFETY: sysconf takes and gives plain numbers.
    let value = unsafe { libc::sysconf(name) };
    u64::try_from(value).unwrap_or(1).max(1)
}

/// A count in `/proc/…/status`.
fn switches(status: &str, name: &str) -> u64 {
    let count = status.lines().find_map(|line| line.strip_prefix(name));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

fn boot_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// A line of `/proc/…/stat`, see proc(5).
#[derive(Debug, Default, PartialEq)]
struct Stat<'a> {
    name: &'a str,
    /// Of user and system time.
    ticks: u64,
    /// Ticks since the machine started.
    started: u64,
}

impl<'a> Stat<'a> {
    /// The name is in parentheses and may hold some itself.
    fn parse(line: &'a str) -> Option<Self> {
        let (before, after) = line.rsplit_once(')')?;
        let name = before.split_once('(')?.1;
        // The third field, the state, is the first one here.
        let mut fields = after.split_ascii_whitespace().skip(11).map(str::parse::<u64>);
        let ticks = fields.next()?.ok()? + fields.next()?.ok()?;
        let started = fields.nth(6)?.ok()?;
        Some(Self { name, ticks, started })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_name() {
        let line = "42 (sh) ard-(1) S 1 42 42 0 -1 4194560 1 0 0 0 17 5 0 0 20 0 9 0 12345 1 2 3";
        let stat = Stat::parse(line).unwrap();
        assert_eq!(stat, Stat { name: "sh) ard-(1", ticks: 22, started: 12345 });
        assert_eq!(Stat::parse("42 (x) S 1"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn this_process_uses_something() {
        let usage = usage();
        assert!(usage.resident_bytes > 0 && usage.virtual_bytes >= usage.resident_bytes);
        assert!(usage.descriptors > 0 && usage.started_at > 1e9);
        assert!(usage.threads.contains_key(OTHERS), "{usage:?}");
    }

    #[test]
    fn switches_of_both_kinds_are_told_apart() {
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t3\n";
        assert_eq!(switches(status, "voluntary_ctxt_switches:"), 7);
        assert_eq!(switches(status, "nonvoluntary_ctxt_switches:"), 3);
        assert_eq!(switches("", "voluntary_ctxt_switches:"), 0);
    }
}
