//! A target that takes one change of a group at a time gets one at a time, whichever replica was asked.

use std::time::Duration;

use futures_util::future::join_all;

use tokio::time::{sleep, timeout};

use super::{ALIYUN, PATIENCE, RSP, allocate, backend_id, of_backend, two};
use crate::support::{house::Clouds, postgres::Postgres};

#[test]
fn writers_through_two_replicas_never_meet_at_the_target() {
    let Some(postgres) = Postgres::shared() else { return };
    let clouds = Clouds::open(Duration::from_millis(30));
    clouds.wait(async {
        let (one, other) = two(&clouds, &postgres.database()).await;
        let writer = async |at: usize| {
            let replica = if at.is_multiple_of(2) { &one } else { &other };
            replica.ucloud(&allocate(at % 20 + 1, 8000 + at / 20)).await
        };
        let added = join_all((0..60).map(writer)).await;
        assert!(added.iter().all(|answer| answer.contains("\"RetCode\":0")), "{added:#?}");
        assert_eq!((clouds.held(ALIYUN, RSP).len(), clouds.collisions(ALIYUN)), (60, 0));
        assert!(clouds.adds(ALIYUN) < 60, "adds that wait together go out together");

        let writer = async |at: usize| {
            let replica = if at.is_multiple_of(3) { &one } else { &other };
            let id = backend_id(&added[at]);
            let release = of_backend("ReleaseBackend", &id);
            let update = of_backend("UpdateBackendAttribute", &id) + "&Weight=7";
            replica.ucloud(if at.is_multiple_of(2) { &release } else { &update }).await
        };
        let changed = join_all((0..30).map(writer)).await;
        assert!(changed.iter().all(|answer| answer.contains("\"RetCode\":0")), "{changed:#?}");
        let held = clouds.held(ALIYUN, RSP);
        let light = held.iter().filter(|held| held.weight == Some(7)).count();
        assert_eq!((held.len(), light, clouds.collisions(ALIYUN)), (45, 15, 0));
    });
}

/// The line of one replica is never empty; the other has one change.
#[test]
fn a_busy_replica_lets_the_other_one_in() {
    let Some(postgres) = Postgres::shared() else { return };
    let clouds = Clouds::open(Duration::from_millis(20));
    clouds.wait(async {
        let (busy, other) = two(&clouds, &postgres.database()).await;
        let added = join_all((1..=6).map(async |at| busy.ucloud(&allocate(at, 80)).await)).await;
        let change = async |id: &str, weight: usize| {
            let update = of_backend("UpdateBackendAttribute", id) + &format!("&Weight={weight}");
            let answer = busy.ucloud(&update).await;
            assert!(answer.contains("\"RetCode\":0"), "{answer}");
        };
        let on_and_on = join_all(added.iter().map(async |added| {
            let id = backend_id(added);
            for round in 0..1000 {
                change(&id, round % 100 + 1).await;
            }
        }));
        let one_change = async {
            sleep(Duration::from_millis(500)).await;
            timeout(PATIENCE / 3, other.ucloud(&allocate(7, 80))).await.expect("in time")
        };
        let answer = tokio::select! { _ = on_and_on => panic!("it was busy all the time"), answer = one_change => answer };
        assert!(answer.contains("\"RetCode\":0"), "{answer}");
        assert_eq!(clouds.collisions(ALIYUN), 0);
    });
}
