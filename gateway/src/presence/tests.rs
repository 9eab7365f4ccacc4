//! Several shards on one thread, whose mail arrives when it likes or finds no room: whatever happens, in the end every
//! session sees what it may see.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use ringwire_protocol::{UserId, wire};
use wire::presence::Status as WireStatus;

use super::board::Board;
use super::post::{Letter, Post};
use super::watches::{Interest, Watches};
use super::{May, Own, Shown, Status};
use crate::limits;
use crate::placement::{ShardId, home_shard};
use crate::session::registry::SessionKey;

const SHARDS: usize = 3;
const USERS: u64 = 5;

fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

fn own(status: Status, text: &str) -> Own {
    Own { status, text: Arc::from(text) }
}

struct Shard {
    board: Board,
    watches: Watches,
    post: Post,
}

/// The shards, the mail under way, and what a model knows.
struct World {
    shards: Vec<Shard>,
    mail: Vec<(ShardId, Letter)>,
    start: Instant,
    now_ms: u64,
    /// Sessions with a connection by user, the one whose status was set last at the end.
    sessions: BTreeMap<UserId, Vec<(SessionKey, Own)>>,
    last_visible: BTreeMap<UserId, i64>,
    /// Who watches whom in which session, and what the store would say.
    watching: BTreeMap<(SessionKey, UserId), UserId>,
    may: BTreeMap<(UserId, UserId), May>,
    /// When everybody was last seen, as the store has it.
    saved: BTreeMap<UserId, i64>,
    told: BTreeMap<(SessionKey, UserId), wire::Presence>,
}

impl World {
    fn new() -> Self {
        let shard = |id| Shard {
            board: Board::default(),
            watches: Watches::default(),
            post: Post::new(id as ShardId, SHARDS),
        };
        Self {
            shards: (0..SHARDS).map(shard).collect(),
            mail: Vec::new(),
            start: Instant::now(),
            now_ms: 1_000_000,
            sessions: BTreeMap::new(),
            last_visible: BTreeMap::new(),
            watching: BTreeMap::new(),
            may: BTreeMap::new(),
            saved: BTreeMap::new(),
            told: BTreeMap::new(),
        }
    }

    fn at(&self) -> Instant {
        self.start + Duration::from_millis(self.now_ms)
    }

    fn home(&mut self, user: UserId) -> &mut Shard {
        &mut self.shards[usize::from(home_shard(user, SHARDS))]
    }

    fn may(&self, watcher: UserId, of: UserId) -> May {
        let may = self.may.get(&(watcher, of)).copied().unwrap_or_default();
        let saved = self.saved.get(&of).copied().unwrap_or(0);
        May { last_seen_at: if may.last_seen { saved } else { 0 }, ..may }
    }

    fn is_visible(&self, user: UserId) -> bool {
        let sessions = self.sessions.get(&user).into_iter().flatten();
        sessions.into_iter().any(|(_, own)| own.status > Status::Invisible)
    }

    fn change(&mut self, user: UserId, change: impl FnOnce(&mut Vec<(SessionKey, Own)>)) {
        let before = self.is_visible(user);
        change(self.sessions.entry(user).or_default());
        if before && !self.is_visible(user) {
            self.last_visible.insert(user, self.now_ms as i64);
        }
    }

    /// A session gets a connection, or another status.
    fn shows(&mut self, user: UserId, key: SessionKey, own: Own) {
        let now = self.now_ms as i64;
        let known = self.sessions.get(&user).into_iter().flatten().any(|(other, _)| *other == key);
        let home = self.home(user);
        if known {
            home.board.set(user, key, own.clone(), now);
        } else {
            home.board.came(user, key, own.clone(), now);
        }
        self.change(user, |sessions| {
            sessions.retain(|(other, _)| *other != key);
            sessions.push((key, own));
        });
    }

    fn went(&mut self, user: UserId, key: SessionKey) {
        let (now, at) = (self.now_ms as i64, self.at());
        self.home(user).board.went(user, key, now, at);
        self.change(user, |sessions| sessions.retain(|(other, _)| *other != key));
    }

    fn watch(&mut self, watcher: UserId, key: SessionKey, add: &[UserId], remove: &[UserId]) {
        let at = self.at();
        let mut interest = Interest::default();
        let watches = &mut self.home(watcher).watches;
        watches.watch(key, watcher, (add, remove), at, &mut interest).unwrap();
        for user in remove {
            self.watching.remove(&(key, *user));
            self.told.remove(&(key, *user));
        }
        for user in add {
            self.watching.insert((key, *user), watcher);
        }
        self.interested(watcher, interest);
        if !add.is_empty() {
            self.permitted(watcher, key, add);
        }
    }

    /// The store answers.
    fn permitted(&mut self, watcher: UserId, key: SessionKey, asked: &[UserId]) {
        let may = asked.iter().map(|user| (*user, self.may(watcher, *user))).collect();
        let mut interest = Interest::default();
        let watches = &mut self.home(watcher).watches;
        let asked = watches.question(key, watcher, asked.to_vec());
        watches.permitted(&asked, &may, &mut interest);
        self.interested(watcher, interest);
        self.tell(watcher, key, true);
    }

    fn interested(&mut self, watcher: UserId, interest: Interest) {
        let post = &mut self.home(watcher).post;
        for user in interest.unfollow {
            post.interest(home_shard(user, SHARDS), user, false);
        }
        for user in interest.follow {
            post.interest(home_shard(user, SHARDS), user, true);
        }
    }

    fn tell(&mut self, watcher: UserId, key: SessionKey, first: bool) {
        if let Some(push) = self.home(watcher).watches.take(key, first) {
            for told in push.users {
                let user = user(told.user_id);
                self.told.insert((key, user), told);
            }
        }
    }

    fn send(&mut self, full: bool) {
        for shard in &mut self.shards {
            for (to, letter) in shard.post.take() {
                if full {
                    shard.post.put_back(to, letter);
                } else {
                    self.mail.push((to, letter));
                }
            }
        }
    }

    /// The oldest letter arrives.
    fn arrive(&mut self) -> bool {
        if self.mail.is_empty() {
            return false;
        }
        let (to, letter) = self.mail.remove(0);
        let shard = &mut self.shards[usize::from(to)];
        for (user, follows) in letter.interest {
            if follows {
                let shown = shard.board.follow(user, letter.from);
                shard.post.news(letter.from, user, shown);
            } else {
                shard.board.unfollow(user, letter.from);
            }
        }
        let mut first = Vec::new();
        for (user, shown) in letter.news {
            first.extend(shard.watches.news(user, shown));
        }
        for key in first {
            if let Some(watcher) = self.owner(key) {
                self.tell(watcher, key, true);
            }
        }
        true
    }

    fn owner(&self, key: SessionKey) -> Option<UserId> {
        let owner = self.watching.iter().find(|((session, _), _)| *session == key);
        owner.map(|(_, watcher)| *watcher)
    }

    fn sweep(&mut self, blocked: bool) {
        let at = self.at();
        for place in 0..SHARDS {
            self.saved.extend(self.shards[place].board.take_seen());
            for news in self.shards[place].board.sweep(at) {
                for follower in news.followers {
                    self.shards[place].post.news(follower, news.user, news.shown.clone());
                }
            }
            while let Some(check) = self.shards[place].watches.next_check(at) {
                self.permitted(check.watcher, check.session, &check.users);
            }
            for key in self.shards[place].watches.owed() {
                if let Some(watcher) = self.owner(key).filter(|_| !blocked) {
                    self.tell(watcher, key, false);
                }
            }
        }
    }

    /// Nothing new happens, everything arrives, and a minute passes.
    fn settle(&mut self) {
        for _ in 0..70 {
            self.now_ms += 1000;
            self.sweep(false);
            self.send(false);
            while self.arrive() {
                self.send(false);
            }
        }
    }

    fn expected(&self, watcher: UserId, of: UserId) -> wire::Presence {
        let sessions = self.sessions.get(&of).map_or(&[][..], Vec::as_slice);
        let best = sessions.iter().map(|(_, own)| own).max_by_key(|own| own.status);
        let may = self.may(watcher, of);
        match best {
            Some(own) if own.status > Status::Invisible && may.status => wire::Presence {
                user_id: of.get(),
                status: match own.status {
                    Status::Online => WireStatus::Online.into(),
                    Status::Busy => WireStatus::Busy.into(),
                    Status::Away | Status::Invisible => WireStatus::Away.into(),
                },
                text: own.text.to_string(),
                last_seen_at: 0,
            },
            _ => {
                let seen = if self.is_visible(of) { None } else { self.last_visible.get(&of) };
                let last = may.last_seen_at.max(seen.copied().unwrap_or(0));
                let last_seen_at = if may.last_seen { last } else { 0 };
                wire::Presence { user_id: of.get(), last_seen_at, ..Default::default() }
            }
        }
    }

    fn check(&self) {
        for ((key, of), watcher) in &self.watching {
            let told = self.told.get(&(*key, *of)).expect("it was told something");
            assert_eq!(*told, self.expected(*watcher, *of), "{key:?} of {watcher} about {of}");
        }
    }
}

#[derive(Clone, Debug)]
enum Deed {
    Show(u64, u32, u8),
    Go(u64, u32),
    Watch(u64, u32, u64),
    Unwatch(u64, u32, u64),
    Permit(u64, u64, bool, bool),
    Send(bool),
    Arrive,
    Sweep(bool),
    Wait(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    let person = 1..=USERS;
    prop_oneof![
        4 => (person.clone(), 0..2_u32, 0..4_u8).prop_map(|(u, s, n)| Deed::Show(u, s, n)),
        2 => (person.clone(), 0..2_u32).prop_map(|(u, s)| Deed::Go(u, s)),
        3 => (person.clone(), 0..2_u32, person.clone()).prop_map(|(u, s, o)| Deed::Watch(u, s, o)),
        1 => (person.clone(), 0..2_u32, person.clone()).prop_map(|(u, s, o)| Deed::Unwatch(u, s, o)),
        2 => (person.clone(), person, any::<bool>(), any::<bool>())
            .prop_map(|(w, o, a, b)| Deed::Permit(w, o, a, b)),
        3 => any::<bool>().prop_map(Deed::Send),
        3 => Just(Deed::Arrive),
        2 => any::<bool>().prop_map(Deed::Sweep),
        2 => (0..7_000_u64).prop_map(Deed::Wait),
    ]
}

/// The session of a user with a number.
fn key(user: u64, number: u32) -> SessionKey {
    SessionKey::numbered(user as u32 * 10 + number)
}

impl World {
    fn perform(&mut self, deed: &Deed) {
        match *deed {
            Deed::Show(id, session, status) => {
                let status = [Status::Invisible, Status::Away, Status::Busy, Status::Online]
                    [usize::from(status)];
                let text = if session == 0 { String::new() } else { self.now_ms.to_string() };
                self.shows(user(id), key(id, session), own(status, &text));
            }
            Deed::Go(id, session) => self.went(user(id), key(id, session)),
            Deed::Watch(id, session, of) => {
                self.watch(user(id), key(id, session), &[user(of)], &[]);
            }
            Deed::Unwatch(id, session, of) => {
                self.watch(user(id), key(id, session), &[], &[user(of)]);
            }
            Deed::Permit(watcher, of, status, last_seen) => {
                let may = May { status, last_seen, last_seen_at: 0 };
                self.may.insert((user(watcher), user(of)), may);
            }
            Deed::Send(full) => self.send(full),
            Deed::Arrive => drop(self.arrive()),
            Deed::Sweep(blocked) => self.sweep(blocked),
            Deed::Wait(ms) => self.now_ms += ms,
        }
    }
}

proptest! {
    #[test]
    fn in_the_end_everyone_sees_what_they_may_see(
        deeds in proptest::collection::vec(deed(), 0..120),
    ) {
        let mut world = World::new();
        for deed in &deeds {
            world.perform(deed);
        }
        world.settle();
        world.check();
        // And when everybody has gone, nothing is left.
        for id in 1..=USERS {
            for session in 0..2 {
                world.went(user(id), key(id, session));
                let mut interest = Interest::default();
                world.home(user(id)).watches.forget(key(id, session), &mut interest);
                world.interested(user(id), interest);
            }
        }
        world.watching.clear();
        world.settle();
        for shard in &world.shards {
            prop_assert!(shard.board.is_empty() && shard.watches.is_empty());
        }
    }
}

/// A watcher of everything, whose told states are counted.
fn watched_world() -> (World, SessionKey) {
    let mut world = World::new();
    let all = May { status: true, last_seen: true, last_seen_at: 0 };
    world.may.insert((user(1), user(2)), all);
    world.watch(user(1), key(1, 0), &[user(2)], &[]);
    world.settle();
    (world, key(1, 0))
}

fn seen(world: &World, session: SessionKey) -> (WireStatus, i64) {
    let told = &world.told[&(session, user(2))];
    (told.status(), told.last_seen_at)
}

#[test]
fn who_reconnects_does_not_flicker() {
    let (mut world, session) = watched_world();
    world.shows(user(2), key(2, 0), own(Status::Online, ""));
    world.settle();
    let before = world.told.clone();
    world.went(user(2), key(2, 0));
    for _ in 0..9 {
        world.now_ms += 1000;
        world.sweep(false);
        world.send(false);
        while world.arrive() {}
        world.told.clear();
        world.sweep(false);
        assert!(world.told.is_empty(), "nothing is told while it may come back");
    }
    world.told = before;
    world.shows(user(2), key(2, 1), own(Status::Online, ""));
    world.settle();
    assert_eq!(seen(&world, session), (WireStatus::Online, 0));
    world.now_ms += 500;
    world.went(user(2), key(2, 1));
    let gone_at = world.now_ms as i64;
    world.settle();
    assert_eq!(
        seen(&world, session),
        (WireStatus::Offline, gone_at),
        "when it went, not when it was told"
    );
}

#[test]
fn the_most_present_status_wins_and_invisible_is_offline() {
    let (mut world, session) = watched_world();
    let statuses = [
        (Status::Invisible, WireStatus::Offline),
        (Status::Away, WireStatus::Away),
        (Status::Busy, WireStatus::Busy),
        (Status::Online, WireStatus::Online),
    ];
    for (place, (more, shown)) in statuses.into_iter().enumerate() {
        for (less, _) in statuses.into_iter().take(place + 1) {
            world.shows(user(2), key(2, 0), own(more, "more"));
            world.shows(user(2), key(2, 1), own(less, "less"));
            world.settle();
            assert_eq!(seen(&world, session).0, shown);
        }
    }
}

#[test]
fn a_block_conceals_at_once() {
    let (mut world, session) = watched_world();
    world.shows(user(2), key(2, 0), own(Status::Online, "secret"));
    world.settle();
    assert_eq!(world.told[&(session, user(2))].text, "secret");
    let mut interest = Interest::default();
    let watches = &mut world.home(user(1)).watches;
    let asked = watches.question(session, user(1), vec![user(2)]);
    watches.conceal(user(1), user(2), &mut interest);
    assert_eq!(interest.unfollow, [user(2)]);
    // What the store said before the block was made comes too late.
    let may = BTreeMap::from([(user(2), May { status: true, last_seen: true, last_seen_at: 0 })]);
    watches.permitted(&asked, &may, &mut interest);
    assert_eq!(interest.follow, []);
    world.tell(user(1), session, false);
    assert_eq!(seen(&world, session), (WireStatus::Offline, 0));
    assert_eq!(world.told[&(session, user(2))].text, "");
}

#[test]
fn what_others_may_see_holds_at_once_when_it_is_changed() {
    let (mut world, session) = watched_world();
    world.shows(user(2), key(2, 0), own(Status::Online, ""));
    world.settle();
    assert_eq!(seen(&world, session).0, WireStatus::Online);
    let at = world.at();
    let (mut interest, may) = (Interest::default(), |last_seen| {
        BTreeMap::from([(user(2), May { status: false, last_seen, last_seen_at: 0 })])
    });
    let watches = &mut world.home(user(1)).watches;
    let before = watches.question(session, user(1), vec![user(2)]);
    watches.hold(user(2), at);
    // What the store said before the change comes too late, and what happens meanwhile is not told.
    watches.permitted(&before, &may(true), &mut interest);
    watches.news(user(2), Shown::offline(77));
    assert_eq!(watches.take(session, false), None);
    let check = watches.next_check(at).expect("it is asked first");
    assert_eq!((check.session, &*check.users), (session, &[user(2)][..]));
    watches.permitted(&check, &may(false), &mut interest);
    world.tell(user(1), session, false);
    assert_eq!(seen(&world, session), (WireStatus::Offline, 0));
    let later = world.home(user(1)).watches.next_check(at + limits::PRESENCE_CHECK);
    assert!(later.is_some_and(|check| check.session == session), "and then once a minute");
    let watches = &mut world.home(user(1)).watches;
    assert_eq!(watches.next_check(at + limits::PRESENCE_CHECK), None, "as any other");
}

#[test]
fn there_are_bounds_and_a_refusal_changes_nothing() {
    let mut watches = Watches::default();
    let now = Instant::now();
    let mut interest = Interest::default();
    let many: Vec<UserId> = (1..=limits::MAX_WATCHED as u64).map(user).collect();
    watches.watch(key(1, 0), user(1), (&many, &[]), now, &mut interest).unwrap();
    let one_more = user(limits::MAX_WATCHED as u64 + 1);
    let refused = watches.watch(key(1, 0), user(1), (&[one_more], &[]), now, &mut interest);
    assert!(refused.is_err());
    let instead = watches.watch(key(1, 0), user(1), (&[one_more], &many[..1]), now, &mut interest);
    assert!(instead.is_ok(), "one for another");
    for number in 0..limits::MAX_WATCHERS {
        let session = SessionKey::numbered(100_000 + number);
        watches.watch(session, user(2), (&[user(5000)], &[]), now, &mut interest).unwrap();
    }
    let session = SessionKey::numbered(99_999);
    assert!(watches.watch(session, user(2), (&[user(5000)], &[]), now, &mut interest).is_err());
    assert!(watches.watch(session, user(2), (&[user(5001)], &[]), now, &mut interest).is_ok());
    assert_eq!(
        interest,
        Interest::default(),
        "nobody is followed before it is known what may be seen"
    );
}

#[test]
fn a_time_that_cannot_be_saved_is_kept() {
    let mut board = Board::default();
    let at = Instant::now();
    board.came(user(1), key(1, 0), own(Status::Online, ""), 10);
    board.came(user(2), key(2, 0), own(Status::Invisible, ""), 10);
    board.went(user(1), key(1, 0), 20, at);
    board.went(user(2), key(2, 0), 20, at);
    let batch = board.take_seen();
    assert_eq!(batch, [(user(1), 20)], "who was invisible was not seen");
    assert_eq!(board.take_seen(), []);
    board.not_saved(&batch);
    board.came(user(1), key(1, 0), own(Status::Online, ""), 30);
    board.everybody_goes(40);
    assert_eq!(board.take_seen(), [(user(1), 40)]);
}

#[test]
fn who_begins_to_follow_between_a_change_and_its_undoing_hears_of_both() {
    let (mut board, followed) = (Board::default(), user(4));
    let (at, online, busy) = (Instant::now(), own(Status::Online, ""), own(Status::Busy, ""));
    board.came(followed, key(4, 0), online.clone(), 1);
    board.follow(followed, 0);
    board.sweep(at);
    board.set(followed, key(4, 0), busy, 2);
    assert_eq!(board.follow(followed, 1).status, Status::Busy);
    board.set(followed, key(4, 0), online, 3);
    let news = board.sweep(at);
    assert_eq!(news.len(), 1, "the second follower believes in the change");
    assert_eq!(news[0].shown.status, Status::Online);
}

#[test]
fn who_resumes_is_asked_for_when_their_turn_was_and_at_once_where_an_answer_is_missing() {
    let (start, mut watches, mut interest) =
        (Instant::now(), Watches::default(), Interest::default());
    let (watcher, other) = (user(1), user(2));
    let sees = BTreeMap::from([(other, May { status: true, last_seen: true, last_seen_at: 0 })]);
    let after = |seconds| start + Duration::from_secs(seconds);
    let mut answer = |watches: &mut Watches, session| {
        let check = watches.question(session, watcher, vec![other]);
        watches.permitted(&check, &sees, &mut interest);
    };
    watches.watch(key(1, 0), watcher, (&[other], &[]), start, &mut Interest::default()).unwrap();
    answer(&mut watches, key(1, 0));
    // Again and again within the minute: the turn comes all the same.
    watches.rename(key(1, 0), key(1, 1), after(20));
    watches.rename(key(1, 1), key(1, 2), after(40));
    assert_eq!(watches.next_check(after(59)), None);
    let check = watches.next_check(after(60)).expect("its turn");
    assert_eq!((check.session, check.users), (key(1, 2), vec![other]));
    answer(&mut watches, key(1, 2));
    // What others may see changed, and the answer is under way when the session goes on.
    watches.hold(other, after(70));
    assert_eq!(watches.next_check(after(70)).map(|check| check.session), Some(key(1, 2)));
    watches.rename(key(1, 2), key(1, 3), after(71));
    assert_eq!(watches.next_check(after(71)).map(|check| check.session), Some(key(1, 3)));
}
