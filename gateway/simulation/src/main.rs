//! Runs seeds, and tells what was found and how to see it again.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;
use ringwire_simulation::{Report, Sabotage, met, run, run_seeds};

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
    let reports = run_seeds(from..from + seeds, threads)?;
    println!("met: {:?}", met(&reports));
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
