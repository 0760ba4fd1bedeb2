//! An identical add is answered once inside the window, whichever replica it comes to.

use std::time::Duration;

use super::{ALIYUN, RSP, allocate, backend_id, of_backend, two};
use crate::support::{house::Clouds, postgres::Postgres};

#[test]
fn a_repeat_gets_the_recorded_answer_from_the_other_replica_until_it_is_released() {
    let Some(postgres) = Postgres::shared() else { return };
    let clouds = Clouds::open(Duration::ZERO);
    clouds.wait(async {
        let (one, other) = two(&clouds, &postgres.database()).await;
        let id = backend_id(&one.ucloud(&allocate(1, 80)).await);
        for replica in [&other, &one, &other] {
            assert_eq!(backend_id(&replica.ucloud(&allocate(1, 80)).await), id);
        }
        assert_eq!((clouds.adds(ALIYUN), clouds.held(ALIYUN, RSP).len()), (1, 1));

        let released = other.ucloud(&of_backend("ReleaseBackend", &id)).await;
        assert!(released.contains("\"RetCode\":0"), "{released}");
        assert_eq!(clouds.held(ALIYUN, RSP).len(), 0);
        backend_id(&one.ucloud(&allocate(1, 80)).await);
        assert_eq!((clouds.adds(ALIYUN), clouds.held(ALIYUN, RSP).len()), (2, 1));
    });
}

#[test]
fn the_same_add_to_both_replicas_at_once_is_one_add() {
    let Some(postgres) = Postgres::shared() else { return };
    let clouds = Clouds::open(Duration::from_millis(20));
    clouds.wait(async {
        let (one, other) = two(&clouds, &postgres.database()).await;
        for at in 1..=10 {
            let add = allocate(at, 80);
            let (first, second) = tokio::join!(one.ucloud(&add), other.ucloud(&add));
            assert_eq!(backend_id(&first), backend_id(&second));
            assert_eq!((clouds.adds(ALIYUN), clouds.held(ALIYUN, RSP).len()), (at, at));
        }
    });
}
