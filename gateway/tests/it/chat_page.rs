//! What people do on the page, and what they see there, in the words of its tests.

use serde_json::{Value, json};

use crate::chromium::{Chromium, Page};
use crate::support::server::ServerProcess;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Creates an account and waits until the person is connected.
pub(crate) fn register(browser: &Chromium, server: &ServerProcess, name: &str) -> Page {
    let page = browser.new_person(&server.url());
    page.click("#mode-register");
    page.fill("[name=username]", name);
    page.fill("[name=password]", PASSWORD);
    page.click("#auth-submit");
    wait_until_online(&page);
    page
}

pub(crate) fn wait_until_online(page: &Page) {
    page.wait_for("connection", "document.querySelector('#status').dataset.state === 'online'");
}

pub(crate) fn open_direct(page: &Page, name: &str) {
    page.click("#new");
    page.fill("[name=person]", name);
    page.click("#new-submit");
    wait_for_thread(page, name);
}

pub(crate) fn wait_for_thread(page: &Page, title: &str) {
    let shown = format!("document.querySelector('#thread-title').textContent === {}", json!(title));
    page.wait_for(&format!("conversation {title}"), &shown);
}

pub(crate) fn write(page: &Page, text: &str) {
    page.fill("#text", text);
    page.press_enter();
}

/// The messages on the screen: [text, state] each, the state empty for those of others.
pub(crate) const MESSAGES: &str = "[...document.querySelectorAll('.message')].map(message =>
    [message.querySelector('.text')?.textContent ?? '', message.dataset.state ?? ''])";

pub(crate) fn wait_for_texts(page: &Page, texts: &[&str]) {
    let shown = format!(
        "JSON.stringify({MESSAGES}.map(([text]) => text)) === JSON.stringify({})",
        json!(texts)
    );
    page.wait_for(&format!("history {texts:?}"), &shown);
}

pub(crate) fn wait_for_state(page: &Page, text: &str, state: &str) {
    let wanted = json!([text, state]);
    let shown =
        format!("{MESSAGES}.some(message => JSON.stringify(message) === JSON.stringify({wanted}))");
    page.wait_for(&format!("message {wanted}"), &shown);
}

pub(crate) fn wait_for_unread(page: &Page, count: u32) {
    let shown = format!("(document.querySelector('.badge')?.textContent ?? '0') === '{count}'");
    page.wait_for(&format!("unread count {count}"), &shown);
}

/// What the log looks like from here: the seq and text of every message.
pub(crate) fn history(page: &Page) -> Value {
    page.evaluate(
        "[...document.querySelectorAll('.message')].map(message =>
            [message.dataset.seq, message.querySelector('.text').textContent])",
    )
}

/// An expression: the row of the message with this text.
pub(crate) fn row(text: &str) -> String {
    format!(
        "[...document.querySelectorAll('.message')].find(message => message.querySelector('.text')?.textContent === {})",
        json!(text)
    )
}

/// Opens the menu of a message and chooses what is called so.
pub(crate) fn choose(page: &Page, text: &str, action: &str) {
    let row = row(text);
    page.wait_for(&format!("message {text:?} in its place"), &format!("{row}?.dataset.seq > 0"));
    page.evaluate(&format!("{row}.querySelector('.more').click()"));
    choose_in_menu(page, action);
}

/// Chooses from the menu that is open.
pub(crate) fn choose_in_menu(page: &Page, action: &str) {
    let item = format!(
        "[...document.querySelectorAll('#menu button')].find(item => (item.getAttribute('aria-label') ?? item.textContent) === {})",
        json!(action)
    );
    page.wait_for(
        &format!("{action:?} in the menu"),
        &format!("{item}?.checkVisibility() ?? false"),
    );
    page.evaluate(&format!("{item}.click()"));
}

/// Types into the search until something that has this in its text is found: the server writes its index a moment after
/// the messages.
pub(crate) fn search(page: &Page, words: &str, text: &str) {
    page.fill("#search", words);
    let found = format!(
        "(() => {{
            const found = [...document.querySelectorAll('.result')].some(result => result.textContent.includes({}));
            if (!found && document.querySelector('.results .note')) document.querySelector('#search').dispatchEvent(new Event('input'));
            return found;
        }})()",
        json!(text)
    );
    page.wait_for(&format!("result {text:?}"), &found);
}

/// Waits until an element has exactly this text.
pub(crate) fn wait_for_text(page: &Page, selector: &str, text: &str) {
    let shown =
        format!("document.querySelector({})?.textContent === {}", json!(selector), json!(text));
    page.wait_for(&format!("{text:?} in {selector}"), &shown);
}

/// Waits until some element that fits has this in its text.
pub(crate) fn wait_for_part(page: &Page, selector: &str, text: &str) {
    let shown = format!(
        "[...document.querySelectorAll({})].some(element => element.checkVisibility() && element.textContent.includes({}))",
        json!(selector),
        json!(text)
    );
    page.wait_for(&format!("{text:?} in one of {selector}"), &shown);
}

/// Makes a group of the person at this page and those named.
pub(crate) fn create_group(page: &Page, title: &str, people: &str) {
    page.click("#new");
    page.click("[data-kind=group]");
    page.fill("[name=title]", title);
    page.fill("[name=people]", people);
    page.click("#new-submit");
    wait_for_thread(page, title);
}

/// Opens a conversation from the list.
pub(crate) fn open_listed(page: &Page, title: &str) {
    let item = format!(
        "[...document.querySelectorAll('.item')].find(item => item.querySelector('.item-title').textContent === {})",
        json!(title)
    );
    page.wait_for(&format!("conversation {title:?} in the list"), &format!("Boolean({item})"));
    page.evaluate(&format!("{item}.click()"));
    wait_for_thread(page, title);
}
