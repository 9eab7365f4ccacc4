//! CPU time of single threads of this process, in nanoseconds as the scheduler counts it.

use std::fs;

use anyhow::{Context as _, Result};

/// CPU seconds of the running threads whose name begins so.
pub(crate) fn seconds_of_threads(prefix: &str) -> Result<f64> {
    let mut nanoseconds = 0;
    for task in fs::read_dir("/proc/self/task").context("no /proc")?.flatten() {
        // A thread may end while we look.
        let Ok(name) = fs::read_to_string(task.path().join("comm")) else { continue };
        if !name.starts_with(prefix) {
            continue;
        }
        let Ok(times) = fs::read_to_string(task.path().join("schedstat")) else { continue };
        let own = times.split_whitespace().next().and_then(|text| text.parse::<u64>().ok());
        nanoseconds += own.context("/proc/self/task/TID/schedstat has another form")?;
    }
    Ok(nanoseconds as f64 / 1e9)
}

/// CPU seconds of the calling thread.
pub(crate) fn seconds_of_this_thread() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is valid for the write of one timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
