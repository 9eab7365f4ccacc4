//! The page, used by people: two browsers, the real server, and the server killed between them.

use serde_json::json;

use crate::chat_page::{
    PASSWORD, history, open_direct, register, wait_for_state, wait_for_texts, wait_for_thread,
    wait_for_unread, wait_until_online, write,
};
use crate::chromium::Chromium;
use crate::support::server::ServerProcess;

#[test]
fn two_people_chat_while_the_server_is_killed_between_them() {
    let mut server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let anna = register(&browser, &server, "anna");
    let ben = register(&browser, &server, "ben");

    // Ben is told without having opened anything.
    open_direct(&anna, "ben");
    write(&anna, "Hello Ben");
    write(&anna, "Are you there?");
    wait_for_state(&anna, "Are you there?", "delivered");
    wait_for_unread(&ben, 2);
    assert_eq!(ben.evaluate("document.title"), "(2) Ringwire");

    // Reading is seen on the other side, and an answer arrives.
    ben.click(".item");
    wait_for_texts(&ben, &["Hello Ben", "Are you there?"]);
    wait_for_unread(&ben, 0);
    wait_for_state(&anna, "Are you there?", "read");
    write(&ben, "Yes");
    wait_for_texts(&anna, &["Hello Ben", "Are you there?", "Yes"]);

    // A reload keeps the person logged in and the conversation open.
    ben.reload();
    wait_until_online(&ben);
    wait_for_texts(&ben, &["Hello Ben", "Are you there?", "Yes"]);

    // What is written while the server is away waits, and arrives once.
    wait_for_state(&ben, "Yes", "read");
    server.kill();
    write(&anna, "Still here?");
    wait_for_state(&anna, "Still here?", "waiting");
    server.restart();
    wait_for_state(&anna, "Still here?", "read");
    wait_until_online(&ben);
    write(&ben, "Still here");
    let all = ["Hello Ben", "Are you there?", "Yes", "Still here?", "Still here"];
    wait_for_texts(&anna, &all);
    wait_for_state(&ben, "Still here", "read");
    wait_for_texts(&ben, &all);
    assert_eq!(history(&anna), history(&ben));

    // The same once more from the start: this is what the server holds, not what the pages remember.
    for page in [&anna, &ben] {
        page.reload();
        wait_until_online(page);
        wait_for_texts(page, &all);
    }
    assert_eq!(history(&anna), history(&ben));
    browser.assert_no_problems();
}

#[test]
fn people_join_write_in_and_leave_an_open_group() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let anna = register(&browser, &server, "anna");
    let ben = register(&browser, &server, "ben");
    let cleo = register(&browser, &server, "cleo");

    anna.click("#new");
    anna.click("[data-kind=group]");
    anna.fill("[name=title]", "Weekend hike");
    anna.fill("[name=people]", "ben");
    anna.click("[name=open]");
    anna.click("#new-submit");
    wait_for_thread(&anna, "Weekend hike");
    write(&anna, "Who brings the map?");
    wait_for_unread(&ben, 1);

    let number = anna.evaluate("location.hash.split('/').at(-1)");
    cleo.click("#new");
    cleo.click("[data-kind=join]");
    cleo.fill("[name=number]", number.as_str().expect("the number of the group"));
    cleo.click("#new-submit");
    wait_for_thread(&cleo, "Weekend hike");
    write(&cleo, "I do");
    for page in [&anna, &cleo] {
        wait_for_texts(page, &["Who brings the map?", "I do"]);
    }
    wait_for_unread(&ben, 2);
    anna.wait_for("name of the sender", "document.querySelector('.sender').textContent === 'cleo'");

    cleo.click("#info");
    cleo.click("#leave");
    cleo.click("#leave");
    cleo.wait_for("empty list", "document.querySelector('.item') === null && !document.querySelector('#thread').checkVisibility()");
    anna.wait_for(
        "notice",
        "[...document.querySelectorAll('.line-notice')].at(-1).textContent === 'cleo left'",
    );
    browser.assert_no_problems();
}

#[test]
fn x1_markup_in_messages_and_titles_shows_as_text() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let anna = register(&browser, &server, "anna");
    let ben = register(&browser, &server, "ben");

    let title = "<svg onload=owned=1>";
    anna.click("#new");
    anna.click("[data-kind=group]");
    anna.fill("[name=title]", title);
    anna.fill("[name=people]", "ben");
    anna.click("#new-submit");
    wait_for_thread(&anna, title);
    let texts = [
        "<img src=x onerror=\"window.owned=1\">",
        "<script>window.owned=1</script>",
        "javascript:window.owned=1 https://example.org/\"onclick=\"window.owned=1",
    ];
    for text in texts {
        write(&anna, text);
    }
    ben.click(".item");
    wait_for_thread(&ben, title);
    for page in [&anna, &ben] {
        wait_for_texts(page, &texts);
        let made = "document.querySelectorAll('#shell :is(.messages, .conversations, .bar h2) :is(img, script, [onload], [onerror])').length";
        assert_eq!(page.evaluate(made), 0);
        assert_eq!(
            page.evaluate("[...document.querySelectorAll('.text a')].map(link => link.href)"),
            json!(["https://example.org/"])
        );
        assert_eq!(page.evaluate("typeof window.owned"), "undefined");
    }
    let policy = "fetch('./').then(page => page.headers.get('content-security-policy'))";
    let policy = anna.evaluate(policy);
    assert!(
        policy.as_str().is_some_and(|policy| policy.contains("default-src 'self'")),
        "{policy}"
    );
    browser.assert_no_problems();
}

#[test]
fn a_refused_session_leads_back_to_the_log_in_form() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let anna = register(&browser, &server, "anna");
    anna.evaluate(
        "localStorage.setItem('ringwire.session', JSON.stringify(
            { ...JSON.parse(localStorage.getItem('ringwire.session')), token: 'not.a.token' }))",
    );
    anna.reload();
    anna.wait_for(
        "explanation",
        "document.querySelector('#auth-error').textContent === 'Please log in again.'",
    );
    anna.fill("[name=username]", "anna");
    anna.fill("[name=password]", PASSWORD);
    anna.press_enter();
    wait_until_online(&anna);
    browser.assert_no_problems();
}

/// The rule that makes loss visible, tried on the module itself: only the next entry is taken.
#[test]
fn the_window_of_a_log_never_has_a_gap() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let page = browser.new_person(&server.url());
    page.wait_for("page", "document.querySelector('#auth-form').checkVisibility()");
    let outcome = page.evaluate(
        "import('./conversation.js').then(({ Conversation }) => {
            const entry = (seq, senderId) => ({
                seq, msgNo: seq, senderId, createdAt: seq, clientMsgId: '', body: { message: { text: 'x' } },
            });
            const head = { id: '1', kind: 'GROUP', users: [], headSeq: 5, msgNo: 5, unread: 2, readSeq: 3, lastEntry: entry(5, '2') };
            const it = new Conversation(head, '1');
            const offered = [5, 7, 6, 6, 7, 9].map((seq) => it.offer(entry(seq, '2')));
            const before = it.unread;
            it.prepend([entry(1, '2'), entry(2, '2')], false);
            const refused = it.low;
            it.prepend([entry(3, '2'), entry(4, '2')], true);
            const { low } = it;
            const own = it.offer(entry(8, '1'));
            const after = it.unread;
            it.jump(20);
            return { offered, before, refused, low, own, after, cursor: it.cursor };
        })",
    );
    let expected = json!({
        "offered": ["known", "gap", "applied", "known", "applied", "gap"],
        "before": 4,
        "refused": 5,
        "low": 3,
        "own": "applied",
        "after": 0,
        "cursor": 19,
    });
    assert_eq!(outcome, expected);
}
