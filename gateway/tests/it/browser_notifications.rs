//! The page while nobody looks at it: it notifies, and so does its service worker where it is not open at all.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::chat_page::{open_direct, open_listed, register, wait_for_unread, write};
use crate::chromium::{Chromium, Held, Page};
use crate::support::server::ServerProcess;

#[test]
fn a_message_in_a_conversation_out_of_sight_notifies_once_that_is_wanted() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let anna = register(&browser, &server, "anna");
    let ben = register(&browser, &server, "ben");
    open_direct(&ben, "anna");
    anna.allow_notifications();
    // Takes the place of the system's notifications, and keeps what they were given.
    anna.evaluate(
        "window.told = [];
         window.Notification = class {
            constructor(title, { body }) { told.push([title, body]); }
            close() {}
            static permission = 'granted';
            static requestPermission = async () => 'granted';
         }",
    );
    write(&ben, "not wanted yet");
    wait_for_unread(&anna, 1);
    anna.click("#profile");
    anna.click("[name=notify]");
    anna.wait_for(
        "the wish kept",
        "localStorage.getItem('ringwire.notify') === 'true' && document.querySelector('[name=notify]').checked",
    );
    anna.press("Escape", Held::Nothing);
    write(&ben, "<b>psst</b>");
    anna.wait_for("a notification", "told.length > 0");
    assert_eq!(anna.evaluate("told"), json!([["ben", "<b>psst</b>"]]));

    // What is on the screen needs none.
    open_listed(&anna, "ben");
    write(&ben, "you see me");
    anna.wait_for("the message", "document.querySelectorAll('.message').length === 3");
    anna.evaluate("location.hash = ''");
    write(&ben, "and now not");
    anna.wait_for("another notification", "told.length > 1");
    assert_eq!(anna.evaluate("told[1]"), json!(["ben", "and now not"]));
    browser.assert_no_problems();
}

#[test]
fn x1_a_push_to_a_closed_page_shows_text_and_leads_nowhere_else() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let anna = register(&browser, &server, "anna");
    anna.allow_notifications();
    let registered = "navigator.serviceWorker.register('./sw.js').then(() => navigator.serviceWorker.ready).then(() => true)";
    assert_eq!(anna.evaluate(registered), true);
    push_until(
        &anna,
        &json!({"conversation_id": "7", "title": "<b>Ben</b>", "text": "<i>hi</i>", "unread": 3}),
        &json!([["<b>Ben</b>", "<i>hi</i>", {"id": "7"}]]),
    );
    // One for each conversation; a server that tells nothing about the message still makes itself heard.
    let replaced = json!(["Ben", "hello", {"id": "7"}]);
    push_until(
        &anna,
        &json!({"conversation_id": "7", "title": "Ben", "text": "hello", "unread": 4}),
        &json!([replaced]),
    );
    push_until(
        &anna,
        &json!({"conversation_id": "8", "title": "", "text": "", "unread": 5}),
        &json!([replaced, ["Ringwire", "You have new messages.", {"id": "8"}]]),
    );
    browser.assert_no_problems();
}

/// Brings a push until the browser shows exactly these notifications, by conversation.
///
/// A push service brings at least once, and so does this: a browser that is asked for its notifications while it is about to show
/// one can forget that one. The tag makes the repetition harmless, and a second notification of one conversation fails the test.
fn push_until(page: &Page, push: &Value, expected: &Value) {
    let shown = "navigator.serviceWorker.ready.then(worker => worker.getNotifications())
        .then(all => all.map(({ title, body, data }) => [title, body, data]))
        .then(all => all.sort((one, other) => one[2].id - other[2].id))";
    let mut seen = Value::Null;
    for _ in 0..10 {
        page.deliver_push(push);
        for _ in 0..10 {
            thread::sleep(Duration::from_millis(300));
            seen = page.evaluate(shown);
            if seen == *expected {
                return;
            }
        }
    }
    panic!("the browser shows {seen} in place of {expected}");
}
