//! What the tests need besides Rust: a Postgres server, Chromium, and Python and Node for clients in other languages.
//!
//! Found in this order: the environment (`RINGWIRE_PG_BIN`, `RINGWIRE_CHROMIUM`, `RINGWIRE_PYTHON`, `RINGWIRE_NODE`),
//! `PATH`, Debian's folders. What is missing is installed as a Debian package. Nothing installed here is started: each
//! test runs a server of its own on a private folder. Packages of the two languages follow in `packages.rs`.
//! Comparisons also take an nginx (`RINGWIRE_NGINX`), benchmarks valgrind.

use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::command::run as run_command;

const POSTGRES_FOLDER_VARIABLE: &str = "RINGWIRE_PG_BIN";
const CHROMIUM_VARIABLE: &str = "RINGWIRE_CHROMIUM";
const PYTHON_VARIABLE: &str = "RINGWIRE_PYTHON";
const NODE_VARIABLE: &str = "RINGWIRE_NODE";
const DEBIAN_POSTGRES: &str = "/usr/lib/postgresql";
const CREATE_CLUSTER: &str = "/etc/postgresql-common/createcluster.conf";
const NGINX_VARIABLE: &str = "RINGWIRE_NGINX";
const DEBIAN_NCHAN: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";
/// nchan wants it, whatever its configuration says; only the system's nginx makes it, when it first starts.
const NGINX_FOLDER: &str = "/var/lib/nginx/body";
/// It exists where systemd runs.
const SYSTEMD: &str = "/run/systemd/system";
/// Where Debian asks whether a package may start its service; images of containers say no there.
const SERVICE_POLICY: &str = "/usr/sbin/policy-rc.d";

/// Where the programs are.
#[derive(Debug)]
pub(crate) struct Programs {
    /// The folder that holds `initdb` and `postgres`.
    pub(crate) postgres_folder: PathBuf,
    /// The browser.
    pub(crate) chromium: PathBuf,
    /// Python 3.
    pub(crate) python: Python,
    /// Node.
    pub(crate) node: PathBuf,
    /// Node's package manager.
    pub(crate) npm: PathBuf,
}

/// A Python, and whose packages it sees.
#[derive(Debug)]
pub(crate) enum Python {
    /// Named in the environment: it has what the tests import already.
    Complete(PathBuf),
    /// The system's: it can make environments of its own.
    Bare(PathBuf),
}

/// Finds the programs; installs what is missing.
pub(crate) fn ensure() -> Result<Programs> {
    let mut missing = Vec::new();
    if find_postgres()?.is_none() {
        missing.push("postgresql");
    }
    if find_chromium()?.is_none() {
        missing.push("chromium");
    }
    if find_python()?.is_none() {
        missing.extend(["python3", "python3-venv"]);
    }
    if find_node()?.is_none() {
        missing.push("nodejs");
    }
    if in_path("npm").is_none() {
        missing.push("npm");
    }
    if !missing.is_empty() {
        install(&missing)?;
    }
    Ok(Programs {
        postgres_folder: find_postgres()?.context("Postgres was installed but is not found")?,
        chromium: find_chromium()?.context("Chromium was installed but is not found")?,
        python: find_python()?.context("Python was installed but is not found")?,
        node: find_node()?.context("Node was installed but is not found")?,
        npm: in_path("npm").context("npm was installed but is not found")?,
    })
}

/// Finds Node and its package manager; installs what is missing.
pub(crate) fn ensure_node() -> Result<(PathBuf, PathBuf)> {
    let mut missing = Vec::new();
    if find_node()?.is_none() {
        missing.push("nodejs");
    }
    if in_path("npm").is_none() {
        missing.push("npm");
    }
    if !missing.is_empty() {
        install(&missing)?;
    }
    let npm = in_path("npm").context("npm was installed but is not found")?;
    Ok((find_node()?.context("Node was installed but is not found")?, npm))
}

/// Finds valgrind, which counts instructions; installs it where it is missing.
pub(crate) fn ensure_valgrind() -> Result<PathBuf> {
    if in_path("valgrind").is_none() {
        // What is counted is named by the symbols of the C library, which Debian keeps apart.
        install(&["valgrind", "libc6-dbg"])?;
    }
    in_path("valgrind").context("valgrind was installed but is not found")
}

/// Makes sure that there is an nginx with the module nchan, for comparisons. Debian's package would start a server on port
/// 80, now and at every boot: that is forbidden first.
pub(crate) fn ensure_nchan() -> Result<()> {
    if std::env::var_os(NGINX_VARIABLE).is_some() {
        return Ok(());
    }
    if !Path::new(DEBIAN_NCHAN).is_file() {
        if Path::new(SYSTEMD).is_dir() {
            run_command(privileged(privilege()?, "systemctl").args(["mask", "nginx.service"]))?;
        } else {
            ensure!(
                Path::new(SERVICE_POLICY).is_file(),
                "nginx is missing, and nothing here would keep Debian's package from starting it"
            );
        }
        install(&["nginx", "libnginx-mod-nchan"])?;
    }
    if !Path::new(NGINX_FOLDER).is_dir() {
        run_command(privileged(privilege()?, "mkdir").args(["--parents", NGINX_FOLDER]))?;
    }
    Ok(())
}

fn find_postgres() -> Result<Option<PathBuf>> {
    if let Some(folder) = std::env::var_os(POSTGRES_FOLDER_VARIABLE) {
        let folder = PathBuf::from(folder);
        ensure!(holds_postgres(&folder), "{POSTGRES_FOLDER_VARIABLE} names no Postgres server");
        return Ok(Some(folder));
    }
    // Whoever links `initdb` into PATH need not have linked the rest.
    let linked = in_path("initdb").and_then(|initdb| fs::canonicalize(initdb).ok());
    let linked = linked.as_deref().and_then(Path::parent).map(Path::to_owned);
    Ok(linked
        .filter(|folder| holds_postgres(folder))
        .or_else(|| newest_postgres(Path::new(DEBIAN_POSTGRES))))
}

fn find_chromium() -> Result<Option<PathBuf>> {
    if let Some(program) = std::env::var_os(CHROMIUM_VARIABLE) {
        let program = PathBuf::from(program);
        ensure!(program.is_file(), "{CHROMIUM_VARIABLE} names no program");
        return Ok(Some(program));
    }
    Ok(["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(in_path))
}

fn find_python() -> Result<Option<Python>> {
    if let Some(program) = std::env::var_os(PYTHON_VARIABLE) {
        let program = PathBuf::from(program);
        ensure!(program.is_file(), "{PYTHON_VARIABLE} names no program");
        return Ok(Some(Python::Complete(program)));
    }
    Ok(in_path("python3").filter(|python| makes_environments(python)).map(Python::Bare))
}

/// Debian's Python has no `ensurepip` without the package `python3-venv`.
fn makes_environments(python: &Path) -> bool {
    let mut import = Command::new(python);
    import.args(["-c", "import venv, ensurepip"]).stderr(Stdio::null());
    import.status().is_ok_and(|status| status.success())
}

fn find_node() -> Result<Option<PathBuf>> {
    if let Some(program) = std::env::var_os(NODE_VARIABLE) {
        let program = PathBuf::from(program);
        ensure!(program.is_file(), "{NODE_VARIABLE} names no program");
        return Ok(Some(program));
    }
    Ok(["node", "nodejs"].into_iter().find_map(in_path))
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn holds_postgres(folder: &Path) -> bool {
    folder.join("initdb").is_file() && folder.join("postgres").is_file()
}

/// Debian keeps each major version in a folder of its number, `15/bin`.
fn newest_postgres(versions: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(versions).ok()?;
    let numbered = folders.filter_map(|entry| {
        let entry = entry.ok()?;
        let major: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((major, entry.path().join("bin")))
    });
    numbered.filter(|(_, folder)| holds_postgres(folder)).max().map(|(_, folder)| folder)
}

/// Installs Debian packages, without starting any service.
fn install(packages: &[&str]) -> Result<()> {
    let names = packages.join(" and ");
    println!("{names} is missing; installing with apt-get");
    let privilege = privilege().with_context(|| {
        format!(
            "{names} is missing: run `apt-get install --no-install-recommends {}` as root, or name \
             programs of your own in {POSTGRES_FOLDER_VARIABLE}, {CHROMIUM_VARIABLE}, {PYTHON_VARIABLE}, \
             {NODE_VARIABLE} and {NGINX_VARIABLE}",
            packages.join(" ")
        )
    })?;
    if packages.contains(&"postgresql") && !Path::new(CREATE_CLUSTER).exists() {
        forbid_default_cluster(privilege)?;
    }
    run_command(&mut apt_get(privilege, &["update"]))?;
    run_command(apt_get(privilege, &["install", "--yes", "--no-install-recommends"]).args(packages))
}

/// How this user becomes root.
#[derive(Clone, Copy)]
enum Privilege {
    IsRoot,
    Sudo,
}

fn privilege() -> Result<Privilege> {
    ensure!(in_path("apt-get").is_some(), "this system has no apt-get");
    let user = Command::new("id").arg("--user").output().context("id cannot be started")?;
    if user.stdout.trim_ascii() == b"0" {
        Ok(Privilege::IsRoot)
    } else if in_path("sudo").is_some() {
        Ok(Privilege::Sudo)
    } else {
        bail!("this user is not root and there is no sudo");
    }
}

fn privileged(privilege: Privilege, program: &str) -> Command {
    match privilege {
        Privilege::IsRoot => Command::new(program),
        Privilege::Sudo => {
            let mut command = Command::new("sudo");
            if !std::io::stdin().is_terminal() {
                // Nobody is there to type a password: fail and say so.
                command.arg("--non-interactive");
            }
            command.arg(program);
            command
        }
    }
}

fn apt_get(privilege: Privilege, arguments: &[&str]) -> Command {
    let mut command = privileged(privilege, "env");
    // The second variable keeps our answer in createcluster.conf.
    command.args(["DEBIAN_FRONTEND=noninteractive", "UCF_FORCE_CONFFOLD=1", "apt-get"]);
    command.args(arguments);
    command
}

/// Debian's package creates and starts a cluster of its own unless this file forbids it.
fn forbid_default_cluster(privilege: Privilege) -> Result<()> {
    let folder = Path::new(CREATE_CLUSTER).parent().context("the file has a folder")?;
    run_command(privileged(privilege, "mkdir").arg("--parents").arg(folder))?;
    let mut tee = privileged(privilege, "tee")
        .arg(CREATE_CLUSTER)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .context("tee cannot be started")?;
    let mut input = tee.stdin.take().context("standard input is piped")?;
    input.write_all(b"create_main_cluster = false\n")?;
    drop(input);
    ensure!(tee.wait()?.success(), "{CREATE_CLUSTER} cannot be written");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_complete_postgres_is_found() {
        let versions = std::env::temp_dir().join(format!("ringwire-pg-{}", std::process::id()));
        for (version, programs) in [
            ("9", vec!["initdb", "postgres"]),
            ("15", vec!["initdb", "postgres"]),
            ("17", vec!["initdb"]),
        ] {
            let folder = versions.join(version).join("bin");
            fs::create_dir_all(&folder).expect("the folder is ours");
            for program in programs {
                fs::write(folder.join(program), "").expect("the folder is ours");
            }
        }
        assert_eq!(newest_postgres(&versions), Some(versions.join("15/bin")));
        assert_eq!(newest_postgres(&versions.join("absent")), None);
        fs::remove_dir_all(&versions).expect("the folder is ours");
    }
}
