//! A disk of a few MiB that a test can fill: a tmpfs, mounted in a mount namespace of the test's own, so that nothing
//! stays mounted whatever happens to the test.
//!
//! ```text
//!   root:      the test's thread leaves the namespace of the others; what it starts is with it
//!   otherwise: the test runs itself again below `unshare`, in a user namespace that may mount
//! ```

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::ptr;

use anyhow::{Context as _, Result};

/// Says to the inner one of two runs that it is the inner one.
const INSIDE: &str = "RINGWIRE_TEST_OWN_MOUNTS";
const HOW_TO_ALLOW: &str = "this test has to mount a small file system: run it as root, or allow user namespaces to \
    this user (`unshare` of util-linux 2.38, sysctl user.max_user_namespaces > 0, and where they exist \
    kernel.unprivileged_userns_clone=1 and kernel.apparmor_restrict_unprivileged_userns=0)";

/// A mounted disk; unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Runs `body` where it may mount; `test` is the whole name of the calling test. Panics with what to mend where
    /// that cannot be.
    pub fn test(test: &str, body: impl FnOnce()) {
        match leave_shared_mounts() {
            Ok(()) => body(),
            Err(error) if std::env::var_os(INSIDE).is_some() => panic!("{HOW_TO_ALLOW}: {error}"),
            Err(_) => {
                let status = Command::new("unshare")
                    .args(["--user", "--map-current-user", "--mount", "--keep-caps"])
                    .arg(std::env::current_exe().expect("the path of this program"))
                    .args([test, "--exact", "--nocapture", "--test-threads=1"])
                    .env(INSIDE, "1")
                    .stdin(Stdio::null())
                    .status();
                let status = status.unwrap_or_else(|error| panic!("{HOW_TO_ALLOW}: {error}"));
                assert!(
                    status.success(),
                    "the test failed in its own namespace, or: {HOW_TO_ALLOW}"
                );
            }
        }
    }

    /// Makes the folder a disk of this size. Only inside of [`Self::test`], on its thread.
    pub fn mount(folder: &Path, bytes: u64) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let target = CString::new(folder.as_os_str().as_bytes())?;
        let options = CString::new(format!("size={bytes},mode=0777"))?;
        // SAFETY: all arguments are C strings that live until the call returns.
        let done = unsafe {
            libc::mount(
                c"tmpfs".as_ptr(),
                target.as_ptr(),
                c"tmpfs".as_ptr(),
                0,
                options.as_ptr().cast(),
            )
        };
        if done != 0 {
            return Err(io::Error::last_os_error()).context(HOW_TO_ALLOW);
        }
        Ok(Self { folder: folder.to_owned() })
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }

    /// Takes all the space that is left.
    pub fn fill(&self) -> Result<()> {
        let mut file = File::options().create(true).append(true).open(self.ballast())?;
        for block in [64 * 1024, 4096, 1] {
            let bytes = vec![0_u8; block];
            loop {
                match file.write(&bytes) {
                    Ok(1..) => {}
                    Ok(0) => break,
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Gives the space back.
    pub fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Ok(target) = CString::new(self.folder.as_os_str().as_bytes()) {
            // SAFETY: the argument is a C string that lives until the call returns. A failure leaves the disk to the
            // end of the namespace.
            unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
        }
    }
}

/// Gives the calling thread, and every process that it starts from now on, mounts of its own.
fn leave_shared_mounts() -> io::Result<()> {
    // SAFETY: unshare takes a plain number and changes nothing but what this thread sees of the file system.
    if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the target is a C string, the others may be null when only the propagation changes.
    let private = unsafe {
        libc::mount(
            ptr::null(),
            c"/".as_ptr(),
            ptr::null(),
            libc::MS_REC | libc::MS_PRIVATE,
            ptr::null(),
        )
    };
    if private == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
