//! Replays the committed corpus through every fuzz target on the stable toolchain, with small changes to each file
//! (promise F2).

mod fuzz_targets;

use std::path::Path;

/// The inputs of a target, in order of their names.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    inputs.sort();
    inputs
}

/// Runs a target and names the input it fails with.
fn run(target: fn(&[u8]), name: &str, input: &[u8]) {
    struct Failing<'a>(&'a str, &'a [u8]);
    impl Drop for Failing<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!(
                    "failing input, from {}: {:?}",
                    self.0,
                    self.1.escape_ascii().to_string()
                );
            }
        }
    }
    let _failing = Failing(name, input);
    target(input);
}

#[test]
fn f2_every_target_survives_its_corpus() {
    for (name, target) in fuzz_targets::TARGETS {
        let inputs = corpus(name);
        assert!(inputs.len() >= 8, "{name} has {} inputs", inputs.len());
        for (file, input) in inputs {
            run(target, &file, &input);
        }
    }
}

#[test]
fn f2_every_target_survives_its_corpus_cut_short_and_with_changed_bytes() {
    for (name, target) in fuzz_targets::TARGETS {
        for (file, input) in corpus(name) {
            for end in 0..input.len() {
                run(target, &file, &input[..end]);
            }
            for at in 0..input.len() {
                for change in [0x01, 0x02, 0x10, 0x20, 0x40, 0x7f, 0x80, 0xff] {
                    let mut changed = input.clone();
                    changed[at] ^= change;
                    run(target, &file, &changed);
                }
            }
        }
    }
}
