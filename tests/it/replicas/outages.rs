//! A store that cannot be used: changes are refused before anything is sent, reads go on, and it is used again when it can.

use std::{fs, net::TcpListener, path::Path, time::Duration};

use sqlx::{Connection, Executor, SqliteConnection};
use tokio::time::{Instant, sleep};
use weighbridge::{crypto::Secret, store::StoreAt};

use super::{
    ALIYUN, GROUP, PATIENCE, RSP, UCLOUD, VSERVER, add, allocate, describe_vserver, in_postgres, site, until,
};
use crate::support::{
    house::Clouds,
    postgres::Postgres,
    replica::{Replica, aliyun, text},
    served::Served,
};

/// What a read may take while nobody knows yet that the store is gone, and what a look for it may take.
const SOON: Duration = Duration::from_secs(10);

/// An add of three, of which UCloud cannot hold the words.
fn add_described(first: usize) -> String {
    let server = |port: usize| {
        format!("{{'ServerId':'i-bp1example00000001','Port':{port},'Description':'words-{port}'}}")
    };
    let servers: Vec<String> = (first..first + 3).map(server).collect();
    format!("Action=AddVServerGroupBackendServers&{GROUP}&BackendServers=[{}]", servers.join(","))
}

fn describe() -> String {
    format!("Action=DescribeVServerGroupAttribute&{GROUP}")
}

async fn until_ready(replica: &Replica) -> Duration {
    until("ready", async || replica.admin("/readyz").await.starts_with("200 ")).await
}

/// Says why it is not ready, refuses changes in each caller's own form before the target hears of them, and answers reads.
async fn check_refusals(clouds: &Clouds, replica: &Replica, why: &str) {
    let ready = replica.admin("/readyz").await;
    assert!(ready.starts_with("503 ") && ready.contains(why), "{ready}");
    assert!(replica.admin("/healthz").await.starts_with("200 "));

    let adds = (clouds.adds(ALIYUN), clouds.adds(UCLOUD));
    let refused = replica.ask(&aliyun(&add(7000, 2))).await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    let refused = text(&refused);
    assert!(refused.starts_with("503 ") && refused.contains("\"ServiceUnavailable\""), "{refused}");
    let refused = replica.ucloud(&allocate(20, 7000)).await;
    assert!(refused.starts_with("200 ") && refused.contains("\"RetCode\":150"), "{refused}");
    assert_eq!((clouds.adds(ALIYUN), clouds.adds(UCLOUD)), adds);

    let began = Instant::now();
    for _ in 0..3 {
        check_reads(replica).await;
    }
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

async fn check_reads(replica: &Replica) {
    let told = replica.aliyun(&describe()).await;
    assert!(told.starts_with("200 ") && told.contains(RSP), "{told}");
    let told = replica.ucloud(&describe_vserver()).await;
    assert!(told.contains("\"RetCode\":0") && told.contains(VSERVER), "{told}");
}

async fn check_writes(replica: &Replica, port: usize) {
    let added = replica.aliyun(&add_described(port)).await;
    assert!(added.starts_with("200 "), "{added}");
    let added = replica.ucloud(&allocate(1, port)).await;
    assert!(added.contains("\"RetCode\":0"), "{added}");
}

#[test]
fn postgres_may_go_away_and_come_back() {
    let Some(mut postgres) = Postgres::own() else { return };
    let clouds = Clouds::open(Duration::ZERO);
    clouds.wait(async {
        let replica = Replica::open(&clouds, &in_postgres(&postgres.database())).await;
        check_writes(&replica, 8000).await;
        let used = aliyun(&describe());
        assert!(text(&replica.ask(&used).await).starts_with("200 "));

        postgres.stop();
        let (began, calls) = (Instant::now(), clouds.calls(UCLOUD));
        let refused = replica.aliyun(&add(7000, 2)).await;
        assert!(refused.starts_with("503 "), "at once, too: {refused}");
        assert_eq!(clouds.calls(UCLOUD), calls);
        check_reads(&replica).await;
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        until("noticed", async || replica.admin("/readyz").await.contains("onnection refused")).await;
        check_refusals(&clouds, &replica, "onnection refused").await;

        postgres.start();
        assert!(until_ready(&replica).await < SOON);
        check_writes(&replica, 9000).await;
        let told = replica.aliyun(&describe()).await;
        assert!(told.contains("words-8000") && told.contains("words-9002"), "{told}");
        assert!(text(&replica.ask(&used).await).contains("\"SignatureNonceUsed\""));
    });
}

#[test]
fn a_gateway_starts_without_postgres_and_uses_it_when_it_can() {
    let Some(mut postgres) = Postgres::own() else { return };
    let clouds = Clouds::open(Duration::ZERO);
    let database = postgres.database();
    postgres.stop();
    clouds.wait(async {
        let began = Instant::now();
        let replica = Replica::open(&clouds, &in_postgres(&database)).await;
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        check_refusals(&clouds, &replica, "onnection refused").await;
        postgres.start();
        assert!(until_ready(&replica).await < SOON);
        check_writes(&replica, 8000).await;
    });
}

/// A server that takes connections and says nothing is as good as none.
#[test]
fn a_gateway_does_not_wait_for_a_store_that_says_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://a:Zx9Q@{}/b", silent.local_addr().unwrap());
    let clouds = Clouds::open(Duration::ZERO);
    clouds.wait(async {
        let began = Instant::now();
        let replica = Replica::open(&clouds, &StoreAt::Postgres(Secret::new(url))).await;
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        check_refusals(&clouds, &replica, "does not answer").await;
    });
}

/// The store is gone when the twenty are there: the caller is told so, and the entry ends when the store is back.
#[test]
fn postgres_may_go_away_in_the_middle_of_a_write() {
    let Some(mut postgres) = Postgres::own() else { return };
    let clouds = Clouds::open(Duration::from_millis(1500));
    clouds.wait(async {
        let database = postgres.database();
        let replica = Replica::open(&clouds, &in_postgres(&database)).await;
        let query = add_described(8000);
        let stop = async {
            until("begun", async || clouds.adds(UCLOUD) > 0).await;
            assert_eq!(database.query("select count(*) from journal"), "1");
            postgres.stop();
        };
        let (added, ()) = tokio::join!(replica.aliyun(&query), stop);
        assert!(added.starts_with("200 "), "{added}");
        assert_eq!(clouds.held(UCLOUD, VSERVER).len(), 3);

        postgres.start();
        until_ready(&replica).await;
        until("settled", async || database.query("select count(*) from journal") == "0").await;
        assert_eq!(clouds.held(UCLOUD, VSERVER).len(), 3, "what was answered is still so");
        let other = Replica::open(&clouds, &in_postgres(&database)).await;
        let told = other.aliyun(&describe()).await;
        assert!(told.contains("words-8000") && told.contains("words-8002"), "{told}");
    });
}

/// Whoever is there first when the store is back must not take for left what another still does.
#[test]
fn a_replica_that_outlives_the_store_is_not_taken_for_dead() {
    let Some(mut postgres) = Postgres::own() else { return };
    let clouds = Clouds::open(Duration::from_millis(2500));
    clouds.wait(async {
        let store = in_postgres(&postgres.database());
        let (one, other) = tokio::join!(Replica::open(&clouds, &store), Replica::open(&clouds, &store));
        let query = add(8000, 20);
        let beside = async {
            until("begun", async || clouds.adds(UCLOUD) > 0).await;
            postgres.stop();
            postgres.start();
            until("let in", async || other.aliyun(&add(9000, 1)).await.starts_with("200 ")).await;
        };
        let (added, ()) = tokio::join!(one.aliyun(&query), beside);
        assert!(added.starts_with("200 "), "{added}");
        assert_eq!(clouds.held(UCLOUD, VSERVER).len(), 21);
    });
}

/// Locks a database as another program may: a backup, a shell.
async fn locked(path: &Path) -> SqliteConnection {
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    connection.execute("BEGIN EXCLUSIVE").await.unwrap();
    connection
}

#[test]
fn a_file_may_be_locked_in_the_middle_of_a_write_and_nothing_is_forgotten() {
    let clouds = Clouds::open(Duration::from_millis(500));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weighbridge.db");
    let store = StoreAt::Sqlite(path.clone());
    clouds.wait(async {
        let replica = Replica::open(&clouds, &store).await;
        let query = add_described(8000);
        let lock = async {
            until("begun", async || clouds.adds(UCLOUD) > 0).await;
            locked(&path).await
        };
        let (added, lock) = tokio::join!(replica.aliyun(&query), lock);
        assert!(added.starts_with("200 "), "{added}");
        check_refusals(&clouds, &replica, "locked").await;
        drop(lock);
        until_ready(&replica).await;
        let mut reader = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
        let left = "SELECT count(*) FROM journal";
        for _ in 0..500 {
            let count: i64 = sqlx::query_scalar(left).fetch_one(&mut reader).await.unwrap();
            if count == 0 {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        replica.stop().await;
        let restarted = Replica::open(&clouds, &store).await;
        let told = restarted.aliyun(&describe()).await;
        assert!(told.contains("words-8000") && told.contains("words-8002"), "{told}");
        assert_eq!(clouds.held(UCLOUD, VSERVER).len(), 3);
    });
}

#[test]
fn a_file_in_a_folder_that_is_not_there_is_made_when_it_can_be() {
    let clouds = Clouds::open(Duration::ZERO);
    let folder = tempfile::tempdir().unwrap();
    let later = folder.path().join("later");
    clouds.wait(async {
        let replica = Replica::open(&clouds, &StoreAt::Sqlite(later.join("weighbridge.db"))).await;
        check_refusals(&clouds, &replica, "later").await;
        fs::create_dir(&later).unwrap();
        assert!(until_ready(&replica).await < SOON);
        check_writes(&replica, 8000).await;
    });
}

/// Where the file cannot be made at all; a folder of another's is no such place for a user who may write everywhere.
#[test]
fn a_file_that_cannot_be_made_is_told_in_the_log() {
    let clouds = Clouds::open(Duration::ZERO);
    let site = site(&clouds, "sqlite:weighbridge.toml/weighbridge.db");
    let served = Served::by(&site.config());
    let why = |log: &str| log.contains("the store cannot be used").then(|| log.to_owned());
    let log = served.program.hear_err(PATIENCE, why);
    assert!(log.contains("weighbridge.toml/weighbridge.db"), "{log}");
    assert_eq!(served.stop().code, Some(0));
}

#[test]
fn a_file_is_one_processs_until_that_has_ended() {
    let clouds = Clouds::open(Duration::ZERO);
    let site = site(&clouds, "sqlite:weighbridge.db");
    let first = Served::by(&site.config());
    let second = Served::by(&site.config());
    let said = |log: &str| log.contains("another process uses it").then_some(());
    second.program.hear_err(PATIENCE, said);
    clouds.wait(async {
        let store = StoreAt::Sqlite(site.path("weighbridge.db").into());
        let replica = Replica::open(&clouds, &store).await;
        check_refusals(&clouds, &replica, "another process uses it").await;
        assert_eq!(second.stop().code, Some(0));
        assert_eq!(first.stop().code, Some(0));
        assert!(until_ready(&replica).await < SOON);
        check_writes(&replica, 8000).await;
    });
}
