//! A power cut for one server: what it wrote below its data folder and never synced is undone, or some of it is.
//!
//! ```text
//!   server (LD_PRELOAD power.so) ── before each write, truncate, create … ──► log: what was there, what comes
//!                                ── after each sync ──► log: safe
//!   kill -9, then PowerSwitch::cut: everything not safe is undone, newest first; where a disk may have got some of it
//!   to the platter, a random part of it is done again, in sectors of 512 bytes
//! ```
//!
//! A kill -9 alone loses nothing, because the kernel keeps what was written; this is what shows a missing sync.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

const LIBRARY: &str = include_str!("power.c");
/// What a disk writes as a whole or not at all.
const SECTOR_BYTES: usize = 512;
/// No path or write of a server is longer; a log that says so is not ours.
const PART_MAX_BYTES: u64 = 1 << 30;

/// The switch of one server.
#[derive(Debug)]
pub struct PowerSwitch {
    folder: PathBuf,
    data: PathBuf,
    seed: u64,
}

/// What is left of the writes that were never synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remains {
    /// Nothing.
    Nothing,
    /// A random part of them, in whole or in sectors, drawn from a seed.
    Some(u64),
}

/// What a cut did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Changes that were never synced.
    pub undone: usize,
    /// Writes of them that reached the disk all the same.
    pub kept: usize,
    /// Writes of them of which some sectors did.
    pub torn: usize,
    /// Writes, synced or not, to files other than a write-ahead log: what checkpoints did.
    pub in_place: usize,
}

impl PowerSwitch {
    /// Builds the library for a server with this data folder. `folder` is for the switch itself: outside of the data,
    /// on the same file system. The seed is for [`Self::fail_at_random`].
    pub fn new(folder: &Path, data: &Path, seed: u64) -> Result<Self> {
        fs::create_dir_all(folder)?;
        fs::create_dir_all(data)?;
        let (folder, data) = (fs::canonicalize(folder)?, fs::canonicalize(data)?);
        let this = Self { folder, data, seed };
        let mut compiler = Command::new("cc")
            .args(["-x", "c", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"])
            .arg(this.library())
            .arg("-")
            .stdin(Stdio::piped())
            .spawn()
            .context(
                "this test needs a C compiler: install one, so that `cc` is in PATH (Debian: gcc)",
            )?;
        let mut input = compiler.stdin.take().context("standard input is piped")?;
        input.write_all(LIBRARY.as_bytes())?;
        drop(input);
        ensure!(compiler.wait()?.success(), "cc cannot compile the library");
        Ok(this)
    }

    fn library(&self) -> PathBuf {
        self.folder.join("power.so")
    }

    /// The variables that the server has to be started with.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", self.library().display().to_string()),
            ("POWER_CUT_DATA", self.data.display().to_string()),
            ("POWER_CUT_FOLDER", self.folder.display().to_string()),
            ("POWER_CUT_SEED", self.seed.to_string()),
        ]
    }

    /// Makes the disk lie from now on: syncs succeed and keep nothing safe.
    pub fn ignore_syncs(&self) -> Result<()> {
        Ok(fs::write(self.folder.join("ignore-syncs"), "")?)
    }

    /// Makes one in 64 writes and syncs fail, as a full or a broken disk does, or lets them succeed again.
    pub fn fail_at_random(&self, fail: bool) -> Result<()> {
        let switch = self.folder.join("fail");
        let switched = if fail { fs::write(switch, "") } else { fs::remove_file(switch) };
        Ok(switched?)
    }

    /// Cuts the power. The server has to be dead already; it may be started again afterwards.
    pub fn cut(&self, remains: Remains) -> Result<Damage> {
        let log = self.folder.join("log");
        let records = read_log(&mut std::io::BufReader::new(File::open(&log)?))?;
        let in_place = records.iter().filter(|record| record.is_in_place()).count();
        let unsafe_records = never_synced(records);
        let mut damage = Damage { undone: unsafe_records.len(), in_place, ..Damage::default() };
        for record in unsafe_records.iter().rev() {
            self.undo(record)
                .with_context(|| format!("undoing a change of {}", record.path.display()))?;
        }
        if let Remains::Some(seed) = remains {
            redo_some(&unsafe_records, &mut StdRng::seed_from_u64(seed), &mut damage)?;
        }
        fs::remove_file(log)?;
        // Memory shared between processes does not outlive the power either.
        for entry in fs::read_dir(&self.data)? {
            let path = entry?.path();
            if path.as_os_str().as_bytes().ends_with(b"-shm") {
                fs::remove_file(path)?;
            }
        }
        Ok(damage)
    }

    fn saved(&self, number: u64) -> PathBuf {
        self.folder.join(format!("saved-{number}"))
    }

    fn undo(&self, record: &Record) -> Result<()> {
        let Record { path, offset, size_before, old, .. } = record;
        match record.kind {
            Kind::Write | Kind::Truncate => {
                let file = File::options().write(true).open(path)?;
                file.write_all_at(old, *offset)?;
                file.set_len(*size_before)?;
            }
            Kind::Create => match fs::remove_file(path) {
                // It was killed before it could make it.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                result => result?,
            },
            Kind::Unlink => fs::rename(self.saved(*offset), path)?,
            Kind::Rename => {
                let (from, to) = record.old_and_new_name()?;
                fs::rename(&to, from)?;
                if *offset > 0 {
                    fs::rename(self.saved(*offset), to)?;
                }
            }
            Kind::Sync => {}
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Write,
    Truncate,
    Create,
    Unlink,
    Rename,
    Sync,
}

#[derive(Debug)]
struct Record {
    kind: Kind,
    path: PathBuf,
    offset: u64,
    size_before: u64,
    old: Vec<u8>,
    new: Vec<u8>,
}

impl Record {
    fn old_and_new_name(&self) -> Result<(PathBuf, PathBuf)> {
        let mut names = self.path.as_os_str().as_bytes().split(|&byte| byte == 0);
        let (Some(from), Some(to)) = (names.next(), names.next()) else { bail!("half a rename") };
        Ok((PathBuf::from(OsStr::from_bytes(from)), PathBuf::from(OsStr::from_bytes(to))))
    }

    fn is_in_place(&self) -> bool {
        self.kind == Kind::Write && !self.path.as_os_str().as_bytes().ends_with(b"-wal")
    }

    /// Whether a sync of the file at this path keeps it; otherwise one of its folder does.
    fn is_content(&self) -> bool {
        matches!(self.kind, Kind::Write | Kind::Truncate)
    }
}

/// Reads records up to the end, or to one that was torn by a kill.
fn read_log(log: &mut impl Read) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    loop {
        let mut numbers = [0_u64; 6];
        let mut header = [0; 48];
        if read_whole(log, &mut header)?.is_none() {
            return Ok(records);
        }
        for (number, bytes) in numbers.iter_mut().zip(header.chunks_exact(8)) {
            *number = u64::from_ne_bytes(bytes.try_into()?);
        }
        let [kind, path_bytes, offset, size_before, old_bytes, new_bytes] = numbers;
        let mut part = |bytes: u64| -> Result<Option<Vec<u8>>> {
            ensure!(bytes <= PART_MAX_BYTES, "the log of the power switch is damaged");
            let mut part = vec![0; usize::try_from(bytes)?];
            Ok(read_whole(log, &mut part)?.map(|()| part))
        };
        let (path, old, new) = (part(path_bytes)?, part(old_bytes)?, part(new_bytes)?);
        let (Some(path), Some(old), Some(new)) = (path, old, new) else { return Ok(records) };
        let kind = match kind {
            1 => Kind::Write,
            2 => Kind::Truncate,
            3 => Kind::Create,
            4 => Kind::Unlink,
            5 => Kind::Rename,
            6 => Kind::Sync,
            other => bail!("the log of the power switch holds a record of kind {other}"),
        };
        let path = PathBuf::from(OsStr::from_bytes(&path));
        records.push(Record { kind, path, offset, size_before, old, new });
    }
}

/// Fills the buffer; `None`: the end came before.
fn read_whole(log: &mut impl Read, buffer: &mut [u8]) -> Result<Option<()>> {
    match log.read_exact(buffer) {
        Ok(()) => Ok(Some(())),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The changes that no sync followed, oldest first.
fn never_synced(records: Vec<Record>) -> Vec<Record> {
    let mut synced: HashSet<PathBuf> = HashSet::new();
    let mut left = Vec::new();
    for record in records.into_iter().rev() {
        let safe = match record.kind {
            Kind::Sync => {
                synced.insert(record.path);
                continue;
            }
            _ if record.is_content() => synced.contains(&record.path),
            _ => record.path.parent().is_some_and(|folder| synced.contains(folder)),
        };
        if !safe {
            left.push(record);
        }
    }
    left.reverse();
    left
}

/// A disk may have written any of it, in any order; names and sizes change in order, up to some point.
fn redo_some(records: &[Record], random: &mut StdRng, damage: &mut Damage) -> Result<()> {
    let ordered = records.iter().filter(|record| record.kind != Kind::Write).count();
    let mut ordered_left = random.random_range(0..=ordered);
    for record in records {
        let Record { path, offset, .. } = record;
        if record.kind != Kind::Write {
            if ordered_left == 0 {
                continue;
            }
            ordered_left -= 1;
        }
        match record.kind {
            Kind::Write => {
                // A file whose name is lost has no content.
                let Ok(file) = File::options().write(true).open(path) else { continue };
                let fate = random.random_range(0..3);
                damage.kept += usize::from(fate == 1);
                damage.torn += usize::from(fate == 2);
                for (number, sector) in record.new.chunks(SECTOR_BYTES).enumerate() {
                    if fate == 1 || fate == 2 && random.random() {
                        file.write_all_at(sector, offset + (number * SECTOR_BYTES) as u64)?;
                    }
                }
            }
            Kind::Truncate => File::options().write(true).open(path)?.set_len(*offset)?,
            Kind::Create => drop(File::create(path)?),
            Kind::Unlink => fs::remove_file(path)?,
            Kind::Rename => {
                let (from, to) = record.old_and_new_name()?;
                fs::rename(from, to)?;
            }
            Kind::Sync => {}
        }
    }
    Ok(())
}
