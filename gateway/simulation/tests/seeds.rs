//! V2: whole servers and clients in virtual time keep every promise, whatever a seed makes go wrong; the same seed is the
//! same run; and planted mistakes are found.

use ringwire_simulation::{Sabotage, met, run, run_seeds};

/// What a thousand worlds have to meet, or they prove little.
const MEANT_TO_BE_MET: [&str; 16] = [
    "committed",
    "conflict",
    "duplicate",
    "moved",
    "rejected",
    "restart",
    "lag",
    "resumed",
    "typing",
    "gap",
    "page of missed entries",
    "BUSY",
    "UNAVAILABLE",
    "OUT_OF_ORDER",
    "RATE_LIMITED",
    "NOT_MEMBER",
];

#[test]
fn v2_a_thousand_seeds_keep_every_promise() {
    let full = std::env::var_os("RINGWIRE_TEST_FULL").is_some();
    let seeds = if full { 10_000 } else { 1_000 };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let reports = run_seeds(1..seeds + 1, threads).expect("nodes can be made");
    for (seed, report) in &reports {
        assert!(
            report.findings.is_empty(),
            "cargo xtask simulate --seed {seed}: {:?}",
            report.findings
        );
    }
    let met = met(&reports);
    for what in MEANT_TO_BE_MET {
        assert!(met.contains_key(what), "no seed met {what:?}: {met:?}");
    }
}

#[test]
fn v2_the_same_seed_is_the_same_run() {
    let mut hashes = Vec::new();
    for seed in 1..=20 {
        let first = run(seed, Sabotage::None, false).expect("nodes can be made");
        let second = run(seed, Sabotage::None, false).expect("nodes can be made");
        assert_eq!(first, second, "seed {seed}");
        hashes.push(first.trace_hash);
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 20, "different seeds are different runs");
}

/// Some of the first seeds find the mistake.
fn is_found(sabotage: Sabotage, finding: &str) {
    let found = (1..=60).any(|seed| {
        let report = run(seed, sabotage, false).expect("nodes can be made");
        report.findings.iter().any(|found| found.contains(finding))
    });
    assert!(found, "{sabotage:?} stays green");
}

#[test]
fn v2_an_ack_before_the_commit_is_found() {
    is_found(Sabotage::AckBeforeCommit, "not committed");
}

#[test]
fn v2_a_log_that_takes_the_same_command_twice_is_found() {
    is_found(Sabotage::NoDedupe, "twice");
}

#[test]
fn v2_a_push_that_is_lost_without_a_word_is_found() {
    is_found(Sabotage::LosePush, "without a word");
}

#[test]
fn v2_a_resume_that_brings_only_a_part_is_found() {
    is_found(Sabotage::PartialResume, "without a word");
}
