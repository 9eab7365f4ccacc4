//! nginx with the module nchan, whose channels tell what one connection says to all that listen: one process, without
//! a daemon, in a folder and on a port of its own.
//!
//! It is looked for in `RINGWIRE_NGINX`, `PATH` and Debian's folder; modules lie where Debian keeps them beside it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

const VARIABLE: &str = "RINGWIRE_NGINX";
/// Not in the `PATH` of everybody.
const DEBIAN_PROGRAM: &str = "/usr/sbin/nginx";
/// From the folder of the program.
const MODULE: &str = "../lib/nginx/modules/ngx_nchan_module.so";
const CONFIG: &str = "nginx.conf";
const TEMPLATE: &str = include_str!("../peers/nchan.conf");

/// An nginx that can be started.
pub(crate) struct Nchan {
    program: PathBuf,
    module: PathBuf,
    folder: tempfile::TempDir,
}

impl Nchan {
    /// Finds it and lets it try its configuration, with an address that nobody has.
    pub(crate) fn find(address: SocketAddr) -> Result<Self> {
        let program = program().with_context(|| {
            format!("no nginx in {VARIABLE}, PATH or {DEBIAN_PROGRAM} (Debian: nginx, libnginx-mod-nchan)")
        })?;
        let module = program.parent().map(|folder| folder.join(MODULE));
        let module =
            module.and_then(|module| fs::canonicalize(module).ok()).with_context(|| {
                format!(
                    "no {MODULE} from the folder of {} (Debian: libnginx-mod-nchan)",
                    program.display()
                )
            })?;
        let found = Self { program, module, folder: tempfile::tempdir()? };
        let tried = found.command(address)?.arg("-t").stdin(Stdio::null()).output()?;
        if !tried.status.success() {
            let told = String::from_utf8_lossy(&tried.stderr);
            let why =
                told.lines().find(|line| line.contains("[emerg]")).unwrap_or("it says nothing");
            bail!("nginx refuses: {why}");
        }
        Ok(found)
    }

    /// How it is started to listen there.
    pub(crate) fn command(&self, address: SocketAddr) -> Result<Command> {
        let folder = self.folder.path();
        fs::write(folder.join(CONFIG), config(&self.module, address))?;
        let mut command = Command::new(&self.program);
        // Until the configuration is read, errors would go to a file of the system's.
        command.args(["-e", "stderr", "-c", CONFIG, "-p"]).arg(folder);
        Ok(command)
    }
}

fn program() -> Option<PathBuf> {
    if let Some(program) = std::env::var_os(VARIABLE) {
        return Some(PathBuf::from(program));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join("nginx"));
    in_path.chain([PathBuf::from(DEBIAN_PROGRAM)]).find(|program| program.is_file())
}

fn config(module: &Path, address: SocketAddr) -> String {
    let module = module.to_string_lossy();
    TEMPLATE.replace("@MODULE@", &module).replace("@ADDRESS@", &address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_has_everything_put_in() {
        let address = "127.0.0.1:4711".parse().expect("it is an address");
        let config = config(Path::new("/modules/nchan.so"), address);
        assert!(config.contains("\nload_module \"/modules/nchan.so\";\n"), "{config}");
        assert!(config.contains("    listen 127.0.0.1:4711 backlog=4096;\n"), "{config}");
        // The comment at the top has one `@`.
        assert_eq!(config.matches('@').count(), 1, "{config}");
    }
}
