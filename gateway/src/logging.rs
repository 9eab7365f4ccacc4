//! What the server says about itself, on standard error.
//!
//! Invariant (A2): no token reaches a log. The WebSocket library logs whole upgrade requests at TRACE, and hyper whole
//! heads, so both stay silent below WARN whatever the filter says, also when it is changed while the server runs.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::config::{LogConfig, LogFormat};

/// Crates that log what clients send.
const TALKATIVE: [&str; 5] = ["tungstenite", "hyper", "hyper_util", "tokio_postgres", "rustls"];

/// What is logged now, and how to change that.
struct Current {
    handle: Handle<EnvFilter, Registry>,
    /// As an operator wrote it.
    directives: Mutex<String>,
}

static CURRENT: OnceLock<Current> = OnceLock::new();

/// Starts logging. Once per process; a second call changes nothing.
pub fn start(config: &LogConfig) {
    let lines: Box<dyn Layer<_> + Send + Sync> = match config.format {
        LogFormat::Pretty => {
            let colours = io::stderr().is_terminal();
            Box::new(fmt::layer().with_writer(io::stderr).with_ansi(colours))
        }
        LogFormat::Json => Box::new(fmt::layer().json().with_writer(io::stderr)),
    };
    let (filter, handle) = reload::Layer::new(filter(&config.filter));
    // An error means that somebody (a test) has set up logging before, which then stays.
    if tracing_subscriber::registry().with(lines.with_filter(filter)).try_init().is_ok() {
        let directives = Mutex::new(config.filter.clone());
        let _ = CURRENT.set(Current { handle, directives });
    }
}

/// The directives in use; `None`: nothing is logged.
pub fn current() -> Option<String> {
    let current = CURRENT.get()?;
    Some(current.directives.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

/// Logs by other directives from now on, until the process ends; `Err`: what is wrong with them.
pub fn change(directives: &str) -> Result<(), String> {
    check(directives)?;
    let current = CURRENT.get().ok_or("nothing is logged")?;
    let mut kept = current.directives.lock().unwrap_or_else(PoisonError::into_inner);
    current.handle.reload(filter(directives)).map_err(|error| error.to_string())?;
    directives.clone_into(&mut kept);
    Ok(())
}

/// Whether directives can be understood; `Err`: what is wrong with them.
pub fn check(directives: &str) -> Result<(), String> {
    let parsed = EnvFilter::builder().parse(directives);
    parsed.map(drop).map_err(|error| error.to_string())
}

/// The operator's filter with the talkative crates held down.
fn filter(directives: &str) -> EnvFilter {
    // They were checked with the same parser; what it accepts is accepted here.
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse_lossy(directives);
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
            let lines = fmt::layer().with_writer(move || writer.clone());
            // Begun quiet and changed while running.
            let (quiet, handle) = reload::Layer::new(filter("error"));
            let subscriber = tracing_subscriber::registry().with(lines.with_filter(quiet));
            tracing::subscriber::with_default(subscriber, || {
                tracing::debug!(target: "ringwire_gateway", "unheard");
                handle.reload(filter(written)).unwrap();
                tracing::trace!(target: "tungstenite::handshake::server", "canary-token");
                tracing::trace!(target: "hyper::proto::h1", "canary-token");
                tracing::debug!(target: "ringwire_gateway", "heard");
            });
            let text = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
            assert!(!text.contains("canary-token") && text.contains(" heard"), "{written}: {text}");
            assert!(!text.contains("unheard"), "{written}: {text}");
        }
    }
}
