//! Runs seeds, and tells what was found and how to see it again.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, ensure};
use clap::Parser;
use ringwire_simulation::{Report, Sabotage, run};

#[derive(Parser)]
#[command(
    name = "simulate",
    about = "Whole servers and clients on one thread, in virtual time, with faults"
)]
struct Arguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Run only this seed, and print its trace.
    #[arg(long)]
    seed: Option<u64>,
    /// Seeds at a time, each on one thread. 0: one for each processor.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

fn main() -> ExitCode {
    match simulate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn simulate() -> Result<()> {
    let Arguments { seeds, from, seed, threads } = Arguments::parse();
    if let Some(seed) = seed {
        let report = run(seed, Sabotage::None, true)?;
        println!("\nseed {seed}: {} s of virtual time", report.virtual_us / 1_000_000);
        println!("trace {:016x}", report.trace_hash);
        return verdict(&[(seed, report)]);
    }
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = if threads == 0 { processors } else { threads };
    let (next, reports) = (AtomicU64::new(from), Mutex::new(Vec::new()));
    std::thread::scope(|scope| -> Result<()> {
        let work = || -> Result<()> {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= from + seeds {
                    return Ok(());
                }
                let report = run(seed, Sabotage::None, false)?;
                reports.lock().unwrap_or_else(PoisonError::into_inner).push((seed, report));
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok(())
    })?;
    let mut reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    reports.sort_by_key(|(seed, _)| *seed);
    let mut met: BTreeMap<&str, u64> = BTreeMap::new();
    for (what, count) in reports.iter().flat_map(|(_, report)| &report.met) {
        *met.entry(what).or_default() += count;
    }
    println!("met: {met:?}");
    verdict(&reports)
}

/// Prints what was found; an error when something was.
fn verdict(reports: &[(u64, Report)]) -> Result<()> {
    let virtual_s: u64 = reports.iter().map(|(_, report)| report.virtual_us / 1_000_000).sum();
    let broken: Vec<_> = reports.iter().filter(|(_, report)| !report.findings.is_empty()).collect();
    for (seed, report) in &broken {
        for finding in &report.findings {
            println!("seed {seed}: {finding}");
        }
        println!("    to see it again: cargo xtask simulate --seed {seed}");
    }
    let hours = virtual_s as f64 / 3600.0;
    println!(
        "{} seeds, {hours:.1} h of virtual time, {} with findings",
        reports.len(),
        broken.len()
    );
    ensure!(broken.is_empty(), "promises were broken");
    Ok(())
}
