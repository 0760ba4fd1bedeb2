//! An Alibaba nonce is accepted once, whoever is asked, and whoever died meanwhile.

use futures_util::{StreamExt, stream};

use super::{PATIENCE, in_postgres, site, two};
use crate::support::{
    house::Clouds,
    outpost::ask,
    postgres::Postgres,
    replica::{Replica, aliyun, text},
    served::Served,
};
use std::{net::SocketAddr, time::Duration};

use weighbridge::store::StoreAt;

const QUERY: &str = "Action=DescribeRegions";

/// The statuses of answers, of which each is a success or says that the nonce was used.
fn accepted(answers: &[String]) -> usize {
    let used = |answer: &&String| answer.starts_with("400 ") && answer.contains("\"SignatureNonceUsed\"");
    let accepted = answers.iter().filter(|answer| answer.starts_with("200 ")).count();
    assert_eq!(accepted + answers.iter().filter(used).count(), answers.len(), "{answers:#?}");
    accepted
}

/// Offers each request to both at once.
async fn offer(requests: &[Vec<u8>], one: SocketAddr, other: SocketAddr) -> Vec<String> {
    let both = async |request: &Vec<u8>| {
        let (one, other) = tokio::join!(ask(one, request), ask(other, request));
        let pair = [text(&one), text(&other)];
        assert_eq!(accepted(&pair), 1, "{pair:?}");
        pair
    };
    stream::iter(requests).map(both).buffer_unordered(16).collect::<Vec<_>>().await.concat()
}

#[test]
fn a_thousand_nonces_offered_to_two_replicas_at_once_are_accepted_a_thousand_times() {
    let Some(postgres) = Postgres::shared() else { return };
    let clouds = Clouds::open(Duration::ZERO);
    clouds.wait(async {
        let database = postgres.database();
        let (one, other) = two(&clouds, &database).await;
        let requests: Vec<Vec<u8>> = (0..1000).map(|_| aliyun(QUERY)).collect();
        let answers = offer(&requests, one.address, other.address).await;
        assert_eq!((answers.len(), accepted(&answers)), (2000, 1000));
        assert_eq!(database.query("select count(*) from nonces"), "1000");
    });
}

#[test]
fn a_nonce_is_known_after_a_restart() {
    let clouds = Clouds::open(Duration::ZERO);
    let folder = tempfile::tempdir().unwrap();
    let mut stores = vec![StoreAt::Sqlite(folder.path().join("weighbridge.db"))];
    stores.extend(Postgres::shared().map(|postgres| in_postgres(&postgres.database())));
    for store in stores {
        clouds.wait(async {
            let request = aliyun(QUERY);
            for expected in [1, 0, 0] {
                let replica = Replica::open(&clouds, &store).await;
                assert_eq!(accepted(&[text(&replica.ask(&request).await)]), expected, "{store}");
                replica.stop().await;
            }
        });
    }
}

#[test]
fn a_nonce_is_known_after_a_kill_and_to_the_other_process() {
    let clouds = Clouds::open(Duration::ZERO);
    let mut stores = vec!["sqlite:kept.db".to_owned()];
    stores.extend(Postgres::shared().map(|postgres| postgres.database().url().to_owned()));
    for store in stores {
        let site = site(&clouds, &store);
        let requests: Vec<Vec<u8>> = (0..50).map(|_| aliyun(QUERY)).collect();
        let killed = Served::by(&site.config());
        let at = |served: &Served| served.endpoint.parse().unwrap();
        // A file is one process's alone.
        let other = store.starts_with("postgres").then(|| Served::by(&site.config()));
        let beside = other.as_ref().unwrap_or(&killed);
        let answers = clouds.wait(offer(&requests, at(&killed), at(beside)));
        assert_eq!(accepted(&answers), 50);
        killed.program.signal("KILL");
        assert_eq!(killed.program.end(PATIENCE).code, None);
        let restarted = Served::by(&site.config());
        let again = async |request: &Vec<u8>| text(&ask(at(&restarted), request).await);
        let answers: Vec<String> = clouds.wait(stream::iter(&requests).then(again).collect());
        assert_eq!(accepted(&answers), 0);
    }
}
