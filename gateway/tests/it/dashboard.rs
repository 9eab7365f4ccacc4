//! The operators' page in a real browser: it lives, obeys the keyboard, and does what it offers.

use ringwire_protocol::codec::Encoding;
use serde_json::json;

use crate::admin::create;
use crate::chromium::{Chromium, Held, Page};
use crate::support::client::Client;
use crate::support::server::ServerProcess;

pub(crate) fn log_in(
    browser: &Chromium,
    server: &ServerProcess,
    name: &str,
    password: &str,
) -> Page {
    let page = browser.new_person(&format!("{}admin", server.url()));
    page.fill("[name=name]", name);
    page.fill("[name=password]", password);
    page.click("#login-submit");
    page.wait_for("live figures", "document.querySelector('#stream').dataset.state === 'live'");
    page
}

/// Goes to an area and waits until it is shown.
fn open(page: &Page, area: &str) {
    page.click(&format!("#tab-{area}"));
    page.wait_for(area, &format!("document.querySelector('#{area}').checkVisibility()"));
}

fn wait_for_told(page: &Page, text: &str) {
    let told = format!("document.querySelector('#told').textContent === {}", json!(text));
    page.wait_for(text, &told);
}

#[test]
fn an_operator_watches_finds_speaks_and_keeps_out() {
    let mut server = ServerProcess::start(&[]);
    let password = create(&mut server, "root", "admin");
    let browser = Chromium::start();
    let page = browser.new_person(&format!("{}admin", server.url()));
    page.fill("[name=name]", "root");
    page.fill("[name=password]", "not the password");
    page.click("#login-submit");
    page.wait_for(
        "refusal",
        "document.querySelector('#login-error').textContent.includes('wrong')",
    );
    let page = log_in(&browser, &server, "root", &password);

    // The first area lives by itself.
    let mut people: Vec<Client> =
        (1..=3).map(|user| Client::session(&server, user, Encoding::Json)).collect();
    let group = people[0].create_group(&[2, 3]);
    page.wait_for(
        "three connections",
        "document.querySelector('#value-connections').textContent.startsWith('3')",
    );
    let mut said = 0;
    while page.evaluate("document.querySelector('#value-ack-p50').textContent") == "–" {
        people[0].say(group, &format!("m{said}"), "hello");
        said += 1;
    }
    let shards = "document.querySelectorAll('#shards tbody tr').length";
    assert_eq!(page.evaluate(shards), 2);
    page.wait_for(
        "a line",
        "document.querySelector('.spark polyline').getAttribute('points').split(' ').length >= 3",
    );
    page.look("light", 1200);
    page.screenshot("dashboard-light");
    page.look("dark", 1200);
    page.screenshot("dashboard-dark");

    // The keyboard is enough to get around.
    page.evaluate("document.querySelector('#tab-overview').focus()");
    page.press("ArrowRight", Held::Nothing);
    page.wait_for("sessions", "document.activeElement.id === 'tab-sessions'");
    page.wait_for("rows", "document.querySelectorAll('#sessions-table tbody tr').length === 3");
    page.fill("[name=user_id]", "2");
    page.press_enter();
    page.wait_for("one row", "document.querySelectorAll('#sessions-table tbody tr').length === 1");
    page.screenshot("dashboard-sessions");
    page.click("#sessions-table button.danger");
    wait_for_told(&page, "The session has ended.");
    assert_eq!(people[1].close_code(), Some(4004));

    open(&page, "people");
    page.fill("[name=q]", "3");
    page.press_enter();
    page.wait_for(
        "user 3",
        "document.querySelector('#people-table tbody td:nth-child(2)')?.textContent === '3'",
    );
    page.fill("[name=reason]", "spam");
    page.click("#people-table button.danger");
    page.wait_for("ban", "document.querySelector('#people-table tbody').textContent.includes('banned for good: spam')");
    assert_eq!(people[2].close_code(), Some(4005));
    page.screenshot("dashboard-people");
    page.fill("#conversation-form [name=id]", &group.to_string());
    page.press_enter();
    page.wait_for("members", "document.querySelectorAll('#conversation li').length === 3");

    open(&page, "server");
    page.wait_for("filter", "document.querySelector('[name=filter]').value === 'info'");
    let person = browser.new_person(&server.url());
    person.click("#mode-register");
    person.fill("[name=username]", "carl");
    person.fill("[name=password]", "correct horse battery staple");
    person.click("#auth-submit");
    person.wait_for("connection", "document.querySelector('#status').dataset.state === 'online'");
    // It goes by itself, perhaps before anybody looks.
    person.evaluate(
        "window.told = []; new MutationObserver(changes => changes.forEach(change =>
            change.addedNodes.forEach(toast => told.push(toast.textContent))
        )).observe(document.querySelector('#toasts'), { childList: true })",
    );
    page.fill("[name=text]", "maintenance at noon");
    page.click("#broadcast-form button");
    wait_for_told(&page, "Sent to everybody who is there.");
    assert_eq!(crate::admin::next_notice(&mut people[0]).text, "maintenance at noon");
    person.wait_for(
        "notice",
        "told.some(text => text === 'From the operators: maintenance at noon')",
    );
    page.fill("[name=filter]", "info,=x=");
    page.click("#log-form button");
    page.wait_for("refusal", "document.querySelector('#told').textContent.startsWith('filter:')");
    page.screenshot("dashboard-server");

    open(&page, "audit");
    let audited = "document.querySelector('#audit-table tbody').textContent";
    page.wait_for(
        "audit",
        &format!("{audited}.includes('broadcast.send') && {audited}.includes('user.ban')"),
    );
    page.wait_for("outcome", &format!("{audited}.includes('refused: INVALID_ARGUMENT')"));
    page.screenshot("dashboard-audit");

    // Every field and button says what it is for.
    let unnamed = page.evaluate(
        "[...document.querySelectorAll('input, textarea, button')].filter(field =>
            !(field.labels?.length || field.textContent.trim() || field.ariaLabel)).length",
    );
    assert_eq!(unnamed, 0);
    page.click("#logout");
    page.wait_for("login", "document.querySelector('#login').checkVisibility()");
    browser.assert_no_problems();
}

#[test]
fn who_only_looks_is_offered_nothing_else() {
    let mut server = ServerProcess::start(&[]);
    let password = create(&mut server, "eve", "viewer");
    let _ann = Client::session(&server, 1, Encoding::Json);
    let browser = Chromium::start();
    let page = log_in(&browser, &server, "eve", &password);
    open(&page, "sessions");
    page.wait_for("a row", "document.querySelectorAll('#sessions-table tbody tr').length === 1");
    assert_eq!(page.evaluate("document.querySelectorAll('#sessions-table button').length"), 0);
    open(&page, "server");
    let open_fields =
        "document.querySelectorAll('#server input:enabled, #server button:enabled').length";
    assert_eq!(page.evaluate(open_fields), 0);
    browser.assert_no_problems();
}
