//! What arrives for the users of a lane is read by one task for all of them.
//!
//! ```text
//!   sockets ── announced by the users' places ──► read_loop ── recv ──► Slot::feed ──► User
//!                                                     └── the end ──► the task of that user, which connects again
//! ```
//!
//! Slow readers read by themselves: nothing at times, and then little. Invariant: of what a socket holds, a further
//! notice will come, or the user has been put on the list again.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use ringwire_net::{arrivals, sleep, yield_to_others};

use crate::crew::Crew;
use crate::driver::Ended;
use crate::net::Socket;

/// How often a slow reader reads.
const SLOW_TURN: Duration = Duration::from_millis(100);
/// Buffers that a busy user has read at a time before others have their turn.
const BUFFERS_PER_TURN: usize = 4;

/// Reads what comes for all users who are not slow, for ever.
pub(crate) async fn read_loop(crew: Rc<Crew>) {
    let mut users = Vec::new();
    loop {
        arrivals(&mut users).await;
        let mut rest = false;
        for index in users.drain(..) {
            let Some(socket) = crew.slots[index].borrow().open_socket() else { continue };
            match read_all(&crew, index, &socket) {
                Ok(()) if socket.may_hold_more() => {
                    socket.announce_again(index);
                    rest = true;
                }
                Ok(()) => {}
                Err(ended) => crew.slots[index].borrow_mut().end(ended),
            }
        }
        if rest {
            // Whoever has much must not keep the others from being heard, nor the clock from being looked at.
            yield_to_others().await;
        }
    }
}

/// Has an open connection read until it ends; why it did.
pub(crate) async fn until_end(crew: &Rc<Crew>, index: usize, socket: &Socket) -> Ended {
    if crew.is_slow(index) {
        let Err(ended) = read_slowly(crew, index, socket).await;
        return ended;
    }
    match socket.announce(index) {
        Ok(()) => poll_fn(|context| crew.slots[index].borrow_mut().poll_ended(context)).await,
        Err(_) => Ended::Lost,
    }
}

async fn read_slowly(
    crew: &Rc<Crew>,
    index: usize,
    socket: &Socket,
) -> Result<std::convert::Infallible, Ended> {
    loop {
        if let Some(ended) = crew.slots[index].borrow_mut().take_ended() {
            return Err(ended);
        }
        match crew.reading_limit(index) {
            None => {
                socket.readable().await.map_err(|_| Ended::Lost)?;
                read_all(crew, index, socket)?;
            }
            Some(bytes_per_s) => {
                sleep(SLOW_TURN).await;
                read_little(crew, index, socket, bytes_per_s)?;
            }
        }
    }
}

/// Reads what a slow reader reads in one turn, and leaves the rest to the socket.
fn read_little(
    crew: &Rc<Crew>,
    index: usize,
    socket: &Socket,
    bytes_per_s: u32,
) -> Result<(), Ended> {
    let share = (f64::from(bytes_per_s) * SLOW_TURN.as_secs_f64()).ceil() as usize;
    if share > 0 {
        read_once(crew, index, socket, share)?;
    }
    Ok(())
}

/// Reads until the socket has no more, at most a few buffers.
fn read_all(crew: &Rc<Crew>, index: usize, socket: &Socket) -> Result<(), Ended> {
    for _ in 0..BUFFERS_PER_TURN {
        if !read_once(crew, index, socket, usize::MAX)? {
            break;
        }
    }
    Ok(())
}

/// Reads so many bytes, or a buffer full; `true`: there may be more.
fn read_once(crew: &Rc<Crew>, index: usize, socket: &Socket, most: usize) -> Result<bool, Ended> {
    let mut buffer = crew.read_buffer();
    let room = most.min(buffer.len());
    let count = match socket.recv(&mut buffer[..room]) {
        Ok(0) => return Err(Ended::Lost),
        Ok(count) => count,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
        Err(_) => return Err(Ended::Lost),
    };
    let bytes = &mut buffer[..count];
    crew.with_slot(index, |slot, now_us, events| slot.feed(bytes, now_us, events))?;
    Ok(count == room || !socket.reads_all_at_once())
}
