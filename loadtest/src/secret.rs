//! How a worker on another host knows that the run which orders it about may do so, and the other way round.
//!
//! ```text
//!   run                                            worker
//!    │ ── greeting, nonce of the run ───────────────► │
//!    │ ◄─ nonce of the worker, proof of the worker ── │    proof = HMAC-SHA256(secret, role, both nonces)
//!    │ ── proof of the run ─────────────────────────► │
//! ```
//!
//! The secret itself never travels, and a proof heard on the way is good for these two nonces only. What follows is
//! neither encrypted nor signed: on a network that others use, put it into a tunnel.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::rand;

/// The environment variable that holds the secret.
pub const SECRET_VARIABLE: &str = "RINGWIRE_LOADTEST_SECRET";

const GREETING: &[u8; 16] = b"ringwire-load-1\n";
const NONCE_BYTES: usize = 32;
const PROOF_BYTES: usize = 32;

/// What a run and its workers share.
pub struct Secret(hmac::Key);

/// Why two sides do not come together.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read the workers' secret {path}: {reason}")]
    Read {
        /// Which file.
        path: String,
        /// What the system said.
        reason: io::Error,
    },
    /// Too short to be one.
    #[error("the workers' secret has fewer than 16 characters")]
    Short,
    /// The other side has another secret, or none.
    #[error("the other side does not know the workers' secret")]
    Wrong,
    /// It left when it saw that this side has another secret, or for no reason that it told.
    #[error(
        "the other side left before it proved that it knows the workers' secret; has it another one?"
    )]
    Unproven,
    /// The other side is no worker, or no run.
    #[error("the other side does not speak as a load generator")]
    Stranger,
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

impl Secret {
    /// A secret given as text.
    pub fn new(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if text.len() < 16 {
            return Err(SecretError::Short);
        }
        Ok(Self(hmac::Key::new(HMAC_SHA256, text.as_bytes())))
    }

    /// From the file if one is named, else from the environment; `None`: neither is given.
    pub fn load(file: Option<&Path>) -> Result<Option<Self>, SecretError> {
        let text = match file {
            Some(path) => {
                let path_text = path.display().to_string();
                let read = std::fs::read_to_string(path);
                Some(read.map_err(|reason| SecretError::Read { path: path_text, reason })?)
            }
            None => std::env::var(SECRET_VARIABLE).ok(),
        };
        text.map(|text| Self::new(&text)).transpose()
    }

    /// A new one, and its text for the one who has to give it to the run.
    pub fn generate() -> Result<(Self, String), SecretError> {
        use fmt::Write as _;
        let mut text = String::new();
        for byte in random::<16>()? {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok((Self::new(&text)?, text))
    }

    /// The run's side.
    pub(crate) fn prove_as_run(&self, mut peer: impl Read + Write) -> Result<(), SecretError> {
        let own = random::<NONCE_BYTES>()?;
        peer.write_all(GREETING)?;
        peer.write_all(&own)?;
        let (mut other, mut proof) = ([0; NONCE_BYTES], [0; PROOF_BYTES]);
        peer.read_exact(&mut other)?;
        peer.read_exact(&mut proof)?;
        self.verify("worker", &own, &other, &proof)?;
        Ok(peer.write_all(self.sign("run", &own, &other).as_ref())?)
    }

    /// The worker's side.
    pub(crate) fn prove_as_worker(&self, mut peer: impl Read + Write) -> Result<(), SecretError> {
        let (mut greeting, mut other) = ([0; GREETING.len()], [0; NONCE_BYTES]);
        peer.read_exact(&mut greeting)?;
        if &greeting != GREETING {
            return Err(SecretError::Stranger);
        }
        peer.read_exact(&mut other)?;
        let own = random::<NONCE_BYTES>()?;
        peer.write_all(&own)?;
        peer.write_all(self.sign("worker", &other, &own).as_ref())?;
        let mut proof = [0; PROOF_BYTES];
        peer.read_exact(&mut proof).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => SecretError::Unproven,
            _ => SecretError::Io(error),
        })?;
        self.verify("run", &other, &own, &proof)
    }

    fn sign(&self, role: &str, run: &[u8], worker: &[u8]) -> hmac::Tag {
        hmac::sign(&self.0, &[role.as_bytes(), run, worker].concat())
    }

    fn verify(
        &self,
        role: &str,
        run: &[u8],
        worker: &[u8],
        proof: &[u8],
    ) -> Result<(), SecretError> {
        hmac::verify(&self.0, &[role.as_bytes(), run, worker].concat(), proof)
            .map_err(|_| SecretError::Wrong)
    }
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], SecretError> {
    let mut bytes = [0; LENGTH];
    rand::fill(&mut bytes).map_err(|_| io::Error::other("no random numbers"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::thread;

    use super::*;

    fn meet(run: &str, worker: &str) -> (Result<(), SecretError>, Result<(), SecretError>) {
        let (one, two) = UnixStream::pair().unwrap();
        let worker = Secret::new(worker).unwrap();
        let worker = thread::spawn(move || worker.prove_as_worker(&two));
        let run = Secret::new(run).unwrap().prove_as_run(&one);
        drop(one);
        (run, worker.join().unwrap())
    }

    #[test]
    fn both_sides_come_together_over_one_secret_only() {
        let secret = "0123456789abcdef";
        assert!(matches!(meet(secret, secret), (Ok(()), Ok(()))));
        let (run, worker) = meet(secret, "0123456789abcdeX");
        assert!(matches!(run, Err(SecretError::Wrong)), "{run:?}");
        assert!(matches!(worker, Err(SecretError::Unproven)), "{worker:?}");
        assert!(matches!(Secret::new("short"), Err(SecretError::Short)));
    }

    #[test]
    fn a_worker_obeys_nobody_who_only_repeats_what_it_said() {
        let (mut one, two) = UnixStream::pair().unwrap();
        let (worker, text) = Secret::generate().unwrap();
        assert_eq!(text.len(), 32);
        let worker = thread::spawn(move || worker.prove_as_worker(&two));
        one.write_all(GREETING).unwrap();
        one.write_all(&[0; NONCE_BYTES]).unwrap();
        let mut said = [0; NONCE_BYTES + PROOF_BYTES];
        one.read_exact(&mut said).unwrap();
        one.write_all(&said[NONCE_BYTES..]).unwrap();
        assert!(matches!(worker.join().unwrap(), Err(SecretError::Wrong)));
    }

    #[test]
    fn whoever_speaks_otherwise_is_a_stranger() {
        let (mut one, two) = UnixStream::pair().unwrap();
        one.write_all(b"GET / HTTP/1.1\r\nHost: worker\r\n\r\n").unwrap();
        let (worker, _) = Secret::generate().unwrap();
        assert!(matches!(worker.prove_as_worker(&two), Err(SecretError::Stranger)));
        assert_eq!(format!("{worker:?}"), "Secret(..)");
    }
}
