//! `ringwire key status`: one line for each key, then what that means.

use std::process::ExitCode;

use clap::Args;
use ringwire_storage::operate::keys::{Given, KeyState, KeyStatus, key_status};
use serde_json::json;

use super::{configured, exit_code, name_of, run};
use crate::body_keys;
use crate::cli::say;
use crate::config::StorageConfig;

/// Flags of `ringwire key status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Tells how many bodies are under which key; exit code 1 unless all are under the active one and nothing is missing.
pub fn status(config: &StorageConfig, args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let keys = body_keys::load(&config.encryption)?;
    let database = configured(config);
    let status = run(async { Ok(key_status(&database, &keys).await?) })?;
    if args.json {
        say(as_json(&status))?;
    } else {
        for key in &status.keys {
            say(line(key, status.active))?;
        }
        say(format_args!("{}: {}", name_of(&database), verdict(&status)))?;
    }
    Ok(exit_code(!is_settled(&status)))
}

/// Whether the pass has ended and the configuration fits the database.
fn is_settled(status: &KeyStatus) -> bool {
    let fits = |key: &KeyState| key.given == Given::Right || !(key.needed || key.bodies > 0);
    status.done && status.keys.iter().all(fits) && left(status) == 0
}

/// Bodies that are under another key than the active one.
fn left(status: &KeyStatus) -> u64 {
    status.keys.iter().filter(|key| key.key_id != status.active).map(|key| key.bodies).sum()
}

/// Whether the line of this key may be taken away.
fn may_go(key: &KeyState, status: &KeyStatus) -> bool {
    let needed = key.needed || key.bodies > 0;
    status.done && key.key_id != 0 && key.key_id != status.active && !needed
}

fn line(key: &KeyState, active: u32) -> String {
    let name = if key.key_id == 0 { "plain".to_owned() } else { format!("key {}", key.key_id) };
    let mut parts = vec![format!("{name}: {} bodies", key.bodies)];
    if key.key_id == active {
        parts.push("active".to_owned());
    } else if key.needed && key.key_id != 0 {
        parts.push("needed".to_owned());
    }
    if key.damaged > 0 {
        parts.push(format!("{} do not open (see the server's log)", key.damaged));
    }
    if key.needed || key.bodies > 0 {
        match key.given {
            Given::Right => {}
            Given::Nothing => parts.push("NOT GIVEN: add it to storage.encryption".to_owned()),
            Given::Wrong => parts
                .push("ANOTHER KEY IS GIVEN under its id: give the old one back its id".to_owned()),
        }
    }
    parts.join(", ")
}

fn verdict(status: &KeyStatus) -> String {
    let name = match status.active {
        0 => "plain".to_owned(),
        id => format!("under key {id}"),
    };
    let all: u64 = status.keys.iter().map(|key| key.bodies).sum();
    let left = left(status);
    if !status.done || left > 0 {
        return format!(
            "{} of {all} bodies are {name}; keep every key until a server has brought the rest there",
            all - left
        );
    }
    let gone: Vec<String> = status
        .keys
        .iter()
        .filter(|key| may_go(key, status))
        .map(|key| key.key_id.to_string())
        .collect();
    let rest = if gone.is_empty() {
        "no other key is given".to_owned()
    } else {
        format!("not needed any more, on any node: {}", gone.join(", "))
    };
    format!("all {all} bodies are {name}; {rest}")
}

fn as_json(status: &KeyStatus) -> serde_json::Value {
    let given = |given| match given {
        Given::Right => "right",
        Given::Nothing => "nothing",
        Given::Wrong => "wrong",
    };
    let keys: Vec<_> = status
        .keys
        .iter()
        .map(|key| {
            json!({
                "key_id": key.key_id,
                "bodies": key.bodies,
                "damaged": key.damaged,
                "needed": key.needed,
                "given": given(key.given),
                "may_go": may_go(key, status),
            })
        })
        .collect();
    json!({"active": status.active, "done": status.done, "keys": keys})
}
