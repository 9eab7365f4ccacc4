//! Numbers as they are written. What is no number, or too large for one, is kept until validation, which knows the
//! range and says it.

use std::fmt;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::validate::{Invalid, invalid};

/// The value of an option that has to be a whole number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Whole(i64),
    /// Anything else, as it may be shown.
    Other(String),
}

impl Number {
    /// Checks it against its bounds.
    pub(super) fn within(&self, key: &str, least: u32, most: u32) -> Result<u32, Invalid> {
        let range = format!("a number from {least} to {most}");
        match self {
            Self::Whole(value) => match u32::try_from(*value) {
                Ok(number) if (least..=most).contains(&number) => Ok(number),
                _ => Err(invalid(key, value.to_string(), range)),
            },
            Self::Other(text) if text.parse::<i64>().is_ok() => {
                Err(invalid(key, text, format!("{range}, without quotes")))
            }
            Self::Other(text) => Err(invalid(key, text, range)),
        }
    }
}

impl Number {
    /// Checks that it is a share of something.
    pub(super) fn share(&self, key: &str) -> Result<f64, Invalid> {
        let (value, shown) = match self {
            Self::Whole(value) => (*value as f64, value.to_string()),
            Self::Other(text) => (text.parse().unwrap_or(f64::NAN), text.clone()),
        };
        let is_share = (0.0..=1.0).contains(&value);
        if is_share { Ok(value) } else { Err(invalid(key, shown, "a number from 0 to 1")) }
    }
}

impl From<u32> for Number {
    fn from(value: u32) -> Self {
        Self::Whole(value.into())
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(value) => serializer.serialize_i64(*value),
            Self::Other(text) => match text.parse::<f64>() {
                Ok(value) if text.contains('.') => serializer.serialize_f64(value),
                _ => serializer.serialize_str(text),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

impl Visitor<'_> for Written {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E>(self, value: i64) -> Result<Number, E> {
        Ok(Number::Whole(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Number, E> {
        Ok(i64::try_from(value).map_or_else(|_| Number::Other(value.to_string()), Number::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Number, E> {
        Ok(Number::Other(format!("{value:?}")))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Number, E> {
        Ok(Number::Other(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Number, E> {
        Ok(Number::Other(value.to_owned()))
    }
}
