//! Secrets out of values that are shown.

/// What stands in for a secret.
const HIDDEN: &str = "***";

/// Whether a secret is set, and nothing else about it.
pub fn secret(text: &str) -> String {
    if text.is_empty() { String::new() } else { HIDDEN.to_owned() }
}

/// A URL without its password: neither the one before `@` nor a `password` parameter.
///
/// Works on text rather than on a parsed URL, because a value that is no valid URL is shown in error messages too.
pub fn url(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    // `name=value` pairs, which are no address here: whatever stands behind a password may belong to it.
    if scheme.is_none() && rest.to_ascii_lowercase().contains("password") {
        return HIDDEN.to_owned();
    }
    let mut shown = scheme.map_or_else(String::new, |scheme| format!("{scheme}://"));
    // A password may hold an unescaped `@`, `/` or `?` by mistake: everything up to the last `@` counts as credentials.
    let rest = match rest.rsplit_once('@') {
        Some((credentials, rest)) => {
            let user = credentials.split_once(':').map_or(credentials, |(user, _)| user);
            if user.contains(['/', '?', '=', '&']) {
                // An `@` in a parameter: nobody can say where a secret begins and ends.
                return shown + HIDDEN;
            }
            shown.push_str(user);
            if credentials.len() > user.len() {
                shown.push(':');
                shown.push_str(HIDDEN);
            }
            shown.push('@');
            rest
        }
        None => rest,
    };
    let (location, query) = match rest.split_once('?') {
        Some((location, query)) => (location, Some(query)),
        None => (rest, None),
    };
    shown.push_str(location);
    if let Some(query) = query {
        shown.push('?');
        let parameters: Vec<_> = query
            .split('&')
            .map(|parameter| match parameter.split_once('=') {
                Some((name, _)) if name.to_ascii_lowercase().contains("password") => {
                    format!("{name}={HIDDEN}")
                }
                _ => parameter.to_owned(),
            })
            .collect();
        shown.push_str(&parameters.join("&"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn a2_passwords_in_urls_are_hidden() {
        assert_eq!(url("postgres://ann:s3cret@db:5432/chat"), "postgres://ann:***@db:5432/chat");
        assert_eq!(url("postgres://ann@db/chat"), "postgres://ann@db/chat");
        assert_eq!(url("postgres://ann:a@b/c@db/chat"), "postgres://ann:***@db/chat");
        assert_eq!(
            url("postgres://db/chat?user=ann&password=s3cret&x=1"),
            "postgres://db/chat?user=ann&password=***&x=1"
        );
        assert_eq!(url("postgres://ann:s3?cr=et@db/chat?x=1"), "postgres://ann:***@db/chat?x=1");
        assert_eq!(url("postgres://db/chat?user=ann&password=s3@cret"), "postgres://***");
        assert_eq!(url("host=db user=ann password='s3 cret'"), "***");
        assert_eq!(url("mysql:ann:s3cret@db"), "mysql:***@db");
        assert_eq!(url("sqlite"), "sqlite");
    }
}
