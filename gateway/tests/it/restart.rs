//! K1: after a restart everyone comes back, and nobody is turned away for coming at the same time; an orderly stop takes leave
//! of everyone.

use ringwire_protocol::wire::{self, command::Op, reply::Outcome};

use crate::support::chat::{id_of, text};
use crate::support::client::{Client, Upgrade};
use crate::support::server::{ServerProcess, Setup};
use crate::support::{ENCODINGS, full};

/// So many connect at once; each with the session it had before, if any.
fn everyone(
    server: &ServerProcess,
    count: u64,
    before: &[String],
) -> Vec<(Client, wire::Connected)> {
    let mut waiting = Vec::new();
    for user in 1..=count {
        let encoding = ENCODINGS[user as usize % 2];
        let upgrade = Upgrade::encoding(encoding).bearer(&server.token(user));
        let mut client =
            Client::upgrade(server.address(), &upgrade, encoding).expect("a WebSocket");
        let resume = before
            .get(user as usize - 1)
            .map(|session_id| wire::Resume { session_id: session_id.clone(), received: 0 });
        let device_id = format!("device of {user}");
        let connect = wire::Connect { device_id, resume, ..Default::default() };
        let id = client.start(Op::Connect(connect));
        waiting.push((client, id));
    }
    let answered = |(mut client, id): (Client, u64)| match client.answer(id) {
        Ok(Outcome::Connected(connected)) => (client, connected),
        other => panic!("somebody was turned away: {other:?}"),
    };
    waiting.into_iter().map(answered).collect()
}

#[test]
fn k1_after_a_restart_everyone_comes_back() {
    // All tests of this program share its 20,000 descriptors.
    let count = if full() { 15_000 } else { 2_000 };
    let mut server = Setup::new().start();
    let mut clients = everyone(&server, count, &[]);
    let direct = id_of(&clients[0].0.open_direct(2));
    clients[0].0.say(direct, "before", "said before");
    let sessions: Vec<String> =
        clients.iter().map(|(_, connected)| connected.session_id.clone()).collect();
    server.kill();
    drop(clients);
    server.restart();

    let mut clients = everyone(&server, count, &sessions);
    assert_eq!(clients.len() as u64, count);
    assert!(clients.iter().all(|(_, connected)| !connected.resumed), "that was another start");
    assert!(sessions.iter().zip(&clients).all(|(old, (_, new))| *old != new.session_id));
    let said = clients[1].0.log(direct);
    assert_eq!(said.last().and_then(text), Some("said before"));
    clients[0].0.say(direct, "after", "said after");
    assert_eq!(text(&clients[1].0.next_entry()), Some("said after"));

    // An orderly stop takes leave of each of them, however many they are.
    server.terminate();
    assert!(server.wait().success());
    assert!(clients.iter_mut().all(|(client, _)| client.close_code() == Some(4200)));
}
