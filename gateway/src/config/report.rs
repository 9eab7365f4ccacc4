//! The merged configuration as people see it: each option, its value, and who set it. The output of
//! `ringwire check-config` is itself a valid configuration file, save for hidden passwords.

use std::fmt;

use figment::value::{Dict, Value};

use super::raw::Raw;
use super::{Config, FilesPlace, redact};

/// A valid configuration and how it came about.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What the server goes by.
    pub config: Config,
    /// Every option, in order of name.
    pub settings: Vec<Setting>,
}

/// One option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// As in `server.listen`.
    pub key: String,
    /// As TOML, passwords hidden.
    pub shown: String,
    /// `default`, `file …`, `environment …` or `flag …`.
    pub origin: String,
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Setting { key, shown, origin } in &self.settings {
            write!(f, "{key} = {shown}  # {origin}")?;
            if let Some(meaning) = self.effective(key) {
                write!(f, "; means {meaning}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Loaded {
    /// What a value stands for that leaves the decision to the server.
    fn effective(&self, key: &str) -> Option<String> {
        let Config { server, auth, files, .. } = &self.config;
        let is_default = |shown: &str| {
            self.settings.iter().any(|setting| setting.key == key && setting.shown == shown)
        };
        match key {
            "server.shards" if is_default("0") => Some(server.shards.to_string()),
            "server.max_connections" if is_default("0") => Some(server.max_connections.to_string()),
            "auth.jwt_secret_file" if is_default("\"\"") => {
                Some(auth.jwt_secret_file.path().display().to_string())
            }
            "files.store" if is_default("\"\"") => match &files.place {
                FilesPlace::Folder(path) => Some(path.display().to_string()),
                FilesPlace::S3(_) => None,
            },
            _ => None,
        }
    }
}

/// Every option with its value and origin.
pub(super) fn settings(raw: &Raw, origin: &dyn Fn(&str) -> String) -> Vec<Setting> {
    let mut shown = raw.clone();
    shown.storage.database = redact::url(&shown.storage.database);
    shown.auth.password_reset_url = redact::url(&shown.auth.password_reset_url);
    for url in shown.auth.issuers.iter_mut().filter_map(|issuer| issuer.jwks_url.as_mut()) {
        *url = redact::url(url);
    }
    shown.tracing.otlp_endpoint = redact::url(&shown.tracing.otlp_endpoint);
    shown.storage.encryption.keys = redact::secret(&shown.storage.encryption.keys);
    shown.files.secret_access_key = redact::secret(&shown.files.secret_access_key);
    shown.files.endpoint = redact::url(&shown.files.endpoint);
    let signed = [&mut shown.push.webhook_url, &mut shown.hook.url];
    for url in signed.into_iter().chain(shown.events.webhooks.iter_mut().map(|hook| &mut hook.url))
    {
        *url = redact::url(url);
    }
    let secrets = [&mut shown.push.webhook_secrets, &mut shown.hook.secrets];
    let hooks = shown.events.webhooks.iter_mut().map(|hook| &mut hook.secrets);
    for secret in secrets.into_iter().chain(hooks).flatten() {
        *secret = redact::secret(secret);
    }
    flatten(&shown)
        .into_iter()
        .map(|(key, value)| Setting { origin: origin(&key), shown: as_toml(&value), key })
        .collect()
}

/// All options as dotted keys. Lists are options as a whole.
pub(super) fn flatten(raw: &Raw) -> Vec<(String, Value)> {
    // Plain text, numbers and lists always serialize; were it otherwise, no option would be known and every start
    // would say so.
    Value::serialize(raw).ok().and_then(Value::into_dict).map_or_else(Vec::new, |dict| {
        let mut options = Vec::new();
        collect("", &dict, false, &mut options);
        options
    })
}

/// All keys of a file as dotted keys, those inside lists of tables included.
pub(super) fn flatten_dict(dict: &Dict) -> Vec<(String, Value)> {
    let mut options = Vec::new();
    collect("", dict, true, &mut options);
    options
}

fn collect(prefix: &str, dict: &Dict, into_lists: bool, options: &mut Vec<(String, Value)>) {
    for (name, value) in dict {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Dict(_, dict) => collect(&key, dict, into_lists, options),
            Value::Array(_, items) if into_lists => {
                for item in items {
                    if let Value::Dict(_, dict) = item {
                        collect(&key, dict, into_lists, options);
                    }
                }
                options.push((key, value.clone()));
            }
            _ => options.push((key, value.clone())),
        }
    }
}

fn as_toml(value: &Value) -> String {
    match toml::Value::try_from(without_empty(value)) {
        Ok(value) => value.to_string(),
        Err(error) => format!("({error})"),
    }
}

/// TOML knows no "nothing": what is not set is left out.
fn without_empty(value: &Value) -> Value {
    match value {
        Value::Dict(tag, dict) => {
            let set = dict.iter().filter(|(_, value)| !matches!(value, Value::Empty(..)));
            Value::Dict(*tag, set.map(|(key, value)| (key.clone(), without_empty(value))).collect())
        }
        Value::Array(tag, items) => Value::Array(*tag, items.iter().map(without_empty).collect()),
        other => other.clone(),
    }
}
