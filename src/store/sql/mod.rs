//! A store in a SQLite file or in PostgreSQL: one schema, one code path.
//!
//! The file belongs to one process at a time, which holds a lock beside it. PostgreSQL is shared: its lanes are advisory
//! locks of one session, which the server gives back when the process dies.

mod lanes;
mod pools;
mod rows;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sqlx::any::install_default_drivers;
use tokio::{sync::OnceCell, time::timeout};

pub(super) use self::pools::is_in_use;
use self::{
    lanes::Session,
    pools::{Pools, why},
};
use super::{
    GroupKey, Intention, Keepsake, RequestDigest, Store, Unavailable, Write,
    nonces::{digest, until},
};
use crate::crypto::{Secret, hex};

/// How long one look or write may take: a store that hangs is no better than one that is gone.
const WITHIN: Duration = Duration::from_secs(5);

/// A store in a database.
#[derive(Debug)]
pub struct Sql {
    place: Place,
    pools: OnceCell<Pools>,
    session: Session,
    trouble: Mutex<Option<String>>,
}

/// Where the database is.
#[derive(Debug)]
enum Place {
    File(PathBuf),
    Server(Secret),
}

impl Sql {
    /// A store in this file. It is opened, and made if there is none, by [`Store::tend`].
    pub(super) fn in_file(path: &Path) -> Self {
        Self::at(Place::File(path.to_owned()))
    }

    /// A store in the PostgreSQL database at this URL. It is opened by [`Store::tend`].
    #[must_use]
    pub fn in_postgres(url: &Secret) -> Self {
        Self::at(Place::Server(Secret::new(with_host(url.expose()))))
    }

    fn at(place: Place) -> Self {
        install_default_drivers();
        let trouble = Mutex::new(Some("it has not been opened yet".to_owned()));
        Self { place, pools: OnceCell::new(), session: Session::default(), trouble }
    }

    /// The pools of a store that is open and was in order when it was last used.
    fn pools(&self) -> Result<&Pools, Unavailable> {
        match (self.pools.get(), self.trouble()) {
            (Some(pools), None) => Ok(pools),
            (_, Some(trouble)) => Err(Unavailable(trouble)),
            (None, None) => Err(Unavailable("it is not open".to_owned())),
        }
    }

    /// Does `work` in time; a failure is trouble until a look says otherwise.
    async fn told<T>(&self, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Unavailable> {
        let why = match timeout(WITHIN, work).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(sqlx::Error::PoolTimedOut)) => {
                // Who has the only connection to a file knows more.
                let told = self.trouble().filter(|_| matches!(self.place, Place::File(_)));
                told.unwrap_or_else(|| "it gives no connection in time".to_owned())
            }
            Ok(Err(error)) => why(&error),
            Err(_) => format!("it does not answer within {} s", WITHIN.as_secs()),
        };
        *self.state() = Some(why.clone());
        Err(Unavailable(why))
    }

    fn state(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look(&self, now: Timestamp) -> Result<(), Unavailable> {
        if let Place::Server(url) = &self.place {
            // First, since it is told why nobody answers: a pool only tires of asking.
            self.told(self.session.look(url)).await?;
        }
        let pools = self.pools.get_or_try_init(|| Pools::open(&self.place)).await?;
        self.told(rows::drop_old(&pools.quick, now.as_millisecond())).await
    }

    async fn keep_nonce(
        &self,
        digest: [u8; 32],
        now: Timestamp,
        keep: Duration,
    ) -> Result<bool, Unavailable> {
        let (until, now) = (until(now, keep).as_millisecond(), now.as_millisecond());
        self.told(rows::first_use(&self.pools()?.quick, &hex(&digest), until, now)).await
    }

    /// Whether it was opened, in trouble or not; a file is this process's from then on.
    pub(super) fn is_open(&self) -> bool {
        self.pools.get().is_some()
    }

    /// When the last nonce and the last answer are out of date, in milliseconds since 1970.
    pub(super) async fn last_of_all(&self) -> Result<(i64, i64), Unavailable> {
        self.told(rows::last_of_all(&self.pools()?.quick)).await
    }

    /// Whether a nonce was used, without using it.
    pub(super) async fn has_nonce(&self, digest: &[u8; 32], now: Timestamp) -> Result<bool, Unavailable> {
        let (pools, digest) = (self.pools()?, hex(digest));
        self.told(rows::has_nonce(&pools.quick, &digest, now.as_millisecond())).await
    }

    async fn put(&self, writes: Vec<Write>) -> Result<(), Unavailable> {
        let pools = self.pools()?;
        let journal = |write: &Write| matches!(write, Write::Begun(_) | Write::Ended(_));
        let pool = if writes.iter().any(journal) { &pools.sure } else { &pools.quick };
        self.told(rows::write(pool, &writes)).await
    }
}

impl Store for Sql {
    fn is_shared(&self) -> bool {
        matches!(self.place, Place::Server(_))
    }

    fn trouble(&self) -> Option<String> {
        self.state().clone()
    }

    fn tend(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let trouble = self.look(now).await.err();
            *self.state() = trouble.map(|unavailable| unavailable.0);
        })
    }

    fn first_use<'a>(
        &'a self,
        key_id: &'a str,
        nonce: &'a str,
        now: Timestamp,
        keep: Duration,
    ) -> BoxFuture<'a, Result<bool, Unavailable>> {
        Box::pin(self.keep_nonce(digest(key_id, nonce), now, keep))
    }

    fn kept<'a>(&'a self, group: Option<&'a GroupKey>) -> BoxFuture<'a, Result<Vec<Keepsake>, Unavailable>> {
        Box::pin(async move { self.told(rows::kept(&self.pools()?.quick, group)).await })
    }

    fn unfinished<'a>(
        &'a self,
        group: Option<&'a GroupKey>,
    ) -> BoxFuture<'a, Result<Vec<Intention>, Unavailable>> {
        Box::pin(async move { self.told(rows::unfinished(&self.pools()?.quick, group)).await })
    }

    fn answer<'a>(
        &'a self,
        request: &'a RequestDigest,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<String>, Unavailable>> {
        Box::pin(async move {
            let (pools, request) = (self.pools()?, hex(request));
            self.told(rows::answer(&pools.quick, &request, now.as_millisecond())).await
        })
    }

    fn write(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<(), Unavailable>> {
        Box::pin(self.put(writes))
    }

    fn hold<'a>(&'a self, lane: &'a GroupKey, alone: bool) -> BoxFuture<'a, Result<bool, Unavailable>> {
        Box::pin(async move {
            match &self.place {
                Place::File(_) => Ok(true),
                Place::Server(url) => self.told(self.session.hold(url, lane, alone)).await,
            }
        })
    }

    fn release<'a>(&'a self, lane: &'a GroupKey, alone: bool) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Place::Server(url) = &self.place {
                // What cannot be given back is lost with the session, and so given back.
                let _lost = self.told(self.session.release(url, lane, alone)).await;
            }
        })
    }
}

/// PostgreSQL's own tools take `postgresql://user@/name?host=/folder` for a socket in a folder; here a host has to stand there,
/// though the folder counts.
fn with_host(url: &str) -> String {
    let begin = url.find("://").map_or(0, |at| at + "://".len());
    let (scheme, rest) = url.split_at(begin);
    match rest.split_once("@/") {
        Some((user, name)) if !user.contains(['/', '?']) => format!("{scheme}{user}@localhost/{name}"),
        Some(_) | None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::any::AnyConnectOptions;

    use super::*;

    #[test]
    fn a_socket_in_a_folder_is_named_as_postgresqls_own_tools_name_it() {
        for (url, read) in [
            ("postgresql://me:@/own?host=/run/pg", "postgresql://me:@localhost/own?host=/run/pg"),
            ("postgres:///own?host=/run/pg", "postgres:///own?host=/run/pg"),
            ("postgres://me:pass@host:5432/own", "postgres://me:pass@host:5432/own"),
            ("postgres://host/own?user=a@/b", "postgres://host/own?user=a@/b"),
        ] {
            assert_eq!(with_host(url), read);
            assert!(with_host(url).parse::<AnyConnectOptions>().is_ok(), "{read}");
        }
    }
}
