//! Postgres refuses to run as root: then it runs as another user of the system.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

/// User and group of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerUser {
    uid: u32,
    gid: u32,
}

impl ServerUser {
    /// `postgres` or `nobody` when we are root; otherwise `None`: ourselves.
    pub(crate) fn choose() -> Result<Option<Self>> {
        // SAFETY: geteuid has no preconditions and cannot fail.
        if unsafe { libc::geteuid() } != 0 {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| find(&accounts, name))
            .map(Some)
            .context("running as root, and there is neither a user postgres nor nobody")
    }

    /// Makes the command run as this user.
    pub(crate) fn apply(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives a folder to this user.
    pub(crate) fn give(self, folder: &Path) -> Result<()> {
        std::os::unix::fs::chown(folder, Some(self.uid), Some(self.gid))
            .with_context(|| format!("cannot give away {}", folder.display()))
    }
}

fn find(accounts: &str, name: &str) -> Option<ServerUser> {
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    let uid = fields.next()?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(ServerUser { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_their_whole_name() {
        let accounts = "postgresql:x:1:2::/:\npostgres:x:101:104:admin:/var:/bin/sh\n";
        let user = find(accounts, "postgres").expect("it is there");
        assert_eq!((user.uid, user.gid), (101, 104));
        assert!(find(accounts, "nobody").is_none());
    }
}
