//! Where values come from: defaults < file < environment < flags, merged by figment, which remembers the origin of
//! each.
//!
//! Environment: every option as `RINGWIRE_SECTION__KEY` (`RINGWIRE_SERVER__LISTEN`), lists separated by commas; the
//! options that are flags also under the flag's name (`RINGWIRE_LISTEN`). An empty variable counts as not set; one that
//! nobody knows ends the start, as an unknown option of the file does.

use std::fs;
use std::path::{Path, PathBuf};

use figment::providers::Serialized;
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::foreign;
use super::hooks::RawWebhook;
use super::issuers::RawIssuer;
use super::raw::{Raw, RawTrustedKey};
use super::report::{self, Loaded};
use super::validate::{Invalid, validate};

/// What every variable of ours begins with.
const PREFIX: &str = "RINGWIRE_";
/// Variables named after a flag or what they hold, and the options they set.
const FLAT: [(&str, &str); 7] = [
    ("LISTEN", "server.listen"),
    ("SHARDS", "server.shards"),
    ("DRIVER", "server.driver"),
    ("DATA_DIR", "storage.data_dir"),
    ("DATABASE", "storage.database"),
    ("STORAGE_KEYS", "storage.encryption.keys"),
    ("LOG", "log.filter"),
];
/// Lists of tables, and the keys of their items: only a file has them.
const TABLES: [(&str, &[&str]); 3] = [
    ("auth.trusted_keys", &RawTrustedKey::KEYS),
    ("auth.issuers", &RawIssuer::KEYS),
    ("events.webhooks", &RawWebhook::KEYS),
];
/// The variable that names the file; read by clap.
const CONFIG: &str = "CONFIG";

/// An option set on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagValue {
    /// Which option, as in `server.listen`.
    pub key: &'static str,
    /// The flag's name, as in `--listen`.
    pub flag: &'static str,
    /// What follows it.
    pub value: String,
}

/// Why there is no configuration. Each message is one line that says what is wrong, where, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {source}; check the path after --config", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{}:{line}: not valid TOML: {problem}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// What the parser said.
        problem: String,
    },
    /// There is no such option.
    #[error("unknown option {key} ({origin}); the nearest one is {nearest}")]
    UnknownKey {
        /// As it was written.
        key: String,
        /// Where.
        origin: String,
        /// What was meant, perhaps.
        nearest: String,
    },
    /// The value is of the wrong type.
    #[error("{key} ({origin}): {problem}")]
    WrongType {
        /// Which option.
        key: String,
        /// Who set it.
        origin: String,
        /// What was found and what was expected.
        problem: String,
    },
    /// The value is out of bounds.
    #[error("{key} = {shown} ({origin}): expected {expected}")]
    Invalid {
        /// Which option.
        key: String,
        /// Its value, without secrets.
        shown: String,
        /// Who set it.
        origin: String,
        /// What it has to be.
        expected: String,
    },
}

/// Merges and validates everything. `environment` is what [`std::env::vars`] gives.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    flags: &[FlagValue],
) -> Result<Loaded, ConfigError> {
    let defaults = report::flatten(&Raw::default());
    let mut figment = Figment::from(Serialized::defaults(Raw::default()));
    if let Some(path) = file {
        figment = figment.merge(file_layer(path, &defaults)?);
    }
    for layer in environment_layers(environment, &defaults)? {
        figment = figment.merge(layer);
    }
    for flag in flags {
        let origin = format!("flag {}", flag.flag);
        figment = figment.merge(Layer::single(flag.key, &flag.value, origin, &defaults)?);
    }
    let raw: Raw = figment.extract().map_err(|error| wrong_type(&error))?;
    let origin = |key: &str| origin_of(&figment, key);
    let settings = report::settings(&raw, &origin);
    match validate(raw) {
        Ok(config) => Ok(Loaded { config, settings }),
        Err(Invalid { key, shown, expected }) => {
            let origin = origin(&key);
            Err(ConfigError::Invalid { key, shown: format!("{shown:?}"), origin, expected })
        }
    }
}

/// Who set an option; items of lists have the origin of their list.
fn origin_of(figment: &Figment, key: &str) -> String {
    let list = key.split('[').next().unwrap_or(key);
    let origin = figment.find_metadata(list).map(|metadata| metadata.name.clone().into_owned());
    origin.filter(|name| !name.starts_with("ringwire_gateway")).unwrap_or_else(|| "default".into())
}

fn wrong_type(error: &figment::Error) -> ConfigError {
    let origin =
        error.metadata.as_ref().map_or_else(|| "default".into(), |metadata| metadata.name.clone());
    ConfigError::WrongType {
        key: error.path.join("."),
        origin: origin.into_owned(),
        problem: error.kind.to_string(),
    }
}

/// Values of one origin.
struct Layer {
    origin: String,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

impl Layer {
    /// One option given as text; the type of its default says how the text is read.
    fn single(
        key: &str,
        text: &str,
        origin: String,
        defaults: &[(String, Value)],
    ) -> Result<Self, ConfigError> {
        let Some((_, default)) = defaults.iter().find(|(known, _)| known == key) else {
            let nearest = nearest(key, defaults.iter().map(|(known, _)| known.as_str()));
            return Err(ConfigError::UnknownKey { key: key.to_owned(), origin, nearest });
        };
        let parsed = match default {
            // What is no number is refused by validation, which knows the range.
            Value::Num(..) => {
                Ok(text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from))
            }
            Value::Bool(..) => text.parse::<bool>().map(Value::from).map_err(|_| "true or false"),
            Value::Array(..) if TABLES.iter().any(|(list, _)| *list == key) => {
                Err("tables [[...]] in the configuration file, nowhere else")
            }
            Value::Array(..) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Ok(Value::from(items.map(Value::from).collect::<Vec<_>>()))
            }
            _ => Ok(Value::from(text)),
        };
        match parsed {
            Ok(value) => Ok(Self { origin, values: nest(key, value) }),
            Err(expected) => Err(ConfigError::Invalid {
                key: key.to_owned(),
                shown: format!("{text:?}"),
                origin,
                expected: expected.to_owned(),
            }),
        }
    }
}

/// `a.b = value` as nested tables.
fn nest(key: &str, value: Value) -> Dict {
    match key.split_once('.') {
        Some((section, rest)) => Dict::from([(section.to_owned(), nest(rest, value).into())]),
        None => Dict::from([(key.to_owned(), value)]),
    }
}

fn file_layer(path: &Path, defaults: &[(String, Value)]) -> Result<Layer, ConfigError> {
    let text = fs::read_to_string(path)
        .map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
    let values: Dict = toml::from_str(&text).map_err(|error| {
        let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or("");
        ConfigError::Syntax {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            problem: error.message().lines().collect::<Vec<_>>().join(", "),
        }
    })?;
    let origin = format!("file {}", path.display());
    let mut known: Vec<_> = defaults.iter().map(|(key, _)| key.clone()).collect();
    for (list, keys) in TABLES {
        known.extend(keys.iter().map(|key| format!("{list}.{key}")));
    }
    for (key, _) in report::flatten_dict(&values) {
        // A list's own name is known; what is inside its items is checked by name, whatever the item.
        if !known.contains(&key) {
            let nearest = nearest(&key, known.iter().map(String::as_str));
            return Err(ConfigError::UnknownKey { key, origin, nearest });
        }
    }
    Ok(Layer { origin, values })
}

/// One layer a variable, flat names first: the exact name wins over the short one.
fn environment_layers(
    environment: impl IntoIterator<Item = (String, String)>,
    defaults: &[(String, Value)],
) -> Result<Vec<Layer>, ConfigError> {
    let exact =
        defaults.iter().map(|(key, _)| (key.to_ascii_uppercase().replace('.', "__"), &**key));
    let known: Vec<(String, &str)> =
        FLAT.iter().map(|&(flat, key)| (flat.to_owned(), key)).chain(exact).collect();
    let mut variables: Vec<(String, String)> = environment
        .into_iter()
        .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty())
        .collect();
    variables.sort_by_key(|(name, _)| (name.contains("__"), name.clone()));
    let mut layers = Vec::new();
    for (variable, value) in variables {
        let name = &variable[PREFIX.len()..];
        let origin = format!("environment {variable}");
        let upper = name.to_ascii_uppercase();
        let is_known = |known: &str| known == name || (name.contains("__") && known == upper);
        if let Some((_, key)) = known.iter().find(|(known, _)| is_known(known)) {
            layers.push(Layer::single(key, &value, origin, defaults)?);
        } else if name != CONFIG && !foreign::is_foreign(name, &value) {
            let names = known.iter().map(|(known, _)| &**known).chain([CONFIG]);
            let nearest = format!("{PREFIX}{}", nearest(&upper, names));
            return Err(ConfigError::UnknownKey { key: variable, origin, nearest });
        }
    }
    Ok(layers)
}

/// What it costs to have put a key into the wrong section, in letters.
const WRONG_SECTION: usize = 3;

/// The known name most like `key`.
fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> String {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let distance = |candidate: &str| {
        let moved = strsim::levenshtein(&last(key), &last(candidate)) + WRONG_SECTION;
        strsim::levenshtein(key, candidate).min(moved)
    };
    known.min_by_key(|candidate| distance(candidate)).unwrap_or_default().to_owned()
}
