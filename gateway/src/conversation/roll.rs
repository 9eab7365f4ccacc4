//! Members by user: a short list, or a tree where they are many.
//!
//! Most conversations are direct, and the first node of a tree has room for eleven members whether or not they come.
//!
//! Invariants: the list is sorted, so both tell the members in the same order; a list that outgrew [`FEW`] is a tree for
//! good.

use std::collections::BTreeMap;

use ringwire_protocol::UserId;

use super::members::Member;

/// Members up to which a list is as good as a tree.
const FEW: usize = 8;

/// Who is a member, in order of user id.
#[derive(Debug)]
pub(super) enum Roll {
    Few(Vec<(UserId, Member)>),
    Many(BTreeMap<UserId, Member>),
}

impl Default for Roll {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl FromIterator<(UserId, Member)> for Roll {
    fn from_iter<T: IntoIterator<Item = (UserId, Member)>>(members: T) -> Self {
        let mut roll = Self::default();
        for (user, member) in members {
            roll.insert(user, member);
        }
        roll
    }
}

impl Roll {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many(tree) => tree.len(),
        }
    }

    pub(super) fn get(&self, user: UserId) -> Option<Member> {
        match self {
            Self::Few(list) => place(list, user).ok().and_then(|at| list.get(at)).map(|(_, m)| *m),
            Self::Many(tree) => tree.get(&user).copied(),
        }
    }

    /// Makes a user a member; what they were before.
    pub(super) fn insert(&mut self, user: UserId, member: Member) -> Option<Member> {
        match self {
            Self::Few(list) => match place(list, user) {
                Ok(at) => list.get_mut(at).map(|(_, known)| std::mem::replace(known, member)),
                Err(at) if list.len() < FEW => {
                    // Two is the commonest number of members by far.
                    list.reserve_exact(1);
                    list.insert(at, (user, member));
                    None
                }
                Err(_) => {
                    let mut tree: BTreeMap<_, _> = std::mem::take(list).into_iter().collect();
                    tree.insert(user, member);
                    *self = Self::Many(tree);
                    None
                }
            },
            Self::Many(tree) => tree.insert(user, member),
        }
    }

    /// What the user was who is no member any more.
    pub(super) fn remove(&mut self, user: UserId) -> Option<Member> {
        match self {
            Self::Few(list) => place(list, user).ok().map(|at| list.remove(at).1),
            Self::Many(tree) => tree.remove(&user),
        }
    }

    pub(super) fn users(&self) -> impl Iterator<Item = UserId> {
        let (few, many) = match self {
            Self::Few(list) => (Some(list), None),
            Self::Many(tree) => (None, Some(tree)),
        };
        let few = few.into_iter().flatten().map(|(user, _)| *user);
        few.chain(many.into_iter().flat_map(BTreeMap::keys).copied())
    }
}

fn place(list: &[(UserId, Member)], user: UserId) -> Result<usize, usize> {
    list.binary_search_by_key(&user, |(user, _)| *user)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ringwire_storage::model::Role;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map_in_order_however_many_there_are(
            steps in proptest::collection::vec((1..20_u64, 0..4_i64), 0..60),
        ) {
            let (mut roll, mut map) = (Roll::default(), BTreeMap::new());
            for (id, muted_until) in steps {
                let user = UserId::new(id).unwrap();
                let member = Member { role: Role::Member, muted_until };
                if muted_until == 0 {
                    prop_assert_eq!(roll.remove(user), map.remove(&user));
                } else {
                    prop_assert_eq!(roll.insert(user, member), map.insert(user, member));
                }
                prop_assert_eq!(roll.get(user), map.get(&user).copied());
                prop_assert_eq!(roll.len(), map.len());
                prop_assert!(roll.users().eq(map.keys().copied()));
            }
        }
    }
}
