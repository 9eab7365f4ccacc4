//! What the files of the page may contain. The browser tests show that it works; this shows that it stays safe.

use std::fs;
use std::path::Path;

/// Every file of the pages with its name, those in folders too.
fn files() -> Vec<(String, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("web")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the page") {
            let path = entry.expect("an entry of the folder").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).expect("a text file");
                files.push((path.to_string_lossy().into_owned(), text));
            }
        }
    }
    assert!(files.iter().any(|(name, _)| name.ends_with("web/index.html")));
    files
}

fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == ending)
}

fn has_scripts(name: &str) -> bool {
    has_ending(name, "js") || has_ending(name, "html")
}

#[test]
fn x1_no_script_makes_markup_or_code_out_of_text() {
    let forbidden = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "createContextualFragment",
        "DOMParser",
        "srcdoc",
        "eval(",
        "new Function",
    ];
    for (name, text) in files().iter().filter(|(name, _)| has_scripts(name)) {
        for word in forbidden {
            assert!(!text.contains(word), "{name} contains {word}");
        }
    }
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_nothing_inline() {
    for (name, text) in files() {
        for load in ["src=\"", "href=\"", "url(", "@import ", "} from \"", "import(\""] {
            for (at, _) in text.match_indices(load) {
                let reference = &text[at + load.len()..];
                // One slash is a path of this server, two are another host.
                let rooted = reference.starts_with('/') && !reference.starts_with("//");
                let relative = ["./", "../", "#"].iter().any(|begin| reference.starts_with(begin));
                let local = rooted || relative;
                assert!(local, "{name} refers to {}", reference.lines().next().unwrap_or_default());
            }
        }
    }
    for (_, page) in files().iter().filter(|(name, _)| has_ending(name, "html")) {
        assert!(
            !page.contains("<style") && !page.contains(" style="),
            "styles are in files of their own"
        );
        let handler =
            page.split_whitespace().find(|word| word.starts_with("on") && word.contains('='));
        assert_eq!(handler, None, "handlers are in the modules");
        let modules = page.matches("<script type=\"module\" src=\"").count();
        assert_eq!(page.matches("<script").count(), modules);
    }
}
