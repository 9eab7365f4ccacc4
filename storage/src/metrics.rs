//! What writers count, once a batch: a few buckets, behind a lock that is held for no longer than an addition.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::executor::AppendError;

/// The figures of all writers of a store. A handle: clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct WriterMetrics {
    queue_depth: Histogram,
    batch_size: Histogram,
    commit_duration: Histogram,
    retries: Family<Attempt, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Attempt {
    kind: Failure,
}

/// Why a transaction did not commit; see [`AppendError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
enum Failure {
    #[expect(non_camel_case_types, reason = "this is how it is written in the label")]
    collision,
    #[expect(non_camel_case_types, reason = "this is how it is written in the label")]
    refused,
    #[expect(non_camel_case_types, reason = "this is how it is written in the label")]
    retry,
    #[expect(non_camel_case_types, reason = "this is how it is written in the label")]
    away,
}

impl WriterMetrics {
    pub(crate) fn new() -> Self {
        let entries = || Histogram::new(exponential_buckets(1.0, 2.0, 15));
        let retries = Family::default();
        for kind in [Failure::collision, Failure::refused, Failure::retry, Failure::away] {
            // A counter that is there from the start lets the first failure show as a rise.
            drop(retries.get_or_create(&Attempt { kind }));
        }
        Self {
            queue_depth: entries(),
            batch_size: entries(),
            commit_duration: Histogram::new(exponential_buckets(0.000_1, 2.0, 18)),
            retries,
        }
    }

    /// Names begin with `storage_`; the registry adds what is common to the whole server.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let entries = || Unit::Other("entries".to_owned());
        registry.register_with_unit(
            "storage_queue_depth",
            "Entries that waited for a writer when it closed a batch, those of the batch included",
            entries(),
            self.queue_depth.clone(),
        );
        registry.register_with_unit(
            "storage_batch_size",
            "Entries of a batch",
            entries(),
            self.batch_size.clone(),
        );
        registry.register_with_unit(
            "storage_commit_duration",
            "From a set of entries to the database's word that they are committed",
            Unit::Seconds,
            self.commit_duration.clone(),
        );
        registry.register(
            "storage_retries",
            "Transactions that did not commit: collision (a position or an id is taken), refused (by the database, for \
             what is in them), retry (deadlock, serialization, or a lock held elsewhere), away (no database that can write)",
            self.retries.clone(),
        );
    }

    /// A batch is closed; so many entries more wait for the next.
    pub(crate) fn batch_closed(&self, size: usize, waiting: usize) {
        self.batch_size.observe(size as f64);
        self.queue_depth.observe((size + waiting) as f64);
    }

    /// A transaction has come to its end.
    pub(crate) fn attempted<T>(&self, took: Duration, result: &Result<T, AppendError>) {
        let kind = match result {
            Ok(_) => return self.commit_duration.observe(took.as_secs_f64()),
            Err(AppendError::Collision) => Failure::collision,
            Err(AppendError::Refused(_)) => Failure::refused,
            Err(AppendError::Retry(_) | AppendError::Locked(_)) => Failure::retry,
            Err(AppendError::Away(_)) => Failure::away,
        };
        self.retries.get_or_create(&Attempt { kind }).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_with_their_units() {
        let metrics = WriterMetrics::new();
        metrics.batch_closed(3, 4);
        metrics.attempted(Duration::from_millis(2), &Ok(()));
        metrics.attempted(Duration::from_millis(2), &Err::<(), _>(AppendError::Collision));
        let mut registry = Registry::with_prefix("ringwire");
        metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for line in [
            "ringwire_storage_queue_depth_entries_sum 7.0",
            "ringwire_storage_batch_size_entries_bucket{le=\"4.0\"} 1",
            "ringwire_storage_batch_size_entries_bucket{le=\"2.0\"} 0",
            "ringwire_storage_commit_duration_seconds_count 1",
            "ringwire_storage_retries_total{kind=\"collision\"} 1",
            "ringwire_storage_retries_total{kind=\"away\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in:\n{text}");
        }
    }
}
