//! Several nodes hot on the same conversations: on Postgres several stores on one database; on SQLite, where one process
//! holds the folder, several origins of one store.
//!
//! ```text
//!   seed ─► Script: who asks what, of which node ─► Node: owners as simple as can be ─► Store ─► log, members
//!                                                     └── what each command was told ──► Model ◄──┘
//! ```
//!
//! The script follows from the seed, and the seed is in every complaint: `RINGWIRE_SEED=<seed>` runs that one alone.
//! What the database makes of the race differs from run to run, so a seed may take a few runs to fail again.

mod model;
mod node;
mod script;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use ringwire_protocol::ConversationId;
use ringwire_storage::append::Completion;
use ringwire_storage::model::{ConversationKind, NewGroup};
use ringwire_storage::{CompletionSink, Database, Store, StoreConfig};
use tempfile::TempDir;

use self::model::Outcome;
use self::node::{Answer, Counts, Node, Told};
use self::script::{NODES, Script, USERS};
use crate::support::{self, Backend, body, user};

on_both_also_partitioned!(
    o1_o2_o3_nodes_that_race_keep_every_promise,
    o1_o2_two_nodes_hot_on_one_conversation_go_behind_each_other,
);

/// Where the nodes meet.
struct Arena {
    /// By node.
    stores: Vec<Store>,
    answers: Vec<Option<Receiver<Completion>>>,
    url: Option<String>,
    _folder: Option<TempDir>,
}

impl Arena {
    async fn new(backend: Backend) -> Self {
        let (senders, answers): (Vec<_>, Vec<_>) = (0..NODES).map(|_| channel()).unzip();
        let sink = sink(senders);
        let open = async |database: Database| {
            let mut config = StoreConfig::new(database);
            config.partitions = backend.partitions();
            Store::open(config, Arc::clone(&sink)).await.unwrap()
        };
        let (stores, url, folder) = match backend {
            Backend::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let store = open(support::sqlite(folder.path())).await;
                (vec![store; NODES], None, Some(folder))
            }
            Backend::Postgres | Backend::PostgresPartitioned => {
                let url = support::fresh_database();
                let mut stores = Vec::new();
                for _ in 0..NODES {
                    stores.push(open(Database::Postgres { url: url.clone() }).await);
                }
                (stores, Some(url), None)
            }
        };
        for number in 1..=USERS {
            stores[0].ensure_user(user(number), "", 1).await.unwrap();
        }
        let answers = answers.into_iter().map(Some).collect();
        Self { stores, answers, url, _folder: folder }
    }

    /// A group of user 2, who made it, and 1 and 3.
    async fn group(&self, name: String) -> ConversationId {
        let group = NewGroup {
            kind: ConversationKind::Group,
            creator: user(2),
            members: vec![user(1), user(3)],
            settings: body(""),
            client_msg_id: name,
            body: body("created"),
            command_hash: 0,
        };
        self.stores[0].create_group(group, 1).await.unwrap().0
    }

    /// Carries a script out and judges what came of it.
    async fn run(&mut self, script: &Script) -> Result<(Counts, Vec<Told>), String> {
        let mut ids = Vec::new();
        for number in 0..script.conversations {
            ids.push(self.group(format!("{}-{number}", script.seed)).await);
        }
        let nodes: Vec<_> = script
            .nodes
            .iter()
            .enumerate()
            .map(|(number, commands)| {
                let answers = self.answers[number].take().expect("given back below");
                let (store, ids) = (self.stores[number].clone(), ids.clone());
                let node = Node::new(number, store, answers, &ids, script, commands);
                tokio::task::spawn_blocking(move || node.run())
            })
            .collect();
        if let (Some(url), true) = (&self.url, script.cuts) {
            cut_connections(url).await;
        }
        let mut told = Vec::new();
        let mut counts = Counts::default();
        for (number, node) in nodes.into_iter().enumerate() {
            let done = node.await.map_err(|error| error.to_string())?;
            self.answers[number] = Some(done.answers);
            told.extend(done.told);
            counts += done.counts;
        }
        for (number, id) in ids.into_iter().enumerate() {
            Outcome::read(&self.stores[0], id).await.check(&told, number)?;
        }
        Ok((counts, told))
    }
}

/// Gives each answer to the node it is for; that is the origin of its requests.
fn sink(nodes: Vec<Sender<Completion>>) -> CompletionSink {
    Arc::new(move |origin, completions| {
        for completion in completions {
            // A node that failed has said so itself.
            let _ = nodes[usize::from(origin)].send(completion);
        }
    })
}

/// Ends every connection of the nodes, several times while they work.
async fn cut_connections(url: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(15)).await;
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = 'ringwire' AND datname = current_database()";
        client.execute(cut, &[]).await.unwrap();
    }
}

/// One seed if `RINGWIRE_SEED` names one, otherwise so many.
fn seeds() -> Vec<u64> {
    if let Ok(seed) = std::env::var("RINGWIRE_SEED") {
        return vec![seed.parse().expect("RINGWIRE_SEED is a number")];
    }
    let full = std::env::var_os("RINGWIRE_TEST_FULL").is_some_and(|value| value == "1");
    (1..=if full { 1_000 } else { 36 }).collect()
}

async fn o1_o2_o3_nodes_that_race_keep_every_promise(backend: Backend) {
    let mut arena = Arena::new(backend).await;
    let mut counts = Counts::default();
    let seeds = seeds();
    for &seed in &seeds {
        match arena.run(&Script::new(seed)).await {
            Ok((more, _)) => counts += more,
            Err(complaint) => panic!("{complaint}; try again with RINGWIRE_SEED={seed}"),
        }
    }
    println!("{backend:?}, {} seeds: {counts}", seeds.len());
    if seeds.len() > 1 {
        counts.assert_everything_happened();
    }
}

/// Without going behind what the other node wrote, each collision costs a read of the tail (dozens of them here), and the
/// node that has just written wins again and again.
async fn o1_o2_two_nodes_hot_on_one_conversation_go_behind_each_other(backend: Backend) {
    let (counts, told) = Arena::new(backend).await.run(&Script::hot()).await.unwrap();
    println!("{backend:?}, hot: {counts}, {:.0} % fair", fairness(&told));
    // How often they meet is up to the machine; but where they do, they have to read the tail a few times only.
    assert!(counts.moved > 0 || counts.tails_read < 8, "nothing went behind a tail: {counts}");
}

/// How much of its own the slower node had written when the faster one had written all, in percent.
fn fairness(told: &[Told]) -> f64 {
    let written = |node| {
        let of_node = told.iter().filter(move |told| told.node == node);
        of_node.filter_map(|told| match &told.answer {
            Answer::Committed(head) => Some(head.seq),
            _ => None,
        })
    };
    let ends = [0, 1].map(|node| written(node).max().unwrap_or(0));
    let slower = usize::from(ends[1] > ends[0]);
    let first_end = ends[1 - slower];
    let by_then = written(slower).filter(|&seq| seq < first_end).count();
    100.0 * by_then as f64 / written(slower).count().max(1) as f64
}
