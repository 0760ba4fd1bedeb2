//! Lanes that are held across replicas: advisory locks of one session.
//!
//! A session may hold as many as it likes, and the same one several times over; it is asked and never waits, so that one
//! connection serves all. When it breaks, the server has given everything back, and so the process holds nothing either.

use sqlx::{AnyConnection, Connection, Row, query};
use tokio::sync::Mutex;

use crate::{
    crypto::{Secret, sha256},
    store::GroupKey,
};

/// The session that holds a process's lanes.
#[derive(Debug, Default)]
pub(super) struct Session {
    connection: Mutex<Option<AnyConnection>>,
}

impl Session {
    pub(super) async fn hold(&self, url: &Secret, lane: &GroupKey, alone: bool) -> Result<bool, sqlx::Error> {
        let ask = if alone {
            "SELECT pg_try_advisory_lock($1) AS held"
        } else {
            "SELECT pg_try_advisory_lock_shared($1) AS held"
        };
        let mut place = self.connection.lock().await;
        // Taken out of its place while it is asked: a question that is given up half way leaves no broken session behind.
        let mut connection = match place.take() {
            Some(connection) => connection,
            None => AnyConnection::connect(url.expose()).await?,
        };
        let held = query(ask).bind(number(lane)).fetch_one(&mut connection).await?.try_get("held")?;
        *place = Some(connection);
        Ok(held)
    }

    pub(super) async fn release(&self, lane: &GroupKey, alone: bool) -> Result<(), sqlx::Error> {
        let tell =
            if alone { "SELECT pg_advisory_unlock($1)" } else { "SELECT pg_advisory_unlock_shared($1)" };
        let mut place = self.connection.lock().await;
        let Some(mut connection) = place.take() else { return Ok(()) };
        query(tell).bind(number(lane)).execute(&mut connection).await?;
        *place = Some(connection);
        Ok(())
    }
}

/// What PostgreSQL knows a lane by.
fn number(lane: &GroupKey) -> i64 {
    let digest = sha256(format!("weighbridge lane\n{}\n{}", lane.cloud, lane.group).as_bytes());
    digest.first_chunk().copied().map_or(0, i64::from_be_bytes)
}
