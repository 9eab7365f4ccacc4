//! What the files of the page may contain. The browser tests show that it works; this shows that it stays safe.

use std::fs;
use std::path::Path;

/// Every file of the page with its name.
fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, fs::read_to_string(entry.path()).expect("a text file"))
    };
    let entries = fs::read_dir(folder).expect("the folder of the page");
    let files: Vec<_> = entries.map(|entry| read(entry.expect("an entry of the folder"))).collect();
    assert!(files.iter().any(|(name, _)| name == "index.html"));
    files
}

fn has_scripts(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "js" || extension == "html")
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
                let local = reference.starts_with("./") || reference.starts_with('#');
                assert!(local, "{name} refers to {}", reference.lines().next().unwrap_or_default());
            }
        }
    }
    let files = files();
    let (_, index) = files.iter().find(|(name, _)| name == "index.html").expect("the start page");
    assert!(!index.contains("<style") && !index.contains(" style="), "styles are in style.css");
    let handler =
        index.split_whitespace().find(|word| word.starts_with("on") && word.contains('='));
    assert_eq!(handler, None, "handlers are in the modules");
    assert_eq!(
        index.matches("<script").count(),
        index.matches("<script type=\"module\" src=\"./").count()
    );
}
