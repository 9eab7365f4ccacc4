//! Fields of a scenario from the command line: `--set key=value`, where a dot leads into a table.

use super::ScenarioError;

/// Applies one `key=value`; a dot leads into a table: `thresholds.lost=0`.
pub(super) fn set(table: &mut toml::Table, argument: &str) -> Result<(), ScenarioError> {
    let fail = |reason: &str| ScenarioError::Set {
        argument: argument.to_owned(),
        reason: reason.to_owned(),
    };
    let (key, value) =
        argument.split_once('=').ok_or_else(|| fail("expected key=value, as in users=1000"))?;
    let (key, value) = (key.trim(), value.trim());
    let mut table = table;
    let mut names = key.split('.').peekable();
    while let Some(name) = names.next() {
        if name.is_empty() {
            return Err(fail("the key is empty"));
        }
        if names.peek().is_none() {
            table.insert(name.to_owned(), scalar(value));
            return Ok(());
        }
        table = table
            .entry(name)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()))
            .as_table_mut()
            .ok_or_else(|| fail(&format!("{name} is not a table")))?;
    }
    Err(fail("the key is empty"))
}

/// A value as the command line gives it: TOML where it is TOML, else text, so that `encoding=json` needs no quotes. An
/// inline table replaces a whole part: `connections={plan="storm"}`.
fn scalar(value: &str) -> toml::Value {
    toml::from_str::<toml::Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()))
}
