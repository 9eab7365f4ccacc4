//! The page: one's own account, other people, and where one is logged in.

use serde_json::json;

use crate::chat_page::{
    PASSWORD, open_direct, open_listed, register, wait_for_part, wait_for_state, wait_for_text,
    wait_for_thread, wait_until_online, write,
};
use crate::chromium::{Chromium, Held, Page};
use crate::support::files::png;
use crate::support::server::ServerProcess;

fn log_in(browser: &Chromium, server: &ServerProcess, name: &str, password: &str) -> Page {
    let page = browser.new_person(&server.url());
    page.fill("[name=username]", name);
    page.fill("[name=password]", password);
    page.press_enter();
    page
}

#[test]
fn a_profile_is_changed_and_others_find_it() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let anna = register(&browser, &server, "anna");
    let ben = register(&browser, &server, "ben");

    anna.click("#profile");
    anna.fill("[name=display_name]", "Anna <b>Karenina</b>");
    anna.fill("[name=status_text]", "On a train");
    anna.evaluate(
        "(color => { color.value = '#123456'; color.dispatchEvent(new Event('input')) })(document.querySelector('[name=color]'))",
    );
    anna.click("#save-profile");
    wait_for_text(&anna, "#me", "Anna <b>Karenina</b>");
    anna.wait_for(
        "the colour",
        "document.querySelector('#profile .avatar').style.background === 'rgb(18, 52, 86)'",
    );
    anna.screenshot("profile-filled");
    anna.press("Escape", Held::Nothing);

    // By a part of the name; a press on the result is the beginning of a chat.
    ben.press("k", Held::Control);
    ben.fill("#search", "Anna <");
    wait_for_part(&ben, ".result small", "@anna");
    ben.press_enter();
    wait_for_thread(&ben, "Anna <b>Karenina</b>");
    ben.click("#info");
    wait_for_part(&ben, "#info-dialog", "On a train");
    // A contact has the name that one gives it, here and in the list for new chats.
    ben.fill("[name=nickname]", "Annie");
    ben.click("#save-contact");
    wait_for_text(&ben, "#thread-title", "Annie");
    ben.press("Escape", Held::Nothing);
    ben.reload();
    wait_for_thread(&ben, "Annie");
    ben.click("#new");
    wait_for_part(&ben, ".contact", "Annie");
    ben.press("Escape", Held::Nothing);

    // Blocked, she is told that nothing goes through; unblocked, it does.
    open_direct(&anna, "ben");
    ben.click("#info");
    ben.click("#block");
    wait_for_text(&ben, "#block", "Unblock");
    write(&anna, "Hello?");
    wait_for_state(&anna, "Hello?", "failed");
    ben.click("#block");
    wait_for_text(&ben, "#block", "Block");
    anna.evaluate("[...document.querySelectorAll('.failure button')].find(it => it.textContent === 'Retry').click()");
    wait_for_state(&anna, "Hello?", "read");
    browser.assert_no_problems();
}

#[test]
fn a_password_is_changed_and_logins_end() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let anna = register(&browser, &server, "anna");
    let elsewhere = log_in(&browser, &server, "anna", PASSWORD);
    wait_until_online(&elsewhere);
    let other = "a better battery staple";

    anna.click("#profile");
    anna.click("#password-panel summary");
    anna.fill("[name=old_password]", "not the password");
    anna.fill("[name=new_password]", other);
    anna.click("#save-password");
    wait_for_part(&anna, "#profile-dialog .error", "password is wrong");
    anna.fill("[name=old_password]", PASSWORD);
    anna.click("#save-password");
    elsewhere.wait_for("the log-in form", "document.querySelector('#auth-form').checkVisibility()");
    wait_until_online(&anna);

    // Another login can be ended by its device.
    let elsewhere = log_in(&browser, &server, "anna", other);
    wait_until_online(&elsewhere);
    anna.click("#devices-panel summary");
    wait_for_part(&anna, "#devices small", "this one");
    anna.wait_for("the other device", "document.querySelector('#devices button') !== null");
    anna.evaluate("document.querySelectorAll('#devices button').forEach(button => button.click())");
    elsewhere.wait_for("the log-in form", "document.querySelector('#auth-form').checkVisibility()");

    // Logged out everywhere, this one is out too, and nothing of it is left here.
    let elsewhere = log_in(&browser, &server, "anna", other);
    wait_until_online(&elsewhere);
    anna.click("#logout-everywhere");
    for page in [&anna, &elsewhere] {
        page.wait_for("the log-in form", "document.querySelector('#auth-form').checkVisibility()");
        assert_eq!(page.evaluate("localStorage.getItem('ringwire.session')"), json!(null));
    }
    browser.assert_no_problems();
}

#[test]
fn a_picture_of_oneself_is_seen_by_others_and_ends_when_it_is_taken_away() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let anna = register(&browser, &server, "anna");
    let ben = register(&browser, &server, "ben");
    let folder = tempfile::tempdir().expect("a folder");
    let (picture, text) = (folder.path().join("anna.png"), folder.path().join("notes.png"));
    std::fs::write(&picture, png(640, 480)).expect("a picture");
    std::fs::write(&text, "no picture at all").expect("a text");

    anna.click("#profile");
    anna.wait_for("the button", "document.querySelector('#avatar') !== null");
    anna.choose_files("#avatar-input", &[&text]);
    wait_for_part(&anna, "#profile-dialog .error", "no picture");
    anna.choose_files("#avatar-input", &[&picture]);
    let own = "document.querySelector('#profile .avatar img')?.naturalWidth > 0";
    anna.wait_for("her own picture", own);
    anna.screenshot("own-picture");
    anna.press("Escape", Held::Nothing);

    // Ben has never written with her, and sees it wherever he finds her.
    ben.press("k", Held::Control);
    ben.fill("#search", "anna");
    ben.wait_for("her picture", "document.querySelector('.result .avatar img')?.naturalWidth > 0");
    ben.press("Escape", Held::Nothing);

    anna.click("#profile");
    anna.click("#no-avatar");
    anna.wait_for("no picture", "document.querySelector('#profile .avatar img') === null");
    browser.assert_no_problems();
}

#[test]
fn a_user_name_and_an_address_are_changed_with_the_password() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let anna = register(&browser, &server, "anna");
    drop(register(&browser, &server, "ben"));
    anna.click("#profile");
    anna.click("#login-panel summary");
    anna.fill("[name=own_username]", "ben");
    anna.fill("[name=own_email]", "anna@example.org");
    anna.fill("[name=own_password]", PASSWORD);
    anna.click("#save-login");
    wait_for_part(&anna, "#profile-dialog .error", "already taken");
    anna.fill("[name=own_username]", "karenina");
    anna.click("#save-login");
    anna.wait_for(
        "the new name",
        "JSON.parse(localStorage.getItem('ringwire.session')).username === 'karenina'",
    );
    wait_for_text(&anna, "#me", "karenina");
    // By either of the two one logs in from now on.
    for login in ["karenina", "anna@example.org"] {
        wait_until_online(&log_in(&browser, &server, login, PASSWORD));
    }
    browser.assert_no_problems();
}

/// The page renews its token before it ends, and two tabs do not use one refresh token twice.
#[test]
fn a_token_is_renewed_in_time() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let anna = register(&browser, &server, "anna");
    let ben = register(&browser, &server, "ben");
    open_direct(&anna, "ben");
    let refresh = "JSON.parse(localStorage.getItem('ringwire.session')).refreshToken";
    let before = anna.evaluate(refresh);
    // As it is when the page comes back after a night: the token in the storage has ended.
    anna.evaluate(
        "localStorage.setItem('ringwire.session', JSON.stringify(
            { ...JSON.parse(localStorage.getItem('ringwire.session')), expiresAt: Date.now() - 1 }))",
    );
    let both = "import('./account.js').then(({ tokens }) => Promise.all([tokens.valid(), tokens.valid(), tokens.valid()]))";
    let renewed = anna.evaluate(both);
    assert_ne!(anna.evaluate(refresh), before);
    assert_eq!(renewed, json!([renewed[0], renewed[0], renewed[0]]));
    let token = "JSON.parse(localStorage.getItem('ringwire.session')).token";
    assert_eq!(anna.evaluate(token), renewed[0]);
    anna.reload();
    wait_until_online(&anna);
    write(&anna, "still me");
    open_listed(&ben, "anna");
    wait_for_state(&anna, "still me", "read");
    browser.assert_no_problems();
}
