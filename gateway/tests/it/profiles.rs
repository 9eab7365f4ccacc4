//! One's own account, other users, contacts and devices over HTTP.

use ringwire_protocol::wire;
use serde_json::{Value, json};

use crate::support::ENCODINGS;
use crate::support::chat::id_of;
use crate::support::client::{Client, Upgrade};
use crate::support::files;
use crate::support::http::{self, Answer, post, request_as};
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;

const ACCOUNT: &str = "/api/v1/account";
const PASSWORD: &str = "correct horse battery staple";
/// The close code of sessions whose login ended.
const LOGGED_OUT: Option<u16> = Some(4006);

fn field(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
}

fn register(server: &ServerProcess, name: &str) -> String {
    let account = json!({
        "username": name, "password": PASSWORD, "email": format!("{name}@example.org"),
        "display_name": format!("The {name}"),
    });
    let answer = post(server.address(), "/api/v1/auth/register", &account);
    assert_eq!(answer.status, 201, "{answer:?}");
    field(&answer.json(), "token")
}

fn login(server: &ServerProcess, name: &str, password: &str) -> Answer {
    let body = json!({"username": name, "password": password});
    post(server.address(), "/api/v1/auth/login", &body)
}

fn session(server: &ServerProcess, token: &str, device_id: &str) -> Client {
    let upgrade = Upgrade::encoding(ENCODINGS[1]).bearer(token);
    let mut client = Client::upgrade(server.address(), &upgrade, ENCODINGS[1]).expect("101");
    let connect = wire::Connect { device_id: device_id.to_owned(), ..Default::default() };
    client.connect(connect).expect("a session");
    client
}

fn error(answer: &Answer) -> (u16, String) {
    (answer.status, field(&answer.json()["error"], "name"))
}

#[test]
fn an_account_is_changed_by_its_user_and_seen_by_others() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let (ann, bob) = (register(&server, "ann"), register(&server, "bob"));
        let ask = |token: &str, method: &str, path: &str, body: &Value| {
            request_as(server.address(), token, method, path, Some(body))
        };
        let get = |token: &str, path: &str| {
            let answer = request_as(server.address(), token, "GET", path, None);
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.json()
        };
        let mine = get(&ann, ACCOUNT);
        assert_eq!(
            (&mine["email"], &mine["has_password"]),
            (&json!("ann@example.org"), &json!(true))
        );
        let change = json!({
            "display_name": "Ann", "avatar_url": "https://example.org/a.png", "color": "#00FF00",
            "status_text": "at work",
        });
        let changed = ask(&ann, "PATCH", ACCOUNT, &change);
        assert_eq!(changed.status, 200, "{changed:?}");
        assert_eq!(changed.json(), get(&ann, ACCOUNT));
        let seen = get(&bob, &format!("/api/v1/users/{}", field(&mine, "user_id")));
        for (name, value) in
            [("display_name", "Ann"), ("color", "#00ff00"), ("status_text", "at work")]
        {
            assert_eq!(seen[name], value, "{seen}");
        }
        assert!(seen.get("email").is_none() && seen.get("has_password").is_none(), "{seen}");
        // Sessions see it, too.
        let mut client = session(&server, &bob, "");
        let id = field(&mine, "user_id").parse().expect("an id");
        let head = client.open_direct(id).head.expect("a head");
        let direct = head.conversation.expect("a conversation");
        let users = direct.users.iter().map(|user| (&*user.display_name, &*user.color));
        assert!(users.clone().any(|user| user == ("Ann", "#00ff00")), "{direct:?}");

        // Another name or address wants the password, and has to be free.
        let renamed = |username: &str| json!({"username": username, "password": PASSWORD});
        let refused = ask(&ann, "PATCH", ACCOUNT, &json!({"username": "anna"}));
        assert_eq!(error(&refused), (403, "FORBIDDEN".to_owned()));
        let wrong = json!({"email": null, "password": "wrong"});
        let refused = ask(&ann, "PATCH", ACCOUNT, &wrong);
        assert_eq!(error(&refused), (401, "INVALID_CREDENTIALS".to_owned()));
        for (taken, name) in [
            (renamed("BOB"), "username"),
            (json!({"email": "Bob@Example.org", "password": PASSWORD}), "email"),
        ] {
            let refused = ask(&ann, "PATCH", ACCOUNT, &taken);
            assert_eq!(error(&refused), (409, "ALREADY_EXISTS".to_owned()));
            let message = field(&refused.json()["error"], "message");
            assert!(message.starts_with(&format!("{name}:")), "{message}");
        }
        for bad in [
            json!({"color": "red"}),
            json!({"avatar_url": "javascript:x"}),
            json!({"status_text": "x".repeat(161)}),
            json!({"username": "a b", "password": PASSWORD}),
        ] {
            assert_eq!(ask(&ann, "PATCH", ACCOUNT, &bad).status, 400, "{bad}");
        }
        assert_eq!(ask(&ann, "PATCH", ACCOUNT, &renamed("anna")).status, 200);
        assert_eq!(login(&server, "anna", PASSWORD).status, 200);
        assert_eq!(login(&server, "ann", PASSWORD).status, 401);
        let gone = json!({"email": null, "password": PASSWORD});
        assert_eq!(ask(&ann, "PATCH", ACCOUNT, &gone).json()["email"], Value::Null);
        assert_eq!(request_as(server.address(), "nonsense", "GET", ACCOUNT, None).status, 401);
    }
}

#[test]
fn a_picture_of_oneself_is_for_everybody_and_for_no_message() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let mut people = [1, 2].map(|user| Client::session(&server, user, ENCODINGS[1]));
        let [one, two] = ["one.png", "two.png"]
            .map(|name| files::id_of(&files::uploaded(&server, 1, name, &files::png(300, 200))));
        let reads = |file: &str, what: &str| {
            let path = format!("{}/{file}{what}", files::FILES);
            files::ask(&server, 2, "GET", &path, "").status
        };
        let shows = |user: u64, url: &str| {
            let body = json!({"avatar_url": url});
            request_as(server.address(), &server.token(user), "PATCH", ACCOUNT, Some(&body)).status
        };
        assert_eq!(reads(&one, ""), 404);
        assert_eq!(shows(1, &format!("{}/{one}", files::FILES)), 200);
        assert_eq!([reads(&one, ""), reads(&one, "/thumbnail"), reads(&two, "")], [200, 200, 404]);
        let nobody = http::get(server.address(), &format!("{}/{one}", files::FILES));
        assert_eq!(nobody.status, 401, "{nobody:?}");
        assert_eq!(shows(2, &format!("{}/{two}", files::FILES)), 400, "it is not theirs");

        // In a message it would end with the message; the other file goes along, and is no picture any more.
        let direct = id_of(&people[0].open_direct(2));
        for file in [&one, &two] {
            people[0].call(files::send(direct, file, &[file])).expect("an ack");
        }
        assert_eq!(reads(&two, ""), 200);
        assert_eq!(shows(1, &format!("{}/{two}", files::FILES)), 400);
        assert_eq!(shows(1, ""), 200);
        assert_eq!(reads(&one, ""), 404, "nobody's picture, and in no message");
    }
}

#[test]
fn p1_a_new_password_ends_the_other_logins() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let first = register(&server, "ann");
        let second = field(&login(&server, "ann", PASSWORD).json(), "token");
        let mut stays = session(&server, &first, "");
        let mut ends = session(&server, &second, "");
        let change = |token: &str, old: &str, new: &str| {
            let body = json!({"old_password": old, "new_password": new});
            request_as(server.address(), token, "POST", "/api/v1/account/password", Some(&body))
        };
        let new = "another horse";
        assert_eq!(change(&first, "wrong", new).status, 401);
        assert_eq!(change(&first, PASSWORD, "short").status, 400);
        let body = json!({"new_password": new});
        let path = "/api/v1/account/password";
        assert_eq!(request_as(server.address(), &first, "POST", path, Some(&body)).status, 403);
        assert_eq!(change(&first, PASSWORD, new).status, 204);
        assert_eq!(ends.close_code(), LOGGED_OUT);
        assert_eq!(request_as(server.address(), &second, "GET", ACCOUNT, None).status, 401);
        stays.assert_quiet();
        assert_eq!(login(&server, "ann", PASSWORD).status, 401);
        assert_eq!(login(&server, "ann", new).status, 200);
        // Who came with a token of another kind has none, and gets a first one while the token is fresh.
        let guest = server.token(900);
        drop(session(&server, &guest, ""));
        let answer = request_as(server.address(), &guest, "POST", path, Some(&body));
        assert_eq!(answer.status, 204, "{answer:?}");
        assert_eq!(login(&server, "user-900", new).status, 200);
    }
}

#[test]
fn users_find_each_other_and_keep_contacts() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let tokens = ["anna", "anton", "bert"].map(|name| register(&server, name));
        let get = |token: &str, path: &str| {
            let answer = request_as(server.address(), token, "GET", path, None);
            (answer.status, answer.json())
        };
        let names = |answer: &Value| -> Vec<String> {
            let users = answer["users"].as_array().expect("users");
            users.iter().map(|user| field(user, "username")).collect()
        };
        let bert = &tokens[2];
        let (_, first) = get(bert, "/api/v1/users?q=AN&limit=1");
        let next = field(&first, "next_page_token");
        let (_, second) = get(bert, &format!("/api/v1/users?q=AN&limit=1&page_token={next}"));
        assert_eq!((names(&first), names(&second)), (vec!["anna".into()], vec!["anton".into()]));
        assert_eq!(second["next_page_token"], "");
        let (_, found) = get(bert, "/api/v1/users?q=the%20an");
        assert_eq!(names(&found), ["anna", "anton"], "by display name");
        let (_, found) = get(bert, "/api/v1/users?q=Anna@example.org");
        assert_eq!(names(&found), ["anna"]);
        assert_eq!(names(&get(bert, "/api/v1/users?q=anna@").1), Vec::<String>::new());
        let id = |token: &str| field(&get(token, ACCOUNT).1, "user_id");
        let (anna, anton) = (id(&tokens[0]), id(&tokens[1]));
        let (_, both) = get(bert, &format!("/api/v1/users?ids={anton},{anna},9999999"));
        assert_eq!(names(&both), ["anna", "anton"]);
        for bad in [
            "",
            "?q=",
            "?q=a&ids=1",
            "?ids=x",
            "?q=a&limit=0",
            "?q=a&limit=201",
            "?q=a&page_token=x",
        ] {
            let (status, answer) = get(bert, &format!("/api/v1/users{bad}"));
            assert_eq!(
                (status, &answer["error"]["name"]),
                (400, &json!("INVALID_ARGUMENT")),
                "{bad}"
            );
        }
        let (status, answer) = get(bert, "/api/v1/users/9999999");
        assert_eq!((status, &answer["error"]["name"]), (404, &json!("USER_NOT_FOUND")));
        assert_eq!(get(bert, "/api/v1/users/0").0, 400);
        assert_eq!(get("nonsense", "/api/v1/users?q=a").0, 401);

        let put = |contact: &str, body: Option<&Value>| {
            let path = format!("/api/v1/contacts/{contact}");
            request_as(server.address(), bert, "PUT", &path, body)
        };
        assert_eq!(error(&put("9999999", None)), (404, "USER_NOT_FOUND".to_owned()));
        let put = |contact: &str, body: Option<&Value>| put(contact, body).status;
        assert_eq!(put(&anna, None), 201);
        assert_eq!(put(&anna, Some(&json!({"nickname": "Änni"}))), 204);
        assert_eq!(put(&anton, Some(&json!({}))), 201);
        assert_eq!((put(&id(bert), None), put("9999999", None), put("x", None)), (400, 404, 400));
        assert_eq!(put(&anton, Some(&json!({"nickname": "x".repeat(65)}))), 400);
        let (_, page) = get(bert, "/api/v1/contacts?limit=1");
        assert_eq!(page["contacts"][0]["nickname"], "Änni");
        assert_eq!(page["contacts"][0]["user"]["username"], "anna");
        let next = field(&page, "next_page_token");
        let (_, page) = get(bert, &format!("/api/v1/contacts?limit=1&page_token={next}"));
        assert_eq!(page["contacts"][0]["user"]["username"], "anton");
        assert_eq!(page["next_page_token"], "");
        let remove = || {
            let path = format!("/api/v1/contacts/{anna}");
            request_as(server.address(), bert, "DELETE", &path, None).status
        };
        assert_eq!((remove(), remove()), (204, 404));
    }
}

#[test]
fn a3_a_removed_device_ends_its_logins_and_sessions() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let phone = register(&server, "ann");
        let laptop = field(&login(&server, "ann", PASSWORD).json(), "token");
        // Neither login named a device: the one it first connects from is its own.
        let mut on_phone = session(&server, &phone, "phone");
        let mut on_laptop = session(&server, &laptop, "laptop");
        let ask = |method: &str, path: &str, body: Option<&Value>| {
            request_as(server.address(), &laptop, method, path, body)
        };
        let named = json!({"name": "my phone"});
        assert_eq!(ask("PATCH", "/api/v1/devices/phone", Some(&named)).status, 204);
        assert_eq!(ask("PATCH", "/api/v1/devices/none", Some(&named)).status, 404);
        let listed = ask("GET", "/api/v1/devices", None).json();
        let devices = listed["devices"].as_array().expect("devices");
        let mut names: Vec<_> = devices
            .iter()
            .map(|device| (field(device, "device_id"), field(device, "name")))
            .collect();
        names.sort();
        assert_eq!(names[1], ("phone".to_owned(), "my phone".to_owned()));
        assert_eq!(names.len(), 2);
        assert_eq!(ask("DELETE", "/api/v1/devices/phone", None).status, 204);
        assert_eq!(on_phone.close_code(), LOGGED_OUT);
        assert_eq!(request_as(server.address(), &phone, "GET", ACCOUNT, None).status, 401);
        assert_eq!(ask("DELETE", "/api/v1/devices/phone", None).status, 404);
        on_laptop.assert_quiet();
    }
}

#[test]
fn a3_a_device_is_listed_from_its_login_on_and_goes_with_all_that_is_used_on_it() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let desk = register(&server, "ann");
        let logged_in = |device: &str| {
            let body = json!({"username": "ann", "password": PASSWORD, "device_id": device});
            field(&post(server.address(), "/api/v1/auth/login", &body).json(), "token")
        };
        let (phone, tablet) = (logged_in("phone"), logged_in("tablet"));
        let ask =
            |method: &str, path: &str| request_as(server.address(), &desk, method, path, None);
        let listed = || {
            let answer = ask("GET", "/api/v1/devices").json();
            let devices = answer["devices"].as_array().expect("devices").iter();
            let mut ids: Vec<String> = devices.map(|device| field(device, "device_id")).collect();
            ids.sort();
            ids
        };
        assert_eq!(listed(), ["phone", "tablet"], "nobody has connected");
        // The tablet's login on the phone, and a token of no login there too.
        let mut on_desk = session(&server, &desk, "desk");
        let mut on_phone = session(&server, &tablet, "phone");
        assert_eq!(ask("DELETE", "/api/v1/devices/phone").status, 204);
        assert_eq!(on_phone.close_code(), LOGGED_OUT);
        for token in [&phone, &tablet] {
            assert_eq!(request_as(server.address(), token, "GET", ACCOUNT, None).status, 401);
        }
        assert_eq!(listed(), ["desk", "tablet"]);
        on_desk.assert_quiet();
        let user_id: u64 = field(&ask("GET", ACCOUNT).json(), "user_id").parse().expect("a number");
        let mut of_no_login = session(&server, &server.token(user_id), "phone");
        assert_eq!(ask("DELETE", "/api/v1/devices/phone").status, 204);
        assert_eq!(of_no_login.close_code(), LOGGED_OUT);
        on_desk.assert_quiet();
    }
}

#[test]
fn p1_too_many_attempts_are_refused_whoever_they_are_about() {
    let limits = "[limits]\nexempt_loopback = false\naccount_attempts_per_min = 1\naccount_attempts_burst = 2\n\
                  address_attempts_per_min = 1\naddress_attempts_burst = 9";
    let server = Setup::new().config(limits).start();
    register(&server, "ann");
    assert_eq!(login(&server, "ann", PASSWORD).status, 200);
    for name in ["ann", "nobody"] {
        let statuses = [(); 3].map(|()| login(&server, name, "wrong horse").status);
        assert_eq!(statuses, [401, 401, 429], "{name}");
    }
    let refused = login(&server, "ANN", PASSWORD);
    assert_eq!(error(&refused), (429, "RATE_LIMITED".to_owned()), "also the right one");
    assert!(refused.head.contains("retry-after: "), "{refused:?}");
    // Nine attempts, the refused ones too: now it is the address.
    let other = json!({"username": "bob", "password": PASSWORD});
    let refused = post(server.address(), "/api/v1/auth/register", &other);
    assert_eq!(error(&refused), (429, "RATE_LIMITED".to_owned()));
}
