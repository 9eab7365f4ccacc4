//! D8: a message that the database refuses takes no other with it.

use crate::support::flood::Flood;
use crate::support::server::Setup;
use crate::support::store::Database;

fn one_row_fails_alone(database: Database) {
    const EACH: usize = 125;
    let url = database.url().map(str::to_owned);
    let one_writer = "[storage]\nwriters = 1";
    let server = Setup::new().without_rates().config(one_writer).database(database).start();
    let mut flood = Flood::start(&server, 5);
    let observer = server.observer(url.as_deref());
    let refuse = match url {
        Some(_) => "ALTER TABLE entries ADD CONSTRAINT poison CHECK (client_msg_id <> 'poison')",
        None => {
            "CREATE TRIGGER poison BEFORE INSERT ON entries WHEN NEW.client_msg_id = 'poison'
             BEGIN SELECT RAISE(ABORT, 'poison'); END"
        }
    };
    observer.execute(refuse).expect("a rule");

    // While nobody may write, 500 entries gather behind the one that the writer has taken.
    observer.stop_writers().expect("a lock");
    flood.fill(4..5, 1, "taken");
    for session in 0..4 {
        if session == 2 {
            flood.fill(2..3, EACH / 2, "good");
            flood.send_as(2, "poison", "poison");
            flood.fill(2..3, EACH / 2, "good");
        } else {
            flood.fill(session..session + 1, EACH, "good");
        }
    }
    observer.let_write().expect("the lock goes");

    for session in 0..4 {
        let answers = flood.answers_of(session);
        assert_eq!(answers.len(), EACH);
        let (refused, kept): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|(id, _)| id == "poison");
        let refused: Vec<_> = refused.into_iter().map(|(_, answer)| answer).collect();
        let expected = if session == 2 { vec![Err("INTERNAL".to_owned())] } else { vec![] };
        assert_eq!(refused, expected);
        // The others are committed without a gap, in the order they were sent.
        let seqs: Vec<u64> = kept
            .iter()
            .map(|(id, answer)| answer.clone().unwrap_or_else(|error| panic!("{id}: {error}")))
            .collect();
        assert_eq!(seqs, (3..3 + kept.len() as u64).collect::<Vec<_>>());
        let ids: Vec<String> = kept.into_iter().map(|(id, _)| id).collect();
        assert_eq!(flood.log_of(session), ids);
    }
    if url.is_some() {
        let transactions = observer
            .number("SELECT count(DISTINCT xmin::text) FROM entries WHERE seq > 2")
            .expect("a number");
        assert!(transactions < 40, "the batch was halved, not taken row by row: {transactions}");
    }
}

#[test]
fn d8_one_poison_row_in_500_fails_alone_on_postgres() {
    one_row_fails_alone(Database::postgres());
}

#[test]
fn d8_one_poison_row_in_500_fails_alone_on_sqlite() {
    one_row_fails_alone(Database::Sqlite);
}
