//! A server as a child process of a benchmark, which says where it listens.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::gateway::program;
use crate::load::Target;

/// A server that runs; dropping it ends it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    // Open as long as the server lives, or its output would kill it.
    output: BufReader<ChildStdout>,
}

impl Server {
    /// Starts it and waits until it prints its URL, which begins with `scheme`.
    ///
    /// # Errors
    ///
    /// It does not start, or ends before that.
    pub fn start(mut command: Command, scheme: &str) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("the server cannot be started")?;
        let output = BufReader::new(child.stdout.take().context("its output is piped")?);
        // Whatever goes wrong from here on ends it.
        let mut server = Self { child, address: ([127, 0, 0, 1], 0).into(), output };
        loop {
            let mut line = String::new();
            if server.output.read_line(&mut line)? == 0 {
                bail!("the server ended before it was ready: {}", server.child.wait()?);
            }
            if let Some(address) = address_in(&line, scheme) {
                server.address = address.parse()?;
                return Ok(server);
            }
        }
    }

    /// Starts our connection layer alone, which gives back what it gets, on one thread.
    ///
    /// # Errors
    ///
    /// It is not built beside this program, or does not start.
    pub fn echo() -> Result<Self> {
        let mut command = Command::new(program("examples/echo")?);
        command.args(["--listen", "127.0.0.1:0"]);
        Self::start(command, "ws://")
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What a load is played against, by who needs no token.
    pub fn target(&self) -> Target {
        let url = format!("ws://{}/", self.address);
        Target { url, jwt_secret_file: None, pids: vec![self.pid()] }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it is gone already, and that is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What stands between the scheme of a URL and the end of its host.
fn address_in<'a>(line: &'a str, scheme: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(scheme)?;
    rest.split(['/', ' ', '\n']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_found_in_what_is_printed() {
        let line = "echo on ws://127.0.0.1:9001/ with epoll and 1 shard(s)\n";
        assert_eq!(address_in(line, "ws://"), Some("127.0.0.1:9001"));
        assert_eq!(address_in("http://[::1]:80\n", "http://"), Some("[::1]:80"));
        assert_eq!(address_in("starting\n", "http://"), None);
    }
}
