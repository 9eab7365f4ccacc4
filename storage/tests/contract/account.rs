//! The end of an account, and export.

use ringwire_protocol::{ConversationId, UserId};
use ringwire_storage::account::{ExportPosition, ExportRow};
use ringwire_storage::append::{Append, Change, Outcome};
use ringwire_storage::attachments::NewAttachment;
use ringwire_storage::model::{NewUser, Registration};
use ringwire_storage::{StoreError, model::EntryRow};

use crate::support::{self, Backend, Bench, body, message, user};

on_both_also_partitioned!(
    a_deleted_account_is_closed_at_once,
    a3_a_deleted_user_is_never_made_again,
    messages_of_a_deleted_user_lose_their_bodies_and_keep_their_places,
    bodies_stay_until_sessions_and_memberships_are_gone,
    erasing_goes_on_where_it_stopped,
    export_is_all_of_one_user_and_nothing_of_others,
    export_comes_in_pages,
    nothing_of_a_deleted_user_is_left_in_conversations,
    a_deleted_user_becomes_a_member_of_nothing,
);

async fn register(bench: &Bench, name: &str) -> UserId {
    let new = NewUser {
        username: name.into(),
        email: Some(format!("{name}@example.org")),
        display_name: format!("{name} display"),
        password_hash: "phc-secret".into(),
    };
    match bench.store.register(new, 5).await.unwrap() {
        Registration::Registered(row) => row.user_id,
        other => panic!("{other:?}"),
    }
}

/// As if it had been deleted 2 minutes ago.
async fn quiet(bench: &Bench) {
    bench.execute("UPDATE deletions SET deleted_at = deleted_at - 120001").await;
}

/// Steps until nothing is left to do; the bodies erased.
async fn erase(bench: &Bench) -> u64 {
    let mut erased = 0;
    loop {
        let step = bench.store.erase_step().await.unwrap();
        erased += step.erased;
        if !step.more {
            return erased;
        }
    }
}

async fn log(bench: &Bench, id: ConversationId) -> Vec<EntryRow> {
    bench.store.load_tail(id, 0, 10_000).await.unwrap().unwrap().entries
}

async fn a_deleted_account_is_closed_at_once(backend: Backend) {
    let bench = Bench::new(backend).await;
    let (ada, bob) = (register(&bench, "ada").await, register(&bench, "bob").await);
    let (id, _) = bench.store.open_direct(ada, bob, 1, body("opened")).await.unwrap();
    assert!(bench.store.delete_user(ada, Some(bob)).await.unwrap());
    assert!(!bench.store.delete_user(ada, None).await.unwrap(), "once is enough");
    assert!(!bench.store.delete_user(user(999), None).await.unwrap());

    assert_eq!(bench.store.credentials("ada").await.unwrap(), None);
    assert_eq!(bench.store.credentials("ada@example.org").await.unwrap(), None);
    assert_eq!(bench.store.user(ada).await.unwrap(), None);
    assert_eq!(bench.store.user_by_name("ada").await.unwrap(), None);
    assert_eq!(bench.store.deletions(10).await.unwrap(), [ada]);
    // The other side still has the conversation, with somebody who is gone.
    let (heads, _) = bench.store.heads(bob, None, &[], 10).await.unwrap();
    let names: Vec<_> = heads[0].users.iter().map(|row| row.username.as_str()).collect();
    assert_eq!((heads[0].conversation_id, names), (id, vec!["deleted", "bob"]));
    assert!(heads[0].users[0].display_name.is_empty());
    // Its name is free.
    let again = register(&bench, "ada").await;
    assert_ne!(again, ada);
    // Nobody begins anything new with them.
    let carl = register(&bench, "carl").await;
    let opened = bench.store.open_direct(carl, ada, 1, body("")).await;
    assert!(matches!(opened, Err(StoreError::NoSuchUser)), "{opened:?}");
    let group = support::group(carl.get(), &[ada.get()]);
    let made = bench.store.create_group(group, 1).await;
    assert!(matches!(made, Err(StoreError::NoSuchUser)), "{made:?}");
    assert!(bench.store.heads(carl, None, &[], 10).await.unwrap().0.is_empty());
    assert_eq!(bench.numbers("SELECT actor_id FROM audit").await, [bob.as_i64()]);
}

async fn a3_a_deleted_user_is_never_made_again(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    store.ensure_user(user(7), "seven", 1).await.unwrap();
    let sso = store.resolve_identity("iss", "sub", Some("ada"), 1).await.unwrap().unwrap();
    for id in [user(7), sso.user_id] {
        assert!(store.delete_user(id, None).await.unwrap());
        let ensured = store.ensure_user(id, "back", 2).await;
        assert!(matches!(ensured, Err(StoreError::NoSuchUser)), "{ensured:?}");
    }
    for hint in [None, Some("ada")] {
        assert_eq!(store.resolve_identity("iss", "sub", hint, 2).await.unwrap(), None);
    }
    let other = store.resolve_identity("iss", "other", Some("ada"), 2).await.unwrap();
    assert_eq!(other.unwrap().username, "ada");
    let plain = "SELECT CAST(count(*) AS bigint) FROM identities WHERE subject = 'sub'";
    assert_eq!(bench.numbers(plain).await, [0], "who it was is not kept");
}

async fn messages_of_a_deleted_user_lose_their_bodies_and_keep_their_places(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    let hers = |seq| Append { sender_id: Some(user(2)), ..message(id, seq) };
    bench.append(vec![message(id, 2), hers(3), message(id, 4), hers(5)]);
    bench.store.delete_user(user(1), None).await.unwrap();
    quiet(&bench).await;
    assert_eq!(erase(&bench).await, 2);
    assert!(bench.store.deletions(10).await.unwrap().is_empty());
    let bodies: Vec<_> = log(&bench, id).await.into_iter().map(|entry| entry.body).collect();
    let expected = [body("opened"), body(""), body("text 3"), body(""), body("text 5")];
    assert_eq!(bodies, expected, "what tells who came stays");
    let versions =
        bench.numbers("SELECT CAST(body_version AS bigint) FROM entries ORDER BY seq").await;
    assert_eq!(versions, [0, 1, 0, 1, 0]);
    // The log goes on, and a late retry of an erased message is still known.
    let retry = Append { client_msg_id: "m4".into(), command_hash: 4, ..message(id, 6) };
    let outcomes = bench.append(vec![retry]);
    assert!(matches!(outcomes[0].1, Outcome::Duplicate { seq: 4, .. }), "{outcomes:?}");
    let next = Append { generation: 2, ..hers(6) };
    assert_eq!(bench.append(vec![next]), [(6, Outcome::Committed)]);
}

async fn bodies_stay_until_sessions_and_memberships_are_gone(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(3).await;
    let (id, _) = bench.store.create_group(support::group(1, &[2, 3]), 1_000).await.unwrap();
    bench.append(vec![message(id, 2)]);
    bench.store.delete_user(user(1), None).await.unwrap();
    assert_eq!(erase(&bench).await, 0, "a session elsewhere may still send");
    quiet(&bench).await;
    assert_eq!(erase(&bench).await, 0, "a group is left");
    assert_eq!(bench.store.groups_to_leave(10).await.unwrap(), [(user(1), id)]);
    let leave = Append {
        change: Change::Leave { user_id: user(1), new_owner_id: Some(user(2)) },
        // Leaving is no message.
        msg_no: 1,
        body: body("left"),
        ..message(id, 3)
    };
    bench.append(vec![leave]);
    assert!(bench.store.groups_to_leave(10).await.unwrap().is_empty());
    assert_eq!(erase(&bench).await, 1);
    let bodies: Vec<_> = log(&bench, id).await.into_iter().map(|entry| entry.body).collect();
    assert_eq!(bodies, [body("created"), body(""), body("left")]);
}

async fn erasing_goes_on_where_it_stopped(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.users(4).await;
    let (other, _) = bench.store.open_direct(user(3), user(4), 1, body("")).await.unwrap();
    let (third, _) = bench.store.open_direct(user(1), user(4), 1, body("")).await.unwrap();
    bench.append((2..=1_200).map(|seq| message(id, seq)).collect());
    bench.append(vec![Append { sender_id: Some(user(3)), ..message(other, 2) }]);
    bench.append(vec![message(third, 2)]);
    bench.store.delete_user(user(1), None).await.unwrap();
    quiet(&bench).await;
    let mut steps = 0;
    let mut erased = 0;
    loop {
        let step = bench.store.erase_step().await.unwrap();
        assert!(step.erased <= 500, "{step:?}");
        erased += step.erased;
        if !step.more {
            break;
        }
        steps += 1;
    }
    assert_eq!(erased, 1_199 + 1);
    assert!(steps >= 4, "{steps}");
    let left = "SELECT conversation_id FROM entries WHERE seq > 1 AND body_version = 0";
    assert_eq!(bench.numbers(left).await, [other.as_i64()]);
}

async fn everything(bench: &Bench, id: UserId, limit: u32) -> Vec<ExportRow> {
    let mut rows = Vec::new();
    let mut from = Some(ExportPosition::default());
    while let Some(at) = from {
        let (page, next) = bench.store.export_page(id, at, limit).await.unwrap();
        assert!(page.len() <= limit as usize);
        rows.extend(page);
        from = next;
    }
    rows
}

async fn export_is_all_of_one_user_and_nothing_of_others(backend: Backend) {
    let bench = Bench::new(backend).await;
    let ada = register(&bench, "ada").await;
    let bob = register(&bench, "bob").await;
    let (id, _) = bench.store.open_direct(ada, bob, 1, body("opened")).await.unwrap();
    let by = |sender, seq| Append { sender_id: Some(sender), ..message(id, seq) };
    bench.append(vec![by(ada, 2), by(bob, 3), by(ada, 4)]);
    for sql in [
        format!("INSERT INTO identities VALUES ('iss', 'sub', {ada})"),
        format!("INSERT INTO blocks VALUES ({ada}, {bob}, 7)"),
        format!(
            "INSERT INTO contacts VALUES ({ada}, {bob}, 'Bobby', 9), ({bob}, {ada}, 'Adas secret', 9)"
        ),
        format!(
            "INSERT INTO devices (user_id, device_id, push_token, created_at, last_seen_at)
             VALUES ({ada}, 'phone', 'token-secret', 1, 2), ({bob}, 'bobs', 't', 1, 2)"
        ),
    ] {
        bench.execute(&sql).await;
    }
    for (owner, file_id) in [(ada, "hers"), (bob, "bobs")] {
        let file = NewAttachment {
            file_id: file_id.into(),
            owner_id: owner,
            name: format!("{file_id}.png"),
            mime_type: "image/png".into(),
            size_bytes: 9,
            sha256: [1; 32],
            width: 0,
            height: 0,
        };
        assert!(bench.store.insert_attachment(file, 8).await.unwrap());
    }
    bench.store.bind_attachment(ada, "hers", id, 4).await.unwrap();
    bench.store.add_block(bob, ada, 7).await.unwrap();
    let rows = everything(&bench, ada, 100).await;
    let text = format!("{rows:?}");
    for secret in ["phc-secret", "token-secret", "text 3", "bobs", "bob@example.org"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let [
        ExportRow::Profile { email: Some(email), .. },
        ExportRow::Identity { subject, .. },
        ExportRow::Device { device_id, last_seen_at: 2, .. },
        ExportRow::Block { blocked_id, created_at: 7 },
        ExportRow::Contact { nickname, created_at: 9, .. },
        ExportRow::Membership { conversation_id, .. },
        ExportRow::Attachment { file_id, place, name, size_bytes: 9, created_at: 8, .. },
        entries @ ..,
    ] = rows.as_slice()
    else {
        panic!("{text}");
    };
    assert_eq!((email.as_str(), subject.as_str()), ("ada@example.org", "sub"));
    assert_eq!(nickname, "Bobby");
    assert_eq!((device_id.as_str(), *blocked_id, *conversation_id), ("phone", bob, id));
    assert_eq!((file_id.as_str(), *place, name.as_str()), ("hers", Some((id, 4)), "hers.png"));
    let mut seqs: Vec<_> = entries
        .iter()
        .map(|row| match row {
            ExportRow::Entry(entry) if entry.sender_id == Some(ada) => entry.seq,
            other => panic!("{other:?}"),
        })
        .collect();
    seqs.sort_unstable();
    assert_eq!(seqs, [1, 2, 4]);
    assert!(everything(&bench, user(999), 100).await.is_empty());
    bench.store.delete_user(ada, None).await.unwrap();
    assert!(everything(&bench, ada, 100).await.is_empty());
}

async fn export_comes_in_pages(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(9).await;
    let mut expected = 0;
    for number in 2..=9 {
        let opened = bench.store.open_direct(user(1), user(number), 1, body("")).await.unwrap();
        bench.append((2..=number).map(|seq| message(opened.0, seq)).collect());
        expected += number as usize;
        bench.execute(&format!("INSERT INTO blocks VALUES (1, {number}, 7)")).await;
    }
    for limit in [1, 3, 8, 100] {
        let rows = everything(&bench, user(1), limit).await;
        let count = |test: fn(&ExportRow) -> bool| rows.iter().filter(|row| test(row)).count();
        assert_eq!(count(|row| matches!(row, ExportRow::Block { .. })), 8, "{limit}");
        assert_eq!(count(|row| matches!(row, ExportRow::Membership { .. })), 8, "{limit}");
        assert_eq!(count(|row| matches!(row, ExportRow::Entry(_))), expected, "{limit}");
    }
}

async fn nothing_of_a_deleted_user_is_left_in_conversations(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(3).await;
    let (id, _) = bench.store.create_group(support::group(1, &[2]), 1_000).await.unwrap();
    let by = |seq, number, change| Append {
        msg_no: 1,
        sender_id: Some(user(number)),
        change,
        ..message(id, seq)
    };
    let react = |removed| Change::React { target_seq: 2, reaction: "+".into(), removed };
    let mention = Change::Mention { users: vec![user(3)], all: false };
    bench.append(vec![
        Append { sender_id: Some(user(3)), ..message(id, 2) },
        by(
            3,
            3,
            Change::Edit { target_seq: 2, body: body("what they really meant"), files: Vec::new() },
        ),
        by(4, 3, react(false)),
        by(5, 2, react(false)),
        by(6, 1, Change::Ban { user_id: user(3), until: 9_000 }),
        by(7, 3, Change::RequestJoin { text: "please".into() }),
        Append { change: mention, msg_no: 2, ..message(id, 8) },
    ]);
    let exported = everything(&bench, user(3), 1).await;
    for kind in ["JoinRequest", "Reaction"] {
        let found = exported.iter().filter(|row| format!("{row:?}").starts_with(kind)).count();
        assert_eq!(found, 1, "{kind}: {exported:?}");
    }
    assert!(bench.store.delete_user(user(3), None).await.unwrap());
    quiet(&bench).await;
    assert_eq!(erase(&bench).await, 4, "the message, its edit, the reaction, and the wish");
    let log = log(&bench, id).await;
    let with_body = log.iter().filter(|entry| entry.has_body()).map(|entry| entry.seq);
    assert_eq!(with_body.collect::<Vec<_>>(), [1, 5, 6, 8], "{log:?}");
    let reactions = &log[1].marks.as_ref().unwrap().reactions;
    assert_eq!((reactions.len(), reactions[0].count), (1, 1), "of the other");
    for table in ["bans", "join_requests", "mentions"] {
        assert_eq!(bench.numbers(&format!("SELECT count(*) FROM {table}")).await, [0], "{table}");
    }
    assert_eq!(bench.numbers("SELECT user_id FROM reactions").await, [2]);
    assert_eq!(crate::check::kinds_with(&bench).await, []);
}

async fn a_deleted_user_becomes_a_member_of_nothing(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(4).await;
    let (id, _) = bench.store.create_group(support::group(1, &[2]), 1_000).await.unwrap();
    let by = |seq, number, change| Append {
        msg_no: 0,
        sender_id: Some(user(number)),
        change,
        ..message(id, seq)
    };
    bench.append(vec![by(2, 3, Change::RequestJoin { text: "please".into() })]);
    assert!(bench.store.delete_user(user(3), None).await.unwrap());
    // The owner still knows of the request.
    bench.append(vec![by(3, 1, Change::Join(vec![user(3), user(4)]))]);
    let members = "SELECT user_id FROM members ORDER BY user_id";
    assert_eq!(bench.numbers(members).await, [1, 2, 4]);
    let count = "SELECT CAST(member_count AS bigint) FROM conversations";
    assert_eq!(bench.numbers(count).await, [3]);
    assert_eq!(bench.numbers("SELECT count(*) FROM join_requests").await, [0]);
    let cursors = "SELECT count(*) FROM cursors WHERE user_id = 3";
    assert_eq!(bench.numbers(cursors).await, [0]);
    assert!(bench.store.groups_to_leave(10).await.unwrap().is_empty());
    assert_eq!(crate::check::kinds_with(&bench).await, []);
}
