//! What belongs to single users and conversations, as `exercise` does the rest.

use ringwire_protocol::ConversationId;
use ringwire_storage::aliases::AliasClaim;
use ringwire_storage::attachments::{Binding, NewAttachment};
use ringwire_storage::audit::{AuditActor, AuditEntry, AuditFilter, AuditOutcome};
use ringwire_storage::contacts::ContactPut;
use ringwire_storage::deliveries::PushDelivery;
use ringwire_storage::devices::{PushAddress, PushKind, SeenDevice};
use ringwire_storage::moderation::{AccountBan, OrderKind};
use ringwire_storage::notifications::NotificationSettings;
use ringwire_storage::operators::OperatorRole;
use ringwire_storage::passwords::PasswordReset;
use ringwire_storage::profiles::{AccountChange, AccountUpdate, OWN_FILES};
use ringwire_storage::refresh::{Login, NewRefreshToken, NextToken, Rotation};

use crate::support::{Bench, user};

/// Calls every method of these.
pub(crate) async fn everything(bench: &Bench, round: u64) {
    refresh(bench, round).await;
    passwords(bench, round).await;
    profiles(bench, round).await;
    contacts(bench, round).await;
    devices(bench).await;
    blocks(bench).await;
    aliases(bench).await;
    attachments(bench, round).await;
    pushes(bench).await;
    audit(bench).await;
    operators(bench, round).await;
    moderation(bench).await;
}

async fn refresh(bench: &Bench, round: u64) {
    let store = &bench.store;
    let number = 100 + 50 * round as u8;
    let login = Login { user_id: user(70), family_id: [number; 16], device_id: "d70".to_owned() };
    let token =
        NewRefreshToken { token_hash: [number; 32], login: login.clone(), expires_at: i64::MAX };
    store.create_refresh_token(token, 10, 10).await.unwrap();
    let next = NextToken { token_hash: [number + 1; 32], expires_at: i64::MAX };
    let other = NextToken { token_hash: [number + 2; 32], expires_at: i64::MAX };
    for (next, expected) in
        [(next, Rotation::Rotated(login.clone())), (other, Rotation::Reused(login))]
    {
        let rotation = store.rotate_refresh_token([number; 32], next, 20).await.unwrap();
        assert_eq!(rotation, expected);
    }
    store.revoke_refresh_family([number; 16], 20).await.unwrap();
    store.revoke_refresh_tokens(user(71), Some("d71"), 20).await.unwrap();
    assert!(store.revoke_refresh_tokens(user(72 + round), None, 20).await.unwrap() > 0);
    assert!(store.expire_tokens().await.unwrap());
}

async fn passwords(bench: &Bench, round: u64) {
    let store = &bench.store;
    let (one, token) = (user(110 + round), [100 + round as u8; 32]);
    assert!(store.password_hash(one).await.unwrap().is_some());
    assert!(store.create_password_reset(one, token, i64::MAX, 5).await.unwrap());
    assert_eq!(store.user_by_login("110@x").await.unwrap(), Some(user(110)));
    assert_eq!(store.password_reset(token, 6).await.unwrap(), Some(one));
    let used = store.use_password_reset(token, "phc", 6).await.unwrap();
    assert_eq!(used, PasswordReset::Done(one));
    let ended = store.set_password(user(115 + round), "phc", Some([1; 16]), 6).await.unwrap();
    assert!(!ended.unwrap().is_empty());
}

async fn profiles(bench: &Bench, round: u64) {
    let store = &bench.store;
    let change = AccountChange { username: Some(format!("v{round}")), ..AccountChange::default() };
    let updated = store.update_account(user(120), change).await.unwrap();
    assert!(matches!(updated, AccountUpdate::Updated(_)), "{updated:?}");
    let change = AccountChange { email: Some("50@x".into()), ..AccountChange::default() };
    assert_eq!(store.update_account(user(120), change).await.unwrap(), AccountUpdate::EmailTaken);
    let ids: Vec<_> = (1..=200).map(user).collect();
    assert!(store.profiles(user(1), &ids).await.unwrap().len() > 100);
    assert_eq!(store.search_users(user(1), "50@x", None, 5).await.unwrap().0.len(), 1);
    // Names first, then display names, which begin in the middle of a page.
    for text in ["u500", "u9"] {
        let mut after = None;
        for _ in 0..30 {
            let (page, next) = store.search_users(user(1), text, after, 50).await.unwrap();
            assert!(!page.is_empty());
            after = next;
            if after.is_none() {
                break;
            }
        }
    }
}

async fn contacts(bench: &Bench, round: u64) {
    let store = &bench.store;
    let (one, other) = (user(130), user(131 + round));
    for put in [ContactPut::Added, ContactPut::Updated] {
        assert_eq!(store.put_contact(one, other, "n", 1_000, 5).await.unwrap(), put);
    }
    assert!(!store.contacts_page(one, None, 50).await.unwrap().0.is_empty());
    assert!(store.remove_contact(one, other).await.unwrap());
}

async fn devices(bench: &Bench) {
    let store = &bench.store;
    let seen =
        SeenDevice { device_id: "new".into(), device_class: "phone".into(), name: String::new() };
    store.see_device(user(80), seen, Some([5; 16]), 2, 5).await.unwrap();
    assert_eq!(store.devices(user(80)).await.unwrap().len(), 2);
    let push = PushAddress { kind: PushKind::Fcm, token: "t".into() };
    assert!(store.set_device_push(user(80), "new", Some(push)).await.unwrap());
    assert!(store.label_device(user(80), "new", "mine").await.unwrap());
    assert!(store.remove_device(user(80), "new", Vec::new(), 5).await.unwrap().is_some());
}

async fn blocks(bench: &Bench) {
    let store = &bench.store;
    store.add_block(user(90), user(91), 5).await.unwrap();
    assert!(store.is_blocked_either_way(user(91), user(90)).await.unwrap());
    assert_eq!(store.direct_between(user(91), user(90)).await.unwrap(), None);
    let others: Vec<_> = (1..=200).map(user).collect();
    assert!(!store.blocked_either_way(user(90), &others).await.unwrap().is_empty());
    assert!(!store.blocks_page(user(90), None, 50).await.unwrap().0.is_empty());
    assert!(store.remove_block(user(90), user(91)).await.unwrap());
}

async fn aliases(bench: &Bench) {
    let store = &bench.store;
    let (one, two) = (ConversationId::new(300).unwrap(), ConversationId::new(301).unwrap());
    assert_eq!(store.claim_alias("Lobby", one, 5).await.unwrap(), AliasClaim::Claimed);
    assert_eq!(store.claim_alias("lobby", two, 5).await.unwrap(), AliasClaim::TakenBy(one));
    assert!(store.resolve_alias("a500").await.unwrap().is_some());
    assert!(!store.aliases(one, 50).await.unwrap().is_empty());
    assert!(store.release_alias("lobby", one).await.unwrap());
}

async fn attachments(bench: &Bench, round: u64) {
    let store = &bench.store;
    // Made by user 10000 - 9001 % 4000, who has the entries of that conversation.
    let (owner, id) = (user(8_999), ConversationId::new(9_001).unwrap());
    let file = NewAttachment {
        file_id: format!("new{round}"),
        owner_id: owner,
        name: "n".into(),
        mime_type: "m".into(),
        size_bytes: 1,
        sha256: [0; 32],
        width: 0,
        height: 0,
    };
    assert!(store.insert_attachment(file.clone(), 5).await.unwrap());
    for (seq, expected) in [(9, Binding::Bound), (10, Binding::Elsewhere)] {
        let bound = store.bind_attachment(owner, &file.file_id, id, seq).await.unwrap();
        assert_eq!(bound, expected);
    }
    assert!(store.attachment_for(user(1), &file.file_id).await.unwrap().is_none());
    assert!(store.attachment_for(owner, &file.file_id).await.unwrap().is_some());
    assert!(store.attachment_bytes(owner).await.unwrap() > 0);
    let asked = (0..200).map(|number| format!("f{number}")).collect();
    assert!(!store.known_attachments(asked).await.unwrap().is_empty());
    for (url, is_theirs) in [
        (format!("{OWN_FILES}mine{round}"), true),
        (String::new(), true),
        (format!("{OWN_FILES}x"), false),
    ] {
        let mine = NewAttachment { file_id: format!("mine{round}"), ..file.clone() };
        store.insert_attachment(mine, 5).await.unwrap();
        let change = AccountChange { avatar_url: Some(url), ..AccountChange::default() };
        let updated = store.update_account(owner, change).await.unwrap();
        assert_eq!(matches!(updated, AccountUpdate::Updated(_)), is_theirs);
    }
    let page = store.condemn_attachments(60_000, None, 50).await.unwrap();
    let last = &page[49];
    let after = Some((last.created_at, last.file.file_id.as_str()));
    assert_eq!(store.condemn_attachments(60_000, after, 50).await.unwrap().len(), 50);
    assert!(store.delete_attachment(&last.file.file_id).await.unwrap());
}

async fn pushes(bench: &Bench) {
    let store = &bench.store;
    let id = ConversationId::new(500).unwrap();
    store.add_pushes(&[(id, 25), (id, 26)], 60_000).await.unwrap();
    let taken = store.take_pushes(100, 60_000, 3).await.unwrap();
    assert_eq!(taken.pushes.len(), 100);
    assert!(store.retry_push(taken.pushes[0], 60_000).await.unwrap());
    store.finish_pushes(&taken.pushes[1..]).await.unwrap();
    store.expand_push(taken.pushes[0]).await.unwrap();
    let taken = store.take_deliveries(100, 60_000).await.unwrap();
    assert_eq!(taken.len(), 100);
    store.notice(&taken[0]).await.unwrap();
    assert!(store.retry_delivery(&taken[0], 60_000).await.unwrap());
    let newer = PushDelivery { seq: 1, ..taken[0].clone() };
    store.finish_delivery(&newer).await.unwrap();
    store.finish_delivery(&taken[1]).await.unwrap();
    let address = PushAddress { kind: PushKind::Fcm, token: "t".into() };
    store.forget_address(taken[2].user_id, &taken[2].device_id, &address).await.unwrap();
    store.silence_devices(taken[2].user_id).await.unwrap();
    let settings = NotificationSettings::default();
    let id = ConversationId::new(500).unwrap();
    store.set_notification_settings(user(500), id, settings).await.unwrap();
    store.notification_settings(user(500), id).await.unwrap();
    let events = store.take_events("h", 100, 60_000).await.unwrap();
    assert_eq!(events.len(), 100);
    assert!(store.retry_event("h", events[0], 60_000).await.unwrap());
    store.finish_event("h", events[1]).await.unwrap();
    let at = events.iter().find_map(|event| event.conversation_id.map(|id| (id, event.seq)));
    let (id, seq) = at.unwrap();
    store.event_entry(id, seq).await.unwrap();
    store.expire_events(60_000, 10).await.unwrap();
    store.outbox_depth().await.unwrap();
}

async fn audit(bench: &Bench) {
    let store = &bench.store;
    let entry = AuditEntry {
        actor: Some(user(50)),
        operator: None,
        action: "a".into(),
        target: "t".into(),
        detail: "{}".into(),
        outcome: AuditOutcome::Tried,
    };
    let row = store.append_audit(entry).await.unwrap();
    store.finish_audit(row, AuditOutcome::Done, None).await.unwrap();
    assert!(!store.expire_audit(36_500).await.unwrap());
    for actor in [AuditActor::Anyone, AuditActor::Server, AuditActor::User(user(50))] {
        let filter = AuditFilter { actor, ..AuditFilter::default() };
        let (rows, _) = store.audit_page(filter, None, 50).await.unwrap();
        let after = rows.last().map(|row| (row.at, row.id));
        let filter = AuditFilter { from: Some(10_000), until: Some(15_000), ..filter };
        store.audit_page(filter, after, 50).await.unwrap();
    }
}

async fn operators(bench: &Bench, round: u64) {
    let store = &bench.store;
    let name = format!("Root{round}");
    assert!(store.create_operator(&name, "hash", OperatorRole::Admin, 5).await.unwrap());
    assert!(store.has_operators().await.unwrap());
    assert!(!store.operators().await.unwrap().is_empty());
    let (operator, _) = store.operator_credentials(&name).await.unwrap().unwrap();
    let token = [round as u8; 32];
    store.begin_operator_login(operator.id, token, 5, i64::MAX).await.unwrap();
    assert!(store.operator_by_token(token, 6).await.unwrap().is_some());
    store.end_operator_login(token).await.unwrap();
    assert!(store.reset_operator(&name, "other").await.unwrap());
    assert!(store.disable_operator(&name, 7).await.unwrap());
}

async fn moderation(bench: &Bench) {
    let store = &bench.store;
    let ban = AccountBan {
        user_id: user(95),
        banned_at: 5,
        until: 0,
        reason: String::new(),
        operator: 1,
    };
    store.ban_account(ban).await.unwrap();
    assert!(store.account_ban(user(95), 6).await.unwrap().is_some());
    assert!(store.unban_account(user(95)).await.unwrap());
    store.give_order(OrderKind::Kick, &[user(95)], "").await.unwrap();
    assert!(!store.orders(60_000).await.unwrap().is_empty());
    store.find_users("u1", "u10", 50).await.unwrap();
    assert!(store.find_user(Some(user(95)), "").await.unwrap().is_some());
    store.find_user(None, "a@b").await.unwrap();
}
