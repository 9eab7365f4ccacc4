//! Headless Chromium, driven over the DevTools protocol.
//!
//! ```text
//! Page ──► Chromium ──► WebSocket on the loopback address ──► browser process
//! one context each: own cookies, own storage
//! ```
//!
//! Everything waits for a condition of the page, never for a span of time. What the page throws, and what its content
//! security policy blocks, is collected; [`Chromium::assert_no_problems`] fails the test over it.

use std::cell::RefCell;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

/// After this long a condition counts as never coming. Far more than any step takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL_EVERY: Duration = Duration::from_millis(50);

/// A browser with a profile of its own; it ends with this value.
pub(crate) struct Chromium {
    connection: Rc<RefCell<Connection>>,
    child: Child,
    _profile: TempDir,
}

/// The key that is held down while another one is pressed, as the DevTools protocol counts them.
#[derive(Clone, Copy)]
pub(crate) enum Held {
    Nothing = 0,
    Alt = 1,
    Control = 2,
    Shift = 8,
}

/// One window of one person.
pub(crate) struct Page {
    connection: Rc<RefCell<Connection>>,
    session: String,
    /// Whose cookies, storage and permissions it has.
    context: Value,
}

struct Connection {
    socket: WebSocket<TcpStream>,
    last_id: u64,
    problems: Vec<String>,
}

impl Chromium {
    /// Starts the browser; fails with a hint where it is not installed.
    pub(crate) fn start() -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(program());
        command.args([
            "--headless",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-sync",
        ]);
        command.args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-dev-shm-usage",
        ]);
        command.arg("--remote-debugging-port=0");
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        // Crash reports go to the home folder, whatever the profile.
        command.env("HOME", profile.path());
        if runs_as_root() {
            // Chromium refuses its sandbox to root.
            command.arg("--no-sandbox");
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("starting Chromium");
        let mut lines =
            BufReader::new(child.stderr.take().expect("standard error is piped")).lines();
        let mut seen = String::new();
        let url = loop {
            let Some(Ok(line)) = lines.next() else {
                panic!("Chromium ended before it was ready:\n{seen}")
            };
            if let Some((_, url)) = line.split_once("DevTools listening on ") {
                break url.trim().to_owned();
            }
            seen += &line;
            seen.push('\n');
        };
        // What it says later is of no interest, but somebody has to take it. The thread ends with the browser.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let connection = Rc::new(RefCell::new(Connection::open(&url)));
        Self { connection, child, _profile: profile }
    }

    /// A window of a person who has never been here.
    pub(crate) fn new_person(&self, url: &str) -> Page {
        let context =
            self.connection.borrow_mut().call("Target.createBrowserContext", &json!({}), None);
        Page::open(&self.connection, &context["browserContextId"], url)
    }

    /// Fails if a script threw or the content security policy blocked something.
    pub(crate) fn assert_no_problems(&self) {
        let connection = self.connection.borrow();
        assert!(connection.problems.is_empty(), "{:#?}", connection.problems);
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Without an answer: a browser in trouble is killed all the same.
        let close = json!({"id": 0, "method": "Browser.close"}).to_string();
        let _ = self.connection.borrow_mut().socket.send(Message::text(close));
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            thread::sleep(POLL_EVERY);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Page {
    fn open(connection: &Rc<RefCell<Connection>>, context: &Value, url: &str) -> Self {
        let blank = json!({"url": "about:blank", "browserContextId": context});
        let target = connection.borrow_mut().call("Target.createTarget", &blank, None);
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = connection.borrow_mut().call("Target.attachToTarget", &attach, None);
        let session = attached["sessionId"].as_str().expect("a session").to_owned();
        let page = Self { connection: Rc::clone(connection), session, context: context.clone() };
        for domain in ["Runtime.enable", "Log.enable", "Page.enable"] {
            page.call(domain, &json!({}));
        }
        // Each window believes that it is the one in front.
        page.call("Emulation.setFocusEmulationEnabled", &json!({"enabled": true}));
        page.call("Page.navigate", &json!({ "url": url }));
        page
    }

    /// The value of an expression; promises are awaited.
    pub(crate) fn evaluate(&self, expression: &str) -> Value {
        self.try_evaluate(expression).unwrap_or_else(|problem| panic!("{expression}: {problem}"))
    }

    /// Waits until an expression is true. `what` completes the sentence "there is no …".
    pub(crate) fn wait_for(&self, what: &str, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        // An error means that the page is being loaded, or that an element is not there yet.
        while self.try_evaluate(expression) != Ok(Value::Bool(true)) {
            if Instant::now() > deadline {
                let text = self.evaluate("document.body.innerText");
                panic!(
                    "there is no {what}; the page shows:\n{}",
                    text.as_str().unwrap_or_default()
                );
            }
            thread::sleep(POLL_EVERY);
        }
    }

    /// Presses the element, once it can be seen.
    pub(crate) fn click(&self, selector: &str) {
        self.wait_for_visible(selector);
        self.evaluate(&format!("document.querySelector({}).click()", json!(selector)));
    }

    /// Types into a field, once it can be seen, in place of what it held.
    pub(crate) fn fill(&self, selector: &str, text: &str) {
        self.wait_for_visible(selector);
        let select = format!(
            "(field => {{ field.focus(); field.select() }})(document.querySelector({}))",
            json!(selector)
        );
        self.evaluate(&select);
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Adds to what the focused field holds.
    pub(crate) fn insert(&self, text: &str) {
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Presses a key in the focused element.
    pub(crate) fn press_enter(&self) {
        self.press("Enter", Held::Nothing);
    }

    /// Presses a key by its name in the DOM, with another one held down or not.
    pub(crate) fn press(&self, name: &str, held: Held) {
        let code = match name {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            letter => letter.bytes().next().map_or(0, |byte| byte.to_ascii_uppercase().into()),
        };
        let mut key = json!({"key": name, "code": name, "windowsVirtualKeyCode": code, "modifiers": held as u8});
        if name == "Enter" {
            key["text"] = json!("\r");
        }
        for kind in ["keyDown", "keyUp"] {
            key["type"] = json!(kind);
            self.call("Input.dispatchKeyEvent", &key);
        }
    }

    /// Gives files to a field for them.
    pub(crate) fn choose_files(&self, selector: &str, files: &[&Path]) {
        let field = json!({"expression": format!("document.querySelector({})", json!(selector))});
        let field = self.call("Runtime.evaluate", &field);
        let object = &field["result"]["objectId"];
        self.call("DOM.setFileInputFiles", &json!({"files": files, "objectId": object}));
    }

    /// Answers the browser's question whether this page may notify.
    pub(crate) fn allow_notifications(&self) {
        let origin = self.evaluate("location.origin");
        let grant = json!({"origin": origin, "permissions": ["notifications"], "browserContextId": self.context});
        self.call("Browser.grantPermissions", &grant);
    }

    /// As if the browser's push service had brought this to the service worker of the page, the first one of the browser.
    pub(crate) fn deliver_push(&self, data: &Value) {
        let origin = self.evaluate("location.origin + '/'");
        self.call("ServiceWorker.enable", &json!({}));
        let push = json!({"origin": origin, "registrationId": "0", "data": data.to_string()});
        self.call("ServiceWorker.deliverPushMessage", &push);
    }

    /// As the page looks where the system is light or dark, in a window of this width.
    pub(crate) fn look(&self, scheme: &str, width: u32) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.call("Emulation.setEmulatedMedia", &json!({"features": [feature]}));
        let size = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Keeps a picture of the page in the folder that `RINGWIRE_SCREENSHOTS` names; without it, does nothing.
    pub(crate) fn screenshot(&self, name: &str) {
        let Some(folder) = env::var_os("RINGWIRE_SCREENSHOTS") else { return };
        let shot = self.call("Page.captureScreenshot", &json!({}));
        let bytes = STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("base64");
        fs::write(Path::new(&folder).join(format!("{name}.png")), bytes)
            .expect("writing a picture");
    }

    pub(crate) fn reload(&self) {
        // A mark that the new page does not have tells when the old one is gone.
        self.evaluate("window.beforeReload = true");
        self.call("Page.reload", &json!({}));
        self.wait_for(
            "reloaded page",
            "window.beforeReload === undefined && document.readyState === 'complete'",
        );
    }

    fn wait_for_visible(&self, selector: &str) {
        self.wait_for(
            selector,
            &format!("document.querySelector({}).checkVisibility()", json!(selector)),
        );
    }

    fn try_evaluate(&self, expression: &str) -> Result<Value, String> {
        let parameters =
            json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.connection.borrow_mut().try_call(
            "Runtime.evaluate",
            &parameters,
            Some(&self.session),
        )?;
        match answer.pointer("/exceptionDetails/exception/description") {
            Some(thrown) => Err(thrown.to_string()),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    fn call(&self, method: &str, parameters: &Value) -> Value {
        self.connection.borrow_mut().call(method, parameters, Some(&self.session))
    }
}

impl Connection {
    fn open(url: &str) -> Self {
        let authority = url.trim_start_matches("ws://").split('/').next().unwrap_or_default();
        let stream = TcpStream::connect(authority).expect("connecting to Chromium");
        stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        let (socket, _) = tungstenite::client(url, stream).expect("the handshake with Chromium");
        Self { socket, last_id: 0, problems: Vec::new() }
    }

    fn call(&mut self, method: &str, parameters: &Value, session: Option<&str>) -> Value {
        self.try_call(method, parameters, session)
            .unwrap_or_else(|problem| panic!("{method}: {problem}"))
    }

    fn try_call(
        &mut self,
        method: &str,
        parameters: &Value,
        session: Option<&str>,
    ) -> Result<Value, String> {
        self.last_id += 1;
        let mut command = json!({"id": self.last_id, "method": method, "params": parameters});
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(command.to_string())).expect("sending to Chromium");
        loop {
            let message = self.socket.read().expect("an answer of Chromium");
            let Message::Text(text) = message else { continue };
            let mut answer: Value = serde_json::from_str(&text).expect("JSON from Chromium");
            if answer["id"] == self.last_id {
                return match answer.get("error") {
                    Some(error) => Err(error.to_string()),
                    None => Ok(answer["result"].take()),
                };
            }
            self.note(&answer);
        }
    }

    fn note(&mut self, event: &Value) {
        let blocked = event["params"]["entry"]["source"] == "security";
        if event["method"] == "Runtime.exceptionThrown"
            || (event["method"] == "Log.entryAdded" && blocked)
        {
            self.problems.push(event["params"].to_string());
        }
    }
}

/// The browser: the one the environment names, or the one on the search path.
fn program() -> PathBuf {
    let named = env::var_os("RINGWIRE_CHROMIUM").map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let mut installed =
        env::split_paths(&path).map(|folder| folder.join("chromium")).filter(|file| file.is_file());
    named
        .or_else(|| installed.next())
        .expect("Chromium is not installed: `cargo xtask test` installs it, or let RINGWIRE_CHROMIUM name the program")
}

fn runs_as_root() -> bool {
    Path::new("/proc/self").metadata().is_ok_and(|process| process.uid() == 0)
}
