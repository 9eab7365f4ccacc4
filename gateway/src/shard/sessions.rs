//! The sessions of one user: listed, and ended from elsewhere.

use ringwire_protocol::{CloseReason, CommandError, ErrorCode, UserId, wire};
use ringwire_storage::refresh::FamilyId;

use super::state::State;
use crate::command::message::invalid;
use crate::connection::links::{LinkKey, Links};
use crate::session::registry::{Session, SessionKey};

impl State {
    /// Ends a session at once: nothing is pushed to it any more, and nothing resumes it.
    pub(crate) fn end_session(&mut self, key: SessionKey, reason: CloseReason, links: &mut Links) {
        self.stop_typing(key, links);
        if let Some(session) = self.registry.remove(key) {
            links.close(session.link, reason.code(), reason.reason());
        }
    }

    /// Ends every session of a user.
    pub(crate) fn end_sessions(&mut self, user: UserId, reason: CloseReason, links: &mut Links) {
        for key in self.registry.of_user(user).to_vec() {
            self.end_session(key, reason, links);
        }
    }

    /// Ends the sessions of a login of a user; `None`: of all their logins.
    pub(super) fn end_login(&mut self, user: UserId, login: Option<FamilyId>, links: &mut Links) {
        let is_of = |session: &Session| {
            session.login.is_some() && (login.is_none() || session.login == login)
        };
        let sessions = self.registry.sessions_of(user).filter(|(_, session)| is_of(session));
        let keys: Vec<SessionKey> = sessions.map(|(key, _)| key).collect();
        for key in keys {
            self.end_session(key, CloseReason::LoggedOut, links);
        }
    }

    /// Ends the sessions of a user on a device, whatever login they are of; the logins.
    pub(super) fn end_device(
        &mut self,
        user: UserId,
        device_id: &str,
        links: &mut Links,
    ) -> Vec<FamilyId> {
        let is_there = |session: &Session| *session.device.id == *device_id;
        let sessions = self.registry.sessions_of(user).filter(|(_, session)| is_there(session));
        let (keys, logins): (Vec<SessionKey>, Vec<Option<FamilyId>>) =
            sessions.map(|(key, session)| (key, session.login)).unzip();
        for key in keys {
            self.end_session(key, CloseReason::LoggedOut, links);
        }
        let mut logins: Vec<FamilyId> = logins.into_iter().flatten().collect();
        logins.sort_unstable();
        logins.dedup();
        logins
    }

    /// The client of a session ends it for good.
    pub(super) fn said_goodbye(&mut self, link: LinkKey, links: &mut Links) {
        if let Some(key) = self.registry.by_link(link) {
            self.stop_typing(key, links);
            self.registry.remove(key);
        }
    }

    /// Everything `sessions` tells.
    pub(super) fn list_sessions(&mut self, user: UserId, asking: SessionKey) -> wire::SessionList {
        let keys = self.registry.of_user(user).to_vec();
        let mut sessions = Vec::with_capacity(keys.len());
        for key in keys {
            let session_id = self.registry.public_id(key);
            let Some(session) = self.registry.get(key) else { continue };
            sessions.push(wire::SessionInfo {
                session_id,
                device_id: session.device.id.to_string(),
                device_class: session.device.class.to_string(),
                client_name: session.device.client_name.to_string(),
                connected_at: session.connected_at,
                live: !session.is_detached(),
                current: key == asking,
            });
        }
        wire::SessionList { sessions }
    }

    /// `end_session`: one of the caller's, or all but the one that asks.
    pub(super) fn end_others(
        &mut self,
        asking: SessionKey,
        user: UserId,
        end: &wire::EndSession,
        links: &mut Links,
    ) -> Result<(), CommandError> {
        let ended = match (end.session_id.as_str(), end.all_others) {
            ("", true) => {
                let mut others = self.registry.of_user(user).to_vec();
                others.retain(|key| *key != asking);
                others
            }
            ("", false) | (_, true) => return Err(invalid("give either session_id or all_others")),
            (id, false) => {
                let found = self.registry.by_public_id(id);
                let own = found.filter(|key| self.registry.of_user(user).contains(key));
                let unknown = || CommandError::new(ErrorCode::NotFound, "no such session");
                vec![own.filter(|key| *key != asking).ok_or_else(unknown)?]
            }
        };
        for key in ended {
            self.end_session(key, CloseReason::Kicked, links);
        }
        Ok(())
    }
}
