//! `[files]`: uploads and where their bytes lie.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::CommandRate;
use super::number::Number;
use super::validate::{Invalid, invalid};

/// The longest time a link is good, in seconds.
const MOST_LINK_S: u32 = 7 * 24 * 60 * 60;
/// The largest quota, in MiB: a pebibyte.
const MOST_QUOTA_MIB: u32 = 1 << 30;

/// Uploads and where their bytes lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesConfig {
    /// Whether there are files at all.
    pub enabled: bool,
    /// Where the bytes lie.
    pub place: FilesPlace,
    /// The largest file.
    pub max_size_bytes: u64,
    /// What all files of a user may take; 0: no limit.
    pub quota_bytes: u64,
    /// Content types that are accepted, `image/*` for a family; empty: all.
    pub allowed_types: Vec<String>,
    /// How long a signed link is good, in milliseconds.
    pub link_ttl_ms: i64,
    /// How often a user may upload.
    pub user_uploads: CommandRate,
}

/// Where the bytes of files lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilesPlace {
    /// In a folder.
    Folder(PathBuf),
    /// In an S3-compatible store.
    S3(S3Config),
}

/// An S3-compatible store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Config {
    /// Its bucket.
    pub bucket: String,
    /// What every key in it begins with; may be empty.
    pub prefix: String,
    /// Its URL; empty: Amazon's.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// Who asks; empty: the role of the machine.
    pub access_key_id: String,
    /// Proves it.
    pub secret_access_key: S3Secret,
}

/// A secret. Not shown, and wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Secret(Zeroizing<String>);

impl S3Secret {
    /// The secret, for signatures alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for S3Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("S3Secret(***)")
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawFiles {
    pub(super) enabled: bool,
    pub(super) store: String,
    pub(super) endpoint: String,
    pub(super) region: String,
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
    pub(super) max_size_bytes: Number,
    pub(super) quota_mib: Number,
    pub(super) allowed_types: Vec<String>,
    pub(super) link_ttl_s: Number,
    pub(super) user_uploads_per_s: Number,
    pub(super) user_uploads_burst: Number,
}

impl Default for RawFiles {
    fn default() -> Self {
        Self {
            enabled: true,
            store: String::new(),
            endpoint: String::new(),
            region: "us-east-1".to_owned(),
            access_key_id: String::new(),
            secret_access_key: String::new(),
            max_size_bytes: Number::Whole(100 << 20),
            quota_mib: Number::Whole(1024),
            allowed_types: Vec::new(),
            link_ttl_s: Number::Whole(900),
            user_uploads_per_s: Number::Whole(1),
            user_uploads_burst: Number::Whole(60),
        }
    }
}

pub(super) fn files(raw: RawFiles, data_dir: &Path) -> Result<FilesConfig, Invalid> {
    let allowed_types = raw.allowed_types.iter().map(|pattern| media_type(pattern));
    let quota_mib = raw.quota_mib.within("files.quota_mib", 0, MOST_QUOTA_MIB)?;
    let link_ttl_s = raw.link_ttl_s.within("files.link_ttl_s", 1, MOST_LINK_S)?;
    Ok(FilesConfig {
        enabled: raw.enabled,
        allowed_types: allowed_types.collect::<Result<_, _>>()?,
        max_size_bytes: raw.max_size_bytes.within("files.max_size_bytes", 1, u32::MAX)?.into(),
        quota_bytes: u64::from(quota_mib) << 20,
        link_ttl_ms: i64::from(link_ttl_s) * 1000,
        user_uploads: CommandRate {
            per_s: raw.user_uploads_per_s.within("files.user_uploads_per_s", 0, 1_000_000)?,
            burst: raw.user_uploads_burst.within("files.user_uploads_burst", 1, 1_000_000)?,
        },
        place: place(raw, data_dir)?,
    })
}

fn place(raw: RawFiles, data_dir: &Path) -> Result<FilesPlace, Invalid> {
    let Some(address) = raw.store.strip_prefix("s3://") else {
        // A colon before any slash ends a scheme; a folder with such a name is written "./a:b".
        if raw.store.split_once(':').is_some_and(|(scheme, _)| !scheme.contains('/')) {
            let expected = "the path of a folder, s3://bucket/prefix, or nothing";
            return Err(invalid("files.store", raw.store, expected));
        }
        let default = || data_dir.join("files");
        let path = if raw.store.is_empty() { default() } else { PathBuf::from(raw.store) };
        return Ok(FilesPlace::Folder(path));
    };
    let (bucket, prefix) = address.split_once('/').unwrap_or((address, ""));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_prefix = prefix.chars().all(|c| is_plain(c) || c == '/') && !prefix.contains("..");
    if bucket.is_empty() || !bucket.chars().all(is_plain) || !is_prefix {
        let expected =
            "s3://bucket or s3://bucket/prefix, of letters, digits, dots, hyphens and underscores";
        return Err(invalid("files.store", raw.store, expected));
    }
    let authority =
        ["https://", "http://"].iter().find_map(|scheme| raw.endpoint.strip_prefix(scheme));
    if !raw.endpoint.is_empty()
        && authority.is_none_or(|rest| rest.is_empty() || rest.contains(['@', '?', '#', ' ']))
    {
        let expected =
            "a URL such as https://s3.example.org, without user, or nothing for Amazon's";
        return Err(invalid("files.endpoint", super::redact::url(&raw.endpoint), expected));
    }
    if raw.region.trim().is_empty() {
        return Err(invalid("files.region", raw.region, "a region such as us-east-1"));
    }
    if raw.access_key_id.is_empty() != raw.secret_access_key.is_empty() {
        let expected = "to be set together with files.secret_access_key, or neither";
        return Err(invalid("files.access_key_id", raw.access_key_id, expected));
    }
    Ok(FilesPlace::S3(S3Config {
        bucket: bucket.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
        endpoint: raw.endpoint.trim_end_matches('/').to_owned(),
        region: raw.region,
        access_key_id: raw.access_key_id,
        secret_access_key: S3Secret(Zeroizing::new(raw.secret_access_key)),
    }))
}

/// `type/subtype` or `type/*`, in lower case.
fn media_type(pattern: &str) -> Result<String, Invalid> {
    let lower = pattern.trim().to_ascii_lowercase();
    let is_token = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c))
    };
    let is_sound = lower
        .split_once('/')
        .is_some_and(|(family, kind)| is_token(family) && (kind == "*" || is_token(kind)));
    if is_sound {
        return Ok(lower);
    }
    let expected = "types such as image/png, and families such as image/*";
    Err(invalid("files.allowed_types", pattern, expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut RawFiles)) -> Result<FilesConfig, String> {
        let mut raw = RawFiles::default();
        change(&mut raw);
        files(raw, Path::new("data")).map_err(|invalid| invalid.key)
    }

    #[test]
    fn bytes_lie_in_the_data_folder_or_where_the_operator_says() {
        let place = |store: &str| with(|raw| raw.store = store.to_owned()).map(|files| files.place);
        assert_eq!(place(""), Ok(FilesPlace::Folder("data/files".into())));
        assert_eq!(place("/srv/files"), Ok(FilesPlace::Folder("/srv/files".into())));
        assert_eq!(place("./a:b"), Ok(FilesPlace::Folder("./a:b".into())));
        let Ok(FilesPlace::S3(s3)) = place("s3://chat-files/a/b/") else { panic!("no S3") };
        assert_eq!((&*s3.bucket, &*s3.prefix), ("chat-files", "a/b"));
        for wrong in ["s3://", "s3://a b", "s3://a/../b", "gs://a", "https://a", "s3:/a", "s3:a"] {
            assert_eq!(place(wrong), Err("files.store".to_owned()), "{wrong}");
        }
    }

    #[test]
    fn a2_the_secret_of_a_store_is_not_shown_and_comes_with_its_id() {
        let keys = |id: &str, secret: &str| {
            with(|raw| {
                raw.store = "s3://bucket".to_owned();
                raw.access_key_id = id.to_owned();
                raw.secret_access_key = secret.to_owned();
            })
        };
        let shown = format!("{:?}", keys("id", "s3cret").unwrap());
        assert!(!shown.contains("s3cret"), "{shown}");
        assert_eq!(keys("", "s3cret").unwrap_err(), "files.access_key_id");
        assert_eq!(keys("id", "").unwrap_err(), "files.access_key_id");
    }

    #[test]
    fn types_are_written_as_families_or_single_ones() {
        let types = |list: &[&str]| {
            let list = list.iter().map(|&text| text.to_owned()).collect();
            with(|raw| raw.allowed_types = list).map(|files| files.allowed_types)
        };
        assert_eq!(
            types(&["Image/*", " application/pdf"]).unwrap(),
            ["image/*", "application/pdf"]
        );
        for wrong in ["image", "*/*", "image/", "/png", "image/png; q=1"] {
            assert_eq!(types(&[wrong]), Err("files.allowed_types".to_owned()), "{wrong}");
        }
    }
}
