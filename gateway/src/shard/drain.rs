//! The orderly stop of a shard: nothing that was accepted is lost, and clients come back spread over time.
//!
//! ```text
//!   stop accepting ─► goaway ─► new commands: DRAINING ─► what is under way is answered ─► written behind ─► close 4200
//!                                                            wait for the other shards, whose owner this may be
//! ```

use std::os::fd::RawFd;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ringwire_protocol::{CloseReason, wire};

use super::connect::Entering;
use super::mail::Mail;
use super::mailbox::MailboxReceiver;
use super::state::{State, draining};
use super::{Shard, greet};
use crate::connection::links::Links;
use crate::fanout::push_frame;
use crate::limits;
use crate::net::{self, Signal};
use crate::observe::kinds::PushKind;

/// How often a draining shard looks whether it is done.
const LOOK: Duration = Duration::from_millis(5);

/// Goes on handling the mailbox while the shard drains.
pub(super) async fn keep_mailbox(
    shard: Rc<Shard>,
    mut mailbox: MailboxReceiver<Mail>,
    signal: Signal,
) {
    loop {
        if shard.mail_turn(&mut mailbox, limits::MAILBOX_PER_TURN).more {
            net::yield_to_others().await;
        } else if signal.raised().await.is_ok() {
            mailbox.acknowledge_wake();
        } else {
            return;
        }
    }
}

/// Drains the shard; completes when it may end.
pub(super) async fn drain(shard: &Rc<Shard>, listener: RawFd) {
    let deadline = Instant::now() + Duration::from_secs(limits::DRAIN_S);
    shard.state.borrow_mut().begin_drain(&mut shard.links.borrow_mut());
    // Ends the accept that waits; connections still in the kernel's queue are reset and come back elsewhere.
    net::shutdown(listener);

    // Without work under way for a while: a command may just be crossing from one shard to another.
    let mut quiet_looks = 0;
    while quiet_looks < 3 && Instant::now() < deadline {
        net::sleep(LOOK).await;
        let quiet = shard.state.borrow().is_quiet();
        quiet_looks = if quiet { quiet_looks + 1 } else { 0 };
    }
    wait_for_others(shard, deadline).await;
    shard.state.borrow_mut().write_behind(true);
    while !shard.state.borrow().is_written() && Instant::now() < deadline {
        net::sleep(LOOK).await;
        shard.state.borrow_mut().write_behind(false);
    }
    {
        let mut links = shard.links.borrow_mut();
        for link in links.keys() {
            let reason = CloseReason::Drain;
            links.close(link, reason.code(), reason.reason());
        }
    }
    greet::send_nameless_away(shard);
    let goodbye = Instant::now() + Duration::from_secs(limits::DRAIN_GOODBYE_S);
    let all_left = || shard.links.borrow().is_empty() && shard.departures.is_empty();
    while !all_left() && Instant::now() < goodbye {
        net::sleep(LOOK).await;
    }
    // What they hold holds the shard: none may be left behind.
    shard.departures.close(usize::MAX);
}

/// Other shards may still need this one as an owner.
async fn wait_for_others(shard: &Rc<Shard>, deadline: Instant) {
    let shared = shard.shared();
    shared.drained_shards.fetch_add(1, Ordering::AcqRel);
    while shared.drained_shards.load(Ordering::Acquire) < shared.shards()
        && Instant::now() < deadline
    {
        net::sleep(LOOK).await;
    }
}

impl State {
    fn begin_drain(&mut self, links: &mut Links) {
        self.draining = true;
        let keys = self.registry.live_keys();
        let spread_ms = (keys.len() as u64 / limits::RECONNECTS_PER_MS).min(limits::GOAWAY_MAX_MS);
        for (place, key) in keys.iter().enumerate() {
            let Some(session) = self.registry.get(*key) else { continue };
            let delay_ms = spread_ms * place as u64 / keys.len() as u64;
            let go_away = wire::GoAway { delay_ms: delay_ms as u32 };
            let event = wire::push::Event::GoAway(go_away);
            links.push(session.link, &push_frame(session.encoding, event));
            self.figures.pushed(PushKind::GoAway);
        }
        // Whoever is still in line for a snapshot connects elsewhere sooner than here.
        for entering in self.gate.clear() {
            match entering {
                Entering::Session(key, _) => self.session_opened(key, Err(draining()), links),
                Entering::Identity(waiter, _) => {
                    if let Some(waiter) = self.waiters.remove(&waiter) {
                        drop(waiter.send(Err(draining())));
                    }
                }
            }
        }
    }

    /// Has everything written that moved; the first time also that everybody was here.
    fn write_behind(&mut self, first: bool) {
        if first {
            self.presence.board.everybody_goes(self.now.unix_ms);
        }
        self.save_last_seen();
        self.cursors.start_round();
        self.flush_cursors();
    }

    fn is_written(&self) -> bool {
        self.cursors.is_clean() && self.presence.is_saved()
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.credits.under_way() == 0 && self.persist.under_way() == 0
    }
}
