//! CPU time of processes, as the kernel counts it; and the end of those that finish their work first.

use std::fs;
use std::process::Child;

use anyhow::{Context as _, Result};

/// User and system seconds of a process, and of all its descendants, the ended ones included.
///
/// # Errors
///
/// The process is gone, or /proc is not there.
pub fn cpu_seconds_of_tree(pid: u32) -> Result<f64> {
    // SAFETY: sysconf takes no pointers.
    let ticks_per_s = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    let mut ticks = 0;
    let mut pending = vec![pid];
    while let Some(pid) = pending.pop() {
        // A descendant may end while we look; its time is then in its parent's fields for the next look.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        ticks += ticks_in(&stat).context("/proc/PID/stat has another form than proc(5) says")?;
        let threads = fs::read_dir(format!("/proc/{pid}/task"))?;
        for thread in threads.flatten() {
            if let Ok(children) = fs::read_to_string(thread.path().join("children")) {
                pending.extend(
                    children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()),
                );
            }
        }
    }
    Ok(ticks as f64 / ticks_per_s as f64)
}

/// Asks a child to end, as Ctrl-C does.
pub fn interrupt(child: &Child) {
    let Ok(pid) = i32::try_from(child.id()) else { return };
    // SAFETY: takes no pointers. The process is ours and not yet waited for, so that its number is nobody else's.
    unsafe {
        libc::kill(pid, libc::SIGINT);
    }
}

/// Fields 14 to 17 of `/proc/PID/stat` (proc(5)): own user and system ticks, then those of children waited for.
fn ticks_in(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 100 20 3 4 20 0 1";
        assert_eq!(ticks_in(stat), Some(127));
    }

    #[test]
    fn this_process_has_used_some_time() {
        assert!(cpu_seconds_of_tree(std::process::id()).is_ok_and(|seconds| seconds >= 0.0));
    }
}
