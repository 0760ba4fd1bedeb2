//! Every store does the same: what holds for one holds for all of them, PostgreSQL too.

use std::{path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::time::timeout;
use weighbridge::{
    crypto::Secret,
    model::{BackendId, Port},
    store::{
        Disk, Entry, GroupKey, Intention, Keepsake, Memory, Remembered, RememberedGroup, Sql, Store, Write,
    },
};

use crate::support::postgres::{Database, Postgres};

const KEEP: Duration = Duration::from_mins(30);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-01-02T03:04:05Z")
}

fn group(name: &str) -> GroupKey {
    GroupKey { cloud: "prod".into(), group: name.into() }
}

fn described(name: &str, port: u32, words: &str) -> Keepsake {
    let entry = Entry { group: group(name), server: "i-1".into(), port: Port::new(port).unwrap() };
    let id = BackendId::new(format!("backend-{port}"));
    Keepsake::Backend(entry, Remembered { description: Some(words.to_owned()), id, ..Remembered::default() })
}

fn intention(id: &str, lane: &str) -> Intention {
    Intention { id: id.to_owned(), lane: group(lane), began: now(), what: "{}".to_owned() }
}

async fn file(folder: &Path) -> Disk {
    let store = Disk::at(&folder.join("with space %41 ?#.db"));
    store.tend(now()).await;
    assert_eq!(store.trouble(), None);
    store
}

async fn server(database: &Database) -> Sql {
    let store = Sql::in_postgres(&Secret::new(database.url()));
    store.tend(now()).await;
    assert_eq!(store.trouble(), None);
    store
}

/// Each kind of store; the one that needs a server where there is to be one.
async fn stores() -> (TempDir, Vec<Arc<dyn Store>>) {
    let folder = tempfile::tempdir().unwrap();
    let mut stores: Vec<Arc<dyn Store>> = vec![Arc::new(Memory::new()), Arc::new(file(folder.path()).await)];
    if let Some(postgres) = Postgres::shared() {
        stores.push(Arc::new(server(&postgres.database()).await));
    }
    (folder, stores)
}

#[tokio::test]
async fn a_nonce_is_new_once_for_each_key_until_its_time_is_over() {
    let (_folder, stores) = stores().await;
    for store in stores {
        let first = async |key: &str, when: &str| store.first_use(key, "n", at(when), KEEP).await.unwrap();
        assert!(first("a", "2026-01-02T03:00:00Z").await);
        assert!(!first("a", "2026-01-02T03:30:00Z").await, "{store:?}");
        assert!(first("b", "2026-01-02T03:30:00Z").await);
        assert!(first("a", "2026-01-02T03:30:01Z").await, "{store:?}");
        assert!(!first("a", "2026-01-02T03:30:01Z").await);
    }
}

#[tokio::test]
async fn what_is_kept_is_told_by_group_until_it_is_forgotten() {
    let (_folder, stores) = stores().await;
    for store in stores {
        let (one, other) = (described("g1", 80, "it's \"一\""), described("g2", 81, "other"));
        let name = RememberedGroup { name: Some("long".to_owned()), ..RememberedGroup::default() };
        let named = Keepsake::Group(group("g1"), name);
        let writes = [&one, &other, &named].map(|keepsake| Write::Keep(keepsake.clone()));
        store.write(writes.to_vec()).await.unwrap();
        assert_eq!(store.kept(Some(&group("g1"))).await.unwrap(), [named.clone(), one.clone()], "{store:?}");
        assert_eq!(store.kept(None).await.unwrap().len(), 3);
        let Keepsake::Backend(entry, _) = one else { unreachable!() };
        let nothing = Keepsake::Backend(entry, Remembered::default());
        store.write(vec![Write::Keep(nothing)]).await.unwrap();
        assert_eq!(store.kept(Some(&group("g1"))).await.unwrap(), [named]);
        store.write(vec![Write::ForgetGroup(group("g1"))]).await.unwrap();
        assert_eq!(store.kept(None).await.unwrap(), [other]);
    }
}

/// More than one statement takes, in one write, some of them twice and some of them to be forgotten again.
#[tokio::test]
async fn of_many_that_are_kept_at_once_the_last_of_each_counts() {
    let (_folder, stores) = stores().await;
    for store in stores {
        let keep = |port: u32, words: &str| Write::Keep(described("g1", port, words));
        let forget = |port: u32| {
            let Keepsake::Backend(entry, _) = described("g1", port, "") else { unreachable!() };
            Write::Keep(Keepsake::Backend(entry, Remembered::default()))
        };
        let writes = [
            (1..=250).map(|port| keep(port, "first")).collect::<Vec<_>>(),
            vec![keep(7, "second"), keep(8, "second"), keep(7, "third"), forget(8), keep(8, "fourth")],
            (11..=240).map(forget).collect(),
            vec![Write::Begun(intention("one", "g1")), keep(12, "fifth"), forget(12), forget(12)],
        ];
        store.write(writes.concat()).await.unwrap();
        let words = |keepsake: Keepsake| match keepsake {
            Keepsake::Backend(entry, remembered) => (entry.port.get(), remembered.description.unwrap()),
            Keepsake::Group(..) => unreachable!(),
        };
        let told: Vec<(u16, String)> =
            store.kept(Some(&group("g1"))).await.unwrap().into_iter().map(words).collect();
        let expected = (1..=10).chain(241..=250).map(|port| match port {
            7 => (port, "third".to_owned()),
            8 => (port, "fourth".to_owned()),
            _ => (port, "first".to_owned()),
        });
        assert_eq!(told, expected.collect::<Vec<_>>(), "{store:?}");
        assert_eq!(store.unfinished(None).await.unwrap(), [intention("one", "g1")]);
    }
}

#[tokio::test]
async fn the_journal_tells_what_has_not_ended() {
    let (_folder, stores) = stores().await;
    for store in stores {
        let begun = [intention("1", "g1"), intention("2", "g2"), intention("3", "g1")];
        store.write(begun.iter().cloned().map(Write::Begun).collect()).await.unwrap();
        assert_eq!(store.unfinished(None).await.unwrap(), begun, "{store:?}");
        let moved = Intention { what: "[1]".to_owned(), ..intention("1", "g2") };
        store.write(vec![Write::Begun(moved.clone()), Write::Ended("2".to_owned())]).await.unwrap();
        assert_eq!(store.unfinished(Some(&group("g2"))).await.unwrap(), [moved]);
        assert_eq!(store.unfinished(Some(&group("g1"))).await.unwrap(), [intention("3", "g1")]);
    }
}

#[tokio::test]
async fn an_answer_is_told_until_its_time_is_over_or_it_is_forgotten() {
    let (_folder, stores) = stores().await;
    for store in stores {
        let until = at("2026-01-02T03:04:15Z");
        let answered = |number: u8, group: Option<GroupKey>| Write::Answered {
            request: [number; 32],
            group,
            until,
            answer: format!("answer {number}"),
        };
        let told = async |number: u8, when: Timestamp| store.answer(&[number; 32], when).await.unwrap();
        let writes =
            || vec![answered(1, Some(group("g1"))), answered(2, Some(group("g2"))), answered(3, None)];
        // Together, and each alone, as a plain add writes it.
        for parts in [vec![writes()], writes().into_iter().map(|write| vec![write]).collect()] {
            for part in parts {
                store.write(part).await.unwrap();
            }
            assert_eq!(told(1, now()).await.as_deref(), Some("answer 1"), "{store:?}");
            assert_eq!(told(1, until).await, None);
            store.write(vec![Write::ForgetAnswers(group("g1"))]).await.unwrap();
            assert_eq!((told(1, now()).await, told(2, now()).await.is_some()), (None, true), "{store:?}");
            store.write(vec![Write::ForgetAnswersOf("prod".to_owned())]).await.unwrap();
            assert_eq!((told(2, now()).await, told(3, now()).await), (None, None), "{store:?}");
        }
    }
}

#[tokio::test]
async fn a_file_keeps_everything_for_the_next_process_and_is_one_processs_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = file(folder.path()).await;
    assert!(first.first_use("a", "n", now(), KEEP).await.unwrap());
    let (until, answer) = (at("2026-01-02T03:04:15Z"), "answer".to_owned());
    let answered = Write::Answered { request: [1; 32], group: Some(group("g1")), until, answer };
    first.write(vec![answered]).await.unwrap();
    let writes = vec![Write::Keep(described("g1", 80, "kept")), Write::Begun(intention("1", "g1"))];
    first.write(writes).await.unwrap();

    let second = Disk::at(&folder.path().join("with space %41 ?#.db"));
    second.tend(now()).await;
    assert!(second.trouble().unwrap().contains("another process uses it"), "{second:?}");
    let refused = second.write(vec![Write::Ended("1".to_owned())]).await.unwrap_err();
    assert!(refused.to_string().contains("another process uses it"), "{refused}");

    drop(first);
    second.tend(now()).await;
    assert_eq!(second.trouble(), None);
    assert!(!second.first_use("a", "n", now(), KEEP).await.unwrap());
    assert_eq!(second.answer(&[1; 32], now()).await.unwrap().as_deref(), Some("answer"));
    assert_eq!(second.kept(None).await.unwrap(), [described("g1", 80, "kept")]);
    assert_eq!(second.unfinished(None).await.unwrap(), [intention("1", "g1")]);
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let store = Disk::at(&folder.path().join("no such folder/weighbridge.db"));
    store.tend(now()).await;
    assert!(store.trouble().unwrap().contains("no such folder"), "{store:?}");
    assert!(store.first_use("a", "n", now(), KEEP).await.is_err());
}

#[tokio::test]
async fn replicas_see_what_each_other_writes_and_start_together() {
    let Some(postgres) = Postgres::shared() else { return };
    let database = postgres.database();
    let (one, other) = tokio::join!(server(&database), server(&database));
    assert!(one.is_shared() && other.is_shared());
    assert!(one.first_use("a", "n", now(), KEEP).await.unwrap());
    assert!(!other.first_use("a", "n", now(), KEEP).await.unwrap());
    one.write(vec![Write::Keep(described("g1", 80, "kept")), Write::Begun(intention("1", "g1"))])
        .await
        .unwrap();
    assert_eq!(other.kept(None).await.unwrap(), [described("g1", 80, "kept")]);
    assert_eq!(other.unfinished(None).await.unwrap(), [intention("1", "g1")]);
}

#[tokio::test]
async fn a_lane_is_one_replicas_alone_or_shared_by_those_who_share_it() {
    let Some(postgres) = Postgres::shared() else { return };
    let database = postgres.database();
    let (one, other) = (server(&database).await, server(&database).await);
    let lane = group("g1");
    let hold = async |store: &Sql, alone: bool| store.hold(&lane, alone).await.unwrap();
    assert!(hold(&one, true).await);
    assert!(!hold(&other, true).await && !hold(&other, false).await);
    assert!(other.hold(&group("g2"), true).await.unwrap(), "another lane");
    one.release(&lane, true).await;
    assert!(hold(&one, false).await && hold(&one, false).await && hold(&other, false).await);
    one.release(&lane, false).await;
    other.release(&lane, false).await;
    assert!(!hold(&other, true).await, "it was taken twice and given back once");
    one.release(&lane, false).await;
    assert!(hold(&other, true).await);
    drop(other);
    let freed = async { while !hold(&one, true).await {} };
    timeout(KEEP, freed).await.unwrap();
}

/// The server lets go of everything when a session ends, whoever still works in it.
#[tokio::test]
async fn a_replica_whose_session_was_cut_takes_again_what_it_holds() {
    let Some(postgres) = Postgres::own() else { return };
    let database = postgres.database();
    let (one, other) = (server(&database).await, server(&database).await);
    let lane = group("g1");
    assert!(one.hold(&lane, true).await.unwrap());
    let locks = "select count(*) from pg_locks where locktype = 'advisory'";
    assert_eq!(database.query(locks), "1");
    database.query("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()");
    assert_eq!(database.query(locks), "0");
    for store in [&one, &other] {
        store.tend(now()).await;
        assert_eq!(store.trouble(), None);
    }
    assert_eq!(database.query(locks), "1");
    assert!(!other.hold(&lane, true).await.unwrap());
    one.release(&lane, true).await;
    let freed = async { while !other.hold(&lane, true).await.unwrap() {} };
    timeout(KEEP, freed).await.unwrap();
}

/// A question that is given up half way is the caller's loss alone.
#[tokio::test]
async fn who_gives_up_asking_for_a_lane_holds_nothing_and_loses_nobody_elses() {
    let Some(postgres) = Postgres::shared() else { return };
    let database = postgres.database();
    let (one, other) = (server(&database).await, server(&database).await);
    assert!(one.hold(&group("g1"), true).await.unwrap());
    for micros in 0..50 {
        drop(timeout(Duration::from_micros(micros * 20), one.hold(&group("g2"), true)).await);
        one.release(&group("g2"), true).await;
    }
    assert!(!other.hold(&group("g1"), true).await.unwrap());
    let freed = async { while !other.hold(&group("g2"), true).await.unwrap() {} };
    timeout(Duration::from_secs(10), freed).await.unwrap();
}
