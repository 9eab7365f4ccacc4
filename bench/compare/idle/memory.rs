//! The memory of a process: its resident set, and what the kernel holds for it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Serialize;

/// Bytes at one moment.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Memory {
    pub(crate) rss_bytes: i64,
    /// Sockets and slab, where the process has a memory cgroup of its own.
    pub(crate) kernel_bytes: Option<i64>,
}

impl Memory {
    /// The memory of a process now.
    pub(crate) fn of(pid: u32, group: Option<&MemoryGroup>) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<i64>().ok());
        let rss_bytes = kib.context("/proc has no VmRSS")? * 1024;
        Ok(Self { rss_bytes, kernel_bytes: group.and_then(MemoryGroup::kernel_bytes) })
    }
}

/// A memory cgroup for one process; removed when dropped.
pub(crate) struct MemoryGroup {
    path: PathBuf,
}

impl MemoryGroup {
    /// Makes one, if this machine lets us.
    pub(crate) fn new() -> Option<Self> {
        let name = format!("ringwire-idle-{}", std::process::id());
        ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"].into_iter().find_map(|root| {
            let group = Self { path: Path::new(root).join(&name) };
            fs::create_dir(&group.path).ok()?;
            // Without the controller the folder is of no use; dropping removes it.
            group.kernel_bytes().is_some().then_some(group)
        })
    }

    /// Puts a process into it. What it allocates from now on counts.
    pub(crate) fn admit(&self, pid: u32) -> Result<()> {
        Ok(fs::write(self.path.join("cgroup.procs"), pid.to_string())?)
    }

    /// Version 1: one figure for kernel memory, and one for TCP buffers. Version 2: lines of `memory.stat`.
    fn kernel_bytes(&self) -> Option<i64> {
        let number = |file: &str| -> Option<i64> {
            fs::read_to_string(self.path.join(file)).ok()?.trim().parse().ok()
        };
        if let Some(kernel) = number("memory.kmem.usage_in_bytes") {
            return Some(kernel + number("memory.kmem.tcp.usage_in_bytes").unwrap_or(0));
        }
        let stat = fs::read_to_string(self.path.join("memory.stat")).ok()?;
        let line = |name: &str| -> Option<i64> {
            stat.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
        };
        Some(line("sock ")? + line("slab ")?)
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        // The processes in it have ended; if not, the empty folder stays until they have.
        let _ = fs::remove_dir(&self.path);
    }
}
