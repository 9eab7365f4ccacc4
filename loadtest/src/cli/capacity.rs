//! `capacity`: the highest rate that meets the thresholds.

use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ringwire_loadtest::capacity::{Next, Search, Settings};
use ringwire_loadtest::report::Report;
use ringwire_loadtest::scenario::{Arrival, MOST_ALLOWED, Scenario, Shape};
use ringwire_loadtest::threshold::Verdict;

use super::outputs::OutputArguments;
use super::place::PlaceArguments;
use super::{exit_code, say, stop_on_signals};

#[derive(Debug, clap::Args)]
pub(crate) struct CapacityArguments {
    #[command(flatten)]
    place: PlaceArguments,
    /// The first rate, in sends per second [default: the scenario's].
    #[arg(long, value_name = "RATE")]
    from: Option<f64>,
    /// From one rate to the next while nothing is known above or below.
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0)]
    growth: f64,
    /// How close the answer has to be, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0)]
    precision: f64,
    /// The most runs.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(2..=200))]
    max_steps: u32,
    /// How long the server may rest between runs, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    pause: f64,
    /// What is written is of the run that confirmed the answer, or else of the last one.
    #[command(flatten)]
    outputs: OutputArguments,
}

/// Under which label a report tells what the search it was part of found.
const LABEL: &str = "capacity";

pub(crate) fn search(arguments: &CapacityArguments) -> anyhow::Result<ExitCode> {
    let scenario = arguments.place.scenario()?;
    let thresholds = &scenario.thresholds;
    anyhow::ensure!(
        thresholds.ack_p99_ms.is_some() || thresholds.deliver_p99_ms.is_some(),
        "without a threshold for latencies every rate passes that is answered at last; \
         set one, as in --set thresholds.deliver_p99_ms=10"
    );
    anyhow::ensure!(
        scenario.arrival != Arrival::Closed && matches!(scenario.shape, Shape::Steady {}),
        "a rate can be searched where one is offered and stays: set arrival=constant or poisson, and shape.kind=steady"
    );
    anyhow::ensure!(
        scenario.conversation.is_any(),
        "a rate of sends can be searched where somebody sends: set a conversation"
    );
    let settings = Settings {
        from_per_s: arguments.from.unwrap_or(scenario.rate_per_s),
        growth: arguments.growth,
        precision: arguments.precision / 100.0,
        max_steps: arguments.max_steps,
    };
    let is_sound = settings.from_per_s > 0.0
        && settings.from_per_s <= MOST_ALLOWED
        && (1.1..=100.0).contains(&settings.growth)
        && (0.001..1.0).contains(&settings.precision)
        && (0.0..=3600.0).contains(&arguments.pause);
    anyhow::ensure!(
        is_sound,
        "--from has to be above 0 and at most 31536000, --growth 1.1 to 100, --precision 0.1 to 100, --pause 0 to 3600"
    );

    arguments.outputs.prepare()?;
    let stop = stop_on_signals()?;
    let mut search = Search::new(settings);
    let mut last: Option<Report> = None;
    loop {
        let (what, rate) = match *search.next() {
            Next::Try(rate) => ("try", rate),
            Next::Confirm(rate) => ("confirm", rate),
            Next::Over(answer) => {
                let said = say(format_args!("capacity {answer}"));
                if let Some(mut report) = last {
                    report.labels.insert(LABEL.to_owned(), answer.to_string());
                    arguments.outputs.write(&report)?;
                }
                said?;
                return Ok(exit_code(answer.verdict()));
            }
        };
        if last.is_some() {
            std::thread::sleep(Duration::from_secs_f64(arguments.pause));
        }
        let mut report =
            arguments.place.run(&Scenario { rate_per_s: rate, ..scenario.clone() }, &stop)?;
        if !arguments.place.quiet {
            say(line(what, rate, &report))?;
        }
        if stop.load(Relaxed) {
            let answer = match search.passed_once() {
                None => "not found (the search was interrupted)".to_owned(),
                Some(rate) => {
                    format!("not confirmed (the search was interrupted); {rate:.0}/s passed once")
                }
            };
            let said = say(format_args!("capacity {answer}"));
            report.labels.insert(LABEL.to_owned(), answer);
            arguments.outputs.write(&report)?;
            said?;
            return Ok(exit_code(Verdict::InsufficientEvidence));
        }
        search.told(report.verdict);
        last = Some(report);
    }
}

fn line(what: &str, rate: f64, report: &Report) -> String {
    let reasons = if report.reasons.is_empty() {
        String::new()
    } else {
        format!(": {}", report.reasons.join("; "))
    };
    format!(
        "{what:<7} {rate:>9.0}/s  ack p99 {:>8.2} ms  deliver p99 {:>8.2} ms  slip p99 {:>6.2} ms  {}{reasons}",
        report.ack_ms.p99,
        report.deliver_ms.p99,
        report.send_slip_ms.p99,
        report.verdict.name()
    )
}
