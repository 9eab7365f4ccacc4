//! What the server says about itself, on standard error.
//!
//! Invariant (A2): no token reaches a log. The WebSocket library logs whole upgrade requests at TRACE, and hyper whole
//! heads, so both stay silent below WARN whatever the filter says.

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config::{LogConfig, LogFormat};

/// Crates that log what clients send.
const TALKATIVE: [&str; 5] = ["tungstenite", "hyper", "hyper_util", "tokio_postgres", "rustls"];

/// Starts logging. Once per process; a second call changes nothing.
pub fn start(config: &LogConfig) {
    let lines: Box<dyn Layer<_> + Send + Sync> = match config.format {
        LogFormat::Pretty => {
            let colours = io::stderr().is_terminal();
            Box::new(fmt::layer().with_writer(io::stderr).with_ansi(colours))
        }
        LogFormat::Json => Box::new(fmt::layer().json().with_writer(io::stderr)),
    };
    // An error means that somebody (a test) has set up logging before, which then stays.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter(config))).try_init();
}

/// The operator's filter with the talkative crates held down.
fn filter(config: &LogConfig) -> EnvFilter {
    // The configuration was validated with the same parser; what it accepts is accepted here.
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse_lossy(&config.filter);
    TALKATIVE.iter().fold(filter, |filter, target| match format!("{target}=warn").parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a2_libraries_that_log_requests_stay_silent_even_at_trace() {
        for written in ["trace", "tungstenite=trace,trace", "debug,hyper=trace"] {
            let captured = Captured::default();
            let writer = captured.clone();
            let config = LogConfig { filter: written.to_owned(), format: LogFormat::Pretty };
            let lines = fmt::layer().with_writer(move || writer.clone());
            let subscriber =
                tracing_subscriber::registry().with(lines.with_filter(filter(&config)));
            tracing::subscriber::with_default(subscriber, || {
                tracing::trace!(target: "tungstenite::handshake::server", "canary-token");
                tracing::trace!(target: "hyper::proto::h1", "canary-token");
                tracing::debug!(target: "ringwire_gateway", "heard");
            });
            let text = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
            assert!(!text.contains("canary-token") && text.contains("heard"), "{written}: {text}");
        }
    }
}
