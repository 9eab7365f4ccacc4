//! What entries change besides the log: a batch of changes is worth the same as each alone, and as the plain meaning of it.

mod model;

use ringwire_protocol::{ConversationId, Seq};
use ringwire_storage::append::{Append, Change, Outcome};
use ringwire_storage::attachments::{Binding, NewAttachment};
use ringwire_storage::model::Role;
use ringwire_storage::operate::check::FindingKind;

use crate::support::{self, Backend, Bench, body, message, user};
use model::Model;

on_both_also_sealed!(
    a_batch_of_changes_is_worth_each_of_them,
    a_recall_takes_everything_of_a_message_along,
    a_dissolved_conversation_is_gone_but_for_its_log,
    mentions_go_behind_a_tail_with_their_messages,
    an_edit_of_what_is_gone_changes_nothing,
);

/// Numbers that look random, the same for one seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn user(&mut self) -> ringwire_protocol::UserId {
        user(1 + self.below(6))
    }

    /// A change to conversation with these messages; rarely its end.
    fn change(&mut self, messages: &[Seq]) -> Change {
        let target_seq = messages[self.below(messages.len() as u64) as usize];
        let until = [0, 7_777][self.below(2) as usize];
        let removed = self.below(3) == 0;
        match self.below(40) {
            0..=3 => Change::None,
            4 | 5 => {
                Change::Mention { users: vec![self.user(), self.user()], all: self.below(3) == 0 }
            }
            6..=10 => Change::Edit {
                target_seq,
                body: body(&format!("edited {}", self.below(1_000))),
                files: Vec::new(),
            },
            11..=13 => Change::Recall { target_seq },
            14..=20 => {
                let reaction = ["+", "ä", "Z"][self.below(3) as usize].into();
                Change::React { target_seq, reaction, removed }
            }
            21..=23 => Change::Pin { target_seq, removed },
            24 | 25 => Change::Join(vec![self.user(), self.user()]),
            26 => Change::Remove(vec![self.user(), self.user()]),
            27 => {
                Change::Leave { user_id: self.user(), new_owner_id: removed.then(|| self.user()) }
            }
            28 | 29 => Change::SetRole {
                user_id: self.user(),
                role: [Role::Member, Role::Admin, Role::Owner][self.below(3) as usize],
                former_owner_id: removed.then(|| self.user()),
            },
            30 | 31 => Change::Mute { user_id: removed.then(|| self.user()), until },
            32 | 33 => Change::Ban { user_id: self.user(), until },
            34 => Change::Settings(body(&format!("settings {}", self.below(1_000)))),
            35 | 36 => Change::RequestJoin { text: format!("please {}", self.below(9)).into() },
            37 => Change::RefuseJoin { user_id: self.user() },
            38 if self.below(8) == 0 => Change::Dissolve,
            _ => Change::Pin { target_seq: 1, removed },
        }
    }
}

/// Entries behind `from`, whose seq is also its message count plus one.
fn entries(id: ConversationId, from: Seq, count: u64, dice: &mut Dice) -> Vec<Append> {
    let mut messages: Vec<Seq> = (2..=from).collect();
    let mut msg_no = from - 1;
    (from + 1..=from + count)
        .map(|seq| {
            let change = dice.change(&messages);
            if matches!(change, Change::None | Change::Mention { .. }) {
                messages.push(seq);
                msg_no += 1;
            }
            Append { msg_no, change, sender_id: Some(dice.user()), ..message(id, seq) }
        })
        .collect()
}

/// Has these written in one batch.
fn append_together(bench: &Bench, other: ConversationId, seq: Seq, batch: Vec<Append>) {
    bench.answers.block(true);
    bench.store.submit(message(other, seq)).unwrap();
    while bench.answers.len() == 0 {
        std::thread::yield_now();
    }
    let count = batch.len() + 1;
    for entry in batch {
        bench.store.submit(entry).unwrap();
    }
    bench.answers.block(false);
    let answers = bench.answers.take(count);
    assert!(answers.iter().all(|answer| answer.outcome == Outcome::Committed), "{answers:?}");
}

/// Every row of a conversation, as the model tells them.
async fn rows(bench: &Bench, id: ConversationId) -> Vec<String> {
    let of = |columns: &str, table: &str| {
        format!("SELECT {columns} FROM {table} WHERE conversation_id = {id}")
    };
    let queries = [
        of(
            "'member ' || user_id || ' ' || role || ' ' || joined_at || ' ' || muted_until",
            "members",
        ),
        of("'ban ' || user_id || ' ' || until", "bans"),
        of("'wish ' || user_id || ' ' || text || ' ' || requested_at", "join_requests"),
        of("'pin ' || seq || ' ' || pinned_by_seq", "pins"),
        of("'mention ' || user_id || ' ' || seq", "mentions"),
        of("'edit ' || seq || ' ' || target_seq", "edits"),
        of("'reaction ' || seq || ' ' || user_id || ' ' || reaction", "reactions"),
        of("'count ' || seq || ' ' || reaction || ' ' || count", "reaction_counts"),
    ];
    let mut rows = Vec::new();
    for query in &queries {
        rows.extend(bench.texts(query).await);
    }
    let about = format!(
        "SELECT member_count || ' ' || muted_until || ' ' || deleted_at FROM conversations WHERE id = {id}"
    );
    let about = bench.texts(&about).await.remove(0);
    if about.ends_with(" 0") {
        let loaded = bench.store.load_conversation(id, 0).await.unwrap().unwrap();
        let settings = String::from_utf8(loaded.settings.to_vec()).unwrap();
        rows.push(format!("conversation {settings} {about}"));
        let log = bench.store.load_tail(id, 0, 10_000).await.unwrap().unwrap().entries;
        rows.extend(log.iter().map(|entry| {
            assert!(!entry.damaged, "{entry:?}");
            let marks = entry.marks.as_deref().cloned().unwrap_or_default();
            let text = String::from_utf8(entry.body.to_vec()).unwrap();
            format!("entry {} {} {} {text}", entry.seq, marks.edited_at, marks.recalled_at)
        }));
    }
    rows.sort();
    rows
}

async fn a_batch_of_changes_is_worth_each_of_them(backend: Backend) {
    const MESSAGES: Seq = 7;
    let bench = Bench::new(backend).await;
    let other = bench.direct().await;
    bench.users(6).await;
    for seed in 0..12 {
        let mut ids = Vec::new();
        for name in ["alone", "together"] {
            let group = support::group(1, &[2, 3, 4]);
            let group = ringwire_storage::model::NewGroup {
                client_msg_id: format!("{name}{seed}"),
                ..group
            };
            ids.push(bench.store.create_group(group, 1_000).await.unwrap().0);
        }
        // So many that Postgres copies them, once.
        let count = if seed == 3 { 1_010 } else { 30 };
        let mut model = Model::new(1, &[2, 3, 4]);
        for (&id, together) in ids.iter().zip([false, true]) {
            let first: Vec<_> = (2..=MESSAGES).map(|seq| message(id, seq)).collect();
            let batch = entries(id, MESSAGES, count, &mut Dice(seed));
            if !together {
                for entry in first.iter().chain(&batch) {
                    model.apply(entry);
                }
            }
            bench.append(first);
            if together {
                append_together(&bench, other, seed + 2, batch);
            } else {
                for entry in batch {
                    let seq = entry.seq;
                    assert_eq!(bench.append(vec![entry]), [(seq, Outcome::Committed)]);
                }
            }
        }
        let gone =
            model.rows().iter().any(|row| row.starts_with("conversation") && !row.ends_with(" 0"));
        let expected: Vec<_> = model
            .rows()
            .into_iter()
            .filter(|row| !gone || !row.starts_with("entry") && !row.starts_with("conversation"))
            .collect();
        for (id, how) in ids.into_iter().zip(["one by one", "in one batch"]) {
            let found = rows(&bench, id).await;
            let lacks: Vec<_> = expected.iter().filter(|row| !found.contains(row)).collect();
            let more: Vec<_> = found.iter().filter(|row| !expected.contains(row)).collect();
            assert_eq!((lacks, more), (vec![], vec![]), "{how}, seed {seed}");
        }
    }
    // Numbers that look random know no owner, and go on after the end.
    let meant = [FindingKind::OwnerCountWrong, FindingKind::DissolvedWithMembers];
    let mut found = crate::check::kinds_with(&bench).await;
    found.retain(|kind| !meant.contains(kind));
    assert_eq!(found, []);
}

async fn a_recall_takes_everything_of_a_message_along(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    let change = |seq, by, change| Append {
        msg_no: 2,
        sender_id: Some(user(by)),
        change,
        ..message(id, seq)
    };
    let mention = Change::Mention { users: vec![user(2)], all: false };
    bench.append(vec![message(id, 2), Append { change: mention, ..message(id, 3) }]);
    let file = NewAttachment {
        file_id: "f".into(),
        owner_id: user(1),
        name: "n".into(),
        mime_type: "m".into(),
        size_bytes: 1,
        sha256: [0; 32],
        width: 0,
        height: 0,
    };
    assert!(bench.store.insert_attachment(file, 5).await.unwrap());
    let bound = bench.store.bind_attachment(user(1), "f", id, 3).await.unwrap();
    assert_eq!(bound, Binding::Bound);
    bench.store.add_pushes(&[(id, 3)], 60_000).await.unwrap();
    let react = Change::React { target_seq: 3, reaction: "+".into(), removed: false };
    let edit = Change::Edit { target_seq: 3, body: body("better"), files: Vec::new() };
    bench.append(vec![change(4, 2, react), change(5, 1, edit)]);
    let edited = bench.store.load_entry(id, 3).await.unwrap().unwrap();
    let marks = edited.marks.unwrap();
    assert_eq!((edited.body, marks.edited_at), (body("better"), 1_005));
    assert_eq!((marks.reactions[0].count, marks.reactions[0].own), (1, false));

    bench.append(vec![change(6, 1, Change::Recall { target_seq: 3 })]);
    let page = bench.store.sync_page(user(2), id, 2, 10).await.unwrap().unwrap().entries;
    let marks = page[0].marks.as_ref().unwrap();
    assert_eq!((page[0].has_body(), marks.recalled_at, marks.reactions.len()), (false, 1_006, 0));
    assert!(!page[2].has_body(), "the edit is gone too: {:?}", page[2]);
    assert!(bench.store.attachment_for(user(2), "f").await.unwrap().is_none());
    for table in ["reactions", "reaction_counts", "mentions", "push_outbox"] {
        let left = bench.numbers(&format!("SELECT count(*) FROM {table} WHERE seq = 3")).await;
        assert_eq!(left, [0], "{table}");
    }
    // What comes later finds nothing to change.
    let react = Change::React { target_seq: 3, reaction: "+".into(), removed: false };
    let edit = Change::Edit { target_seq: 3, body: body("again"), files: Vec::new() };
    bench.append(vec![change(7, 2, react), change(8, 1, edit)]);
    let entry = bench.store.load_entry(id, 3).await.unwrap().unwrap();
    assert!(!entry.has_body() && entry.marks.unwrap().reactions.is_empty());
}

async fn a_dissolved_conversation_is_gone_but_for_its_log(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(3).await;
    let (id, _) = bench.store.create_group(support::group(1, &[2]), 1_000).await.unwrap();
    bench.store.claim_alias("lobby", id, 5).await.unwrap();
    let dissolve = Append { change: Change::Dissolve, msg_no: 1, ..message(id, 3) };
    bench.append(vec![message(id, 2), dissolve]);
    let loaded = bench.store.load_conversation(id, 5).await.unwrap().unwrap();
    assert!(loaded.state.dissolved && loaded.members.is_empty(), "nobody belongs to it");
    assert_eq!(loaded.recent.last().map(|row| row.seq), Some(3), "a retry finds the first try");
    let tail = bench.store.load_tail(id, 1, 5).await.unwrap().unwrap();
    assert_eq!((tail.entries.len(), tail.head.seq), (2, 3), "other owners hear of the end");
    assert!(bench.store.load_entry(id, 2).await.unwrap().is_none());
    assert!(bench.store.sync_page(user(1), id, 0, 5).await.unwrap().is_none());
    assert!(bench.store.heads(user(2), None, &[], 5).await.unwrap().0.is_empty());
    assert_eq!(bench.store.resolve_alias("lobby").await.unwrap(), None);
    assert_eq!(bench.numbers("SELECT count(*) FROM entries").await, [3]);
    assert_eq!(crate::check::kinds_with(&bench).await, []);
}

async fn mentions_go_behind_a_tail_with_their_messages(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append(vec![message(id, 2), message(id, 3)]);
    // Another node is always first: the fourth time the writer goes behind it.
    for generation in 2..=5 {
        let change = Change::Mention { users: vec![user(2)], all: false };
        let client_msg_id = format!("late{generation}").into();
        let late = Append { change, client_msg_id, generation, ..message(id, 2) };
        let outcomes = bench.append(vec![late]);
        let moved = matches!(outcomes[0].1, Outcome::Moved { seq: 4, .. });
        assert_eq!(moved, generation == 5, "{outcomes:?}");
    }
    assert_eq!(bench.numbers("SELECT seq FROM mentions WHERE user_id = 2").await, [4]);
    let heads = bench.store.heads(user(2), None, &[], 5).await.unwrap().0;
    assert_eq!((heads[0].mentions_unread, heads[0].unread()), (1, 3));
}

async fn an_edit_of_what_is_gone_changes_nothing(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append(vec![Append { body: body(""), ..message(id, 2) }, message(id, 3)]);
    let edit = |seq, target_seq| Append {
        msg_no: 2,
        change: Change::Edit { target_seq, body: body("new"), files: Vec::new() },
        ..message(id, seq)
    };
    bench.append(vec![edit(4, 2), edit(5, 99), edit(6, 3)]);
    let page = bench.store.load_tail(id, 1, 10).await.unwrap().unwrap().entries;
    assert_eq!((page[0].has_body(), page[0].marks.is_none()), (false, true));
    assert_eq!(page[1].body, body("new"));
    assert_eq!(bench.numbers("SELECT seq FROM edits").await, [6]);
}
