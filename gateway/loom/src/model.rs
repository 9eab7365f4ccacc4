//! A mailbox around the real [`WakeFlag`]: a queue that promises as little as possible, a level-triggered
//! signal, two producers, and a consumer that takes a turn whenever it is signalled.
//!
//! What must hold once everyone is done: an item that still waits has a signal that still stands, so a sleeping
//! consumer would wake. The sabotaged variants have one step wrong each, and loom must find the interleaving in
//! which an item waits in silence.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use crate::wake::WakeFlag;

/// The items each producer sends. One sends twice: a swallowed signal harms only whoever comes after it.
const PRODUCERS: [&[usize]; 2] = [&[0], &[1, 2]];
const ITEMS: usize = 3;
/// Turns the consumer may take while the producers run, and again when they are done.
const TURNS: usize = 2;

/// The protocol as it is, or with one step wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Variant {
    AsWritten,
    /// The producer raises the flag before it pushes.
    RaisesBeforePush,
    /// The consumer clears the flag after it drained.
    LowersAfterDrain,
    /// The consumer clears the flag before it consumes the signal.
    ConsumesAfterLowering,
    /// The consumer clears the flag with a plain store, and there are no fences to make up for it.
    StoresInsteadOfSwap,
    /// The swaps order nothing.
    RelaxedSwaps,
}

struct Mailbox {
    /// The queue, one slot for each item. It orders nothing but the item itself, which is less than
    /// `ArrayQueue` does, so the wake protocol cannot lean on it.
    slots: [AtomicBool; ITEMS],
    wake: WakeFlag,
    /// Takes the place of `wake` in the variants with weaker operations.
    weak: AtomicBool,
    /// The eventfd; the kernel guards its counter with a lock, which orders at least as much as this.
    signal: AtomicBool,
}

impl Mailbox {
    fn new() -> Self {
        Self {
            slots: std::array::from_fn(|_| AtomicBool::new(false)),
            wake: WakeFlag::new(),
            weak: AtomicBool::new(false),
            signal: AtomicBool::new(false),
        }
    }

    fn raise(&self, variant: Variant) {
        let first = match variant {
            Variant::StoresInsteadOfSwap => !self.weak.swap(true, Ordering::AcqRel),
            Variant::RelaxedSwaps => !self.weak.swap(true, Ordering::Relaxed),
            _ => self.wake.raise(),
        };
        if first {
            self.signal.swap(true, Ordering::AcqRel);
        }
    }

    fn lower(&self, variant: Variant) {
        match variant {
            Variant::StoresInsteadOfSwap => self.weak.store(false, Ordering::Release),
            Variant::RelaxedSwaps => {
                self.weak.swap(false, Ordering::Relaxed);
            }
            _ => self.wake.lower(),
        }
    }

    fn send(&self, item: usize, variant: Variant) {
        let push = || self.slots[item].store(true, Ordering::Release);
        if variant == Variant::RaisesBeforePush {
            self.raise(variant);
            push();
        } else {
            push();
            self.raise(variant);
        }
    }

    fn consume_signal(&self) -> bool {
        self.signal.swap(false, Ordering::AcqRel)
    }

    /// Takes what this thread can see. Plain loads: a read-modify-write would always see the newest value and
    /// hide missing order.
    fn drain(&self) {
        for slot in &self.slots {
            if slot.load(Ordering::Acquire) {
                slot.store(false, Ordering::Relaxed);
            }
        }
    }

    /// One turn of the consumer, if it is signalled.
    fn turn(&self, variant: Variant) {
        match variant {
            Variant::ConsumesAfterLowering => {
                if self.signal.load(Ordering::Acquire) {
                    self.lower(variant);
                    self.consume_signal();
                    self.drain();
                }
            }
            Variant::LowersAfterDrain => {
                if self.consume_signal() {
                    self.drain();
                    self.lower(variant);
                }
            }
            _ => {
                if self.consume_signal() {
                    self.lower(variant);
                    self.drain();
                }
            }
        }
    }
}

fn check(variant: Variant) {
    loom::model(move || {
        let mailbox = Arc::new(Mailbox::new());
        let producers: Vec<_> = PRODUCERS
            .into_iter()
            .map(|items| {
                let mailbox = Arc::clone(&mailbox);
                thread::spawn(move || items.iter().for_each(|&item| mailbox.send(item, variant)))
            })
            .collect();
        for _ in 0..TURNS {
            mailbox.turn(variant);
        }
        for producer in producers {
            producer.join().expect("producers do not panic");
        }
        // A signal that still stands is followed; after that, silence must mean that nothing waits.
        for _ in 0..TURNS {
            mailbox.turn(variant);
        }
        let waiting = mailbox.slots.iter().any(|slot| slot.load(Ordering::Acquire));
        assert!(!waiting, "an item waits and nobody will signal");
    });
}

#[test]
fn v1_no_interleaving_loses_a_wake() {
    check(Variant::AsWritten);
}

fn must_be_caught(variant: Variant) {
    let caught = catch_unwind(AssertUnwindSafe(|| check(variant)));
    let message = caught.expect_err("the sabotaged protocol passed");
    let message = message.downcast_ref::<&str>().copied().unwrap_or_default();
    assert!(message.contains("nobody will signal"), "failed for another reason: {message}");
}

#[test]
fn v1_raising_before_the_push_is_caught() {
    must_be_caught(Variant::RaisesBeforePush);
}

#[test]
fn v1_lowering_after_the_drain_is_caught() {
    must_be_caught(Variant::LowersAfterDrain);
}

#[test]
fn v1_swallowing_a_signal_is_caught() {
    must_be_caught(Variant::ConsumesAfterLowering);
}

#[test]
fn v1_a_store_in_place_of_the_swap_is_caught() {
    must_be_caught(Variant::StoresInsteadOfSwap);
}

#[test]
fn v1_relaxed_swaps_are_caught() {
    must_be_caught(Variant::RelaxedSwaps);
}
