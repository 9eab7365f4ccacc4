//! Why no host let us in, and how that travels.
//!
//! The pool and everything above it know one kind of error, that of `tokio_postgres`, which nobody else can make. So the
//! answer of a search for a host travels inside one, as the I/O error of a connection that was broken from the start.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::SslMode as Wire;
use tokio_postgres::{Config, Error, NoTls};

use super::address::SslMode;
use crate::error::StoreError;

/// No host of the address let us in.
#[derive(Debug)]
pub(super) struct ConnectError {
    /// In the order they were tried.
    pub(super) failures: Vec<Failure>,
}

/// Why one host did not.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) place: String,
    pub(super) mode: SslMode,
    pub(super) reason: String,
    /// Somebody has to mend something; waiting will not help.
    pub(super) setup: bool,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, failure) in self.failures.iter().enumerate() {
            let Failure { place, mode, reason, .. } = failure;
            write!(f, "{}{place} (sslmode={mode}): {reason}", if n == 0 { "" } else { " | " })?;
        }
        Ok(())
    }
}

impl std::error::Error for ConnectError {}

impl From<&ConnectError> for StoreError {
    /// A host that may come back is worth waiting for, whatever is wrong with the others.
    fn from(error: &ConnectError) -> Self {
        if error.failures.iter().all(|failure| failure.setup) {
            Self::Misconfigured(error.to_string())
        } else {
            Self::Unavailable(error.to_string())
        }
    }
}

/// Packs an answer up.
pub(super) async fn pack(error: ConnectError) -> Error {
    let mut config = Config::new();
    // Nothing of this reaches a wire: the first write fails.
    config.user("nobody").ssl_mode(Wire::Disable);
    match config.connect_raw(Broken(Some(error)), NoTls).await {
        Err(error) => error,
        Ok(_) => unreachable!("a broken connection has answered"),
    }
}

/// The answer in an error that was made by [`pack`].
pub(super) fn unpack(error: &Error) -> Option<&ConnectError> {
    io_cause(error)?.downcast_ref()
}

/// What lies in the I/O error that caused this one.
pub(super) fn io_cause(error: &Error) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
    std::error::Error::source(error)?.downcast_ref::<io::Error>()?.get_ref()
}

/// A connection that fails with this at its first use.
struct Broken(Option<ConnectError>);

impl Broken {
    fn fail<T>(mut self: Pin<&mut Self>) -> Poll<io::Result<T>> {
        Poll::Ready(Err(match self.0.take() {
            Some(error) => io::Error::other(error),
            None => io::ErrorKind::NotConnected.into(),
        }))
    }
}

impl AsyncRead for Broken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.fail()
    }
}

impl AsyncWrite for Broken {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        self.fail()
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.fail()
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(setup: bool) -> Failure {
        let (place, reason) = ("db:5432".to_owned(), "it is away".to_owned());
        Failure { place, mode: SslMode::Prefer, reason, setup }
    }

    #[tokio::test]
    async fn what_is_packed_comes_out_whole() {
        let error = pack(ConnectError { failures: vec![failure(true), failure(false)] }).await;
        let answer = unpack(&error).expect("it is in there");
        let one = "db:5432 (sslmode=prefer): it is away";
        assert_eq!(answer.to_string(), format!("{one} | {one}"));
    }

    #[test]
    fn one_host_that_may_come_back_is_worth_waiting_for() {
        for (setup, waits) in [([true, false], true), ([false, false], true), ([true, true], false)]
        {
            let error = ConnectError { failures: setup.map(failure).into() };
            let error = StoreError::from(&error);
            assert_eq!(matches!(error, StoreError::Unavailable(_)), waits, "{setup:?}");
        }
    }
}
