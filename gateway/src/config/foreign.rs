//! Variables that begin like ours and are not for the server.

/// Of the project's tests and of its load generator, whose shell may be the server's.
const TOOLS: [&str; 6] = ["PG_BIN", "CHROMIUM", "PYTHON", "NODE", "SEED", "JWT_SECRET_FILE"];
/// How more of them begin.
const TOOL_PREFIXES: [&str; 3] = ["TEST_", "WRITE_", "CRASH_"];

/// Whether somebody else is meant by a variable; `name` without the prefix.
pub(super) fn is_foreign(name: &str, value: &str) -> bool {
    TOOLS.contains(&name)
        || TOOL_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || is_for_a_service(name, value)
}

/// What Kubernetes sets for a service that is called `ringwire` or `ringwire-…`: `…SERVICE_HOST`, `…SERVICE_PORT`,
/// `…SERVICE_PORT_HTTP`, `…PORT=tcp://10.0.0.1:80`, `…PORT_80_TCP_ADDR`.
fn is_for_a_service(name: &str, value: &str) -> bool {
    let name = format!("_{name}");
    let begins_with_digit = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || (name.ends_with("_PORT") && value.contains("://"))
        || name.split_once("_PORT_").is_some_and(|(_, rest)| begins_with_digit(rest))
}
