//! What a replica leaves half done that was killed, another puts right.

use std::{io::Write, net::TcpStream, time::Duration};

use super::{PATIENCE, UCLOUD, VSERVER, add, in_postgres, site, until};
use crate::support::{
    house::Clouds,
    postgres::{Database, Postgres},
    replica::{Replica, aliyun},
    served::Served,
};

/// A process of two on this database dies in the middle of an add of twenty; the other one is left.
fn half_done(clouds: &Clouds, database: &Database) -> Replica {
    let left = clouds.wait(Replica::open(clouds, &in_postgres(database)));
    let killed = Served::by(&site(clouds, database.url()).config());
    // Nobody is left to answer it.
    let mut unanswered = TcpStream::connect(&killed.endpoint).unwrap();
    unanswered.write_all(&aliyun(&add(8000, 20))).unwrap();
    clouds.wait(until("half done", async || clouds.held(UCLOUD, VSERVER).len() >= 8));
    killed.program.signal("KILL");
    assert_eq!(killed.program.end(PATIENCE).code, None);
    assert_eq!(database.query("select count(*) from journal"), "1");
    left
}

#[test]
fn what_a_killed_replica_left_half_done_is_taken_back_without_anybody_asking() {
    let Some(postgres) = Postgres::shared() else { return };
    let (clouds, database) = (Clouds::open(Duration::from_millis(300)), postgres.database());
    let left = half_done(&clouds, &database);
    let taken = clouds.wait(until("taken back", async || clouds.held(UCLOUD, VSERVER).is_empty()));
    assert!(taken < Duration::from_secs(20), "{taken:?}");
    let added = clouds.wait(left.aliyun(&add(8000, 20)));
    assert!(added.starts_with("200 "), "{added}");
    assert_eq!(clouds.held(UCLOUD, VSERVER).len(), 20);
    assert_eq!(database.query("select count(*) from journal"), "0", "and the next change ends the watch");
}

#[test]
fn a_write_through_the_other_replica_is_let_in_only_after_that() {
    let Some(postgres) = Postgres::shared() else { return };
    let (clouds, database) = (Clouds::open(Duration::from_millis(300)), postgres.database());
    let left = half_done(&clouds, &database);
    let added = clouds.wait(left.aliyun(&add(9000, 1)));
    assert!(added.starts_with("200 "), "{added}");
    let ports: Vec<u16> = clouds.held(UCLOUD, VSERVER).iter().map(|held| held.port).collect();
    assert_eq!(ports, [9000]);
    assert_eq!(database.query("select count(*) from journal"), "0");
}
