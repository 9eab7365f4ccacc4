//! The page: groups with roles, requests and bans, seen from all sides.

use serde_json::json;

use crate::chat_page::{
    choose_in_menu, create_group, open_listed, register, row, wait_for_part, wait_for_text,
    wait_for_texts, wait_for_thread, wait_for_unread, write,
};
use crate::chromium::{Chromium, Held, Page};
use crate::support::server::ServerProcess;

/// Opens the menu of somebody in the list of members and chooses what is called so.
fn choose_for(page: &Page, name: &str, action: &str) {
    let member = format!(
        "[...document.querySelectorAll('#info-members li')].find(member => member.querySelector('.grow').firstChild.textContent === {})",
        json!(name)
    );
    page.wait_for(
        &format!("{name} among the members"),
        &format!("Boolean({member}?.querySelector('.more'))"),
    );
    page.evaluate(&format!("{member}.querySelector('.more').click()"));
    choose_in_menu(page, action);
}

/// Waits for what stands beside somebody in the list of members.
fn wait_for_role(page: &Page, name: &str, role: &str) {
    let shown = format!(
        "[...document.querySelectorAll('#info-members li')].some(member =>
            member.querySelector('.grow').firstChild.textContent === {} && member.querySelector('.role').textContent === {})",
        json!(name),
        json!(role)
    );
    page.wait_for(&format!("{name} as {role:?}"), &shown);
}

#[test]
fn an_owner_gives_roles_mutes_removes_and_hands_over() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let [anna, ben, cleo] = ["anna", "ben", "cleo"].map(|name| register(&browser, &server, name));
    create_group(&anna, "Choir", "ben");
    open_listed(&ben, "Choir");

    // A member sees no way to manage; nobody may who is not asked for.
    ben.click("#info");
    wait_for_role(&ben, "anna", "owner");
    assert_eq!(
        ben.evaluate("document.querySelector('#group-settings, #invite-form, #dissolve')"),
        json!(null)
    );
    ben.press("Escape", Held::Nothing);

    anna.click("#info");
    anna.fill("[name=invite]", "nobody");
    anna.click("#invite-form button");
    wait_for_text(&anna, "#info-dialog .error", "There is nobody with that user name.");
    anna.fill("[name=invite]", "cleo");
    anna.click("#invite-form button");
    wait_for_role(&anna, "cleo", "");
    open_listed(&cleo, "Choir");

    choose_for(&anna, "ben", "Make admin");
    wait_for_role(&anna, "ben", "admin");
    wait_for_part(&ben, ".line-notice", "anna made You an admin");
    choose_for(&anna, "cleo", "Mute for an hour");
    wait_for_role(&anna, "cleo", "muted");
    wait_for_text(&cleo, "#silence", "You are muted in this group.");
    cleo.wait_for("no field", "!document.querySelector('#composer').checkVisibility()");
    choose_for(&anna, "cleo", "Unmute");
    cleo.wait_for("the field", "document.querySelector('#composer').checkVisibility()");

    // An admin may do some of it, with those below.
    ben.click("#info");
    anna.screenshot("members");
    choose_for(&ben, "cleo", "Remove");
    cleo.wait_for("an empty list", "document.querySelector('.item') === null");
    wait_for_part(&anna, ".line-notice", "ben removed cleo");

    choose_for(&anna, "ben", "Hand the group over");
    wait_for_role(&anna, "ben", "owner");
    wait_for_role(&anna, "anna", "admin");
    ben.press("Escape", Held::Nothing);
    ben.click("#info");
    ben.click("#dissolve");
    ben.click("#dissolve");
    for page in [&anna, &ben] {
        page.wait_for("an empty list", "document.querySelector('.item') === null");
    }
    browser.assert_no_problems();
}

#[test]
fn settings_requests_codes_and_bans_decide_who_is_in() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let [anna, ben] = ["anna", "ben"].map(|name| register(&browser, &server, name));
    create_group(&anna, "Club", "");
    let number = anna.evaluate("location.hash.split('/').at(-1)");
    let number = number.as_str().expect("the number of the group");
    let ask = |code: &str, request: &str| {
        ben.click("#new");
        ben.click("[data-kind=join]");
        ben.fill("[name=number]", number);
        ben.fill("[name=code]", code);
        ben.fill("[name=request]", request);
        ben.click("#new-submit");
    };
    let set = |field: &str, value: &str| {
        anna.evaluate("document.querySelector('#group-settings').open = true");
        let set = format!("document.querySelector('[name={field}]').value = {}", json!(value));
        anna.evaluate(&set);
        anna.click("#save-settings");
    };

    // By asking: owner and admins read why, and decide.
    anna.click("#info");
    set("group-policy", "BY_APPROVAL");
    wait_for_part(&anna, ".line-notice", "You changed the settings");
    ask("", "I play the <b>flute</b>");
    wait_for_part(&ben, ".toast", "You have asked to join");
    anna.click("[data-list=REQUESTS]");
    wait_for_part(&anna, "#info-members small", "I play the <b>flute</b>");
    anna.screenshot("requests");
    anna.evaluate("[...document.querySelectorAll('#info-members button')].find(button => button.textContent === 'Take in').click()");
    open_listed(&ben, "Club");

    // Named anew and made quiet, on all screens.
    set("group-title", "Flutes");
    wait_for_text(&ben, "#thread-title", "Flutes");
    anna.evaluate("document.querySelector('[name=announcements]').click()");
    anna.click("#save-settings");
    wait_for_text(&ben, "#silence", "Only owner and admins write here.");

    // Banned, one is out and stays out, until that is lifted; then the code lets in.
    anna.click("[data-list=MEMBERS]");
    choose_for(&anna, "ben", "Ban for good");
    ben.wait_for("an empty list", "document.querySelector('.item') === null");
    ask("", "");
    wait_for_text(&ben, "#new-error", "You are banned from that group.");
    ben.press("Escape", Held::Nothing);
    anna.click("[data-list=BANNED]");
    wait_for_part(&anna, "#info-members small", "for good");
    anna.evaluate("document.querySelector('#info-members button').click()");
    wait_for_part(&anna, "#info-members", "Nobody.");
    set("group-policy", "BY_LINK");
    anna.wait_for("the entry", "[...document.querySelectorAll('.line-notice')].at(-1).textContent === 'You changed the settings'");
    anna.press("Escape", Held::Nothing);
    anna.click("#info");
    anna.wait_for("the code", "document.querySelector('#info-code')?.textContent.length > 0");
    let code = anna.evaluate("document.querySelector('#info-code').textContent");
    ask("wrong", "");
    ben.wait_for("a refusal", "document.querySelector('#new-error').checkVisibility()");
    ben.fill("[name=code]", code.as_str().expect("a code"));
    ben.click("#new-submit");
    wait_for_thread(&ben, "Flutes");
    browser.assert_no_problems();
}

#[test]
fn people_are_addressed_by_name() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let [anna, ben] = ["anna", "ben"].map(|name| register(&browser, &server, name));
    create_group(&anna, "Choir", "ben");
    wait_for_part(&ben, ".item-title", "Choir");
    anna.fill("#text", "Who sings, @b");
    wait_for_part(&anna, "#mentions li", "@ben");
    anna.screenshot("mentions");
    anna.press_enter();
    assert_eq!(anna.evaluate("document.querySelector('#text').value"), "Who sings, @ben ");
    anna.press_enter();
    wait_for_unread(&ben, 1);
    open_listed(&ben, "Choir");
    wait_for_texts(&ben, &["Who sings, @ben"]);
    ben.wait_for("the call", &format!("{}.classList.contains('calls')", row("Who sings, @ben")));
    assert_eq!(ben.evaluate("document.querySelector('.mention').textContent"), "@ben");
    // A name that is nobody's is text.
    write(&ben, "@anna and @nobody");
    wait_for_texts(&anna, &["Who sings, @ben", "@anna and @nobody"]);
    let marked = format!(
        "[...{}.querySelectorAll('.mention')].map(mark => mark.textContent)",
        row("@anna and @nobody")
    );
    assert_eq!(anna.evaluate(&marked), json!(["@anna"]));
    browser.assert_no_problems();
}
