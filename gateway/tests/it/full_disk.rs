//! D5: the database's disk is full. That is a temporary error, never a wrong ack; reads go on, and once there is space
//! again service returns by itself, with everything that was accepted.

use std::path::Path;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op};
use ringwire_testkit::{PrivatePostgres, SmallDisk};
use tempfile::TempDir;

use crate::support::PATIENCE;
use crate::support::client::Client;
use crate::support::flood::{Flood, Tally};
use crate::support::http;
use crate::support::participant::Crowd;
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;
use crate::support::watch::count_early_acks;

const DISK_BYTES: u64 = 64 << 20;
/// With room for the cluster itself, some 40 MiB of it, and for what the log needs beside the messages.
const POSTGRES_DISK_BYTES: u64 = 112 << 20;
const PARTICIPANTS: u32 = 6;
const SENDS_EACH: u32 = 300;
/// What fills up whatever the database had in reserve: far more than it has, and less than the disk.
const FLOODING: usize = 10;
const LARGE_SENDS: usize = 1_000;
const LARGE_BYTES: usize = 8_000;

/// Text that does not become smaller when it is compressed.
fn noise() -> String {
    let mut state = 1_u64;
    let letter = |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'0' + ((state >> 33) % 64) as u8)
    };
    (0..LARGE_BYTES).map(letter).collect()
}

/// Something that writes at once and is not a message: done, or a temporary error.
fn try_to_make_a_group(client: &mut Client) -> Result<(), wire::Error> {
    let group = wire::CreateGroup {
        kind: wire::ConversationKind::Group.into(),
        settings: Some(wire::GroupSettings {
            title: Some(noise()[..250].to_owned()),
            ..Default::default()
        }),
        ..Default::default()
    };
    client.call(Op::CreateGroup(group)).map(|_| ())
}

/// Service comes back by itself, though not in the same moment: Postgres may have had to recover first.
fn await_service(client: &mut Client) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = try_to_make_a_group(client) {
        assert!(error.temporary && Instant::now() < deadline, "service is not back: {error:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Fills the disk under load and gives it back; `return_to_service` does what an operator's supervisor would.
fn fills_up(
    server: &mut ServerProcess,
    url: Option<&str>,
    disk: &SmallDisk,
    return_to_service: impl FnOnce(),
) {
    let mut flood = Flood::start(server, FLOODING);
    let mut bystander = Client::session(server, 900, Encoding::Json);
    let group = bystander.create_group(&[]);
    bystander.say(group, "before", "before");
    let (early, watch) = count_early_acks(server.observer(url));
    let crowd = Crowd::start_watched(server, PARTICIPANTS, SENDS_EACH, watch);
    crowd.await_acks(u64::from(PARTICIPANTS * SENDS_EACH) / 4);

    disk.fill().expect("a full disk");
    let text = noise();
    for session in 0..FLOODING {
        flood.fill(session..session + 1, LARGE_SENDS / FLOODING, &text);
    }
    while !server.log().contains("cannot write") {
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(http::get(server.address(), "/health/ready").status, 503, "nothing can be written");
    // The shards live, and so do reads; what has to write is refused for now.
    assert_eq!(flood.ping(0..FLOODING), FLOODING);
    if url.is_none() {
        assert_eq!(bystander.log(group).len(), 2);
        Client::session(server, 900, Encoding::Protobuf).assert_answers_ping();
    }
    let refused = (0..10_000).find_map(|_| try_to_make_a_group(&mut bystander).err());
    let refused = refused.expect("ten thousand groups were made on a full disk");
    assert!(refused.temporary, "{refused:?}");
    disk.free().expect("space");
    return_to_service();

    let answers = flood.answers();
    assert_eq!(answers, Tally { acked: LARGE_SENDS, busy: 0 });
    assert_eq!(early.load(SeqCst), 0, "acks that came before their entry");
    crowd.finish(server);
    assert_eq!(flood.logged(), LARGE_SENDS);
    await_service(&mut bystander);
    assert_eq!(http::get(server.address(), "/health/ready").status, 200);
    // Nothing was only in memory.
    server.kill();
    server.restart();
    let mut again = Client::session(server, 900, Encoding::Json);
    assert_eq!(again.log(group).len(), 2);
}

fn full_sqlite(driver: &str) {
    let folder: TempDir = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("disk");
    let disk = SmallDisk::mount(&path, DISK_BYTES).expect("a small disk");
    let data = path.join("data");
    let setup = Setup::new().arguments(&["--driver", driver]).without_rates().data(&data);
    let mut server = setup.start();
    fills_up(&mut server, None, &disk, || {});
    let found = server.observer(None).text("PRAGMA integrity_check").expect("an answer");
    assert_eq!(found, "ok");
}

#[test]
fn d5_a_full_disk_under_sqlite_is_an_error_and_then_service() {
    SmallDisk::test("full_disk::d5_a_full_disk_under_sqlite_is_an_error_and_then_service", || {
        full_sqlite("auto");
    });
}

#[test]
fn d5_a_full_disk_under_sqlite_is_an_error_on_epoll() {
    SmallDisk::test("full_disk::d5_a_full_disk_under_sqlite_is_an_error_on_epoll", || {
        full_sqlite("epoll");
    });
}

fn full_postgres(path: &Path) {
    let disk = SmallDisk::mount(path, POSTGRES_DISK_BYTES).expect("a small disk");
    let settings = ["max_wal_size=4MB", "min_wal_size=2MB", "shared_buffers=4MB"];
    let postgres = PrivatePostgres::start_in(path, &settings, &["--wal-segsize=1"]);
    let mut postgres = postgres.expect("a private Postgres");
    let url = postgres.url();
    let database = Database::Postgres(url.clone());
    let mut server = Setup::new().without_rates().database(database).start();
    fills_up(&mut server, Some(&url), &disk, || {
        // On a full disk it may have stopped for good in the middle of recovering.
        let ended = postgres.restart_if_ended().expect("Postgres starts again");
        println!("Postgres had ended: {ended}");
    });
    // Every page can be read, by the table and by its indexes.
    let observer = server.observer(Some(&url));
    let read = |sql| observer.text(sql).expect("an answer");
    let by_table = read("SELECT sum(length(body)) + count(*) FROM entries");
    observer.execute("SET enable_seqscan = off").expect("a setting");
    assert_eq!(read("SELECT sum(length(body)) + count(*) FROM entries WHERE seq > 0"), by_table);
    observer.execute("VACUUM").expect("sound pages");
}

#[test]
fn d5_a_full_disk_under_postgres_is_an_error_and_then_service() {
    SmallDisk::test(
        "full_disk::d5_a_full_disk_under_postgres_is_an_error_and_then_service",
        || {
            let folder = tempfile::tempdir().expect("a temporary folder");
            // Postgres has a user of its own where this is root's.
            let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(folder.path(), open).expect("a folder of ours");
            full_postgres(&folder.path().join("disk"));
        },
    );
}
