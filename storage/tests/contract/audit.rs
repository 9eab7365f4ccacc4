//! The audit log.

use ringwire_protocol::UserId;
use ringwire_storage::audit::{AuditActor, AuditEntry, AuditFilter, AuditOutcome, AuditRow};

use crate::support::{Backend, Bench, user};

on_both!(
    rows_come_newest_first_and_in_pages,
    rows_are_chosen_by_actor_and_time,
    a_deletion_is_among_them,
    an_outcome_is_told_once,
    old_rows_go_and_no_others,
);

/// Nobody, user 1 and user 2 in turn.
fn actor(number: u64) -> Option<UserId> {
    UserId::new(number % 3)
}

/// Rows 0 to 9, in turn by the server, user 1 and user 2; two of each second.
async fn ten(bench: &Bench) {
    for number in 0..10 {
        let entry = AuditEntry {
            actor: actor(number),
            operator: (number % 3 == 0).then_some(7),
            action: "thing.do".into(),
            target: format!("thing:{number}"),
            detail: format!(r#"{{"number":{number}}}"#),
            outcome: AuditOutcome::Done,
        };
        bench.store.append_audit(entry).await.unwrap();
    }
    bench.execute("UPDATE audit SET at = 1000 * ((id - (SELECT min(id) FROM audit)) / 2)").await;
}

/// The numbers of all rows, in pages.
async fn numbers(bench: &Bench, filter: AuditFilter, limit: u32) -> Vec<u64> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let (rows, more) = bench.store.audit_page(filter, after, limit).await.unwrap();
        found.extend(rows.iter().map(|row| {
            let number: u64 = row.entry.target.strip_prefix("thing:").unwrap().parse().unwrap();
            assert_eq!(row.entry.actor, actor(number));
            assert_eq!(row.entry.operator, number.is_multiple_of(3).then_some(7));
            assert_eq!(row.entry.detail, format!(r#"{{"number":{number}}}"#));
            assert_eq!(row.at, 1_000 * (number as i64 / 2));
            number
        }));
        after = rows.last().map(|row: &AuditRow| (row.at, row.id));
        if !more {
            return found;
        }
        assert_eq!(rows.len(), limit as usize);
    }
}

async fn rows_come_newest_first_and_in_pages(backend: Backend) {
    let bench = Bench::new(backend).await;
    assert!(numbers(&bench, AuditFilter::default(), 3).await.is_empty());
    ten(&bench).await;
    for limit in [1, 3, 10, 100] {
        let all = numbers(&bench, AuditFilter::default(), limit).await;
        assert_eq!(all, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], "{limit}");
    }
}

async fn rows_are_chosen_by_actor_and_time(backend: Backend) {
    let bench = Bench::new(backend).await;
    ten(&bench).await;
    let by = |actor| AuditFilter { actor, ..AuditFilter::default() };
    for limit in [1, 100] {
        assert_eq!(numbers(&bench, by(AuditActor::Server), limit).await, [9, 6, 3, 0]);
        assert_eq!(numbers(&bench, by(AuditActor::User(user(1))), limit).await, [7, 4, 1]);
        assert!(numbers(&bench, by(AuditActor::User(user(3))), limit).await.is_empty());
        let time = AuditFilter { from: Some(1_000), until: Some(3_000), ..by(AuditActor::Anyone) };
        assert_eq!(numbers(&bench, time, limit).await, [5, 4, 3, 2]);
        let both = AuditFilter { actor: AuditActor::Server, ..time };
        assert_eq!(numbers(&bench, both, limit).await, [3]);
    }
}

async fn a_deletion_is_among_them(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(2).await;
    bench.store.delete_user(user(1), Some(user(2))).await.unwrap();
    bench.store.delete_user(user(2), None).await.unwrap();
    let (rows, _) = bench.store.audit_page(AuditFilter::default(), None, 10).await.unwrap();
    let entry = |actor, target: &str| AuditEntry {
        actor,
        operator: None,
        action: "user.delete".into(),
        target: target.into(),
        detail: "{}".into(),
        outcome: AuditOutcome::Done,
    };
    let found: Vec<_> = rows.into_iter().map(|row| row.entry).collect();
    assert_eq!(found, [entry(None, "user:2"), entry(Some(user(2)), "user:1")]);
}

async fn an_outcome_is_told_once(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    let entry = |outcome| AuditEntry {
        actor: None,
        operator: Some(7),
        action: "thing.do".into(),
        target: "thing:1".into(),
        detail: "{}".into(),
        outcome,
    };
    let refused = || AuditOutcome::Refused("NOT_FOUND".into());
    let mut ids = Vec::new();
    for outcome in [AuditOutcome::Tried, AuditOutcome::Tried, AuditOutcome::Tried, refused()] {
        ids.push(store.append_audit(entry(outcome)).await.unwrap());
    }
    store
        .finish_audit(ids[1], AuditOutcome::Done, Some(r#"{"user_id":"3"}"#.into()))
        .await
        .unwrap();
    store.finish_audit(ids[2], refused(), None).await.unwrap();
    for id in &ids[1..] {
        // Too late: it is told already.
        store.finish_audit(*id, AuditOutcome::Tried, Some("x".into())).await.unwrap();
        store.finish_audit(*id, AuditOutcome::Done, Some("x".into())).await.unwrap();
    }
    let (rows, _) = store.audit_page(AuditFilter::default(), None, 10).await.unwrap();
    let found: Vec<_> = rows.into_iter().map(|row| (row.id, row.entry)).collect();
    let done = AuditEntry { detail: r#"{"user_id":"3"}"#.into(), ..entry(AuditOutcome::Done) };
    let expected = [entry(refused()), entry(refused()), done, entry(AuditOutcome::Tried)];
    assert_eq!(found, ids.into_iter().rev().zip(expected).collect::<Vec<_>>());
}

async fn old_rows_go_and_no_others(backend: Backend) {
    let bench = Bench::new(backend).await;
    assert!(!bench.store.expire_audit(1).await.unwrap());
    let series = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)";
    bench
        .execute(&format!(
            "INSERT INTO audit (at, actor_id, action, target) {series} SELECT i, 0, 'a', 't' FROM n"
        ))
        .await;
    let kept = ["kept"; 3];
    for _ in kept {
        let entry = AuditEntry {
            actor: None,
            operator: None,
            action: "kept".into(),
            target: "t".into(),
            detail: "{}".into(),
            outcome: AuditOutcome::Done,
        };
        bench.store.append_audit(entry).await.unwrap();
    }
    assert!(bench.store.expire_audit(1).await.unwrap(), "a page, and more is left");
    assert_eq!(bench.numbers("SELECT count(*) FROM audit").await, [503]);
    assert!(!bench.store.expire_audit(1).await.unwrap());
    let (rows, more) = bench.store.audit_page(AuditFilter::default(), None, 10).await.unwrap();
    let found: Vec<_> = rows.iter().map(|row| row.entry.action.as_str()).collect();
    assert_eq!((found, more), (kept.to_vec(), false));
}
