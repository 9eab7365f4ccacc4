//! What the process takes of the system's memory: no huge pages, and nothing for longer than it is used.
//!
//! ```text
//!   a rush of connections ─► pages of short-lived buffers ─► freed, and kept by the allocator ─► give_back ─► the system
//! ```
//!
//! mimalloc returns freed pages a second later, but looks at them only when the thread that freed them allocates or
//! frees pages again. A shard whose sessions went quiet does neither, and would keep what their arrival took.

/// From now on the kernel backs no memory of this process with huge pages. They were measured here: 40 MB more at rest,
/// a quarter more for a session, and fewer messages for a second of a processor, because all of a page of 2 MiB is
/// cleared for the first byte that is used. The allocator asks for none either (mimalloc's feature `no_thp`).
pub fn without_huge_pages() {
    // SAFETY: this option takes a number and no pointers. A kernel without it refuses, and all stays as it was.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
}

/// Has the allocator return the pages that this thread freed and nobody took since; pages in use are not visited.
///
/// Each shard calls it from its sweep, because mimalloc keeps pages by thread.
pub fn give_back() {
    // SAFETY: `mi_collect` may be called from any thread at any time: it works on the heap of the calling thread, which
    // it makes if there is none (in a program with another allocator), and moves nothing that is allocated.
    unsafe { libmimalloc_sys::mi_collect(false) }
}
