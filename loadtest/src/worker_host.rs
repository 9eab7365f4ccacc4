//! A process that works for runs: a child of one run, or a worker that serves runs from other hosts one after another.
//!
//! ```text
//!   listen ──► accept ──► secret proven ──► one run, from its order to its end ──► accept …
//! ```
//!
//! Whoever does not prove that it knows the secret gets nothing but a nonce, and has `GREETING_LIMIT` for that. One run
//! is served at a time; others wait in the listener's queue.

use std::fmt;
use std::io::{self, Write as _};
use std::net::{Shutdown, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use crate::link::{self, Here};
use crate::scenario::Protocol;
use crate::secret::{Secret, SecretError};
use crate::target::Target;
use crate::tls::Trust;
use crate::token::Tokens;

/// How long whoever connects has to prove that it is a run.
const GREETING_LIMIT: Duration = Duration::from_secs(5);
/// How long the network may take what a worker tells; a run that does not listen any more is given up.
const WRITE_LIMIT: Duration = Duration::from_mins(1);

/// What a worker brings along for the runs it works for.
#[derive(Clone, Debug, Default)]
pub struct Equipment {
    /// The server's secret, to sign tokens with; see [`Tokens::load`].
    pub jwt_secret_file: Option<PathBuf>,
    /// A list of tokens instead; see [`Tokens::from_list`].
    pub tokens_file: Option<PathBuf>,
    /// Whose certificates are taken.
    pub trust: Trust,
}

impl Equipment {
    /// The tokens that were named; `None`: neither a secret nor a list was.
    fn named_tokens(&self) -> Option<Result<Tokens, String>> {
        let tokens = match (&self.tokens_file, &self.jwt_secret_file) {
            (Some(list), _) => Tokens::from_list(list),
            (None, Some(secret)) => Tokens::load(Some(secret)),
            (None, None) => return None,
        };
        Some(tokens.map_err(|error| error.to_string()))
    }

    /// Whether what was named can be read.
    pub fn check(&self) -> Result<(), String> {
        self.named_tokens().unwrap_or_else(|| Ok(Tokens::none())).map(drop)
    }

    /// What a part of a run against the server at `url`, which speaks `protocol`, needs.
    pub fn prepare(&self, url: &str, protocol: Protocol) -> Result<Here, String> {
        let target = Target::parse_trusting(url, &self.trust).map_err(|error| error.to_string())?;
        let tokens = match self.named_tokens() {
            Some(tokens) => tokens?,
            None if !protocol.wants_token() => Tokens::none(),
            None => Tokens::load(None).map_err(|error| error.to_string())?,
        };
        Ok(Here { target, tokens })
    }
}

/// Works for the run that started this process, over its stdin and stdout.
pub fn serve_parent(equipment: &Equipment) -> io::Result<()> {
    link::serve(io::stdin(), io::stdout(), |url, protocol| equipment.prepare(url, protocol))
}

/// Works for whatever run proves to know the secret, one after another, for ever.
pub fn serve_runs(
    listener: &TcpListener,
    secret: &Secret,
    equipment: &Equipment,
) -> io::Result<()> {
    loop {
        let (stream, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            // The peer is gone again already.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        let served = (|| {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(GREETING_LIMIT))?;
            stream.set_write_timeout(Some(WRITE_LIMIT))?;
            secret.prove_as_worker(&stream)?;
            stream.set_read_timeout(None)?;
            tell(format_args!("works for {peer}"));
            link::serve(stream.try_clone()?, &stream, |url, protocol| {
                equipment.prepare(url, protocol)
            })?;
            Ok::<(), SecretError>(())
        })();
        match served {
            Ok(()) => tell(format_args!("is done for {peer}")),
            Err(error) => tell(format_args!("{peer}: {error}")),
        }
        // Ends the thread that reads orders as well.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// To whoever reads standard error; nobody has to.
fn tell(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}
