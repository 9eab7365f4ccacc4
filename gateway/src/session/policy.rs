//! Which of a user's sessions may be there together.
//!
//! Invariants: a device has one session, the newest; whoever has to go is told so with a close code that lets no client
//! come back by itself, so two devices never take turns in ending each other; a session without a connection never
//! keeps another out.

use crate::config::{DevicePolicy, OnConflict};

/// A session as the policy sees it.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a, K> {
    /// Which.
    pub key: K,
    /// On which device; empty: it did not say.
    pub device_id: &'a str,
    /// What kind of device.
    pub device_class: &'a str,
    /// It has a connection.
    pub is_live: bool,
}

/// What a newcomer means for those present.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict<K> {
    /// It may come in.
    Welcome {
        /// Older sessions of the same device.
        replaced: Vec<K>,
        /// Sessions that have to go for it.
        kicked: Vec<K>,
    },
    /// It may not.
    Refused,
}

/// What the deployment says.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// On how many devices a user may be.
    pub policy: DevicePolicy,
    /// Who goes where there are too many.
    pub on_conflict: OnConflict,
    /// Most sessions with a connection, whatever the policy.
    pub most: usize,
}

/// Whether a session on this device may join those present, in order of arrival.
pub fn judge<'a, K: Copy>(
    rules: Rules,
    device_id: &str,
    device_class: &str,
    present: impl IntoIterator<Item = Present<'a, K>>,
) -> Verdict<K> {
    let (mut replaced, mut kicked, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    let mut live = Vec::new();
    for session in present {
        let conflicts = match rules.policy {
            DevicePolicy::Multi => false,
            DevicePolicy::OnePerDeviceClass => session.device_class == device_class,
            DevicePolicy::Single => true,
        };
        if !device_id.is_empty() && session.device_id == device_id {
            replaced.push(session.key);
        } else if !session.is_live {
            if conflicts { kicked.push(session.key) } else { gone.push(session.key) }
        } else if !conflicts {
            live.push(session.key);
        } else if rules.on_conflict == OnConflict::RefuseNew {
            return Verdict::Refused;
        } else {
            kicked.push(session.key);
        }
    }
    if live.len() >= rules.most && rules.on_conflict == OnConflict::RefuseNew {
        return Verdict::Refused;
    }
    // Those that only wait to be resumed make room first, the oldest before the others.
    let beyond = (live.len() + gone.len() + 1).saturating_sub(rules.most);
    kicked.extend(gone.into_iter().chain(live).take(beyond));
    Verdict::Welcome { replaced, kicked }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: Present<'_, u32> =
        Present { key: 1, device_id: "p", device_class: "phone", is_live: true };
    const WEB: Present<'_, u32> =
        Present { key: 2, device_id: "w", device_class: "web", is_live: true };
    const NAMELESS: Present<'_, u32> =
        Present { key: 3, device_id: "", device_class: "", is_live: true };

    fn rules(policy: DevicePolicy, on_conflict: OnConflict) -> Rules {
        Rules { policy, on_conflict, most: 4 }
    }

    fn welcome(replaced: &[u32], kicked: &[u32]) -> Verdict<u32> {
        Verdict::Welcome { replaced: replaced.to_vec(), kicked: kicked.to_vec() }
    }

    #[test]
    fn a_device_replaces_itself_under_every_policy() {
        for policy in [DevicePolicy::Multi, DevicePolicy::OnePerDeviceClass, DevicePolicy::Single] {
            let rules = rules(policy, OnConflict::RefuseNew);
            assert_eq!(judge(rules, "p", "phone", [PHONE]), welcome(&[1], &[]));
        }
        let rules = rules(DevicePolicy::Multi, OnConflict::RefuseNew);
        assert_eq!(
            judge(rules, "", "", [NAMELESS]),
            welcome(&[], &[]),
            "nobody knows who that was"
        );
    }

    #[test]
    fn conflicts_end_the_old_or_refuse_the_new() {
        let kick = |policy| rules(policy, OnConflict::KickOld);
        let refuse = |policy| rules(policy, OnConflict::RefuseNew);
        let all = [PHONE, WEB, NAMELESS];
        assert_eq!(judge(kick(DevicePolicy::Multi), "x", "web", all), welcome(&[], &[]));
        assert_eq!(
            judge(kick(DevicePolicy::OnePerDeviceClass), "x", "web", all),
            welcome(&[], &[2])
        );
        assert_eq!(
            judge(refuse(DevicePolicy::OnePerDeviceClass), "x", "web", all),
            Verdict::Refused
        );
        assert_eq!(
            judge(refuse(DevicePolicy::OnePerDeviceClass), "x", "tv", all),
            welcome(&[], &[])
        );
        assert_eq!(judge(kick(DevicePolicy::Single), "x", "tv", all), welcome(&[], &[1, 2, 3]));
        assert_eq!(judge(refuse(DevicePolicy::Single), "w", "web", [WEB]), welcome(&[2], &[]));
        assert_eq!(judge(refuse(DevicePolicy::Single), "x", "tv", all), Verdict::Refused);
    }

    #[test]
    fn who_has_no_connection_keeps_nobody_out() {
        let away = |session: Present<'static, u32>| Present { is_live: false, ..session };
        let refuse = rules(DevicePolicy::Single, OnConflict::RefuseNew);
        assert_eq!(judge(refuse, "x", "tv", [away(PHONE)]), welcome(&[], &[1]));
        let multi = Rules { most: 2, ..rules(DevicePolicy::Multi, OnConflict::KickOld) };
        assert_eq!(judge(multi, "x", "tv", [away(PHONE), away(WEB)]), welcome(&[], &[1]));
        assert_eq!(judge(multi, "x", "tv", [away(PHONE), WEB]), welcome(&[], &[1]));
        assert_eq!(judge(multi, "x", "tv", [PHONE, WEB]), welcome(&[], &[1]), "the oldest goes");
        assert_eq!(judge(multi, "x", "tv", [PHONE, away(WEB)]), welcome(&[], &[2]));
        let refuse = Rules { on_conflict: OnConflict::RefuseNew, ..multi };
        assert_eq!(judge(refuse, "x", "tv", [PHONE, WEB]), Verdict::Refused);
        assert_eq!(judge(refuse, "x", "tv", [away(PHONE), WEB]), welcome(&[], &[1]));
    }
}
