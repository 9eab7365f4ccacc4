//! What happened in one run: the trace and its hash, what was met, what was found.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// The journal of one run.
#[derive(Debug)]
pub(crate) struct Journal {
    /// Virtual microseconds.
    pub(crate) now_us: u64,
    hash: Fnv,
    print: bool,
    /// What broke a promise, the first few.
    pub(crate) findings: Vec<String>,
    /// What was met, and how often.
    pub(crate) met: BTreeMap<&'static str, u64>,
}

/// Findings that are kept; one is usually followed by many of the same cause.
const FINDINGS_KEPT: usize = 10;

impl Journal {
    pub(crate) fn new(print: bool) -> Self {
        let (findings, met) = (Vec::new(), BTreeMap::new());
        Self { now_us: 0, hash: Fnv::new(), print, findings, met }
    }

    /// A line of the trace.
    pub(crate) fn note(&mut self, line: fmt::Arguments<'_>) {
        let (seconds, micros) = (self.now_us / 1_000_000, self.now_us % 1_000_000);
        // The hash takes everything.
        let _ = writeln!(self.hash, "{seconds}.{micros:06} {line}");
        if self.print {
            println!("{seconds:4}.{micros:06} {line}");
        }
    }

    /// Something that was met.
    pub(crate) fn met(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    /// A broken promise.
    #[expect(clippy::needless_pass_by_value, reason = "findings are made to be given away")]
    pub(crate) fn find(&mut self, finding: String) {
        self.note(format_args!("FOUND {finding}"));
        if self.findings.len() < FINDINGS_KEPT {
            let seconds = self.now_us as f64 / 1e6;
            self.findings.push(format!("{finding} (at {seconds:.3} s)"));
        }
    }

    /// Takes over what another part found.
    pub(crate) fn find_all(&mut self, findings: Vec<String>) {
        for finding in findings {
            self.find(finding);
        }
    }

    /// The hash of all lines so far.
    pub(crate) fn hash(&self) -> u64 {
        self.hash.0
    }
}

/// FNV-1a in 64 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fnv(pub(crate) u64);

impl Fnv {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl fmt::Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.take(text.as_bytes());
        Ok(())
    }
}
