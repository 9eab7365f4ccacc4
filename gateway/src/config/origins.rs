//! Which web pages may connect: the rule behind [`AllowedOrigins`].
//!
//! Browsers send `Origin` with every WebSocket upgrade, and a page cannot forge it. Programs send none and are not
//! concerned: they hold a token by other means than a browser's.

use super::AllowedOrigins;

impl AllowedOrigins {
    /// Whether a request with this `Origin` that was sent to this `Host` may go on.
    pub fn allows(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        match self {
            Self::Any => true,
            Self::SameOrigin => is_same(origin, host),
            Self::List(listed) => {
                listed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
                    || is_same(origin, host)
            }
        }
    }
}

/// Whether the page came from the server that the request went to. A proxy that speaks TLS changes the scheme but
/// keeps the host, so the scheme only decides which port may be left out.
fn is_same(origin: &str, host: Option<&str>) -> bool {
    let (authority, default_port) = if let Some(rest) = strip_scheme(origin, "https://") {
        (rest, ":443")
    } else if let Some(rest) = strip_scheme(origin, "http://") {
        (rest, ":80")
    } else {
        // "null" (a sandboxed page) and schemes of extensions are never ours.
        return false;
    };
    let without_default = |text: &str| text.strip_suffix(default_port).unwrap_or(text).to_owned();
    host.is_some_and(|host| {
        !authority.is_empty()
            && without_default(authority).eq_ignore_ascii_case(&without_default(host))
    })
}

fn strip_scheme<'a>(origin: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = origin.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x2_pages_of_this_server_connect_and_others_only_when_listed() {
        let same = AllowedOrigins::SameOrigin;
        assert!(same.allows(None, None));
        assert!(same.allows(Some("http://127.0.0.1:8080"), Some("127.0.0.1:8080")));
        assert!(same.allows(Some("https://Chat.example"), Some("chat.example")));
        assert!(same.allows(Some("https://chat.example"), Some("chat.example:443")));
        assert!(same.allows(Some("http://[::1]:8080"), Some("[::1]:8080")));
        for origin in [
            "https://evil.example",
            "https://chat.example.evil.example",
            "https://chat.example@evil.example",
            "https://chat.example:8443",
            "null",
            "",
            "https://",
            "chrome-extension://chat.example",
        ] {
            assert!(!same.allows(Some(origin), Some("chat.example")), "{origin}");
            assert!(AllowedOrigins::Any.allows(Some(origin), Some("chat.example")), "{origin}");
        }
        assert!(!same.allows(Some("https://chat.example"), None));
        assert!(!same.allows(Some("https://"), Some("")));

        let listed = AllowedOrigins::List(vec!["https://a.example".to_owned()]);
        assert!(listed.allows(Some("https://A.example"), Some("chat.example")));
        assert!(listed.allows(Some("https://chat.example"), Some("chat.example")));
        assert!(!listed.allows(Some("http://a.example"), Some("chat.example")));
    }
}
