//! `cargo xtask bench instructions`: each hot path, to be run by callgrind, which counts the instructions of
//! [`counted`] and nothing else.
//!
//! ```text
//!   prepare ─► counted(run) ─► prepare ─► counted(run) …      callgrind: collects while inside, dumps at each return
//! ```
//!
//! Prints the name of each path, how many messages a run of it handles and how many runs were counted, in the order in
//! which they are.

use std::hint::black_box;

#[path = "../paths/mod.rs"]
mod paths;

/// Before anything counts.
const WARM_UP_RUNS: usize = 2;
/// Where hash maps lie differs from process to process, and a little from run to run.
const COUNTED_RUNS: usize = 5;

/// The one function that is counted; its name is callgrind's to look for.
#[inline(never)]
fn counted(path: &mut paths::Path) {
    path.run();
    // So that the call above is no jump, which callgrind would not see returning.
    black_box(path);
}

fn main() {
    for mut path in paths::all() {
        for _ in 0..WARM_UP_RUNS {
            path.prepare();
            path.run();
        }
        for _ in 0..COUNTED_RUNS {
            path.prepare();
            counted(&mut path);
        }
        println!("{}\t{}\t{COUNTED_RUNS}", path.name, path.messages);
    }
}
