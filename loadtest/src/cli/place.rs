//! Where a run is carried out, against which server: the arguments that `run` and `capacity` have in common.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use ringwire_loadtest::fleet::{self, Setup};
use ringwire_loadtest::link::Place;
use ringwire_loadtest::live::View;
use ringwire_loadtest::report::Report;
use ringwire_loadtest::scenario::{Protocol, Scenario};
use ringwire_loadtest::secret::{SECRET_VARIABLE, Secret};
use ringwire_loadtest::server::{Source, Watch};
use ringwire_loadtest::tls::Trust;
use ringwire_loadtest::token::{self, SECRET_FILE_VARIABLE};
use ringwire_loadtest::worker_host::Equipment;

/// How every process reaches the server. Children get these arguments as they are.
#[derive(Debug, clap::Args)]
pub(crate) struct EquipmentArguments {
    /// The server's HS256 secret, to sign the users' tokens with.
    #[arg(long, value_name = "FILE", help = jwt_secret_help())]
    jwt_secret_file: Option<PathBuf>,
    /// Tokens instead of a secret, for servers that sign them otherwise: a line for each user, in their order.
    #[arg(long, value_name = "FILE", conflicts_with = "jwt_secret_file")]
    tokens_file: Option<PathBuf>,
    /// Trusts only servers whose certificate an authority in this PEM file has signed.
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Takes any certificate.
    #[arg(long)]
    insecure: bool,
}

fn jwt_secret_help() -> String {
    format!(
        "The server's HS256 secret [default: ${SECRET_FILE_VARIABLE}, else {}]",
        token::DEFAULT_SECRET_FILE
    )
}

impl EquipmentArguments {
    pub(crate) fn equipment(&self) -> Equipment {
        let trust = match &self.ca {
            Some(file) => Trust::File(file.clone()),
            None if self.insecure => Trust::Anyone,
            None => Trust::System,
        };
        Equipment {
            jwt_secret_file: self.jwt_secret_file.clone(),
            tokens_file: self.tokens_file.clone(),
            trust,
        }
    }

    fn for_child(&self) -> Vec<OsString> {
        let mut arguments = vec!["worker".into(), "--stdio".into()];
        if let Some(file) = &self.jwt_secret_file {
            arguments.extend(["--jwt-secret-file".into(), file.into()]);
        }
        if let Some(file) = &self.tokens_file {
            arguments.extend(["--tokens-file".into(), file.into()]);
        }
        if let Some(file) = &self.ca {
            arguments.extend(["--ca".into(), file.into()]);
        }
        if self.insecure {
            arguments.push("--insecure".into());
        }
        arguments
    }
}

/// Scenario, server and processes of a run.
#[derive(Debug, clap::Args)]
pub(crate) struct PlaceArguments {
    /// The scenario, a TOML file.
    scenario: PathBuf,
    /// The server's WebSocket: ws://host:port/path, or wss:// for TLS. At servers of other protocols, {user}, {room}
    /// and {token} may stand in it.
    #[arg(long, default_value = "ws://127.0.0.1:8080/ws")]
    url: String,
    /// Overrides a field of the scenario; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    equipment: EquipmentArguments,
    /// Processes of the generator on this host; each has the scenario's threads and its own open files.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    processes: u32,
    /// Workers on other hosts, which then do all the work; see `worker --listen`.
    #[arg(long, value_name = "HOST:PORT,…", value_delimiter = ',', conflicts_with = "processes")]
    workers: Vec<String>,
    /// The secret the workers know.
    #[arg(long, value_name = "FILE", help = secret_help())]
    secret_file: Option<PathBuf>,
    /// Watches the processor time and memory of a process of the server and its descendants; may be repeated.
    #[arg(long, value_name = "PID", conflicts_with = "server_metrics")]
    server_pid: Vec<u32>,
    /// Watches the same by the server's metrics: http://host:port/metrics.
    #[arg(long, value_name = "URL")]
    server_metrics: Option<String>,
    /// Puts a word about the run into its report; may be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Shows nothing until the run, or the search, is over.
    #[arg(long)]
    pub(super) quiet: bool,
}

fn secret_help() -> String {
    format!("The secret that run and workers share [default: ${SECRET_VARIABLE}]")
}

fn label(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = pair.ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

impl PlaceArguments {
    /// The scenario; what is wrong with the arguments beside it is told first.
    pub(crate) fn scenario(&self) -> anyhow::Result<Scenario> {
        for (place, (key, _)) in self.labels.iter().enumerate() {
            let is_new = self.labels[..place].iter().all(|(earlier, _)| earlier != key);
            anyhow::ensure!(is_new, "--label names {key} twice");
        }
        for (place, pid) in self.server_pid.iter().enumerate() {
            anyhow::ensure!(
                !self.server_pid[..place].contains(pid),
                "--server-pid names {pid} twice"
            );
        }
        Ok(Scenario::load(&self.scenario, &self.set)?)
    }

    /// Carries a scenario out and reports.
    pub(crate) fn run(
        &self,
        scenario: &Scenario,
        stop: &Arc<AtomicBool>,
    ) -> anyhow::Result<Report> {
        let source = match &self.server_metrics {
            Some(url) => Some(Source::metrics(url)?),
            None if self.server_pid.is_empty() => None,
            None => Some(Source::Pids(self.server_pid.clone())),
        };
        let setup = Setup {
            scenario: scenario.clone(),
            url: self.url.clone(),
            places: self.places(scenario.protocol)?,
            server: source.map(Watch::start).transpose()?,
            view: if self.quiet { View::none() } else { View::stderr() },
            stop: Arc::clone(stop),
        };
        let mut report = Report::new(scenario, &self.url, fleet::run_at(setup)?);
        report.labels.extend(self.labels.iter().cloned());
        Ok(report)
    }

    fn places(&self, protocol: Protocol) -> anyhow::Result<Vec<Place>> {
        if !self.workers.is_empty() {
            for (place, worker) in self.workers.iter().enumerate() {
                anyhow::ensure!(!worker.is_empty(), "--workers names an empty address");
                let earlier = &self.workers[..place];
                anyhow::ensure!(!earlier.contains(worker), "--workers names {worker} twice");
            }
            let secret = Secret::load(self.secret_file.as_deref())?.with_context(|| {
                format!("name the workers' secret with --secret-file or {SECRET_VARIABLE}")
            })?;
            let secret = Arc::new(secret);
            let places = self
                .workers
                .iter()
                .map(|address| Place::Worker(address.clone(), Arc::clone(&secret)));
            return Ok(places.collect());
        }
        // What is wrong with server or key is told once and before anything is started.
        let equipment = self.equipment.equipment();
        let here = equipment.prepare(&self.url, protocol).map_err(anyhow::Error::msg)?;
        if self.processes == 1 {
            return Ok(vec![Place::Here(Box::new(here))]);
        }
        let program = std::env::current_exe().context("cannot find this program")?;
        let children =
            (0..self.processes).map(|_| Place::Child(program.clone(), self.equipment.for_child()));
        Ok(children.collect())
    }
}
