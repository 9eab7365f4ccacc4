//! Files from their upload through a message to those who may read it, and to their end.

use std::fs::File;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op};
use serde_json::json;

use crate::support::ENCODINGS;
use crate::support::chat::{notice, refusal};
use crate::support::client::Client;
use crate::support::files::{
    FILES, ask, ask_anyhow, await_stored, id_of, message, noise, png, read, send, stored, upload,
    uploaded,
};
use crate::support::http;
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;

const ANN: u64 = 1;
const BOB: u64 = 2;
const CAROL: u64 = 3;

fn connect(server: &ServerProcess, users: &[u64]) -> Vec<Client> {
    users.iter().map(|user| Client::session(server, *user, Encoding::Protobuf)).collect()
}

#[test]
fn of_an_uploaded_file_the_server_says_what_it_is() {
    let server = ServerProcess::start(&[]);
    let picture = png(64, 32);
    connect(&server, &[ANN]);
    let file = uploaded(&server, ANN, "cat.png", &picture);
    let id = id_of(&file);
    let url = format!("{FILES}/{id}");
    let known = wire::Attachment {
        file_id: id.clone(),
        thumbnail_url: format!("{url}/thumbnail"),
        url,
        name: "cat.png".to_owned(),
        mime_type: "image/png".to_owned(),
        size_bytes: picture.len() as u64,
        width: 64,
        height: 32,
        duration_ms: 7,
    };
    let elsewhere = wire::Attachment {
        url: "https://elsewhere.example/a.bin".to_owned(),
        name: "whatever I say".to_owned(),
        size_bytes: 1,
        ..Default::default()
    };
    let claimed = wire::Attachment {
        url: "https://elsewhere.example/virus.exe".to_owned(),
        name: "invoice.pdf".to_owned(),
        mime_type: "application/pdf".to_owned(),
        size_bytes: 1,
        thumbnail_url: String::new(),
        width: 9999,
        height: 0,
        ..known.clone()
    };
    for encoding in ENCODINGS {
        let mut ann = Client::session(&server, ANN, encoding);
        let mut bob = Client::session(&server, BOB, encoding);
        let group = ann.create_group(&[BOB]);
        assert_eq!(bob.next_entry().seq, 1);
        let message = |attachments: &[&wire::Attachment]| wire::Message {
            attachments: attachments.iter().map(|attachment| (*attachment).clone()).collect(),
            ..Default::default()
        };
        let say = |name: &str, message: wire::Message, after: &str| {
            Op::Send(wire::Send {
                conversation_id: group,
                client_msg_id: name.to_owned(),
                message: Some(message),
                after: after.to_owned(),
            })
        };
        let text = |text: &str| wire::Message { text: text.to_owned(), ..Default::default() };
        // What comes behind it does not overtake it.
        let first = ann.start(say("file", message(&[&claimed, &elsewhere]), ""));
        let second = ann.start(say("text", text("behind"), "file"));
        assert_eq!([ann.ack(first).seq, ann.ack(second).seq], [2, 3]);
        let expected = wire::entry_body::Kind::Message(message(&[&known, &elsewhere]));
        assert_eq!(notice(&bob.next_entry()), &expected);
        assert_eq!(bob.next_entry().seq, 3);
        assert_eq!(notice(&bob.history(group, 3, 1).entries[0]), &expected);
        // A retry is one, and another content under the id is not.
        let again = ann.start(say("file", message(&[&claimed, &elsewhere]), ""));
        assert_eq!(ann.ack(again).seq, 2);
        assert_eq!(refusal(ann.call(say("file", message(&[&known]), ""))), "CONFLICT");
        // An edit says it too.
        let edit = Op::Edit(wire::Edit {
            conversation_id: group,
            target_seq: 2,
            message: Some(message(&[&claimed])),
            client_msg_id: "edit".to_owned(),
        });
        ann.call(edit).expect("an ack");
        let wire::entry_body::Kind::Edited(edited) = notice(&bob.next_entry()).clone() else {
            panic!("no edit");
        };
        assert_eq!(edited.message, Some(message(&[&known])));
        // What is refused takes along what comes after it, and nothing else.
        let unknown = wire::Attachment { file_id: "f".repeat(32), ..Default::default() };
        let ids = [
            ann.start(say("none", message(&[&unknown]), "")),
            ann.start(say("after", text("too"), "none")),
            ann.start(say("free", text("not"), "")),
        ];
        let answers = ids.map(|id| ann.answer(id));
        let [none, after, free] = answers;
        assert_eq!([refusal(none), refusal(after)], ["NOT_FOUND", "OUT_OF_ORDER"]);
        assert!(free.is_ok());
        for url in ["javascript:alert(1)", "data:text/html,x", "ftp://elsewhere.example"] {
            let bad = wire::Attachment { url: url.to_owned(), ..elsewhere.clone() };
            let refused = ann.call(say("bad", message(&[&bad]), ""));
            assert_eq!(refusal(refused), "INVALID_ARGUMENT", "{url}");
        }
    }
}

#[test]
fn a_file_goes_from_its_owner_to_the_members_and_to_nobody_else() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let mut clients = connect(&server, &[ANN, BOB, CAROL]);
        let group = clients[0].create_group(&[BOB]);
        let picture = png(640, 320);
        let file = uploaded(&server, ANN, "cat.png", &picture);
        let id = id_of(&file);
        let url = format!("{FILES}/{id}");
        let expected = json!({
            "file_id": id, "name": "cat.png", "mime_type": "image/png",
            "size_bytes": picture.len().to_string(), "width": 640, "height": 320,
            "url": url, "thumbnail_url": format!("{url}/thumbnail"),
        });
        for (key, value) in expected.as_object().expect("an object") {
            assert_eq!(&file[key], value, "{key}");
        }
        let thumbnail = format!("{url}/thumbnail");
        let info = format!("{url}/info");
        let statuses =
            |user| [&url, &thumbnail, &info].map(|path| ask(&server, user, "GET", path, "").status);
        assert_eq!(read(&server, ANN, &id), (200, picture.clone()));
        assert_eq!([statuses(BOB), statuses(CAROL)], [[404; 3]; 2], "nobody sent it yet");
        assert_eq!(ask_anyhow(&server, "GET", &url, "").status, 401);

        // A stranger gains nothing by naming it, nor keeps its owner from sending it.
        let theirs = clients[2].create_group(&[]);
        let stolen = clients[2].call(send(theirs, "stolen", &[&id]));
        assert_eq!(refusal(stolen), "NOT_FOUND");
        assert_eq!(statuses(CAROL), [404; 3]);
        clients[0].call(send(group, "cat", &[&id])).expect("an ack");
        assert_eq!(read(&server, BOB, &id), (200, picture.clone()));
        assert_eq!((statuses(BOB), statuses(CAROL)), ([200; 3], [404; 3]));
        let small = ask(&server, BOB, "GET", &thumbnail, "");
        assert_eq!(small.header("content-type"), Some("image/jpeg"));
        let decoded = image::load_from_memory(&small.bytes).expect("a picture");
        assert_eq!((decoded.width(), decoded.height()), (320, 160));

        // Sent once more, members of the second conversation need a copy.
        let copy = ask(&server, BOB, "POST", &format!("{url}/copy"), "");
        assert_eq!(copy.status, 201, "{copy:?}");
        let copy = id_of(&copy.json());
        let mut bob = connect(&server, &[BOB]).remove(0);
        let other = bob.create_group(&[CAROL]);
        bob.call(send(other, "forward", &[&copy])).expect("an ack");
        assert_eq!(read(&server, CAROL, &copy), (200, picture.clone()));
        assert_eq!(ask(&server, CAROL, "POST", &format!("{url}/copy"), "").status, 404);

        // Who leaves reads no more; a message that is taken back takes its file along.
        bob.leave(group);
        assert_eq!((statuses(BOB), read(&server, CAROL, &copy).0), ([404; 3], 200));
        let seq = bob.head(other).head_seq;
        let recall = wire::Recall { conversation_id: other, target_seq: seq, ..Default::default() };
        bob.call(Op::Recall(recall)).expect("an ack");
        assert_eq!((read(&server, CAROL, &copy).0, read(&server, BOB, &copy).0), (404, 200));
    }
}

#[test]
fn an_edit_adds_files_to_its_message() {
    let server = ServerProcess::start(&[]);
    let mut clients = connect(&server, &[ANN, BOB]);
    let group = clients[0].create_group(&[BOB]);
    let seq = clients[0].say(group, "first", "without").seq;
    let id = id_of(&uploaded(&server, ANN, "a.bin", &noise(100)));
    let edit = wire::Edit {
        conversation_id: group,
        target_seq: seq,
        message: Some(message(&[&id])),
        ..Default::default()
    };
    clients[0].call(Op::Edit(edit)).expect("an ack");
    assert_eq!(read(&server, BOB, &id), (200, noise(100)));
}

#[test]
fn parts_of_a_file_and_what_is_known_already_are_answered_by_the_rfc() {
    let server = ServerProcess::start(&[]);
    connect(&server, &[ANN]);
    // Longer than a part of an upload and than a piece of a download.
    let bytes = noise(2_500_000);
    let file = uploaded(&server, ANN, "Größe.bin", &bytes);
    let path = format!("{FILES}/{}", id_of(&file));
    let get = |headers: &str| ask(&server, ANN, "GET", &path, headers);
    let whole = get("");
    assert!(whole.status == 200 && whole.bytes == bytes);
    let etag = whole.header("etag").expect("a tag").to_owned();
    assert_eq!(etag, format!("\"{}\"", file["sha256"].as_str().expect("a hash")));
    let modified = |answer: &crate::support::http::Answer| {
        let line = answer.head.lines().find(|line| line.starts_with("last-modified: "));
        line.expect("a time")["last-modified: ".len()..].to_owned()
    };
    assert!(modified(&whole).ends_with(" gmt"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(
        whole.header("content-disposition"),
        Some("attachment; filename=\"gr__e.bin\"; filename*=utf-8''gr%c3%b6%c3%9fe.bin")
    );

    let last = bytes.len() - 1;
    for (range, from, to) in [
        ("bytes=0-0", 0, 0),
        ("bytes=1000000-1300000", 1_000_000, 1_300_000),
        ("bytes=2499999-", last, last),
        ("bytes=-5", last - 4, last),
        ("bytes=5-999999999999", 5, last),
    ] {
        let part = get(&format!("Range: {range}\r\n"));
        assert_eq!(part.status, 206, "{range}");
        assert!(part.bytes == bytes[from..=to], "{range}");
        let expected = format!("bytes {from}-{to}/{}", bytes.len());
        assert_eq!(part.header("content-range"), Some(&*expected));
        assert_eq!(part.header("content-length"), Some(&*(to - from + 1).to_string()));
    }
    let beyond = get("Range: bytes=2500000-\r\n");
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */2500000")));
    assert_eq!(beyond.json()["error"]["name"], "INVALID_ARGUMENT");
    for ignored in ["Range: bytes=0-1,5-6\r\n", "Range: lines=1-2\r\n", "Range: bytes=9-1\r\n"] {
        let answer = get(ignored);
        assert!(answer.status == 200 && answer.bytes.len() == bytes.len(), "{ignored}");
    }
    let if_range = |tag: &str| get(&format!("Range: bytes=0-9\r\nIf-Range: {tag}\r\n"));
    assert_eq!(if_range(&etag).status, 206);
    assert_eq!((if_range("\"other\"").status, if_range("W/\"x\"").status), (200, 200));

    let known = get(&format!("If-None-Match: \"x\", {etag}\r\n"));
    assert_eq!((known.status, known.bytes.len()), (304, 0));
    assert_eq!(get("If-None-Match: \"x\"\r\n").status, 200);
    let head = ask(&server, ANN, "HEAD", &path, "Range: bytes=0-9\r\n");
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some("2500000"));
    // A connection goes on behind a part.
    let answer = ask(&server, ANN, "DELETE", &path, "");
    assert_eq!(answer.status, 405);
}

#[test]
fn u1_a_link_reads_for_its_user_and_its_time() {
    let server = Setup::new().config("[files]\nlink_ttl_s = 600").start();
    let mut clients = connect(&server, &[ANN, BOB]);
    let group = clients[0].create_group(&[BOB]);
    let file = uploaded(&server, ANN, "cat.png", &png(10, 10));
    let id = id_of(&file);
    clients[0].call(send(group, "cat", &[&id])).expect("an ack");
    let link = ask(&server, BOB, "POST", &format!("{FILES}/{id}/link"), "");
    assert_eq!(link.status, 201, "{link:?}");
    let link = link.json();
    let url = link["url"].as_str().expect("a URL").to_owned();
    let get = |path: &str| ask_anyhow(&server, "GET", path, "");
    let answer = get(&url);
    assert!(answer.status == 200 && answer.bytes == png(10, 10), "{answer:?}");
    // No browser keeps it for longer than the link is good.
    let kept =
        answer.header("cache-control").and_then(|kept| kept.strip_prefix("private, max-age="));
    assert!(kept.is_some_and(|kept| kept.parse::<u32>().is_ok_and(|s| s <= 600)), "{answer:?}");
    assert_eq!(get(link["thumbnail_url"].as_str().expect("a URL")).status, 200);
    assert_eq!(ask_anyhow(&server, "HEAD", &url, "").status, 200);

    let other = id_of(&uploaded(&server, ANN, "dog.png", &png(11, 10)));
    let expires = link["expires_at"].as_str().expect("a time");
    let later = (expires.parse::<i64>().expect("a number") + 1).to_string();
    for forged in [
        url.replace(&id, &other),
        url.replace(expires, &later),
        url.replace("user=2", "user=1"),
        url.replace("user=2&", ""),
        format!("{}A", &url[..url.len() - 1]).replace("sig=", "sig=A"),
        format!("{url}="),
    ] {
        let answer = get(&forged);
        assert_eq!(answer.status, 403, "{forged}: {answer:?}");
    }
    for unsound in
        [&url[..url.find("&sig").expect("a signature")], "?sig=x", "?user=a&expires=b&sig=c"]
    {
        let path = if unsound.starts_with('?') {
            format!("{FILES}/{id}{unsound}")
        } else {
            unsound.to_owned()
        };
        assert_eq!(get(&path).status, 400, "{path}");
    }
    // No link is made by a link, nor for what one may not read.
    let query = &url[url.find('?').expect("a query")..];
    assert_eq!(ask_anyhow(&server, "POST", &format!("{FILES}/{id}/link{query}"), "").status, 401);
    assert_eq!(ask(&server, BOB, "POST", &format!("{FILES}/{other}/link"), "").status, 404);
    clients[1].leave(group);
    assert_eq!(get(&url).status, 404, "who left has no working link");
    let bob = server.token(BOB);
    let gone = http::give_as(server.address(), &bob, "DELETE", "/api/v1/account", &[], &json!({}));
    assert_eq!(gone.status, 204, "{gone:?}");
    assert_eq!(get(&url).status, 403, "nor has who is gone");
}

#[test]
fn quota_size_and_types_are_as_configured() {
    let server = Setup::new()
        .config("[files]\nmax_size_bytes = 700000\nquota_mib = 1\nallowed_types = [\"image/*\", \"text/plain\"]")
        .start();
    connect(&server, &[ANN, BOB]);
    let refused = |user, bytes: &[u8]| {
        let answer = upload(&server, user, "a", bytes);
        (answer.status, answer.json()["error"]["name"].as_str().expect("a name").to_owned())
    };
    let text = |size| vec![b'a'; size];
    assert_eq!(refused(ANN, &text(700_001)), (413, "TOO_LARGE".to_owned()));
    assert_eq!(refused(ANN, &noise(100)), (415, "INVALID_ARGUMENT".to_owned()));
    assert_eq!(refused(ANN, b""), (400, "INVALID_ARGUMENT".to_owned()));
    uploaded(&server, ANN, "a", &text(700_000));
    assert_eq!(refused(ANN, &text(400_000)), (409, "LIMIT_REACHED".to_owned()));
    uploaded(&server, ANN, "a", &text(340_000));
    uploaded(&server, BOB, "a", &text(700_000));
    // Small files take room too: the quota has 8,576 bytes left.
    for _ in 0..2 {
        uploaded(&server, ANN, "a", b"a");
    }
    assert_eq!(refused(ANN, b"a"), (409, "LIMIT_REACHED".to_owned()));
    // What was refused left nothing.
    await_stored(&server, 5);

    let server = Setup::new().config("[files]\nenabled = false").start();
    connect(&server, &[ANN]);
    assert_eq!(upload(&server, ANN, "a", b"a").status, 501);
    assert!(!server.data().join("files").exists());
}

/// Files and bytes of the day before yesterday: what nothing carries goes, with what crashes left behind.
#[test]
fn unused_files_are_cleaned_up_and_used_ones_stay() {
    let mut server = ServerProcess::start(&[]);
    let mut clients = connect(&server, &[ANN, BOB]);
    let group = clients[0].create_group(&[BOB]);
    let used = id_of(&uploaded(&server, ANN, "used.png", &png(9, 9)));
    clients[0].call(send(group, "used", &[&used])).expect("an ack");
    let recalled = id_of(&uploaded(&server, ANN, "recalled.png", &png(8, 8)));
    let outcome = clients[0].call(send(group, "recalled", &[&recalled])).expect("an ack");
    let wire::reply::Outcome::SendAck(ack) = outcome else { panic!("no ack: {outcome:?}") };
    let recall = wire::Recall { conversation_id: group, target_seq: ack.seq, ..Default::default() };
    clients[0].call(Op::Recall(recall)).expect("an ack");
    let unused = id_of(&uploaded(&server, ANN, "unused.bin", &noise(50)));
    let fresh = id_of(&uploaded(&server, ANN, "fresh.bin", &noise(60)));
    drop(clients);
    server.terminate();
    assert!(server.wait().success());

    let folder = server.data().join("files");
    let orphan = "0123456789abcdef0123456789abcdef";
    std::fs::create_dir_all(folder.join("01")).expect("a folder");
    for name in [orphan.to_owned(), format!("{orphan}.thumb"), format!("{orphan}#1")] {
        std::fs::write(folder.join("01").join(name), "left behind").expect("a file");
    }
    let before = SystemTime::now() - Duration::from_hours(48);
    let new = stored(&server).into_iter().filter(|path| !path.to_string_lossy().contains(&fresh));
    for path in new {
        let file = File::options().write(true).open(path).expect("a file");
        file.set_modified(before).expect("a time");
    }
    // Written just now, without a row yet: an upload that is under way.
    std::fs::write(folder.join("01").join(orphan.replace('0', "1")), "").expect("a file");
    let aged = server.change_sqlite(&format!(
        "UPDATE attachments SET created_at = created_at - 172800000 WHERE file_id <> '{fresh}'"
    ));
    assert_eq!(aged, 3);
    server.restart();

    let names = || {
        let names = stored(&server)
            .into_iter()
            .filter_map(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    let mut expected =
        vec![orphan.replace('0', "1"), fresh.clone(), used.clone(), format!("{used}.thumb")];
    expected.sort();
    // What is gone stays gone, so waiting for it is enough; what has to stay is there at the end.
    while names().len() > expected.len() {
        sleep(Duration::from_millis(50));
    }
    assert_eq!(names(), expected);
    assert_eq!(read(&server, BOB, &used), (200, png(9, 9)));
    assert_eq!((read(&server, ANN, &unused).0, read(&server, ANN, &recalled).0), (404, 404));
    assert_eq!(read(&server, ANN, &fresh), (200, noise(60)));
}

/// Two databases never share a place: the second one to come leaves the files of the first alone.
#[test]
fn bytes_of_another_database_are_left_alone() {
    let place = tempfile::tempdir().expect("a folder");
    let config = format!("[files]\nstore = {:?}", place.path().display().to_string());
    let mut first = Setup::new().config(&config).start();
    connect(&first, &[ANN]);
    let file = id_of(&uploaded(&first, ANN, "a", b"text"));
    let note = place.path().join("database");
    while !note.exists() {
        sleep(Duration::from_millis(20));
    }
    first.terminate();
    assert!(first.wait().success());
    let path = place.path().join(&file[..2]).join(&file);
    let old = SystemTime::now() - Duration::from_hours(48);
    File::options().write(true).open(&path).expect("a file").set_modified(old).expect("a time");
    let second = Setup::new().config(&config).start();
    while !second.log().contains("files of another database") {
        sleep(Duration::from_millis(20));
    }
    assert!(path.exists());
}
