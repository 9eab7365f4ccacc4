//! A row of named steps that stops at the first failure, and the table of what each took.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// The steps taken so far.
pub(crate) struct Steps {
    taken: Vec<Taken>,
}

struct Taken {
    name: &'static str,
    duration: Duration,
    passed: bool,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self { taken: Vec::new() }
    }

    /// Takes a step. A failure prints the table and becomes an error that names the step.
    pub(crate) fn take(
        &mut self,
        name: &'static str,
        step: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        println!("\n── {name} ──");
        let started = Instant::now();
        let result = step();
        self.taken.push(Taken { name, duration: started.elapsed(), passed: result.is_ok() });
        if result.is_err() {
            self.print();
        }
        result.with_context(|| format!("step \"{name}\" failed"))
    }

    /// Prints what was taken, how long, and the sum.
    pub(crate) fn print(&self) {
        println!();
        for step in &self.taken {
            let verdict = if step.passed { "ok" } else { "FAILED" };
            println!("{:<24} {:>8.1} s  {verdict}", step.name, step.duration.as_secs_f64());
        }
        let total: Duration = self.taken.iter().map(|step| step.duration).sum();
        println!("{:<24} {:>8.1} s", "total", total.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn a_failure_names_its_step() {
        let mut steps = Steps::new();
        steps.take("first", || Ok(())).expect("it passes");
        let error = steps.take("second", || bail!("because")).expect_err("it fails");
        assert_eq!(format!("{error:#}"), "step \"second\" failed: because");
    }
}
