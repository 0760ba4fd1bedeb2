//! The statements. Each runs as it stands on SQLite and on PostgreSQL.

use std::{collections::HashSet, iter};

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Error, Row, any::AnyRow, query};

use crate::{
    crypto::hex,
    model::Port,
    store::{Entry, GroupKey, Intention, Keepsake, Write},
};

/// How many rows one statement is about at the most: each has up to five parameters, of which databases take some thousands.
const MOST_ROWS: usize = 100;

/// Forgets what is out of date.
pub(super) async fn drop_old(pool: &AnyPool, now: i64) -> Result<(), Error> {
    query("DELETE FROM nonces WHERE until < $1").bind(now).execute(pool).await?;
    query("DELETE FROM answers WHERE until <= $1").bind(now).execute(pool).await.map(drop)
}

/// Whether this nonce was not there, or only from a time that is over.
pub(super) async fn first_use(pool: &AnyPool, digest: &str, until: i64, now: i64) -> Result<bool, Error> {
    let insert = "INSERT INTO nonces (digest, until) VALUES ($1, $2) \
                  ON CONFLICT (digest) DO UPDATE SET until = excluded.until WHERE nonces.until < $3";
    let done = query(insert).bind(digest).bind(until).bind(now).execute(pool).await?;
    Ok(done.rows_affected() == 1)
}

/// Whether this nonce is there, and not from a time that is over.
pub(super) async fn has_nonce(pool: &AnyPool, digest: &str, now: i64) -> Result<bool, Error> {
    let select = "SELECT digest FROM nonces WHERE digest = $1 AND until >= $2";
    query(select).bind(digest).bind(now).fetch_optional(pool).await.map(|row| row.is_some())
}

/// When the last nonce and the last answer are out of date; the beginning of time where there is none.
pub(super) async fn last_of_all(pool: &AnyPool) -> Result<(i64, i64), Error> {
    let select =
        "SELECT (SELECT max(until) FROM nonces) AS nonces, (SELECT max(until) FROM answers) AS answers";
    let row = query(select).fetch_one(pool).await?;
    let last = |name| row.try_get::<Option<i64>, _>(name).map(|last| last.unwrap_or(i64::MIN));
    Ok((last("nonces")?, last("answers")?))
}

/// What is kept, of everything or of a group.
pub(super) async fn kept(pool: &AnyPool, group: Option<&GroupKey>) -> Result<Vec<Keepsake>, Error> {
    let rows = match group {
        None => {
            query("SELECT cloud, lane, server, port, what FROM kept ORDER BY cloud, lane, server, port")
                .fetch_all(pool)
                .await?
        }
        Some(GroupKey { cloud, group }) => {
            let select = "SELECT cloud, lane, server, port, what FROM kept \
                          WHERE cloud = $1 AND lane = $2 ORDER BY server, port";
            query(select).bind(&**cloud).bind(&**group).fetch_all(pool).await?
        }
    };
    rows.iter().map(keepsake).collect()
}

/// What has not ended, of everything or of a group.
pub(super) async fn unfinished(pool: &AnyPool, group: Option<&GroupKey>) -> Result<Vec<Intention>, Error> {
    let rows = match group {
        None => {
            query("SELECT id, cloud, lane, began, what FROM journal ORDER BY began, id")
                .fetch_all(pool)
                .await?
        }
        Some(GroupKey { cloud, group }) => {
            let select = "SELECT id, cloud, lane, began, what FROM journal \
                          WHERE cloud = $1 AND lane = $2 ORDER BY began, id";
            query(select).bind(&**cloud).bind(&**group).fetch_all(pool).await?
        }
    };
    rows.iter().map(intention).collect()
}

/// What was answered, if it may still be told.
pub(super) async fn answer(pool: &AnyPool, request: &str, now: i64) -> Result<Option<String>, Error> {
    let select = "SELECT what FROM answers WHERE request = $1 AND until > $2";
    let row = query(select).bind(request).bind(now).fetch_optional(pool).await?;
    row.map(|row| row.try_get("what")).transpose()
}

/// Writes all or nothing, in as few statements as can be: each is a way to the database and back.
pub(super) async fn write(pool: &AnyPool, writes: &[Write]) -> Result<(), Error> {
    let mut left = writes;
    let statements: Vec<&[Write]> = iter::from_fn(|| {
        let (these, rest) = left.split_at_checked(together(left))?;
        left = rest;
        Some(these)
    })
    .collect();
    if let [one] = *statements {
        // One statement is all or nothing by itself.
        return execute(&mut *pool.acquire().await?, one).await;
    }
    let mut transaction = pool.begin().await?;
    for these in statements {
        execute(&mut transaction, these).await?;
    }
    transaction.commit().await
}

/// How many of these, from the first on, go into one statement: as many as keep something, each of something else, since
/// PostgreSQL writes no row twice in one; as many as keep nothing any more; one of what is no keepsake.
fn together(writes: &[Write]) -> usize {
    let (mut rows, mut drops) = (HashSet::new(), None);
    let asked = keepsakes(writes).take(MOST_ROWS).map(|keepsake| (place(keepsake), keepsake.is_empty()));
    let fit = asked.take_while(|(place, drop)| *drops.get_or_insert(*drop) == *drop && rows.insert(*place));
    fit.count().max(1)
}

/// The keepsakes that these begin with.
fn keepsakes(writes: &[Write]) -> impl Iterator<Item = &Keepsake> {
    fn keepsake(write: &Write) -> Option<&Keepsake> {
        if let Write::Keep(keepsake) = write { Some(keepsake) } else { None }
    }
    writes.iter().map_while(keepsake)
}

/// Executes the one statement that these go into.
async fn execute(on: &mut AnyConnection, writes: &[Write]) -> Result<(), Error> {
    let Some(first) = writes.first() else { return Ok(()) };
    match first {
        Write::Keep(keepsake) if keepsake.is_empty() => drop_kept(on, writes).await,
        Write::Keep(_) => keep(on, writes).await,
        Write::ForgetGroup(group) => {
            of_group("DELETE FROM kept WHERE cloud = $1 AND lane = $2", on, group).await
        }
        Write::Begun(intention) => begin(on, intention).await,
        Write::Ended(id) => query("DELETE FROM journal WHERE id = $1").bind(id).execute(on).await.map(drop),
        Write::Answered { request, group, until, answer } => {
            let upsert = "INSERT INTO answers (request, cloud, lane, until, what) VALUES ($1, $2, $3, $4, $5) \
                          ON CONFLICT (request) DO UPDATE SET cloud = excluded.cloud, lane = excluded.lane, \
                          until = excluded.until, what = excluded.what";
            let (cloud, lane) = group.as_ref().map_or(("", ""), |group| (&group.cloud, &group.group));
            let upsert = query(upsert).bind(hex(request)).bind(cloud).bind(lane);
            upsert.bind(until.as_millisecond()).bind(answer).execute(on).await.map(drop)
        }
        Write::ForgetAnswers(group) => {
            of_group("DELETE FROM answers WHERE cloud = $1 AND lane = $2", on, group).await
        }
        Write::ForgetAnswersOf(cloud) => {
            // One that tells of no group may tell of any.
            let delete = "DELETE FROM answers WHERE cloud = $1 OR cloud = ''";
            query(delete).bind(cloud).execute(on).await.map(drop)
        }
    }
}

async fn of_group(statement: &'static str, on: &mut AnyConnection, group: &GroupKey) -> Result<(), Error> {
    query(statement).bind(&*group.cloud).bind(&*group.group).execute(on).await.map(drop)
}

async fn begin(on: &mut AnyConnection, intention: &Intention) -> Result<(), Error> {
    let Intention { id, lane, began, what } = intention;
    let upsert = "INSERT INTO journal (id, cloud, lane, began, what) VALUES ($1, $2, $3, $4, $5) \
                  ON CONFLICT (id) DO UPDATE SET cloud = excluded.cloud, lane = excluded.lane, what = excluded.what";
    let upsert = query(upsert).bind(id).bind(&*lane.cloud).bind(&*lane.group);
    upsert.bind(began.as_millisecond()).bind(what).execute(on).await.map(drop)
}

async fn keep(on: &mut AnyConnection, writes: &[Write]) -> Result<(), Error> {
    let row = |at| format!("(${}, ${}, ${}, ${}, ${})", at + 1, at + 2, at + 3, at + 4, at + 5);
    let rows: Vec<String> = (0..writes.len()).map(|number| row(5 * number)).collect();
    let upsert = format!(
        "INSERT INTO kept (cloud, lane, server, port, what) VALUES {} \
         ON CONFLICT (cloud, lane, server, port) DO UPDATE SET what = excluded.what",
        rows.join(", ")
    );
    let mut upsert = query(AssertSqlSafe(upsert));
    for keepsake in keepsakes(writes) {
        let (GroupKey { cloud, group }, server, port) = place(keepsake);
        let what = match keepsake {
            Keepsake::Backend(_, remembered) => text(remembered)?,
            Keepsake::Group(_, remembered) => text(remembered)?,
        };
        upsert = upsert.bind(&**cloud).bind(&**group).bind(server).bind(port).bind(what);
    }
    upsert.execute(on).await.map(drop)
}

async fn drop_kept(on: &mut AnyConnection, writes: &[Write]) -> Result<(), Error> {
    let row = |at| {
        format!("cloud = ${} AND lane = ${} AND server = ${} AND port = ${}", at + 1, at + 2, at + 3, at + 4)
    };
    let rows: Vec<String> = (0..writes.len()).map(|number| row(4 * number)).collect();
    let mut delete = query(AssertSqlSafe(format!("DELETE FROM kept WHERE {}", rows.join(" OR "))));
    for keepsake in keepsakes(writes) {
        let (GroupKey { cloud, group }, server, port) = place(keepsake);
        delete = delete.bind(&**cloud).bind(&**group).bind(server).bind(port);
    }
    delete.execute(on).await.map(drop)
}

/// The row of something that is kept. Of a group itself, it has no server and port 0.
fn place(keepsake: &Keepsake) -> (&GroupKey, &str, i64) {
    match keepsake {
        Keepsake::Backend(Entry { group, server, port }, _) => (group, server, port.get().into()),
        Keepsake::Group(group, _) => (group, "", 0),
    }
}

fn keepsake(row: &AnyRow) -> Result<Keepsake, Error> {
    let group = lane(row)?;
    let (server, port): (String, i64) = (row.try_get("server")?, row.try_get("port")?);
    let what: String = row.try_get("what")?;
    match u32::try_from(port).ok().and_then(Port::new) {
        Some(port) => Ok(Keepsake::Backend(Entry { group, server: server.into(), port }, value(&what)?)),
        None => Ok(Keepsake::Group(group, value(&what)?)),
    }
}

fn intention(row: &AnyRow) -> Result<Intention, Error> {
    let began = Timestamp::from_millisecond(row.try_get("began")?).unwrap_or(Timestamp::MIN);
    Ok(Intention { id: row.try_get("id")?, lane: lane(row)?, began, what: row.try_get("what")? })
}

fn lane(row: &AnyRow) -> Result<GroupKey, Error> {
    Ok(GroupKey { cloud: row.try_get("cloud")?, group: row.try_get("lane")? })
}

fn text(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Encode(error.into()))
}

fn value<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Decode(error.into()))
}
