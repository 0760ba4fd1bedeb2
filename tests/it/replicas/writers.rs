//! A target that takes one change of a group at a time gets one at a time, whichever replica was asked.

use std::time::Duration;

use futures_util::future::join_all;

use super::{ALIYUN, RSP, allocate, backend_id, of_backend, two};
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
