//! Password hashes: argon2id on threads of their own.
//!
//! A hash takes some 20 ms of CPU and 19 MiB, so it is kept away from everything else: few threads at low priority (a
//! wave of logins never slows chat), and a bounded queue before them (beyond it, logins are refused as BUSY).

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use crossbeam::channel::{self, Receiver, Sender, TrySendError};
use ringwire_protocol::{CommandError, ErrorCode};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::error::ApiError;

/// OWASP's first choice for argon2id at this size: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Random bytes of a salt (RFC 9106 section 3.1).
const SALT_BYTES: usize = 16;
/// Checks that may wait, about three seconds of work.
const QUEUE: usize = 128;
/// What BUSY tells the client to wait, in milliseconds.
const BUSY_RETRY_MS: u32 = 1_000;
/// How much the threads yield to others (19 is the most).
const NICENESS: libc::c_int = 10;

enum Job {
    Hash { password: Zeroizing<String>, answer: oneshot::Sender<Option<String>> },
    Verify { password: Zeroizing<String>, hash: Option<String>, answer: oneshot::Sender<bool> },
}

/// Hashes and checks passwords. Its threads end when it is dropped.
pub(super) struct PasswordHasher {
    jobs: Sender<Job>,
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHasher").field("waiting", &self.jobs.len()).finish()
    }
}

impl PasswordHasher {
    /// Starts the threads: one for every two cores, four at most.
    pub(super) fn start() -> io::Result<Self> {
        let (jobs, queue) = channel::bounded(QUEUE);
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let algorithm = argon2id().ok_or_else(|| io::Error::other("argon2 parameters"))?;
        let nobody = hash(&algorithm, "nobody").ok_or_else(|| io::Error::other("argon2 salt"))?;
        let nobody: Arc<str> = nobody.into();
        for index in 0..(cores / 2).clamp(1, 4) {
            let (queue, algorithm, nobody) = (queue.clone(), algorithm.clone(), nobody.clone());
            thread::Builder::new()
                .name(format!("password-{index}"))
                .spawn(move || work(&queue, &algorithm, &nobody))?;
        }
        Ok(Self { jobs })
    }

    /// A PHC string for a new password.
    pub(super) async fn hash(&self, password: Zeroizing<String>) -> Result<String, ApiError> {
        let (answer, hash) = oneshot::channel();
        self.submit(Job::Hash { password, answer })?;
        hash.await.ok().flatten().ok_or_else(stopped)
    }

    /// Whether the password belongs to the hash. Without a hash (there is no such user) the answer is no, after the
    /// same work: the time tells nobody which names exist.
    pub(super) async fn verify(
        &self,
        password: Zeroizing<String>,
        hash: Option<String>,
    ) -> Result<bool, ApiError> {
        let (answer, verdict) = oneshot::channel();
        self.submit(Job::Verify { password, hash, answer })?;
        verdict.await.map_err(|_| stopped())
    }

    fn submit(&self, job: Job) -> Result<(), ApiError> {
        self.jobs.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => {
                let message = "too many logins and registrations at this moment";
                CommandError::retry(ErrorCode::Busy, message, BUSY_RETRY_MS).into()
            }
            TrySendError::Disconnected(_) => stopped(),
        })
    }
}

/// A PHC string for a new password, made by the caller's thread; `None`: the system gives no random bytes.
pub(crate) fn hash_password(password: &str) -> Option<String> {
    hash(&argon2id()?, password)
}

fn stopped() -> ApiError {
    ApiError::new(
        ErrorCode::Internal,
        "passwords cannot be checked; the failure is in the server's log",
    )
}

fn argon2id() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn work(queue: &Receiver<Job>, algorithm: &Argon2<'_>, nobody: &str) {
    // SAFETY: setpriority takes plain numbers; on Linux "process 0" means the calling thread. That it may fail is
    // harmless: the thread then keeps its priority.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS) };
    // A client that went away does not want its answer: failing sends are no errors.
    for job in queue {
        match job {
            Job::Hash { answer, .. } if answer.is_closed() => {}
            Job::Verify { answer, .. } if answer.is_closed() => {}
            Job::Hash { password, answer } => {
                let _ = answer.send(hash(algorithm, &password));
            }
            Job::Verify { password, hash, answer } => {
                let matches = verify(algorithm, &password, hash.as_deref().unwrap_or(nobody));
                let _ = answer.send(matches && hash.is_some());
            }
        }
    }
}

fn hash(algorithm: &Argon2<'_>, password: &str) -> Option<String> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).ok()?;
    let salt = SaltString::encode_b64(&salt).ok()?;
    Some(algorithm.hash_password(password.as_bytes(), &salt).ok()?.to_string())
}

/// Goes by the parameters in the hash, so that old hashes stay valid when the constants above rise.
fn verify(algorithm: &Argon2<'_>, password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| algorithm.verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn p1_hashes_are_argon2id_with_the_promised_cost_and_a_salt_each() {
        let hasher = PasswordHasher::start().unwrap();
        let first = hasher.hash(secret("correct horse")).await.unwrap();
        let second = hasher.hash(secret("correct horse")).await.unwrap();
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
        assert_ne!(first, second);
        assert!(hasher.verify(secret("correct horse"), Some(first.clone())).await.unwrap());
        assert!(!hasher.verify(secret("battery"), Some(first)).await.unwrap());
        assert!(!hasher.verify(secret("nobody"), None).await.unwrap());
        assert!(!hasher.verify(secret("x"), Some("damaged".to_owned())).await.unwrap());
    }

    #[tokio::test]
    async fn a_full_queue_is_answered_busy() {
        let (jobs, queue) = channel::bounded(1);
        let hasher = PasswordHasher { jobs };
        let waiting = hasher.hash(secret("first"));
        let refused = async {
            // The first one has taken the only place, because futures are polled in order.
            let error = hasher.hash(secret("second")).await.unwrap_err();
            drop(queue.recv());
            error.to_json()
        };
        let (first, refused) = tokio::join!(waiting, refused);
        assert!(first.is_err());
        assert!(refused.contains("\"BUSY\"") && refused.contains("\"retry_after_ms\":1000"));
    }
}
