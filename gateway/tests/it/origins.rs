//! Pages of other sites: what their scripts may ask of this server, and what not.

use ringwire_protocol::codec::Encoding;
use serde_json::json;

use crate::support::chat::text;
use crate::support::client::Client;
use crate::support::http::{Answer, exchange, give_as};
use crate::support::server::{ServerProcess, Setup};

const LISTED: &str = "https://app.example";
const EVIL: &str = "https://evil.example";

fn preflight(server: &ServerProcess, path: &str, origin: &str) -> Answer {
    let address = server.address();
    let request = format!(
        "OPTIONS {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nOrigin: {origin}\r\n\
         Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization,content-type\r\n\r\n"
    );
    exchange(address, request.as_bytes())
}

#[test]
fn x2_pages_of_other_sites_act_for_nobody_unless_they_are_listed() {
    let config = format!("[server]\nallowed_origins = [\"{LISTED}\"]\n");
    let server = Setup::new().config(&config).start();
    let mut ann = Client::session(&server, 1, Encoding::Json);
    let group = ann.create_group(&[]);
    let path = format!("/api/v1/conversations/{group}/messages");
    let say = |origin: &str, words: &str| {
        let body = json!({"message": {"text": words}});
        let headers = [("Origin", origin)];
        give_as(server.address(), &server.token(1), "POST", &path, &headers, &body)
    };

    // Not even with a valid token, and nothing is done.
    for origin in [EVIL, "null", "https://app.example.evil.example", "http://app.example"] {
        let refused = say(origin, "evil");
        assert_eq!(
            (refused.status, refused.json()["error"]["name"].as_str()),
            (403, Some("FORBIDDEN"))
        );
        assert!(!refused.head.contains("access-control-"), "{}", refused.head);
        let asked = preflight(&server, &path, origin);
        assert_eq!(asked.status, 403);
        assert!(!asked.head.contains("access-control-"), "{}", asked.head);
    }
    let asked = preflight(&server, &path, LISTED);
    assert_eq!(asked.status, 204);
    assert!(
        asked.head.contains(&format!("access-control-allow-origin: {LISTED}\r\n")),
        "{}",
        asked.head
    );
    let allowed = asked.header("access-control-allow-headers").expect("headers that are allowed");
    for header in ["authorization", "content-type", "range", "if-range", "if-none-match"] {
        assert!(allowed.split(", ").any(|one| one == header), "{header}: {allowed}");
    }
    assert!(!asked.head.contains("access-control-allow-credentials"), "cookies mean nothing here");
    let said = say(LISTED, "listed");
    assert_eq!(said.status, 201, "{said:?}");
    assert!(
        said.head.contains(&format!("access-control-allow-origin: {LISTED}\r\n")),
        "{}",
        said.head
    );
    assert!(said.head.contains("vary: origin"), "{}", said.head);
    assert_eq!(
        say(&server.url().trim_end_matches('/').replace("ws://", "http://"), "own").status,
        201
    );
    let log = ann.log(group);
    assert_eq!(log.iter().filter_map(text).collect::<Vec<_>>(), ["listed", "own"]);
}

#[test]
fn x2_what_browsers_send_by_themselves_says_who_nobody_is() {
    let server = ServerProcess::start(&[]);
    let (address, token) = (server.address(), server.token(1));
    let request = format!(
        "POST /api/v1/conversations HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nCookie: token={token}; \
         Authorization=Bearer {token}\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    assert_eq!(exchange(address, request.as_bytes()).status, 401);
    // What a form can send is no JSON, and is not taken for it.
    let request = format!(
        "POST /api/v1/conversations HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    assert_eq!(exchange(address, request.as_bytes()).status, 415);
}
