//! U1: uploads cannot escape, lie or execute, and one that is given up leaves nothing.

use std::io::Write;

use ringwire_protocol::codec::Encoding;
use serde_json::json;

use crate::chromium::Chromium;
use crate::support::client::Client;
use crate::support::files::{
    BOUNDARY, FILES, ask, await_stored, form, id_of, noise, png, stored, upload, upload_form,
    upload_head, uploaded,
};
use crate::support::http::{dial, read_answer};
use crate::support::server::{ServerProcess, Setup};

const ANN: u64 = 1;

fn server() -> ServerProcess {
    let server =
        Setup::new().config("[files]\nmax_size_bytes = 3000000\nuser_uploads_per_s = 0").start();
    drop(Client::session(&server, ANN, Encoding::Protobuf));
    server
}

#[test]
fn u1_no_name_and_no_id_leads_out_of_the_folder() {
    let server = server();
    for name in [
        "../../../../../../tmp/escaped",
        "/etc/cron.d/escaped",
        "..\\\\..\\\\escaped",
        "jwt.secret",
        "%2e%2e%2fescaped",
        ".",
        "",
    ] {
        let file = uploaded(&server, ANN, name, b"text");
        let shown = file["name"].as_str().expect("a name");
        assert!(
            !shown.contains(['/', '\\', '\0']) && !shown.starts_with('.'),
            "{name:?}: {shown:?}"
        );
        let id = id_of(&file);
        assert!(server.data().join("files").join(&id[..2]).join(&id).is_file(), "{name:?}");
    }
    assert_eq!(stored(&server).len(), 7);
    for id in [
        "..%2f..%2fjwt.secret",
        "../../jwt.secret",
        "%2e%2e/jwt.secret",
        "....//jwt.secret",
        "database",
        "00/../../../jwt.secret",
        "0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcde%00",
    ] {
        for end in ["", "/info", "/thumbnail"] {
            let answer = ask(&server, ANN, "GET", &format!("{FILES}/{id}{end}"), "");
            assert_eq!(answer.status, 404, "{id}{end}: {answer:?}");
        }
    }
}

/// Whatever a client calls it, a file is what its first bytes are; and what a browser shows of it runs nothing.
#[test]
fn u1_files_do_not_lie_about_their_type_nor_execute() {
    let server = server();
    let script = b"<script>alert(document.domain)</script>";
    let both = [b"GIF89a".as_slice(), script].concat();
    let picture = [png(4, 4).as_slice(), script].concat();
    let pdf = b"%PDF-1.7 /JS (app.alert(1))".as_slice();
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".as_slice();
    for (name, claimed, bytes, mime_type, shown) in [
        ("a.html", "text/html", script.as_slice(), "text/plain; charset=utf-8", false),
        ("a.png", "image/png", script, "text/plain; charset=utf-8", false),
        ("a.svg", "image/svg+xml", svg, "text/plain; charset=utf-8", false),
        (
            "a.xml",
            "application/xml",
            b"<?xml version='1.0'?><a/>",
            "text/plain; charset=utf-8",
            false,
        ),
        ("a.js", "text/javascript", b"alert(1)", "text/plain; charset=utf-8", false),
        ("a.html", "text/html", &both, "image/gif", true),
        ("a.html", "text/html", &picture, "image/png", true),
        ("a.pdf", "image/png", pdf, "application/pdf", false),
        ("a.png", "image/png", b"MZ\x90\0\x03", "application/x-msdownload", false),
        ("a.txt", "text/plain", b"\xfe\xff\0<\0s", "application/octet-stream", false),
    ] {
        let answer = upload_form(&server, ANN, &form(name, claimed, bytes));
        assert_eq!(answer.status, 201, "{answer:?}");
        let file = answer.json();
        assert_eq!(file["mime_type"], mime_type, "{name} {claimed}");
        let answer = ask(&server, ANN, "GET", file["url"].as_str().expect("a URL"), "");
        assert_eq!(answer.bytes, bytes);
        assert_eq!(answer.header("content-type"), Some(mime_type));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let disposition = answer.header("content-disposition").expect("a disposition");
        assert_eq!(disposition.starts_with("inline;"), shown, "{name}: {disposition}");
        assert!(shown || disposition.starts_with("attachment;"), "{name}: {disposition}");
        let policies: Vec<_> = answer
            .head
            .lines()
            .filter_map(|line| line.strip_prefix("content-security-policy: "))
            .collect();
        assert!(
            matches!(*policies, [policy] if policy.contains("default-src 'none'") && policy.ends_with("sandbox")),
            "{policies:?}"
        );
        assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
    }
    let quoted = uploaded(&server, ANN, "a %22b%22 100%25.txt", b"words");
    assert_eq!(quoted["name"], "a \"b\" 100%25.txt", "as browsers escape names in forms");
    // Nor does a name get out of its header.
    let name = "a%0d%0aSet-Cookie: a=b\u{202e}gnp.exe";
    let file = uploaded(&server, ANN, name, b"MZ\x90\0");
    let answer = ask(&server, ANN, "GET", file["url"].as_str().expect("a URL"), "");
    assert!(answer.header("set-cookie").is_none(), "{answer:?}");
}

/// A picture that claims what it has not is kept as a file and shown as none.
#[test]
fn u1_pictures_that_cannot_be_decoded_are_files_like_others() {
    let server = server();
    let mut bomb = png(4, 4);
    bomb[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let cut = png(64, 64);
    for bytes in [&bomb[..], &cut[..cut.len() / 2], b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"] {
        let file = uploaded(&server, ANN, "a.png", bytes);
        assert_eq!((&file["width"], &file["thumbnail_url"]), (&0.into(), &"".into()), "{file}");
        let url = file["url"].as_str().expect("a URL");
        assert_eq!(ask(&server, ANN, "GET", url, "").bytes, bytes);
        assert_eq!(ask(&server, ANN, "GET", &format!("{url}/thumbnail"), "").status, 404);
    }
}

#[test]
fn u1_sizes_that_lie_and_bodies_that_end_early_leave_nothing() {
    let server = server();
    let address = server.address();
    let refused = |status: u16, request: &[u8], what: &str| {
        let mut stream = dial(address);
        // The server may have answered and closed before all of it was written.
        let _ = stream.write_all(request);
        let answer = read_answer(&mut stream);
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        await_stored(&server, 0);
    };
    let too_large = form("a", "a/b", &noise(3_000_001));
    assert_eq!(upload(&server, ANN, "a", &noise(3_000_001)).status, 413);
    // Refused by the claim alone, before anything of it came.
    let claim = upload_head(&server, ANN, "Content-Length: 99999999999\r\n");
    refused(413, claim.as_bytes(), "a large claim");
    // In chunks nothing is claimed; it is counted.
    let chunked = upload_head(&server, ANN, "Transfer-Encoding: chunked\r\n");
    let chunks: Vec<u8> = too_large
        .chunks(50_000)
        .flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())
        .collect();
    refused(413, &[chunked.as_bytes(), &chunks, b"0\r\n\r\n"].concat(), "chunks");
    // It says 2,000,000 bytes, and the connection ends before.
    let body = form("a", "a/b", &noise(1_900_000));
    let short = upload_head(&server, ANN, "Content-Length: 2000000\r\n");
    let mut stream = dial(address);
    stream.write_all(&[short.as_bytes(), &body[..1_500_000]].concat()).expect("written");
    drop(stream);
    await_stored(&server, 0);
    let whole = |form: &[u8]| {
        let head = upload_head(&server, ANN, &format!("Content-Length: {}\r\n", form.len()));
        [head.as_bytes(), form].concat()
    };
    refused(400, &whole(&body[..1_500_000]), "no end of the part");
    // The head of a part without an end.
    let open = [format!("--{BOUNDARY}\r\nX: ").as_bytes(), &vec![b'a'; 300_000]].concat();
    refused(400, &whole(&open), "an endless head");
    let second = [&body[..body.len() - 4], b"\r\n", &form("b", "a/b", b"b")].concat();
    refused(400, &whole(&second), "two files");
    let other =
        String::from_utf8(form("a", "a/b", b"a")).expect("text").replace("\"file\"", "\"x\"");
    refused(400, &whole(other.as_bytes()), "a part of another name");
    refused(400, &whole(format!("--{BOUNDARY}--\r\n").as_bytes()), "no part");
    refused(400, &whole(b""), "no body");
    let json = upload_head(&server, ANN, "Content-Length: 2\r\n")
        .replace("multipart/form-data", "application/json");
    refused(415, format!("{json}{{}}").as_bytes(), "no form");
    let nobody = upload_head(&server, ANN, "Content-Length: 2\r\n").replace("Bearer ", "Bearer x");
    refused(401, nobody.as_bytes(), "no token");
}

/// The page's own policy allows scripts of this server, so files must be none.
#[test]
fn x1_no_script_runs_from_a_file() {
    let server = server();
    let script = b"window.top.ran = (window.top.ran ?? 0) + 1".as_slice();
    let markup = [b"<script>".as_slice(), script, b"</script>"].concat();
    let files = [
        script.to_vec(),
        [b"GIF89a=1;".as_slice(), script].concat(),
        [b"GIF89a".as_slice(), &markup].concat(),
        markup,
        [b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"".as_slice(), script, b"\"/>"]
            .concat(),
    ];
    let links = files.map(|bytes| {
        let id = id_of(&uploaded(&server, ANN, "a.html", &bytes));
        let link = ask(&server, ANN, "POST", &format!("{FILES}/{id}/link"), "");
        link.json()["url"].as_str().expect("a URL").to_owned()
    });
    let browser = Chromium::start();
    let page = browser.new_person(&server.url());
    page.wait_for("page", "document.readyState === 'complete'");
    let open = format!(
        "(() => {{
            window.done = 0;
            for (const url of {links}) {{
                for (const name of ['script', 'iframe', 'img']) {{
                    const element = document.createElement(name);
                    element.onload = element.onerror = () => window.done += 1;
                    element.src = url;
                    document.body.append(element);
                }}
            }}
        }})()",
        links = json!(links)
    );
    page.evaluate(&open);
    page.wait_for("every element", "window.done >= 5 * 2");
    page.evaluate("new Promise(resolve => setTimeout(resolve, 300))");
    assert_eq!(page.evaluate("window.ran ?? 0"), 0);
}
