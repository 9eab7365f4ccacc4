//! Who may come in: what an upgrade request, and failing that the `connect` command, say of the other side.

use ringwire_protocol::codec::{Encoding, SUBPROTOCOL_BEARER_PREFIX};
use ringwire_protocol::websocket::MessageKind;
use ringwire_protocol::websocket::handshake::UpgradeRequest;
use ringwire_protocol::{CommandError, ErrorCode, UnixMs, wire};

use crate::auth::{Identity, TokenVerifier};
use crate::config::AllowedOrigins;

/// The WebSocket endpoint.
pub const PATH: &str = "/ws";

/// What an upgrade request settled.
pub struct Offer {
    /// How frames are written; `None`: the first message tells.
    pub encoding: Option<Encoding>,
    /// Who it is; `None`: the `connect` command tells.
    pub identity: Option<Identity>,
}

/// Why an upgrade request is answered with an HTTP error.
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The error in the body.
    pub error: CommandError,
}

/// Checks an upgrade request: path, subprotocols, origin, token. Returns the subprotocol to answer as well.
pub fn check(
    request: &UpgradeRequest,
    verifier: &TokenVerifier,
    origins: &AllowedOrigins,
    now_ms: UnixMs,
) -> Result<(Offer, Option<&'static str>), Refusal> {
    let refusal =
        |status, code, message: &str| Refusal { status, error: CommandError::new(code, message) };
    if request.path != PATH {
        return Err(refusal(404, ErrorCode::NotFound, "WebSockets are served at /ws"));
    }
    // Pages of other origins may not act for a user unless the deployment says so.
    if !origins.allows(request.origin.as_deref(), Some(&request.host)) {
        return Err(refusal(403, ErrorCode::Forbidden, "this origin may not connect"));
    }
    let encoding = request.protocols.iter().find_map(|name| Encoding::from_subprotocol(name));
    let identity = match token(request) {
        None => None,
        Some(token) => match verifier.verify(&token, now_ms) {
            Ok(identity) => Some(identity),
            Err(error) => {
                return Err(Refusal { status: 401, error: error.into() });
            }
        },
    };
    Ok((Offer { encoding, identity }, encoding.map(Encoding::subprotocol)))
}

/// The token of an upgrade request: header, subprotocol or query.
fn token(request: &UpgradeRequest) -> Option<String> {
    if let Some(header) = &request.authorization {
        let (scheme, token) = header.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned());
    }
    let in_protocols = request
        .protocols
        .iter()
        .find_map(|protocol| protocol.strip_prefix(SUBPROTOCOL_BEARER_PREFIX));
    if let Some(token) = in_protocols {
        return Some(token.to_owned());
    }
    let query = request.query.as_deref()?;
    let in_query = query.split('&').find_map(|pair| pair.strip_prefix("token="));
    in_query.map(ToOwned::to_owned)
}

/// Who the `connect` command says it is. The error goes with the command's id.
pub fn identify(
    verifier: &TokenVerifier,
    now_ms: UnixMs,
    encoding: Encoding,
    kind: MessageKind,
    payload: &[u8],
) -> Result<Identity, (u64, CommandError)> {
    if kind != encoding.message_kind() {
        return Err((0, CommandError::new(ErrorCode::InvalidArgument, "wrong message type")));
    }
    let Some(Ok(command)) = encoding.decode::<wire::Command>(payload).next() else {
        return Err((0, CommandError::new(ErrorCode::InvalidArgument, "not a command")));
    };
    let Some(wire::command::Op::Connect(connect)) = command.op else {
        let error =
            CommandError::new(ErrorCode::NotConnected, "connect with a token must come first");
        return Err((command.id, error));
    };
    verifier.verify(&connect.token, now_ms).map_err(|error| (command.id, error.into()))
}
