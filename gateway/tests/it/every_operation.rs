//! Every operation of the HTTP API does, on both databases, what its description promises of it: the document is walked,
//! each operation is asked for once with what it needs, and an operation that nobody asked for fails the test.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire;
use serde_json::{Value, json};

use crate::admin;
use crate::support::client::Client;
use crate::support::endpoint::Endpoint;
use crate::support::files::{form, png, upload_form};
use crate::support::http::{self, Answer, ask_as, give_as};
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;

const PASSWORD: &str = "correct horse";
/// Dan and Eve have tokens and no passwords.
const DAN: u64 = 101;
const EVE: u64 = 102;

/// What the description says of one operation.
struct Operation {
    method: String,
    path: String,
    /// Its successes, and the types of their bodies.
    successes: BTreeMap<u16, Vec<String>>,
}

/// A walk through all operations of a server.
struct Walk {
    server: ServerProcess,
    mailer: Endpoint,
    operations: BTreeMap<String, Operation>,
    asked: BTreeSet<String>,
}

impl Walk {
    fn new(database: Database, folder: &std::path::Path) -> Self {
        let mailer = Endpoint::start(200, "");
        let secret = crate::password_reset::secret_file(folder);
        let setup = Setup::new().database(database).config(&format!(
            "[auth]\npassword_reset_url = {:?}\npassword_reset_secret_file = {secret:?}\n\
             [push]\nweb_push_subject = \"mailto:ops@example.org\"\n\
             webhook_url = {:?}\nwebhook_secrets = [\"a secret of the tests\"]",
            mailer.url("/mail"),
            mailer.url("/push"),
        ));
        let server = setup.start();
        let document = http::get(server.address(), "/api/openapi.json").json();
        let operations = operations(&document);
        assert!(operations.len() > 90, "{}", operations.len());
        Self { server, mailer, operations, asked: BTreeSet::new() }
    }

    /// Asks for an operation; what it answers has to be a success that the description knows. Parameters that are not
    /// in the path go into the query.
    fn ask(&mut self, name: &str, token: &str, given: &[(&str, &str)], body: Value) -> Value {
        let operation = &self.operations[name];
        let (mut path, mut query) = (operation.path.clone(), Vec::new());
        for (parameter, value) in given {
            let place = format!("{{{parameter}}}");
            if path.contains(&place) {
                path = path.replace(&place, value);
            } else {
                query.push([*parameter, *value].join("="));
            }
        }
        assert!(!path.contains('{'), "{name}: {path}");
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let address = self.server.address();
        let method = &operation.method;
        let answer = match body {
            Value::Null if token.is_empty() => http::get(address, &path),
            Value::Null => ask_as(address, token, method, &path),
            body => give_as(address, token, method, &path, &[], &body),
        };
        self.note(name, &answer)
    }

    /// Holds an answer against the description; its JSON, if it has any.
    fn note(&mut self, name: &str, answer: &Answer) -> Value {
        let known = self.operations[name].successes.get(&answer.status);
        let types = known.unwrap_or_else(|| panic!("{name}: {answer:?}"));
        assert_eq!(types.is_empty(), answer.bytes.is_empty(), "{name}: {answer:?}");
        let kind = answer.header("content-type").unwrap_or("").split(';').next().unwrap_or("");
        let fits = types.is_empty() || types.iter().any(|known| known == kind || known == "*/*");
        assert!(fits, "{name}: {kind:?} is none of {types:?}");
        self.asked.insert(name.to_owned());
        if kind == "application/json" { answer.json() } else { Value::Null }
    }

    fn register(&mut self, name: &str) -> Value {
        let email = format!("{name}@example.org");
        let body = json!({"username": name, "email": email, "password": PASSWORD});
        self.ask("register", "", &[], body)
    }
}

/// Of the whole description, by name.
fn operations(document: &Value) -> BTreeMap<String, Operation> {
    let mut operations = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, described) in methods.as_object().expect("methods") {
            let responses = described["responses"].as_object().expect("responses");
            let successes = responses.iter().filter(|(status, _)| status.starts_with('2'));
            let successes = successes.map(|(status, response)| {
                let types = response["content"].as_object().into_iter().flat_map(|all| all.keys());
                (status.parse().expect("a status"), types.cloned().collect())
            });
            let operation = Operation {
                method: method.to_ascii_uppercase(),
                path: path.clone(),
                successes: successes.collect(),
            };
            let name = described["operationId"].as_str().expect("a name").to_owned();
            assert!(operations.insert(name, operation).is_none());
        }
    }
    operations
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The id in what making or opening a conversation answers.
fn conversation(opened: &Value) -> String {
    text(&opened["head"]["conversation"]["conversation_id"])
}

/// Someone with a login.
struct Person {
    id: String,
    token: String,
}

impl Person {
    fn of(signed_in: &Value) -> Self {
        Self { id: text(&signed_in["user"]["user_id"]), token: text(&signed_in["token"]) }
    }
}

#[test]
fn every_operation_does_what_it_promises() {
    for database in Database::both() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut walk = Walk::new(database, folder.path());
        operation(&mut walk);
        let (ann, ben) = logins(&mut walk);
        people(&mut walk, &ann, &ben);
        groups(&mut walk, &ann, &ben);
        members(&mut walk, &ann, &ben);
        messages(&mut walk, &ann, &ben);
        files(&mut walk, &ann);
        devices(&mut walk, &ann);
        account(&mut walk, &ann);
        administration(&mut walk, &ben);
        let all: BTreeSet<String> = walk.operations.keys().cloned().collect();
        let forgotten: Vec<_> = all.difference(&walk.asked).collect();
        assert!(forgotten.is_empty(), "nobody asked for {forgotten:?}");
    }
}

fn operation(walk: &mut Walk) {
    for name in ["openapi", "docs", "live", "ready", "metrics", "vapid_key"] {
        walk.ask(name, "", &[], Value::Null);
    }
}

/// Registers two people; ends and renews logins on the way.
fn logins(walk: &mut Walk) -> (Person, Person) {
    let ann = walk.register("ann");
    let ben = Person::of(&walk.register("ben"));
    let credentials = json!({"username": "ann", "password": PASSWORD});
    let login = walk.ask("login", "", &[], credentials.clone());
    let next = walk.ask("refresh", "", &[], json!({"refresh_token": login["refresh_token"]}));
    walk.ask("logout", &text(&next["token"]), &[], json!({"everywhere": true}));
    let gone = ask_as(walk.server.address(), &text(&ann["token"]), "GET", "/api/v1/account");
    assert_eq!(gone.status, 401, "{gone:?}");

    walk.ask("ask_password_reset", "", &[], json!({"username": "ann"}));
    let mail: Value = serde_json::from_str(&walk.mailer.asked(0).body).expect("a mail");
    let confirm = json!({"token": mail["token"], "password": "another horse"});
    walk.ask("confirm_password_reset", "", &[], confirm);
    let credentials = json!({"email": "ann@example.org", "password": "another horse"});
    let ann = Person::of(&walk.ask("login", "", &[], credentials));
    let change = json!({"old_password": "another horse", "new_password": PASSWORD});
    walk.ask("change_password", &ann.token, &[], change);
    (ann, ben)
}

fn people(walk: &mut Walk, ann: &Person, ben: &Person) {
    let of_ben = [("user_id", &*ben.id)];
    walk.ask("put_contact", &ann.token, &of_ben, json!({"nickname": "Benny"}));
    let contacts = walk.ask("list_contacts", &ann.token, &[("limit", "5")], Value::Null);
    assert_eq!(contacts["contacts"][0]["nickname"], "Benny");
    let found = walk.ask("list_users", &ann.token, &[("q", "be")], Value::Null);
    assert_eq!(found["users"][0]["user_id"], ben.id);
    assert_eq!(walk.ask("get_user", &ann.token, &of_ben, Value::Null)["username"], "ben");
    let presence = walk.ask("presence", &ann.token, &[("user_ids", &*ben.id)], Value::Null);
    assert_eq!(presence["users"][0]["user_id"], ben.id);
    let visibility = json!({"status_visibility": "EVERYONE", "last_seen_visibility": "NOBODY"});
    walk.ask("set_visibility", &ann.token, &[], visibility);
    walk.ask("block", &ann.token, &of_ben, Value::Null);
    let blocks = walk.ask("list_blocks", &ann.token, &[], Value::Null);
    assert!(blocks.to_string().contains(&format!("{:?}", ben.id)), "{blocks}");
    walk.ask("unblock", &ann.token, &of_ben, Value::Null);
    walk.ask("remove_contact", &ann.token, &of_ben, Value::Null);
}

fn groups(walk: &mut Walk, ann: &Person, ben: &Person) {
    let (dan, token) = (DAN.to_string(), walk.server.token(DAN));
    walk.ask("list_conversations", &token, &[], Value::Null);
    let settings = json!({"title": "closed", "join_policy": "BY_APPROVAL"});
    let body = json!({"kind": "GROUP", "user_ids": [ben.id], "settings": settings});
    let group = conversation(&walk.ask("create_group", &ann.token, &[], body));
    let at = [("conversation_id", &*group)];
    let title = json!({"settings": {"title": "still closed"}});
    walk.ask("update_group", &ann.token, &at, title);
    let head = walk.ask("get_conversation", &ann.token, &at, Value::Null);
    assert_eq!(head["conversation"]["settings"]["title"], "still closed");

    let of_dan = [at[0], ("user_id", &*dan)];
    for answer in ["refuse_request", "accept_request"] {
        walk.ask("join", &token, &at, json!({"text": "please"}));
        let waiting = walk.ask("list_requests", &ann.token, &at, Value::Null);
        assert!(waiting.to_string().contains(&format!("{dan:?}")), "{waiting}");
        walk.ask(answer, &ann.token, &of_dan, json!({}));
    }
    walk.ask("leave", &token, &at, Value::Null);
    walk.ask("transfer_group", &ann.token, &at, json!({"user_id": ben.id}));
    walk.ask("dissolve_group", &ben.token, &at, Value::Null);
    walk.ask("open_direct", &ann.token, &[], json!({"username": "ben"}));
}

fn members(walk: &mut Walk, ann: &Person, ben: &Person) {
    let (eve, eves) = (EVE.to_string(), walk.server.token(EVE));
    walk.ask("list_conversations", &eves, &[], Value::Null);
    let body = json!({"kind": "GROUP", "user_ids": [ben.id]});
    let group = conversation(&walk.ask("create_group", &ann.token, &[], body));
    let at = [("conversation_id", &*group)];
    let of_ben = [at[0], ("user_id", &*ben.id)];
    let far = json!({"until": 4_102_444_800_000_u64});
    walk.ask("invite", &ann.token, &at, json!({"user_ids": [DAN, eve]}));
    let members = walk.ask("list_members", &ann.token, &at, Value::Null);
    assert_eq!(members["members"].as_array().map(Vec::len), Some(4), "{members}");
    walk.ask("set_role", &ann.token, &of_ben, json!({"role": "ADMIN"}));
    walk.ask("set_role", &ann.token, &of_ben, json!({"role": "MEMBER"}));
    walk.ask("mute_member", &ann.token, &of_ben, far.clone());
    walk.ask("unmute_member", &ann.token, &of_ben, Value::Null);
    walk.ask("mute_all", &ann.token, &at, far.clone());
    walk.ask("unmute_all", &ann.token, &at, Value::Null);
    walk.ask("remove_members", &ann.token, &at, json!({"user_ids": [DAN]}));
    walk.ask("remove_member", &ann.token, &[at[0], ("user_id", &eve)], Value::Null);
    walk.ask("ban", &ann.token, &of_ben, far);
    let banned = walk.ask("list_bans", &ann.token, &at, Value::Null);
    assert!(banned.to_string().contains(&format!("{:?}", ben.id)), "{banned}");
    walk.ask("unban", &ann.token, &of_ben, Value::Null);
}

fn messages(walk: &mut Walk, ann: &Person, ben: &Person) {
    let body = json!({"kind": "GROUP", "user_ids": [ben.id]});
    let group = conversation(&walk.ask("create_group", &ann.token, &[], body));
    let at = [("conversation_id", &*group)];
    walk.ask("typing", &ann.token, &at, json!({}));
    let say = json!({"message": {"text": "words of ann"}});
    let sent = walk.ask("send_message", &ann.token, &at, say.clone());
    let seq = text(&sent["seq"]);
    let entry = [at[0], ("seq", &*seq)];
    let edit = json!({"message": {"text": "better words"}});
    walk.ask("edit_message", &ann.token, &entry, edit);
    let now = walk.ask("get_message", &ben.token, &entry, Value::Null);
    assert_eq!(now["body"]["message"]["text"], "better words");
    let reaction = [entry[0], entry[1], ("reaction", "%F0%9F%91%8D")];
    for (name, given) in [("react", &reaction[..]), ("unreact", &reaction)] {
        walk.ask(name, &ben.token, given, Value::Null);
    }
    walk.ask("pin_message", &ann.token, &entry, Value::Null);
    walk.ask("unpin_message", &ann.token, &entry, Value::Null);
    walk.ask("mark_delivered", &ben.token, &at, json!({"seq": seq}));
    walk.ask("mark_read", &ben.token, &at, json!({"seq": seq}));
    let read = walk.ask("read_by", &ann.token, &entry, Value::Null);
    assert!(read.to_string().contains(&format!("{:?}", ben.id)), "{read}");
    let page = walk.ask("list_messages", &ben.token, &[at[0], ("page", "1")], Value::Null);
    assert!(page.to_string().contains("better words"), "{page}");
    let behind = walk.ask("sync", &ben.token, &[at[0], ("seq", "1")], Value::Null);
    assert_eq!(behind["entries"][0]["seq"], seq);
    walk.ask("search", &ben.token, &[("q", "words")], Value::Null);
    let settings = json!({"level": "mentions", "muted_until": 0});
    walk.ask("set_notification_settings", &ben.token, &at, settings);
    let settings = walk.ask("notification_settings", &ben.token, &at, Value::Null);
    assert_eq!(settings["level"], "mentions");
    walk.ask("hide_message", &ben.token, &entry, Value::Null);
    walk.ask("hide_messages", &ben.token, &at, json!({"seqs": [seq]}));
    walk.ask("recall_message", &ann.token, &entry, Value::Null);
}

fn files(walk: &mut Walk, ann: &Person) {
    let id: u64 = ann.id.parse().expect("an id");
    let picture = upload_form(&walk.server, id, &form("a.png", "image/png", &png(300, 200)));
    let picture = walk.note("upload_file", &picture);
    let id = text(&picture["file_id"]);
    let at = [("file_id", &*id)];
    assert_eq!(walk.ask("file_info", &ann.token, &at, Value::Null)["width"], 300);
    walk.ask("download_file", &ann.token, &at, Value::Null);
    walk.ask("download_thumbnail", &ann.token, &at, Value::Null);
    let link = walk.ask("link_file", &ann.token, &at, Value::Null);
    let linked = http::get(walk.server.address(), &text(&link["url"]));
    walk.note("download_file", &linked);
    let copy = walk.ask("copy_file", &ann.token, &at, Value::Null);
    assert_ne!(copy["file_id"], picture["file_id"]);
}

fn devices(walk: &mut Walk, ann: &Person) {
    let id: u64 = ann.id.parse().expect("an id");
    let connect =
        |device: &str| wire::Connect { device_id: device.to_owned(), ..Default::default() };
    let mut sessions = ["phone", "desk"]
        .map(|device| Client::session_with(&walk.server, id, Encoding::Json, connect(device)).0);
    let listed = walk.ask("list_sessions", &ann.token, &[], Value::Null);
    assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(2), "{listed}");
    let of_desk = listed["sessions"].as_array().into_iter().flatten();
    let of_desk = of_desk.into_iter().find(|session| session["device_id"] == "desk");
    let session = text(&of_desk.expect("a session")["session_id"]);
    walk.ask("end_session", &ann.token, &[("session_id", &session)], Value::Null);
    assert!(sessions[1].close_code().is_some());

    let phone = [("device_id", "phone")];
    walk.ask("rename_device", &ann.token, &phone, json!({"name": "Ann's"}));
    walk.ask("set_push", &ann.token, &phone, json!({"kind": "webhook", "token": "t"}));
    let devices = walk.ask("list_devices", &ann.token, &[], Value::Null);
    assert!(devices.to_string().contains("Ann's") && devices.to_string().contains("webhook"));
    walk.ask("remove_push", &ann.token, &phone, Value::Null);
    walk.ask("end_sessions", &ann.token, &[], Value::Null);
    assert!(sessions[0].close_code().is_some());
    walk.ask("remove_device", &ann.token, &phone, Value::Null);
}

fn account(walk: &mut Walk, ann: &Person) {
    let change = json!({"display_name": "Ann", "username": "anna", "password": PASSWORD});
    walk.ask("update_account", &ann.token, &[], change);
    let account = walk.ask("get_account", &ann.token, &[], Value::Null);
    assert_eq!((&account["username"], &account["display_name"]), (&json!("anna"), &json!("Ann")));
    walk.ask("export_account", &ann.token, &[], Value::Null);
    walk.ask("delete_account", &ann.token, &[], json!({"password": PASSWORD}));
    let gone = ask_as(walk.server.address(), &ann.token, "GET", "/api/v1/account");
    assert_eq!(gone.status, 401, "{gone:?}");
}

fn administration(walk: &mut Walk, ben: &Person) {
    let password = admin::create(&mut walk.server, "root", "admin");
    let credentials = json!({"name": "root", "password": password});
    let token = text(&walk.ask("admin_login", "", &[], credentials.clone())["token"]);
    for name in ["admin_me", "admin_operators", "admin_stats", "admin_log", "admin_audit"] {
        walk.ask(name, &token, &[], Value::Null);
    }
    walk.ask("admin_change_log", &token, &[], json!({"filter": "info"}));
    let of_ben = [("user_id", &*ben.id)];
    let found = walk.ask("admin_users", &token, &[("q", "ben")], Value::Null);
    assert!(found.to_string().contains(&format!("{:?}", ben.id)), "{found}");
    walk.ask("admin_user", &token, &of_ben, Value::Null);
    let direct = conversation(&walk.ask("open_direct", &ben.token, &[], json!({"user_id": EVE})));
    walk.ask("admin_conversation", &token, &[("conversation_id", &direct)], Value::Null);

    let id = ben.id.parse().expect("an id");
    let mut session = Client::session(&walk.server, id, Encoding::Json);
    walk.ask("admin_broadcast", &token, &[], json!({"text": "at noon", "user_ids": [ben.id]}));
    assert_eq!(admin::next_notice(&mut session).text, "at noon");
    let listed = walk.ask("admin_sessions", &token, &of_ben, Value::Null);
    let ended = text(&listed["sessions"][0]["session_id"]);
    walk.ask("admin_end_session", &token, &[("session_id", &ended)], Value::Null);
    assert!(session.close_code().is_some());
    let mut session = Client::session(&walk.server, id, Encoding::Json);
    walk.ask("admin_kick", &token, &of_ben, Value::Null);
    assert!(session.close_code().is_some());
    walk.ask("admin_ban", &token, &of_ben, json!({"reason": "noise", "seconds": 60}));
    walk.ask("admin_unban", &token, &of_ben, Value::Null);

    let stream = begin_stream(walk, &token);
    walk.note("admin_stats_stream", &stream);
    walk.ask("admin_logout", &token, &[], Value::Null);
    let token = text(&walk.ask("admin_login", "", &[], credentials)["token"]);
    walk.ask("admin_drain", &token, &[], Value::Null);
    assert!(walk.server.wait().success());
}

/// The beginning of the figures, which have no end.
fn begin_stream(walk: &Walk, token: &str) -> Answer {
    let address = walk.server.address();
    let mut stream = http::dial(address);
    let path = &walk.operations["admin_stats_stream"].path;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("written");
    let mut bytes = Vec::new();
    let head = loop {
        let mut piece = [0; 1024];
        let count = stream.read(&mut piece).expect("figures");
        assert!(count > 0, "no figures: {bytes:?}");
        bytes.extend_from_slice(&piece[..count]);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end.filter(|_| bytes.windows(5).any(|five| five == b"data:")) {
            break end + 4;
        }
    };
    let told = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = (told[..head].to_lowercase(), told[head..].to_owned());
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head, body, bytes }
}
