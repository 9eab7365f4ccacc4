//! Attachments: who may carry, read and remove a file.

use ringwire_protocol::{ConversationId, UserId};
use ringwire_storage::StoreError;
use ringwire_storage::append::{Append, Change, Outcome};
use ringwire_storage::attachments::{
    AttachmentRow, Binding, NewAttachment, SMALLEST_COUNTED_BYTES,
};
use ringwire_storage::profiles::{AccountChange, AccountUpdate};
use tokio::task::JoinSet;

use crate::support::{Backend, Bench, body, message, user};

on_both!(
    a_file_is_carried_by_one_entry_of_its_owner,
    a_race_for_a_file_has_one_winner,
    members_read_what_an_entry_carries_and_owners_all_of_theirs,
    everybody_reads_the_picture_of_a_user_for_as_long_as_it_is_theirs,
    unused_files_are_handed_out_in_pages_and_not_used_after_that,
    files_of_trimmed_entries_are_handed_out,
    files_of_a_deleted_user_are_handed_out,
    messages_carry_files_from_the_moment_they_are_written,
    a_file_goes_to_one_message_and_never_to_a_recalled_one,
    what_files_take_is_added_up_and_rows_are_found,
);

fn file(id: &str, owner: u64) -> NewAttachment {
    NewAttachment {
        file_id: id.into(),
        owner_id: user(owner),
        name: format!("{id}.png"),
        mime_type: "image/png".into(),
        size_bytes: 5_000_000_000,
        sha256: [7; 32],
        width: 640,
        height: 480,
    }
}

async fn insert(bench: &Bench, id: &str, owner: u64, now_ms: i64) {
    assert!(bench.store.insert_attachment(file(id, owner), now_ms).await.unwrap());
}

async fn bind(bench: &Bench, owner: u64, file: &str, id: ConversationId, seq: u64) -> Binding {
    bench.store.bind_attachment(user(owner), file, id, seq).await.unwrap()
}

/// What is handed out of files older than a minute, by id.
async fn condemned(bench: &Bench) -> Vec<String> {
    let rows = bench.store.condemn_attachments(60_000, None, 100).await.unwrap();
    rows.into_iter().map(|row| row.file.file_id).collect()
}

async fn a_file_is_carried_by_one_entry_of_its_owner(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append((2..=4).map(|seq| message(id, seq)).collect());
    insert(&bench, "f", 1, 10).await;
    assert!(!bench.store.insert_attachment(file("f", 2), 20).await.unwrap());
    let unknown = bench.store.insert_attachment(file("g", 99), 20).await;
    assert!(matches!(unknown, Err(StoreError::NoSuchUser)), "{unknown:?}");
    assert_eq!(bind(&bench, 1, "nothing", id, 2).await, Binding::NoSuchFile);
    assert_eq!(bind(&bench, 1, "f", id, 5).await, Binding::NoSuchEntry);
    assert_eq!(bind(&bench, 2, "f", id, 2).await, Binding::NoSuchEntry, "not an entry of theirs");
    insert(&bench, "bobs", 2, 10).await;
    assert_eq!(bind(&bench, 1, "bobs", id, 2).await, Binding::NoSuchFile);
    assert_eq!(bind(&bench, 1, "f", id, 2).await, Binding::Bound);
    assert_eq!(bind(&bench, 1, "f", id, 2).await, Binding::Already);
    assert_eq!(bind(&bench, 1, "f", id, 3).await, Binding::Elsewhere);
    let row = bench.store.attachment_for(user(1), "f").await.unwrap().unwrap();
    let expected = AttachmentRow { file: file("f", 1), place: Some((id, 2)), created_at: 10 };
    assert_eq!(row, expected);
}

async fn a_race_for_a_file_has_one_winner(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append((2..=21).map(|seq| message(id, seq)).collect());
    insert(&bench, "f", 1, 10).await;
    let mut racers = JoinSet::new();
    for seq in 2..=21 {
        let store = bench.store.clone();
        racers.spawn(async move { store.bind_attachment(user(1), "f", id, seq).await.unwrap() });
    }
    let bindings = racers.join_all().await;
    let count = |wanted| bindings.iter().filter(|binding| **binding == wanted).count();
    assert_eq!((count(Binding::Bound), count(Binding::Elsewhere)), (1, 19));
}

async fn members_read_what_an_entry_carries_and_owners_all_of_theirs(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.users(3).await;
    bench.append(vec![message(id, 2)]);
    insert(&bench, "f", 1, 10).await;
    let reads = async |by: UserId| bench.store.attachment_for(by, "f").await.unwrap().is_some();
    let readers = async || (reads(user(1)).await, reads(user(2)).await, reads(user(3)).await);
    assert_eq!(readers().await, (true, false, false), "nothing carries it");
    bind(&bench, 1, "f", id, 2).await;
    assert_eq!(readers().await, (true, true, false));
    bench.execute(&format!("DELETE FROM members WHERE conversation_id = {id}")).await;
    assert_eq!(readers().await, (true, false, false), "nobody is a member any more");
    assert_eq!(bench.store.attachment_for(user(1), "g").await.unwrap(), None);
}

async fn everybody_reads_the_picture_of_a_user_for_as_long_as_it_is_theirs(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.users(3).await;
    bench.append(vec![message(id, 2)]);
    for (file, owner) in [("one", 1), ("two", 1), ("sent", 1), ("bobs", 2)] {
        insert(&bench, file, owner, 10).await;
    }
    assert_eq!(bind(&bench, 1, "sent", id, 2).await, Binding::Bound);
    let shows = async |url: &str| {
        let change = AccountChange { avatar_url: Some(url.into()), ..AccountChange::default() };
        let update = bench.store.update_account(user(1), change).await.unwrap();
        match update {
            AccountUpdate::Updated(account) => Some(account.profile.user.avatar_url),
            AccountUpdate::NoSuchFile => None,
            other => panic!("{other:?}"),
        }
    };
    let stranger_reads =
        async |file: &str| bench.store.attachment_for(user(3), file).await.unwrap().is_some();
    assert!(!stranger_reads("one").await);
    assert!(shows("/api/v1/files/one").await.is_some());
    let row = bench.store.attachment_for(user(3), "one").await.unwrap().unwrap();
    assert_eq!(row, AttachmentRow { file: file("one", 1), place: None, created_at: 10 });
    assert_eq!(bind(&bench, 1, "one", id, 2).await, Binding::Elsewhere, "no message takes it");
    // Neither a file of somebody else, nor one in a message, nor none; the old picture stays.
    for url in ["bobs", "sent", "nothing", "two?x", ""] {
        assert_eq!(shows(&format!("/api/v1/files/{url}")).await, None, "{url}");
    }
    assert!(stranger_reads("one").await && !stranger_reads("two").await);
    assert!(shows("/api/v1/files/one/thumbnail").await.is_some(), "the same file");
    assert_eq!(condemned(&bench).await, ["bobs", "two"]);

    insert(&bench, "three", 1, 10).await;
    assert!(shows("/api/v1/files/three").await.is_some());
    assert_eq!((stranger_reads("one").await, stranger_reads("three").await), (false, true));
    assert_eq!(condemned(&bench).await, ["bobs", "one", "two"]);
    assert_eq!(shows("/api/v1/files/one").await, None, "its bytes are being removed");
    bench.store.delete_user(user(1), None).await.unwrap();
    bench.execute("UPDATE deletions SET deleted_at = deleted_at - 120001").await;
    while bench.store.erase_step().await.unwrap().more {}
    assert!(!stranger_reads("three").await);
    assert_eq!(condemned(&bench).await, ["bobs", "one", "sent", "three", "two"]);
}

async fn unused_files_are_handed_out_in_pages_and_not_used_after_that(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append(vec![message(id, 2)]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    for (file, at) in
        [("d", 30), ("c", 20), ("b", 20), ("a", 20), ("used", 5), ("new", now.as_millis() as i64)]
    {
        insert(&bench, file, 1, at).await;
    }
    assert_eq!(bind(&bench, 1, "used", id, 2).await, Binding::Bound);
    assert!(!bench.store.delete_attachment("a").await.unwrap(), "its bytes may be there");
    let mut found = Vec::new();
    let mut last: Option<AttachmentRow> = None;
    loop {
        let after = last.as_ref().map(|row| (row.created_at, row.file.file_id.as_str()));
        let page = bench.store.condemn_attachments(60_000, after, 3).await.unwrap();
        found.extend(page.iter().map(|row| row.file.file_id.clone()));
        if page.len() < 3 {
            break;
        }
        last = page.last().cloned();
    }
    assert_eq!(found, ["a", "b", "c", "d"]);
    assert_eq!(bind(&bench, 1, "a", id, 2).await, Binding::NoSuchFile);
    assert_eq!(bench.store.attachment_for(user(1), "a").await.unwrap(), None);
    // Whoever removes bytes and crashes finds the rest again.
    assert!(bench.store.delete_attachment("a").await.unwrap());
    assert!(!bench.store.delete_attachment("a").await.unwrap());
    assert_eq!(condemned(&bench).await, ["b", "c", "d"]);
    for file in ["used", "new"] {
        assert!(!bench.store.delete_attachment(file).await.unwrap(), "{file}");
        assert!(bench.store.attachment_for(user(1), file).await.unwrap().is_some(), "{file}");
    }
}

async fn files_of_trimmed_entries_are_handed_out(backend: Backend) {
    use ringwire_storage::retention::{KeepRule, RetentionRules};
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append((2..=5).map(|seq| message(id, seq)).collect());
    for (file, seq) in [("old", 3), ("kept", 5)] {
        insert(&bench, file, 1, 10).await;
        assert_eq!(bind(&bench, 1, file, id, seq).await, Binding::Bound);
    }
    assert!(condemned(&bench).await.is_empty());
    let rules =
        RetentionRules { direct: KeepRule { days: 0, count: 1 }, ..RetentionRules::default() };
    bench.store.retention_step(&rules, None).await.unwrap();
    bench.execute("UPDATE retention_marks SET marked_at = marked_at - 600001").await;
    assert_eq!(bench.store.retention_step(&rules, None).await.unwrap().removed, 4);
    assert_eq!(bind(&bench, 1, "old", id, 3).await, Binding::NoSuchEntry);
    assert_eq!(bench.store.attachment_for(user(2), "old").await.unwrap(), None);
    assert_eq!(condemned(&bench).await, ["old"]);
}

async fn files_of_a_deleted_user_are_handed_out(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append(vec![message(id, 2)]);
    bench.append(vec![ringwire_storage::append::Append {
        sender_id: Some(user(2)),
        ..message(id, 3)
    }]);
    for (file, owner, seq) in [("hers", 1, Some(2)), ("unsent", 1, None), ("his", 2, Some(3))] {
        insert(&bench, file, owner, 10).await;
        if let Some(seq) = seq {
            assert_eq!(bind(&bench, owner, file, id, seq).await, Binding::Bound);
        }
    }
    assert_eq!(condemned(&bench).await, ["unsent"]);
    bench.store.delete_user(user(1), None).await.unwrap();
    let made = bench.store.insert_attachment(file("late", 1), 20).await;
    assert!(matches!(made, Err(StoreError::NoSuchUser)), "{made:?}");
    let bound = bench.store.bind_attachment(user(1), "unsent", id, 2).await;
    assert!(matches!(bound, Err(StoreError::NoSuchUser)), "{bound:?}");
    bench.execute("UPDATE deletions SET deleted_at = deleted_at - 120001").await;
    while bench.store.erase_step().await.unwrap().more {}
    assert_eq!(condemned(&bench).await, ["hers", "unsent"], "one that was handed out still is");
    for gone in ["hers", "unsent"] {
        assert!(bench.store.delete_attachment(gone).await.unwrap());
    }
    assert!(bench.store.attachment_for(user(2), "his").await.unwrap().is_some());
}

/// A message, or an edit of one, that carries files.
fn carries(id: ConversationId, seq: u64, by: u64, files: &[&str], edits: Option<u64>) -> Append {
    let files = files.iter().map(|&file| file.into()).collect();
    let change = match edits {
        None => Change::Carry { files, users: vec![user(2)], all: false },
        Some(target_seq) => Change::Edit { target_seq, body: body("better"), files },
    };
    Append { sender_id: Some(user(by)), change, ..message(id, seq) }
}

async fn places(bench: &Bench) -> Vec<String> {
    let places = "SELECT file_id || ' ' || seq FROM attachments ORDER BY file_id";
    bench.texts(places).await
}

async fn messages_carry_files_from_the_moment_they_are_written(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    for (file, owner) in [("a", 1), ("b", 1), ("c", 1), ("d", 1), ("his", 2)] {
        insert(&bench, file, owner, 10).await;
    }
    bench.append(vec![
        carries(id, 2, 1, &["a", "b", "nothing"], None),
        // Not his; and his.
        carries(id, 3, 2, &["c", "his"], None),
    ]);
    assert_eq!(places(&bench).await, ["a 2", "b 2", "c 0", "d 0", "his 3"]);
    assert_eq!(bench.numbers("SELECT seq FROM mentions WHERE user_id = 2").await, [2]);
    assert!(bench.store.attachment_for(user(2), "a").await.unwrap().is_some());
    // Another node is always first: the fourth time the writer goes behind it, and the file with it.
    for generation in 2..=5 {
        let client_msg_id = format!("late{generation}").into();
        let late = Append { client_msg_id, generation, ..carries(id, 2, 1, &["d"], None) };
        let outcomes = bench.append(vec![late]);
        let moved = matches!(outcomes[0].1, Outcome::Moved { seq: 4, .. });
        assert_eq!(moved, generation == 5, "{outcomes:?}");
    }
    assert_eq!(places(&bench).await, ["a 2", "b 2", "c 0", "d 4", "his 3"]);
    // An edit adds files to its message.
    bench.append(vec![Append {
        msg_no: 3,
        generation: 6,
        ..carries(id, 5, 1, &["a", "c"], Some(2))
    }]);
    assert_eq!(places(&bench).await, ["a 2", "b 2", "c 2", "d 4", "his 3"]);
    assert_eq!(crate::check::kinds_with(&bench).await, []);
}

async fn a_file_goes_to_one_message_and_never_to_a_recalled_one(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    for file in ["a", "b", "c"] {
        insert(&bench, file, 1, 10).await;
    }
    // In one batch the first gets it.
    bench.append(vec![carries(id, 2, 1, &["a"], None), carries(id, 3, 1, &["a", "b"], None)]);
    assert_eq!(places(&bench).await, ["a 2", "b 3", "c 0"]);
    let recall = |seq, target_seq| Append {
        msg_no: 2,
        change: Change::Recall { target_seq },
        ..message(id, seq)
    };
    // In one batch with the recall, and in a later one.
    let edit = |seq, target| Append { msg_no: 2, ..carries(id, seq, 1, &["c"], Some(target)) };
    bench.append(vec![recall(4, 2), edit(5, 2)]);
    assert_eq!(places(&bench).await, ["a 0", "b 3", "c 0"]);
    bench.append(vec![edit(6, 2), edit(7, 99)]);
    assert_eq!(places(&bench).await, ["a 0", "b 3", "c 0"]);
    bench.append(vec![edit(8, 3), recall(9, 3)]);
    assert_eq!(places(&bench).await, ["a 0", "b 0", "c 0"]);
    // What is being removed is bound by nobody.
    assert_eq!(condemned(&bench).await, ["a", "b", "c"]);
    bench.append(vec![Append { msg_no: 3, ..carries(id, 10, 1, &["a"], None) }]);
    assert_eq!(places(&bench).await, ["a -1", "b -1", "c -1"]);
}

async fn what_files_take_is_added_up_and_rows_are_found(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(2).await;
    assert_eq!(bench.store.attachment_bytes(user(1)).await.unwrap(), 0);
    insert(&bench, "large", 1, 10).await;
    let small = NewAttachment { size_bytes: 1, ..file("small", 1) };
    assert!(bench.store.insert_attachment(small, 10).await.unwrap());
    insert(&bench, "his", 2, 10).await;
    let expected = 5_000_000_000 + u64::from(SMALLEST_COUNTED_BYTES);
    assert_eq!(bench.store.attachment_bytes(user(1)).await.unwrap(), expected);
    condemned(&bench).await;
    let asked = ["large", "his", "nothing"].map(str::to_owned).to_vec();
    let known = bench.store.known_attachments(asked).await.unwrap();
    assert_eq!(known, ["large", "his"].map(str::to_owned).into());
}
