//! Outboxes that are written with the entries: pushes to devices, events for webhooks.

use std::sync::Arc;

use ringwire_protocol::{ConversationId, Seq};
use ringwire_storage::append::{Append, Change, Outcome};
use ringwire_storage::deliveries::PushDelivery;
use ringwire_storage::devices::{PushAddress, PushKind, SeenDevice};
use ringwire_storage::hooks::{HookEvent, OutboxDepth};
use ringwire_storage::model::CursorRow;
use ringwire_storage::notifications::{NotificationSettings, NotifyLevel};
use ringwire_storage::outbox::{EventKind, EventSet, HookRule, Outbox};
use ringwire_storage::refresh::{Login, NewRefreshToken};

use crate::support::{Backend, Bench, body, group, message, user};

on_both!(
    a_message_is_in_the_outbox_exactly_if_it_is_in_the_log,
    messages_behind_a_tail_and_in_large_batches_are_in_the_outbox_too,
    nothing_is_written_where_nobody_is_to_be_told,
    only_who_is_away_and_wants_to_know_is_told,
    a_newer_message_takes_the_place_of_an_older_one,
    a_delivery_is_its_takers_alone_and_goes_with_its_device,
    a_device_whose_logins_have_ended_is_pushed_nowhere,
    what_a_notice_says_is_true_when_it_is_sent,
    a_hook_hears_the_events_of_a_conversation_in_order,
    conversations_and_users_are_events_of_their_own_transactions,
    old_events_of_any_hook_expire,
);

const MINUTE: i64 = 60_000;

fn hook(name: &str, events: EventSet) -> HookRule {
    HookRule { name: name.into(), events }
}

async fn bench(backend: Backend, hooks: Vec<HookRule>) -> Bench {
    let outbox = Outbox { push_delay_ms: Some(0), hooks };
    Bench::with(backend, |config| config.outbox = Arc::new(outbox)).await
}

async fn outbox(bench: &Bench) -> Vec<i64> {
    bench.numbers("SELECT seq FROM push_outbox ORDER BY seq").await
}

/// Gives a user a device that is pushed.
async fn device(bench: &Bench, number: u64, device_id: &str) {
    let seen = SeenDevice {
        device_id: device_id.to_owned(),
        device_class: String::new(),
        name: String::new(),
    };
    bench.store.see_device(user(number), seen, None, 10, 1).await.unwrap();
    let address = PushAddress { kind: PushKind::Fcm, token: format!("{device_id}-token") };
    assert!(bench.store.set_device_push(user(number), device_id, Some(address)).await.unwrap());
}

/// Expands all that is due; for whom there are deliveries.
async fn expand(bench: &Bench) -> Vec<i64> {
    for push in bench.store.take_pushes(1_000, MINUTE, 3).await.unwrap().pushes {
        bench.store.expand_push(push).await.unwrap();
    }
    assert_eq!(outbox(bench).await, [0_i64; 0]);
    bench.numbers("SELECT user_id FROM push_deliveries ORDER BY user_id, device_id").await
}

async fn take(bench: &Bench) -> Vec<PushDelivery> {
    bench.store.take_deliveries(100, MINUTE).await.unwrap()
}

async fn take_one(bench: &Bench) -> PushDelivery {
    let mut taken = take(bench).await;
    assert_eq!(taken.len(), 1, "{taken:?}");
    taken.remove(0)
}

async fn a_message_is_in_the_outbox_exactly_if_it_is_in_the_log(backend: Backend) {
    let bench = bench(backend, vec![hook("h", EventSet::all())]).await;
    let id = bench.direct().await;
    bench.append(vec![message(id, 2), message(id, 3)]);
    assert_eq!(outbox(&bench).await, [2, 3]);
    // A position that is taken, a repeated id, and an entry that the database refuses.
    let taken = Append { client_msg_id: "new".into(), generation: 2, ..message(id, 3) };
    assert_eq!(bench.append(vec![taken]), [(3, Outcome::Conflict)]);
    let again = Append { client_msg_id: "m2".into(), generation: 3, ..message(id, 4) };
    assert!(matches!(bench.append(vec![again])[0].1, Outcome::Duplicate { .. }));
    let nobody = Change::Join(vec![user(9_999)]);
    let refused = Append { change: nobody, generation: 4, ..message(id, 4) };
    assert!(matches!(bench.append(vec![refused])[0].1, Outcome::Rejected { .. }));
    assert_eq!(outbox(&bench).await, [2, 3]);
    let events = "SELECT seq FROM hook_outbox WHERE conversation_id > 0 ORDER BY seq";
    assert_eq!(bench.numbers(events).await, [1, 2, 3]);
    // What was committed is there for whoever starts next.
    let bench = bench.reopened().await;
    assert_eq!(bench.store.take_pushes(10, MINUTE, 3).await.unwrap().pushes.len(), 2);
    // What is taken back before anybody was told is not told.
    let recall = Change::Recall { target_seq: 3 };
    let recall = Append { change: recall, msg_no: 2, ..message(id, 4) };
    assert_eq!(bench.append(vec![recall]), [(4, Outcome::Committed)]);
    assert_eq!(outbox(&bench).await, [2]);
}

async fn messages_behind_a_tail_and_in_large_batches_are_in_the_outbox_too(backend: Backend) {
    let bench = bench(backend, Vec::new()).await;
    let id = bench.direct().await;
    bench.answers.block(true);
    bench.store.submit(message(id, 2)).unwrap();
    for seq in 3..=2_500 {
        bench.store.submit(message(id, seq)).unwrap();
    }
    bench.answers.block(false);
    assert!(bench.answers.take(2_499).iter().all(|answer| answer.outcome == Outcome::Committed));
    assert_eq!(outbox(&bench).await, (2..=2_500).collect::<Vec<i64>>());
    // A writer that is behind three times in a row puts its message behind the others.
    let mut seqs = Vec::new();
    for generation in 2..=5 {
        let stale = Append {
            client_msg_id: format!("late{generation}").into(),
            generation,
            ..message(id, 2_499)
        };
        seqs.extend(bench.append(vec![stale]).into_iter().map(|(_, outcome)| outcome));
    }
    let moved: Vec<i64> = seqs
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Moved { seq, .. } => Some(*seq as i64),
            _ => None,
        })
        .collect();
    assert!(!moved.is_empty(), "{seqs:?}");
    let found = outbox(&bench).await;
    assert!(moved.iter().all(|seq| found.contains(seq)), "{moved:?}");
    assert_eq!(found.len(), 2_499 + moved.len());
}

async fn nothing_is_written_where_nobody_is_to_be_told(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append(vec![message(id, 2), message(id, 3)]);
    assert_eq!(bench.store.outbox_depth().await.unwrap(), OutboxDepth::default());
}

async fn only_who_is_away_and_wants_to_know_is_told(backend: Backend) {
    let bench = bench(backend, Vec::new()).await;
    let store = &bench.store;
    bench.users(9).await;
    let (id, _) = store.create_group(group(1, &[2, 3, 4, 5, 6, 7, 8]), 1).await.unwrap();
    for number in 1..=9 {
        device(&bench, number, &format!("d{number}")).await;
    }
    let set = async |number, level, muted_until| {
        let settings = NotificationSettings { level, muted_until };
        assert!(store.set_notification_settings(user(number), id, settings).await.unwrap());
        let read = store.notification_settings(user(number), id).await.unwrap();
        assert_eq!(read, Some(settings));
    };
    // 2 has got it, 3 hears of nothing, 4 of mentions, 5 is muted, 6 was muted, 7 blocks the sender; 9 is no member.
    let got = CursorRow { conversation_id: id, user_id: user(2), read_seq: 0, delivered_seq: 2 };
    set(3, NotifyLevel::Nothing, 0).await;
    set(4, NotifyLevel::Mentions, 0).await;
    set(5, NotifyLevel::All, i64::MAX).await;
    set(6, NotifyLevel::All, 5).await;
    store.add_block(user(7), user(1), 1).await.unwrap();
    let settings = NotificationSettings::default();
    assert!(!store.set_notification_settings(user(9), id, settings).await.unwrap());
    assert_eq!(store.notification_settings(user(9), id).await.unwrap(), None);

    bench.append(vec![message(id, 2)]);
    store.save_cursors(&[got]).await.unwrap();
    assert_eq!(expand(&bench).await, [6, 8]);
    bench.execute("DELETE FROM push_deliveries").await;
    let all = Change::Mention { users: Vec::new(), all: true };
    bench.append(vec![Append { change: all, ..message(id, 3) }]);
    assert_eq!(expand(&bench).await, [2, 4, 6, 8]);
    bench.execute("DELETE FROM push_deliveries").await;
    let four = Change::Mention { users: vec![user(4)], all: false };
    bench.append(vec![Append { change: four, ..message(id, 4) }]);
    store.hide(user(8), id, &[4]).await.unwrap();
    assert_eq!(expand(&bench).await, [2, 4, 6]);
}

async fn a_newer_message_takes_the_place_of_an_older_one(backend: Backend) {
    let bench = bench(backend, Vec::new()).await;
    let id = bench.direct().await;
    device(&bench, 2, "phone").await;
    bench.append(vec![message(id, 2), message(id, 3)]);
    assert_eq!(expand(&bench).await, [2]);
    let first = take_one(&bench).await;
    assert_eq!((first.seq, first.tries), (3, 1));
    // One comes while the older one is sent: it is due as soon as that is done.
    bench.append(vec![message(id, 4)]);
    expand(&bench).await;
    assert_eq!(take(&bench).await, []);
    bench.store.finish_delivery(&first).await.unwrap();
    let second = take_one(&bench).await;
    assert_eq!((second.seq, second.tries), (4, 1));
    // After a failed one it waits as long as that would have.
    bench.append(vec![message(id, 5)]);
    expand(&bench).await;
    assert!(bench.store.retry_delivery(&second, MINUTE).await.unwrap());
    assert_eq!(take(&bench).await, []);
    bench.execute("UPDATE push_deliveries SET next_try_at = next_try_at - 60000").await;
    let third = take_one(&bench).await;
    assert_eq!((third.seq, third.tries), (5, 1));
    bench.store.finish_delivery(&third).await.unwrap();
    assert_eq!(bench.store.outbox_depth().await.unwrap(), OutboxDepth::default());
}

async fn a_delivery_is_its_takers_alone_and_goes_with_its_device(backend: Backend) {
    let bench = bench(backend, Vec::new()).await;
    let store = &bench.store;
    let id = bench.direct().await;
    device(&bench, 2, "phone").await;
    device(&bench, 2, "tablet").await;
    bench.append(vec![message(id, 2)]);
    assert_eq!(expand(&bench).await, [2, 2]);
    let taken = take(&bench).await;
    assert_eq!(taken.len(), 2);
    assert_eq!(take(&bench).await, []);
    bench.execute("UPDATE push_deliveries SET next_try_at = 0").await;
    let again = take(&bench).await;
    assert!(again.iter().all(|delivery| delivery.tries == 2));
    assert!(!store.retry_delivery(&taken[0], 0).await.unwrap(), "somebody else has it");
    assert!(store.retry_delivery(&again[0], 0).await.unwrap());
    // A dead address is forgotten, a new one is not.
    let phone = again.iter().find(|delivery| delivery.device_id == "phone").unwrap();
    let address = phone.address.clone().unwrap();
    assert!(store.forget_address(user(2), "phone", &address).await.unwrap());
    assert!(!store.forget_address(user(2), "phone", &address).await.unwrap());
    bench.execute("UPDATE push_deliveries SET next_try_at = 0").await;
    let nowhere = take(&bench).await;
    let nowhere = nowhere.iter().find(|delivery| delivery.device_id == "phone").unwrap();
    assert_eq!(nowhere.address, None);
    assert!(store.remove_device(user(2), "phone", Vec::new(), 2).await.unwrap().is_some());
    assert_eq!(bench.numbers("SELECT CAST(tries AS bigint) FROM push_deliveries").await, [3]);
    assert!(store.remove_device(user(2), "tablet", Vec::new(), 2).await.unwrap().is_some());
    assert_eq!(store.outbox_depth().await.unwrap(), OutboxDepth::default());
}

async fn a_device_whose_logins_have_ended_is_pushed_nowhere(backend: Backend) {
    let bench = bench(backend, Vec::new()).await;
    let store = &bench.store;
    bench.users(2).await;
    for device_id in ["out", "in", "external"] {
        device(&bench, 2, device_id).await;
    }
    let login = async |device_id: &str, number: u8| {
        let login =
            Login { user_id: user(2), family_id: [number; 16], device_id: device_id.to_owned() };
        let token = NewRefreshToken { token_hash: [number; 32], login, expires_at: 1_000_000 };
        store.create_refresh_token(token, 10, 1).await.unwrap();
    };
    login("out", 1).await;
    login("in", 2).await;
    login("in", 3).await;
    assert_eq!(store.silence_devices(user(2)).await.unwrap(), 0);
    for number in [1, 2] {
        store.revoke_refresh_family([number; 16], 5).await.unwrap();
    }
    assert_eq!(store.silence_devices(user(2)).await.unwrap(), 1);
    let devices = store.devices(user(2)).await.unwrap();
    let pushed = devices.iter().filter(|device| device.push.is_some());
    let mut pushed: Vec<&str> = pushed.map(|device| &*device.seen.device_id).collect();
    pushed.sort_unstable();
    assert_eq!(pushed, ["external", "in"]);
}

async fn what_a_notice_says_is_true_when_it_is_sent(backend: Backend) {
    let bench = bench(backend, Vec::new()).await;
    let store = &bench.store;
    let id = bench.direct().await;
    device(&bench, 2, "phone").await;
    bench.append(vec![message(id, 2), message(id, 3)]);
    expand(&bench).await;
    let delivery = take_one(&bench).await;
    let notice = store.notice(&delivery).await.unwrap().unwrap();
    assert_eq!((notice.entry.seq, notice.unread), (3, 2));
    assert_eq!(notice.entry.body, body("text 3"));
    assert_eq!(notice.sender.unwrap().user_id, user(1));
    // Read elsewhere meanwhile.
    let read = CursorRow { conversation_id: id, user_id: user(2), read_seq: 3, delivered_seq: 0 };
    store.save_cursors(&[read]).await.unwrap();
    assert_eq!(store.notice(&delivery).await.unwrap(), None);
    // Taken back meanwhile.
    bench.append(vec![message(id, 4)]);
    expand(&bench).await;
    let newer = PushDelivery { seq: 4, ..delivery };
    assert!(store.notice(&newer).await.unwrap().is_some());
    let recall = Change::Recall { target_seq: 4 };
    bench.append(vec![Append { change: recall, msg_no: 3, ..message(id, 5) }]);
    assert_eq!(store.notice(&newer).await.unwrap(), None);
}

/// What a hook gets now, as (conversation, seq).
async fn events(bench: &Bench, hook: &str) -> Vec<HookEvent> {
    let mut taken = bench.store.take_events(hook, 10, MINUTE).await.unwrap();
    taken.sort_by_key(|event| (event.conversation_id, event.seq));
    taken
}

fn places(events: &[HookEvent]) -> Vec<(Option<ConversationId>, Seq)> {
    events.iter().map(|event| (event.conversation_id, event.seq)).collect()
}

async fn a_hook_hears_the_events_of_a_conversation_in_order(backend: Backend) {
    let messages = EventSet::default().with(EventKind::MessageCreated);
    let bench = bench(backend, vec![hook("a", messages), hook("b", messages)]).await;
    let store = &bench.store;
    let id = bench.direct().await;
    let (other, _) = store.create_group(group(1, &[2]), 1).await.unwrap();
    bench.append(vec![message(id, 2), message(id, 3)]);
    bench.append(vec![message(other, 2)]);
    let first = events(&bench, "a").await;
    assert_eq!(places(&first), [(Some(id), 2), (Some(other), 2)]);
    assert_eq!((first[0].kind, first[0].tries), (EventKind::MessageCreated, 1));
    assert_eq!(events(&bench, "a").await, []);
    // Whatever one hook does, the other hears.
    assert_eq!(places(&events(&bench, "b").await).len(), 2);
    // Nothing overtakes what is tried again.
    assert!(store.retry_event("a", first[0], MINUTE).await.unwrap());
    assert_eq!(events(&bench, "a").await, []);
    bench.execute("UPDATE hook_outbox SET next_try_at = 0 WHERE hook = 'a'").await;
    let again = events(&bench, "a").await;
    assert_eq!(again[0].tries, 2);
    assert!(!store.retry_event("a", first[0], 0).await.unwrap(), "somebody else has it");
    store.finish_event("a", again[0]).await.unwrap();
    assert_eq!(places(&events(&bench, "a").await), [(Some(id), 3)]);
    let entry = store.event_entry(id, 3).await.unwrap().unwrap();
    assert_eq!(entry.body, body("text 3"));
    assert_eq!(store.event_entry(id, 30).await.unwrap(), None);
}

async fn conversations_and_users_are_events_of_their_own_transactions(backend: Backend) {
    let bench = bench(backend, vec![hook("h", EventSet::all())]).await;
    let id = bench.direct().await;
    let kinds = |events: &[HookEvent]| events.iter().map(|event| event.kind).collect::<Vec<_>>();
    let heard = events(&bench, "h").await;
    assert_eq!(places(&heard), [(None, 1), (None, 2), (Some(id), 1)]);
    let (user, made) = (EventKind::UserRegistered, EventKind::ConversationCreated);
    assert_eq!(kinds(&heard), [user, user, made]);
    let dissolve = Append { change: Change::Dissolve, msg_no: 0, ..message(id, 2) };
    assert_eq!(bench.append(vec![dissolve]), [(2, Outcome::Committed)]);
    for event in heard {
        bench.store.finish_event("h", event).await.unwrap();
    }
    assert_eq!(kinds(&events(&bench, "h").await), [EventKind::ConversationDissolved]);
    assert!(bench.store.event_entry(id, 2).await.unwrap().is_some());
}

async fn old_events_of_any_hook_expire(backend: Backend) {
    let bench = bench(backend, vec![hook("h", EventSet::all())]).await;
    let id = bench.direct().await;
    bench.append(vec![message(id, 2)]);
    let store = &bench.store;
    assert_eq!(store.expire_events(MINUTE, 100).await.unwrap(), 0);
    bench.execute("UPDATE hook_outbox SET created_at = 1, hook = 'gone' WHERE seq = 2").await;
    bench.execute("UPDATE hook_outbox SET created_at = 1 WHERE hook = 'h' AND seq = 1 AND conversation_id > 0").await;
    assert_eq!(store.expire_events(MINUTE, 1).await.unwrap(), 1);
    assert!(store.expire_events(MINUTE, 100).await.unwrap() >= 1);
    assert_eq!(store.expire_events(MINUTE, 100).await.unwrap(), 0);
}
