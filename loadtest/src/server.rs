//! What the server uses while it is under load: processor time and memory, by its process ids or its `/metrics`.
//!
//! ```text
//!   --server-pid PID …      /proc: the processes with all their descendants (a database has one per connection)
//!   --server-metrics URL    process_cpu_seconds_total, process_resident_memory_bytes
//! ```
//!
//! A thread reads once a second, so that a slow answer delays nothing. The cost of a run is counted from the first send
//! to the last: what connecting and reading back cost is not in it. A server that was restarted meanwhile has no cost:
//! its processor time began anew.

use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::series::Usage;

const INTERVAL: Duration = Duration::from_secs(1);
/// How long `/metrics` may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// The most bytes taken from it.
const MAX_ANSWER_BYTES: u64 = 8 << 20;
/// Readings that were not taken in yet.
const MAX_NEWS: usize = 16;

/// Where the server's use is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Processes of this host.
    Pids(Vec<u32>),
    /// Its metrics, on plain HTTP: host with port, and path.
    Metrics(String, String),
}

/// Why the server cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Not `http://host[:port]/path`.
    #[error("--server-metrics {0}: expected http://host:port/metrics")]
    Url(String),
    /// Nothing can be read there.
    #[error("cannot read what the server uses from {from}: {reason}")]
    Read {
        /// Where.
        from: String,
        /// What the system said.
        reason: io::Error,
    },
}

/// What a run cost the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Where it was read.
    pub source: String,
    /// Processor time from the first send to the last, in seconds.
    pub cpu_s: f64,
    /// The same of each process that was named, in that order, with its descendants; of metrics nothing.
    pub cpu_s_of_each: Vec<f64>,
    /// Memory before the first send. By process ids: of the processes named, without their descendants.
    pub resident_bytes_before: u64,
    /// Memory after the last.
    pub resident_bytes_after: u64,
}

/// The watch on a server.
#[derive(Debug)]
pub struct Watch {
    source: Source,
    news: Receiver<Usage>,
    before: Option<io::Result<Reading>>,
    /// Asked for once, whether it answers or not: one that hangs is not waited for twice.
    after: Option<io::Result<Reading>>,
}

/// What is read at one moment.
#[derive(Clone, Debug, PartialEq)]
struct Reading {
    all: Usage,
    cpu_s_of_each: Vec<f64>,
    /// When the process began, in seconds of Unix time, where the metrics tell.
    started_at_s: Option<f64>,
}

impl Source {
    /// Parses the URL of the metrics.
    pub fn metrics(url: &str) -> Result<Self, ServerError> {
        let wrong = || ServerError::Url(url.to_owned());
        let rest = url.strip_prefix("http://").ok_or_else(wrong)?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if host.is_empty() || url.contains(char::is_whitespace) {
            return Err(wrong());
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let host = if has_port { host.to_owned() } else { format!("{host}:80") };
        Ok(Self::Metrics(host, if path.is_empty() { "/metrics" } else { path }.to_owned()))
    }

    fn read(&self) -> io::Result<Reading> {
        match self {
            Self::Pids(pids) => processes(pids),
            Self::Metrics(host, path) => metrics(&get(host, path)?),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pids(pids) => {
                let pids: Vec<_> = pids.iter().map(u32::to_string).collect();
                write!(f, "pid {}", pids.join(", "))
            }
            Self::Metrics(host, path) => write!(f, "http://{host}{path}"),
        }
    }
}

impl Watch {
    /// Begins to watch. What cannot be read at all is an error now and not after the run.
    pub fn start(source: Source) -> Result<Self, ServerError> {
        source
            .read()
            .map_err(|error| ServerError::Read { from: source.to_string(), reason: error })?;
        let (sender, news) = mpsc::sync_channel(MAX_NEWS);
        let reading = source.clone();
        thread::spawn(move || {
            loop {
                thread::sleep(INTERVAL);
                // A reading that fails is left out. One too many is dropped; only an end of the watch ends this.
                if let Ok(reading) = reading.read()
                    && let Err(mpsc::TrySendError::Disconnected(_)) = sender.try_send(reading.all)
                {
                    return;
                }
            }
        });
        Ok(Self { source, news, before: None, after: None })
    }

    /// What was read since the last call.
    pub(crate) fn news(&mut self) -> Vec<Usage> {
        self.news.try_iter().collect()
    }

    /// The first send is about to be due.
    pub(crate) fn begin(&mut self) {
        self.before = Some(self.source.read());
    }

    /// The last send was due. The first call counts.
    pub(crate) fn finish(&mut self) {
        if matches!(self.before, Some(Ok(_))) && self.after.is_none() {
            self.after = Some(self.source.read());
        }
    }

    /// What the run cost, or why that cannot be told; of a run that sent nothing, nothing.
    pub(crate) fn end(self) -> Option<Result<Cost, String>> {
        let source = self.source.to_string();
        let cost = match (self.before?, self.after) {
            (Ok(before), Some(Ok(after))) if after.is_of_another_process(&before) => {
                Err("it was restarted meanwhile".to_owned())
            }
            (Ok(before), Some(Ok(after))) => Ok(after.since(&before, source.clone())),
            (Err(error), _) | (_, Some(Err(error))) => Err(error.to_string()),
            (Ok(_), None) => return None,
        };
        Some(cost.map_err(|reason| format!("{reason} ({source})")))
    }
}

impl Reading {
    fn is_of_another_process(&self, earlier: &Self) -> bool {
        match self.started_at_s.zip(earlier.started_at_s) {
            Some((now, then)) => now > then,
            // Of processes it may get less, when one of their children is gone and nobody waited for it.
            None => self.cpu_s_of_each.is_empty() && self.all.cpu_s < earlier.all.cpu_s,
        }
    }

    fn since(&self, before: &Self, source: String) -> Cost {
        let each = self.cpu_s_of_each.iter().zip(&before.cpu_s_of_each);
        Cost {
            source,
            cpu_s: (self.all.cpu_s - before.all.cpu_s).max(0.0),
            cpu_s_of_each: each.map(|(after, before)| (after - before).max(0.0)).collect(),
            resident_bytes_before: before.all.resident_bytes,
            resident_bytes_after: self.all.resident_bytes,
        }
    }
}

/// One line of `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// Its own and that of children it has waited for.
    ticks: u64,
    resident_pages: u64,
    /// Only its parent has not taken notice yet.
    has_ended: bool,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The name, in brackets, may hold anything.
        let (_, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        // utime, stime, cutime, cstime: fields 14 to 17 of the line, counted from 1; what is left begins with field 3.
        let ticks = (11..=14).map(number).sum::<Option<u64>>()?;
        let has_ended = matches!(fields.first(), Some(&"Z" | &"X"));
        Some(Self { parent: number(1)? as u32, ticks, resident_pages: number(21)?, has_ended })
    }
}

fn processes(pids: &[u32]) -> io::Result<Reading> {
    let mut all = HashMap::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // A process that ends meanwhile is passed over.
        if let Some(stat) =
            std::fs::read_to_string(entry.path().join("stat")).ok().as_deref().and_then(Stat::parse)
        {
            all.insert(pid, stat);
        }
    }
    if let Some(gone) = pids.iter().find(|pid| all.get(pid).is_none_or(|stat| stat.has_ended)) {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no process {gone}")));
    }
    // Which of those named a process descends from; itself, where it is one of them.
    let place_of = |mut pid: u32| {
        // Parents have no circles, but what is read while processes come and go might.
        for _ in 0..64 {
            if let Some(place) = pids.iter().position(|named| *named == pid) {
                return Some(place);
            }
            pid = all.get(&pid).map(|stat| stat.parent).filter(|parent| *parent > 0)?;
        }
        None
    };
    let mut ticks = vec![0; pids.len()];
    for (pid, stat) in &all {
        if let Some(place) = place_of(*pid) {
            ticks[place] += stat.ticks;
        }
    }
    let pages: u64 =
        pids.iter().filter_map(|pid| all.get(pid)).map(|stat| stat.resident_pages).sum();
    let seconds = |ticks: u64| ticks as f64 / system(libc::_SC_CLK_TCK) as f64;
    Ok(Reading {
        all: Usage {
            cpu_s: seconds(ticks.iter().sum()),
            resident_bytes: pages * system(libc::_SC_PAGESIZE),
        },
        cpu_s_of_each: ticks.into_iter().map(seconds).collect(),
        // A process that is started again has another id.
        started_at_s: None,
    })
}

fn system(name: libc::c_int) -> u64 {
    // SAFETY: takes no pointers.
    unsafe { libc::sysconf(name) }.max(1).cast_unsigned()
}

fn get(host: &str, path: &str) -> io::Result<String> {
    let address = host.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_LIMIT)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    stream.set_write_timeout(Some(ANSWER_LIMIT))?;
    // The answer ends with the connection. Servers may take HTTP/1.0 for the word of a proxy.
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).unwrap_or("nothing");
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if status == "200" => {
            let is_chunked = head.to_ascii_lowercase().contains("\r\ntransfer-encoding: chunked");
            if is_chunked {
                dechunk(body).ok_or_else(|| io::Error::other("the answer is cut off"))
            } else {
                Ok(body.to_owned())
            }
        }
        _ => Err(io::Error::other(format!("the server answers {status}"))),
    }
}

/// The content of a chunked body (RFC 9112, 7.1); `None`: it is no such body, or not all of it.
fn dechunk(mut body: &str) -> Option<String> {
    let mut content = String::new();
    loop {
        let (size, rest) = body.split_once("\r\n")?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(content);
        }
        content.push_str(rest.get(..size)?);
        body = rest.get(size..)?.strip_prefix("\r\n")?;
    }
}

/// Reads the metrics that every Prometheus client library exports.
fn metrics(text: &str) -> io::Result<Reading> {
    let value = |name: &str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix(name));
        let mut values =
            lines.filter_map(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        values.next().ok_or_else(|| io::Error::other(format!("no metric {name}")))
    };
    Ok(Reading {
        all: Usage {
            cpu_s: value("process_cpu_seconds_total ")?,
            resident_bytes: value("process_resident_memory_bytes ")? as u64,
        },
        cpu_s_of_each: Vec::new(),
        started_at_s: value("process_start_time_seconds ").ok(),
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_process_is_read_with_its_descendants() {
        let own = std::process::id();
        let before = processes(&[own]).unwrap();
        assert!(before.all.resident_bytes > 1 << 20);
        // A child's time counts while it lives and after it was waited for.
        let spin = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        let status = std::process::Command::new("sh").args(["-c", spin]).status().unwrap();
        assert!(status.success());
        assert!(processes(&[own]).unwrap().all.cpu_s > before.all.cpu_s);
        assert!(processes(&[u32::MAX]).is_err());
        // Each has its own part, and what descends from two of them counts once.
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let both = processes(&[own, child.id()]).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(both.cpu_s_of_each[0] >= before.all.cpu_s);
        assert!(both.cpu_s_of_each[1] < 1.0);
        assert!((both.cpu_s_of_each.iter().sum::<f64>() - both.all.cpu_s).abs() < 1e-9);
    }

    #[test]
    fn a_line_of_proc_is_taken_apart_whatever_the_name() {
        let line =
            "7 (a) b (c) S 3 7 7 0 -1 4194560 1 2 0 0 10 20 30 40 20 0 1 0 99 1000 55 1844 1 1 0 0";
        assert_eq!(
            Stat::parse(line),
            Some(Stat { parent: 3, ticks: 100, resident_pages: 55, has_ended: false })
        );
        assert_eq!(Stat::parse("7 (a) S 3"), None);
    }

    /// A server that hangs would otherwise hold up the run again and again.
    #[test]
    fn what_does_not_answer_at_the_end_is_asked_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let source = Source::metrics(&url).unwrap();
        let all = Usage { cpu_s: 1.0, resident_bytes: 1 };
        let before = Some(Ok(Reading { all, cpu_s_of_each: Vec::new(), started_at_s: None }));
        let news = mpsc::sync_channel(1).1;
        let mut watch = Watch { source, news, before, after: None };
        watch.finish();
        watch.finish();
        assert!(listener.accept().is_ok());
        assert!(listener.accept().is_err(), "nobody asked again");
        assert!(matches!(watch.end(), Some(Err(_))));
    }

    #[test]
    fn a_server_that_was_restarted_has_no_cost() {
        let read = |cpu_s: f64, started_at_s: Option<f64>, each: &[f64]| {
            let all = Usage { cpu_s, resident_bytes: 1 };
            Some(Ok(Reading { all, cpu_s_of_each: each.to_vec(), started_at_s }))
        };
        let gone = || Some(Err(io::Error::other("gone")));
        let end = |before, after| {
            let source = Source::Pids(vec![1]);
            Watch { source, news: mpsc::sync_channel(1).1, before, after }.end()
        };
        let cost = |before, after| end(before, after).unwrap().unwrap().cpu_s;
        let known = Some(5.0);
        assert!((cost(read(1.0, known, &[]), read(3.0, known, &[])) - 2.0).abs() < 1e-9);
        let lost_a_child = cost(read(1.0, None, &[1.0]), read(0.5, None, &[0.5]));
        assert!(lost_a_child.abs() < 1e-9);
        for (before, after) in [
            (read(1.0, known, &[]), read(3.0, Some(9.0), &[])),
            (read(1.0, None, &[]), read(0.5, None, &[])),
            (read(1.0, None, &[]), gone()),
            (gone(), None),
        ] {
            assert!(end(before, after).unwrap().is_err());
        }
        assert!(end(None, None).is_none(), "nothing was sent");
    }

    #[test]
    fn metrics_are_read_over_http() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let text = "# TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total 12.5\n\
                    process_resident_memory_bytes 1.048576e6\n";
        let chunked =
            format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
        let answers =
            [format!("A: b\r\n\r\n{text}"), chunked, "A: b\r\n\r\nnothing 1\n".to_owned()];
        let server = thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    request.extend(byte);
                }
                assert!(request.starts_with(b"GET /metrics HTTP/1.1\r\n"));
                stream.write_all(format!("HTTP/1.1 200 OK\r\n{answer}").as_bytes()).unwrap();
            }
        });
        let source = Source::metrics(&url).unwrap();
        for _ in 0..2 {
            let read = source.read().unwrap();
            assert_eq!(read.all, Usage { cpu_s: 12.5, resident_bytes: 1 << 20 });
            assert_eq!(read.cpu_s_of_each, [0.0; 0]);
        }
        assert!(source.read().unwrap_err().to_string().contains("process_cpu_seconds_total"));
        server.join().unwrap();
        assert!(Source::metrics("https://x/metrics").is_err());
        assert_eq!(
            Source::metrics("http://h").unwrap(),
            Source::Metrics("h:80".to_owned(), "/metrics".to_owned())
        );
    }

    #[test]
    fn chunks_are_put_together_and_what_is_cut_is_told() {
        assert_eq!(
            dechunk("3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n").as_deref(),
            Some("abc0123456789")
        );
        for cut in ["", "3\r\nab", "3\r\nabc\r\n", "x\r\n", "ffffffffffffffffff\r\nabc"] {
            assert_eq!(dechunk(cut), None, "{cut}");
        }
    }
}
