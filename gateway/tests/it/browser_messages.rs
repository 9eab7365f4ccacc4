//! The page: what people do with messages, seen from both sides.

use serde_json::json;

use crate::chat_page::{
    MESSAGES, choose, open_direct, open_listed, register, row, search, wait_for_part,
    wait_for_state, wait_for_text, wait_for_texts, wait_for_thread, write,
};
use crate::chromium::{Chromium, Held, Page};
use crate::support::server::{ServerProcess, Setup};

/// Anna and Ben with their conversation open on both sides.
fn two_people(browser: &Chromium, server: &ServerProcess) -> (Page, Page) {
    let anna = register(browser, server, "anna");
    let ben = register(browser, server, "ben");
    open_direct(&anna, "ben");
    open_direct(&ben, "anna");
    (anna, ben)
}

/// Waits until a message shows these reactions, each with its count where more than one gave it.
fn wait_for_reactions(page: &Page, text: &str, reactions: &[&str]) {
    let row = row(text);
    let shown = format!(
        "JSON.stringify([...{row}.querySelectorAll('.reaction')].map(chip => chip.textContent)) === JSON.stringify({})",
        json!(reactions)
    );
    page.wait_for(&format!("reactions {reactions:?}"), &shown);
}

#[test]
fn people_react_answer_edit_pin_and_take_back() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let (anna, ben) = two_people(&browser, &server);
    write(&anna, "Tea at five?");
    wait_for_state(&anna, "Tea at five?", "read");

    choose(&ben, "Tea at five?", "Heart");
    wait_for_reactions(&anna, "Tea at five?", &["❤️"]);
    choose(&anna, "Tea at five?", "Heart");
    choose(&anna, "Tea at five?", "Party");
    for page in [&anna, &ben] {
        wait_for_reactions(page, "Tea at five?", &["❤️2", "🎉"]);
    }
    // Pressed once more, one's own is taken back.
    anna.evaluate(&format!("{}.querySelector('.reaction').click()", row("Tea at five?")));
    for page in [&anna, &ben] {
        wait_for_reactions(page, "Tea at five?", &["❤️", "🎉"]);
    }

    choose(&ben, "Tea at five?", "Reply");
    write(&ben, "Gladly");
    for (page, name) in [(&anna, "You"), (&ben, "anna")] {
        let quote = format!(
            "{}?.querySelector('.quote')?.textContent === {}",
            row("Gladly"),
            json!(format!("{name}Tea at five?"))
        );
        page.wait_for("quote", &quote);
    }

    choose(&anna, "Tea at five?", "Edit");
    anna.fill("#text", "Tea at six?");
    anna.press_enter();
    for page in [&anna, &ben] {
        wait_for_texts(page, &["Tea at six?", "Gladly"]);
        wait_for_part(page, ".message .meta", "edited");
        // An edit leaves the reactions alone, and the answer quotes what is said now.
        wait_for_reactions(page, "Tea at six?", &["❤️", "🎉"]);
        wait_for_part(page, ".quote", "Tea at six?");
    }

    choose(&ben, "Tea at six?", "Pin");
    for page in [&anna, &ben] {
        wait_for_text(page, "#pins", "PinnedTea at six?");
    }
    choose(&anna, "Tea at six?", "Unpin");
    ben.wait_for("no pin", "!document.querySelector('#pins').checkVisibility()");

    choose(&anna, "Gladly", "Remove for me");
    wait_for_texts(&anna, &["Tea at six?"]);
    choose(&anna, "Tea at six?", "Take back for all");
    wait_for_texts(&anna, &["This message was taken back."]);
    wait_for_texts(&ben, &["This message was taken back.", "Gladly"]);

    // All of it is what the server holds, not what the pages remember.
    for page in [&anna, &ben] {
        page.reload();
    }
    wait_for_texts(&anna, &["This message was taken back."]);
    wait_for_texts(&ben, &["This message was taken back.", "Gladly"]);
    browser.assert_no_problems();
}

#[test]
fn people_see_who_is_there_who_writes_and_who_has_read() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let (anna, ben) = two_people(&browser, &server);
    wait_for_text(&anna, "#thread-subtitle", "online");
    ben.fill("#text", "I thi");
    wait_for_text(&anna, "#thread-subtitle", "writes…");
    wait_for_part(&anna, ".item-text", "writes…");
    ben.fill("#text", "I think so");
    ben.press_enter();
    wait_for_texts(&anna, &["I think so"]);
    wait_for_text(&anna, "#thread-subtitle", "online");

    // Who looks at something else has a message, and has not read it.
    anna.evaluate("location.hash = ''");
    write(&ben, "Still there?");
    wait_for_state(&ben, "Still there?", "delivered");
    open_listed(&anna, "ben");
    wait_for_state(&ben, "Still there?", "read");
    ben.evaluate(&format!("{}.querySelector('button.sign').click()", row("Still there?")));
    wait_for_text(&ben, "#readers-dialog li", "Aanna");
    wait_for_part(&ben, "#readers-dialog", "Read by 1 of 1 other");
    ben.press("Escape", Held::Nothing);

    ben.click("#profile");
    ben.click("#presence summary");
    ben.evaluate("document.querySelector('[name=status]').value = 'BUSY'");
    ben.fill("[name=presence_text]", "in a meeting");
    ben.click("#save-status");
    wait_for_text(&anna, "#thread-subtitle", "busy · in a meeting");
    ben.evaluate("document.querySelector('[name=status]').value = 'INVISIBLE'");
    ben.click("#save-status");
    anna.wait_for(
        "absence",
        "!/online|busy/.test(document.querySelector('#thread-subtitle').textContent)",
    );
    browser.assert_no_problems();
}

#[test]
fn a_search_leads_to_an_old_message_and_back_to_the_end() {
    let server = Setup::new().without_rates().start();
    let browser = Chromium::start();
    let (anna, ben) = two_people(&browser, &server);
    write(&anna, "The key lies under the doormat");
    anna.evaluate(
        "for (let number = 1; number <= 130; number += 1) {
            const field = document.querySelector('#text');
            field.value = `message ${number}`;
            field.dispatchEvent(new Event('input'));
            document.querySelector('#composer').requestSubmit();
        }",
    );
    wait_for_state(&anna, "message 130", "read");
    // Begun anew, the page holds the end of the log only.
    ben.reload();
    wait_for_part(&ben, ".message .text", "message 130");
    assert_eq!(ben.evaluate(&format!("{} === undefined", row("message 50"))), true);

    ben.press("k", Held::Control);
    search(&ben, "doorm", "The key lies under the doormat");
    ben.screenshot("search");
    ben.press_enter();
    ben.wait_for(
        "the message in view",
        &format!("document.activeElement === {}", row("The key lies under the doormat")),
    );
    // Only a stretch around it is there; it grows until it meets the end, without a gap.
    assert_eq!(ben.evaluate(&format!("{} === undefined", row("message 130"))), true);
    ben.wait_for(
        "every message",
        &format!(
            "(() => {{
                const scroller = document.querySelector('#scroller');
                scroller.scrollTop = scroller.scrollHeight;
                const texts = {MESSAGES}.map(([text]) => text);
                return texts.length === 131 && texts.slice(1).every((text, index) => text === `message ${{index + 1}}`);
            }})()"
        ),
    );
    // What is said meanwhile is found at the end.
    write(&anna, "Found it?");
    wait_for_part(&ben, ".message .text", "Found it?");
    wait_for_state(&anna, "Found it?", "read");
    browser.assert_no_problems();
}

#[test]
fn the_keyboard_is_enough() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let (anna, ben) = two_people(&browser, &server);
    write(&anna, "one");
    write(&anna, "two");
    wait_for_state(&anna, "two", "read");

    // Up in the empty field edits what was said last; Escape gives that up.
    anna.press("ArrowUp", Held::Nothing);
    assert_eq!(anna.evaluate("document.querySelector('#text').value"), "two");
    anna.press("Escape", Held::Nothing);
    assert_eq!(anna.evaluate("document.querySelector('#text').value"), "");
    wait_for_thread(&anna, "ben");

    // The messages are one stop before the field, and Shift+Tab goes on from there to what is above them.
    anna.evaluate("document.querySelector('#text').focus()");
    anna.press("Tab", Held::Shift);
    assert_eq!(anna.evaluate(&format!("document.activeElement === {}", row("two"))), true);
    anna.press("Tab", Held::Shift);
    let above = "!!(document.activeElement.compareDocumentPosition(document.querySelector('#scroller'))
        & Node.DOCUMENT_POSITION_FOLLOWING) && document.activeElement.matches('#thread button, #thread a')";
    assert_eq!(anna.evaluate(above), true);
    anna.press("Tab", Held::Nothing);
    assert_eq!(anna.evaluate(&format!("document.activeElement === {}", row("two"))), true);
    // From something on the first message there is a way out too.
    anna.evaluate(&format!("{}.querySelector('button').focus()", row("one")));
    let out = (0..20).find(|_| {
        anna.press("Tab", Held::Shift);
        anna.evaluate(above) == true
    });
    assert!(out.is_some(), "the messages let the keyboard go");

    // Arrows move in them, Enter opens the menu, and it closes back to them.
    anna.evaluate(&format!("{}.focus()", row("two")));
    anna.press("ArrowUp", Held::Nothing);
    assert_eq!(anna.evaluate(&format!("document.activeElement === {}", row("one"))), true);
    anna.press_enter();
    anna.wait_for("menu", "document.activeElement.closest('#menu') !== null");
    anna.press("Escape", Held::Nothing);
    anna.wait_for("focus back", &format!("document.activeElement === {}", row("one")));
    anna.press_enter();
    anna.wait_for("menu again", "document.activeElement.closest('#menu') !== null");
    anna.press("ArrowDown", Held::Nothing);
    assert_eq!(anna.evaluate("document.activeElement.textContent"), "Reply");
    anna.press_enter();
    anna.insert("answer");
    anna.press_enter();
    wait_for_part(&ben, ".quote", "one");

    anna.press("/", Held::Control);
    wait_for_part(&anna, "#keys-dialog", "Conversation above, below");
    anna.press("Escape", Held::Nothing);
    anna.press("n", Held::Alt);
    anna.wait_for("new dialog", "document.querySelector('#new-dialog').open");
    anna.press("Escape", Held::Nothing);
    anna.wait_for("closed dialog", "!document.querySelector('#new-dialog').open");
    anna.press("Escape", Held::Nothing);
    anna.wait_for("list alone", "!document.querySelector('#thread').checkVisibility()");
    anna.press("ArrowDown", Held::Alt);
    wait_for_thread(&anna, "ben");
    // Every button has a name.
    let nameless = "[...document.querySelectorAll('button, input, textarea, select')]
        .filter(it => it.checkVisibility() && !(it.getAttribute('aria-label') || it.textContent.trim() || it.labels?.length)).map(it => it.outerHTML)";
    assert_eq!(anna.evaluate(nameless), json!([]));
    browser.assert_no_problems();
}

#[test]
fn the_page_is_light_or_dark_and_fits_a_phone() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let (anna, ben) = two_people(&browser, &server);
    write(
        &anna,
        "A message long enough to need more than one line on the small screen of a phone, if that is what it is read on.",
    );
    write(
        &ben,
        "https://example.org/a-very-long-address-that-has-no-place-to-break-in-it-at-all-but-has-to-fit-somehow",
    );
    wait_for_part(&anna, ".message .text", "example.org");
    let surface = "getComputedStyle(document.querySelector('.sidebar')).backgroundColor";
    anna.look("light", 1200);
    let light = anna.evaluate(surface);
    anna.screenshot("light");
    anna.look("dark", 1200);
    let dark = anna.evaluate(surface);
    anna.screenshot("dark");
    assert_ne!(light, dark);

    // What the person says goes before what the system says, and stays.
    anna.click("#profile");
    anna.wait_for(
        "the choice of colours",
        "document.querySelector('[name=theme]').checkVisibility()",
    );
    anna.evaluate(
        "(select => { select.value = 'light'; select.dispatchEvent(new Event('change')) })(document.querySelector('[name=theme]'))",
    );
    assert_eq!(anna.evaluate(surface), light);
    anna.screenshot("profile");
    anna.reload();
    wait_for_part(&anna, ".message .text", "example.org");
    assert_eq!(anna.evaluate(surface), light);

    anna.look("light", 360);
    anna.wait_for("one pane", "!document.querySelector('.sidebar').checkVisibility()");
    let overflowing = "[...document.querySelectorAll('body *')].filter(it => it.checkVisibility() && !it.closest('.unseen') &&
        (it.getBoundingClientRect().right > innerWidth + 1 || it.getBoundingClientRect().left < -1)).map(it => it.outerHTML.slice(0, 200))";
    assert_eq!(anna.evaluate(overflowing), json!([]));
    anna.screenshot("narrow");
    anna.click(".back");
    anna.wait_for("the list", "document.querySelector('.sidebar').checkVisibility()");
    assert_eq!(anna.evaluate(overflowing), json!([]));
    anna.screenshot("narrow-list");
    browser.assert_no_problems();
}

/// What an entry changes counts once, whether it comes with a page or as a push.
#[test]
fn effects_are_applied_once() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let page = browser.new_person(&server.url());
    page.wait_for("page", "document.querySelector('#auth-form').checkVisibility()");
    let outcome = page.evaluate(
        "import('./conversation.js').then(({ Conversation }) => {
            const entry = (seq, senderId, body, more = {}) => ({
                seq, asOf: seq, msgNo: seq, senderId, createdAt: seq, clientMsgId: '', reactions: [], body, ...more,
            });
            const said = (seq, more) => entry(seq, '2', { message: { text: `text ${seq}` } }, more);
            const reacted = (seq, senderId, removed) =>
                entry(seq, senderId, { reacted: { target_seq: '5', reaction: 'x', ...(removed ? { removed } : {}) } });
            // The page with entry 5 was read when 7 was there: it shows what 6 and 7 did.
            const five = said(5, { asOf: 7, reactions: [{ reaction: 'x', count: 2, own: true }] });
            const head = { id: '1', kind: 'GROUP', settings: {}, pinned: [], users: [], headSeq: 5, msgNo: 5, unread: 0, readSeq: 5, lastEntry: five };
            const it = new Conversation(head, '1');
            const counts = [];
            const offer = (entry) => { it.offer(entry); counts.push(five.reactions.map(({ count, own }) => [count, own])); };
            offer(reacted(6, '1'));
            offer(reacted(7, '3'));
            offer(reacted(8, '4'));
            offer(reacted(9, '4'));
            offer(reacted(10, '1', true));
            offer(reacted(11, '3', true));
            offer(reacted(12, '4', true));
            offer(entry(13, '2', { pinned: { target_seq: '5' } }));
            const pinned = [...it.pinned];
            offer(entry(14, '2', { recalled: { target_seq: '5' } }));
            return { counts, pinned, unpinned: it.pinned, recalledAt: five.recalledAt, body: five.body };
        })",
    );
    let expected = json!({
        "counts": [
            [[2, true]], [[2, true]], [[3, true]], [[3, true]], [[2, false]], [[1, false]], [], [], [],
        ],
        "pinned": [5],
        "unpinned": [],
        "recalledAt": 14,
        "body": {"message": {}},
    });
    assert_eq!(outcome, expected);
}
