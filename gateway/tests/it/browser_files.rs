//! The page: files and pictures, by button, by paste and dropped; what strangers and liars get.

use std::fs;

use serde_json::json;

use crate::chat_page::{
    choose_in_menu, open_direct, open_listed, register, row, wait_for_part, wait_for_state, write,
};
use crate::chromium::{Chromium, Held, Page};
use crate::support::server::{ServerProcess, Setup};

/// A picture of 800 by 500 pixels as a `File` that calls itself so.
const PICTURE: &str = "(async (name) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 800, height: 500 });
    canvas.getContext('2d').fillRect(100, 100, 200, 200);
    const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
    return new File([blob], name, { type: 'image/png' });
})";

fn paste_picture(page: &Page, name: &str) {
    page.evaluate(&format!(
        "{PICTURE}({}).then((file) => {{
            const clipboardData = new DataTransfer();
            clipboardData.items.add(file);
            document.querySelector('#text').dispatchEvent(new ClipboardEvent('paste', {{ clipboardData, bubbles: true, cancelable: true }}));
        }})",
        json!(name)
    ));
}

/// Waits until as many files are with the server, ready to go along with a message.
fn wait_for_tray(page: &Page, count: usize) {
    let ready = format!(
        "document.querySelectorAll('#tray li').length === {count} && document.querySelector('#tray progress, #tray .failed') === null"
    );
    page.wait_for(&format!("tray of {count}"), &ready);
}

#[test]
fn x1_files_travel_by_button_paste_and_drop_and_are_what_they_are() {
    let server = ServerProcess::start(&[]);
    let browser = Chromium::start();
    let anna = register(&browser, &server, "anna");
    let ben = register(&browser, &server, "ben");
    open_direct(&anna, "ben");

    let hostile = "<img src=x onerror=window.owned=1>.png";
    paste_picture(&anna, hostile);
    wait_for_tray(&anna, 1);
    anna.screenshot("tray");
    write(&anna, "Look at this");
    wait_for_state(&anna, "Look at this", "delivered");
    open_listed(&ben, "anna");
    ben.wait_for("thumbnail", "document.querySelector('.picture img').naturalWidth > 0");
    // What one reads of the picture before it is there is its name, as text.
    assert_eq!(ben.evaluate("document.querySelector('.picture-name').textContent"), hostile);
    ben.click(".picture");
    ben.wait_for(
        "the whole picture",
        "document.querySelector('#lightbox img').naturalWidth === 800",
    );
    assert_eq!(ben.evaluate("document.querySelector('#lightbox span').textContent"), hostile);
    ben.screenshot("lightbox");
    ben.press("Escape", Held::Nothing);

    // A page that calls itself a picture is neither shown nor run: it is a file to save.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = folder.path().join("holiday.png");
    fs::write(&page, "<!doctype html><script>parent.owned = 1; window.owned = 1</script>")
        .expect("a file");
    anna.choose_files("#attach-input", &[&page]);
    wait_for_tray(&anna, 1);
    anna.evaluate(
        "(() => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(['some notes\\n'], 'notes.txt', { type: 'text/plain' }));
            document.querySelector('#thread').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
        })()",
    );
    wait_for_tray(&anna, 2);
    anna.evaluate("document.querySelector('#composer').requestSubmit()");
    wait_for_part(&ben, ".file-name", "notes.txt");
    wait_for_part(&ben, ".file-name", "holiday.png");
    ben.screenshot("files");
    assert_eq!(ben.evaluate("document.querySelectorAll('.picture').length"), 1);
    // A press saves by a link that needs no token; what it leads to says that it is no page.
    ben.evaluate(
        "window.saved = [];
         HTMLAnchorElement.prototype.click = function () { saved.push([this.href, this.download]); };
         document.querySelectorAll('button.file').forEach((file) => file.click())",
    );
    ben.wait_for("two links", "saved.length === 2");
    let answers = "Promise.all(saved.sort(([, a], [, b]) => a < b ? -1 : 1).map(([href, name]) => fetch(href).then(async (answer) => [
        name, answer.status, answer.headers.get('content-disposition').split(';')[0], (await answer.text()).length > 0])))";
    assert_eq!(
        ben.evaluate(answers),
        json!([["holiday.png", 200, "attachment", true], ["notes.txt", 200, "attachment", true]])
    );
    assert_eq!(ben.evaluate("typeof window.owned"), "undefined");

    // Taken back, a message takes its files along.
    let id = ben.evaluate("new URL(saved[1][0]).pathname");
    let message = "[...document.querySelectorAll('.message.own')].at(-1)";
    anna.evaluate(&format!("{message}.querySelector('.more').click()"));
    choose_in_menu(&anna, "Take back for all");
    ben.wait_for("no files", "document.querySelector('.file') === null");
    let gone = format!(
        "fetch({id}, {{ headers: {{ authorization: `Bearer ${{JSON.parse(localStorage.getItem('ringwire.session')).token}}` }} }}).then(answer => answer.status)"
    );
    assert_eq!(ben.evaluate(&gone), 404);
    browser.assert_no_problems();
}

#[test]
fn a_file_that_is_refused_says_why_and_can_be_taken_out() {
    let server = Setup::new().config("[files]\nmax_size_bytes = 4096").start();
    let browser = Chromium::start();
    let anna = register(&browser, &server, "anna");
    let ben = register(&browser, &server, "ben");
    open_direct(&anna, "ben");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let large = folder.path().join("large.bin");
    fs::write(&large, vec![0; 8192]).expect("a file");
    anna.choose_files("#attach-input", &[&large]);
    wait_for_part(&anna, "#tray .failed small", "4096");
    anna.fill("#text", "without it");
    assert_eq!(anna.evaluate("document.querySelector('#send').disabled"), true);
    anna.click("#tray [aria-label='Remove large.bin']");
    anna.fill("#text", "without it");
    anna.press_enter();
    wait_for_part(&ben, ".item-text", "without it");
    assert_eq!(
        anna.evaluate(&format!("{}.querySelector('.attachments')", row("without it"))),
        json!(null)
    );
    browser.assert_no_problems();
}
