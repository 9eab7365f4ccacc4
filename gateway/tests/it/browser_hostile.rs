//! The page and people who mean harm: whatever they send, its readers see text, and no script runs.

use serde_json::json;

use crate::chat_page::{
    PASSWORD, open_direct, open_listed, register, row, search, wait_for_part, wait_for_text,
    wait_until_online,
};
use crate::chromium::{Chromium, Page};
use crate::support::server::ServerProcess;

const MARKUP: &str = "<img src=x onerror=window.owned=1>";

/// What no text makes: elements that load or run something, links that are no web addresses, handlers.
const MADE: &str = "[...document.querySelectorAll('*')].filter(it =>
    it.matches('script:not([src=\"./app.js\"]), iframe, object, embed, base, form[action]') ||
    (it.matches('img') && !/^(blob:|http:.*[/]icon[.]svg$|$)/.test(it.src)) ||
    (it.matches('a[href]') && !/^https?:$/.test(it.protocol)) ||
    [...it.attributes].some(({ name }) => name.startsWith('on'))).map(it => it.outerHTML)";

fn assert_unharmed(page: &Page) {
    assert_eq!(page.evaluate("typeof window.owned"), "undefined");
    assert_eq!(page.evaluate(MADE), json!([]));
}

/// Logs in with an account that calls itself something else.
fn register_as(browser: &Chromium, server: &ServerProcess, username: &str, name: &str) -> Page {
    let page = browser.new_person(&server.url());
    page.wait_for("page", "document.querySelector('#auth-form').checkVisibility()");
    let account =
        json!({"username": username, "password": PASSWORD, "display_name": name}).to_string();
    let register = format!(
        "fetch('./api/v1/auth/register', {{
            method: 'POST', headers: {{ 'content-type': 'application/json' }}, body: {},
        }}).then(answer => answer.status)",
        json!(account)
    );
    assert_eq!(page.evaluate(&register), 201);
    page.fill("[name=username]", username);
    page.fill("[name=password]", PASSWORD);
    page.click("#auth-submit");
    wait_until_online(&page);
    page
}

/// A client of another make: says what the page never would, in a conversation with the one who is open.
fn send_raw(page: &Page, commands: &serde_json::Value) {
    let script = format!(
        "new Promise((done, failed) => {{
            const {{ token }} = JSON.parse(localStorage.getItem('ringwire.session'));
            const socket = new WebSocket(`ws://${{location.host}}/ws`, 'ringwire.v1.json');
            const commands = {commands};
            socket.onopen = () => socket.send(JSON.stringify({{ id: '1', connect: {{ token, device_id: 'other' }} }}));
            socket.onmessage = ({{ data }}) => {{
                for (const line of data.split('\\n').filter(Boolean)) {{
                    const {{ reply }} = JSON.parse(line);
                    if (reply?.error) failed(new Error(line));
                    const next = reply && commands.shift();
                    if (next) socket.send(JSON.stringify({{ id: String(Number(reply.id) + 1), ...next }}));
                    else if (reply) {{ socket.close(); done(true); }}
                }}
            }};
        }})"
    );
    assert_eq!(page.evaluate(&script), true);
}

#[test]
fn x1_nothing_that_others_say_or_are_called_becomes_markup() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let anna = register(&browser, &server, "anna");
    let eve = register_as(&browser, &server, "eve", MARKUP);
    open_direct(&eve, "anna");
    let id = eve.evaluate("location.hash.split('/').at(-1)");
    let send = |number: u32, message: serde_json::Value| {
        let op =
            json!({"conversation_id": id, "client_msg_id": number.to_string(), "message": message});
        json!({ "send": op })
    };
    let file = |url: &str, mime: &str| json!({"url": url, "name": MARKUP, "mime_type": mime, "thumbnail_url": "http://203.0.113.7/t.png"});
    send_raw(
        &eve,
        &json!([
            send(1, json!({"text": MARKUP})),
            send(2, json!({"text": "see", "kind": "FILE", "attachments": [
                file("http://203.0.113.7/track.png", "image/png"), file("/api/v1/files/00000000000000000000000000000000", "text/html")]})),
            send(3, json!({"kind": "CARD", "card": {"title": MARKUP, "text": MARKUP, "url": "http://203.0.113.7/", "image_url": "http://203.0.113.7/a.png"}})),
            send(4, json!({"kind": "LOCATION", "location": {"label": MARKUP}})),
            send(5, json!({"text": MARKUP, "reply_to": "2", "mentions": ["1"]})),
            {"react": {"conversation_id": id, "target_seq": "2", "reaction": MARKUP, "client_msg_id": "6"}},
            {"pin": {"conversation_id": id, "target_seq": "2", "client_msg_id": "7"}},
            {"set_status": {"status": "BUSY", "text": MARKUP}},
        ]),
    );
    open_listed(&anna, MARKUP);
    wait_for_text(&anna, "#pins", &format!("Pinned{MARKUP}"));
    wait_for_part(&anna, ".reaction", MARKUP);
    wait_for_part(&anna, ".file-name", MARKUP);
    wait_for_part(&anna, ".quote", MARKUP);
    wait_for_part(&anna, ".item", MARKUP);
    assert_unharmed(&anna);
    // A press on what was sent goes nowhere either, but for the web address, which is a link of its own.
    anna.evaluate(
        "document.querySelectorAll('.message button:not(.more), .file').forEach(it => it.click())",
    );
    let links = "[...document.querySelectorAll('.message a')].map(link => [link.href, link.rel])";
    assert_eq!(
        anna.evaluate(links),
        json!([["http://203.0.113.7/track.png", "noopener noreferrer"]])
    );

    anna.evaluate("document.querySelectorAll('dialog[open]').forEach(dialog => dialog.close())");
    anna.click("#info");
    wait_for_part(&anna, "#info-dialog", MARKUP);
    anna.evaluate("document.querySelector('#info-dialog').close()");
    anna.click("#find-here");
    wait_for_part(&anna, "#search-dialog h2", MARKUP);
    search(&anna, "onerror", MARKUP);
    assert_unharmed(&anna);
    anna.evaluate("document.querySelector('#search-dialog').close()");
    anna.evaluate(&format!("{}.querySelector('.more').click()", row("see")));
    assert_unharmed(&anna);
    anna.screenshot("hostile");
    browser.assert_no_problems();
}
