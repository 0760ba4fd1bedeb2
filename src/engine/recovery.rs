//! Looks after what was begun and has nobody who works on it: at the start, what a process that was killed has left; later,
//! what requests have had to leave open. Nobody else writes to such a group before.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{
    Engine, Parts,
    add::settle::LOOKS,
    change::recover::{Found, may_pass},
    execute::Execution,
    journal::{Deed, Intent, Left},
    resolve::Route,
};
use crate::{
    config::Client,
    model::Fault,
    store::{GroupKey, Intention, Unavailable, Write},
    telemetry::Account,
};

/// How many are put right at a time: most of it is waiting.
const AT_ONCE: usize = 64;

/// Pauses between the rounds while something is still open: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// How often what is put right is looked at again while a part of it may still show.
const WATCH: Duration = Duration::from_secs(2);

/// How often a store that several processes share is looked at for what another has left.
const ROUND: Duration = Duration::from_secs(5);

impl Engine {
    /// Puts right what is left half done until another engine takes that over: never given up half way through a round.
    pub async fn look_after(&self, over: &CancellationToken) {
        let (mut pause, longest) = PAUSES;
        while !over.is_cancelled() {
            let settled = self.parts.round().await;
            let rest = async { if settled { self.parts.wait().await } else { sleep(pause).await } };
            if over.run_until_cancelled(rest).await.is_none() {
                return;
            }
            pause = if settled { PAUSES.0 } else { longest.min(pause * 2) };
        }
    }
}

impl Parts {
    /// Brings the view of what is kept up to date: of one group, or of all. A store that no other process writes to is
    /// read once.
    pub(super) async fn refresh(&self, group: Option<&GroupKey>) -> Result<(), Unavailable> {
        self.loaded.get_or_try_init(|| self.load()).await?;
        if self.store.is_shared() {
            self.read_kept(group).await?;
        }
        Ok(())
    }

    /// Reads what is kept.
    async fn read_kept(&self, group: Option<&GroupKey>) -> Result<(), Unavailable> {
        let asked = self.kept.ask();
        self.kept.fill(asked, group, &self.store.kept(group).await?);
        Ok(())
    }

    async fn load(&self) -> Result<(), Unavailable> {
        self.read_kept(None).await?;
        if !self.store.is_shared() {
            self.open.leave(self.store.unfinished(None).await?);
        }
        Ok(())
    }

    /// What was left half done in a lane that the caller has a turn in.
    pub(super) async fn left_open(&self, lane: &GroupKey) -> Result<Vec<Intention>, Unavailable> {
        let own = self.open.in_lane(lane);
        if !self.store.is_shared() {
            let open = own.into_iter().filter(|left| left.watched.is_none());
            return Ok(open.map(|left| left.intention).collect());
        }
        // Whoever works on something is in its lane.
        let mut open = self.store.unfinished(Some(lane)).await?;
        let is_watched = |id: &str| own.iter().any(|left| left.watched.is_some() && left.intention.id == id);
        open.retain(|intention| !is_watched(&intention.id));
        Ok(open)
    }

    /// Goes through all that is open. Whether everything is put right.
    async fn round(&self) -> bool {
        let open = async {
            self.end_unheard().await?;
            self.all_open().await
        };
        let open = match open.await {
            Ok(open) => open,
            Err(error) => {
                warn!(%error, "what may be left half done cannot be looked up");
                return false;
            }
        };
        let visits = stream::iter(open).map(|left| self.visit(left));
        let settled: Vec<bool> = visits.buffer_unordered(AT_ONCE).collect().await;
        settled.into_iter().all(|settled| settled)
    }

    /// Ends entries of what was never begun, before another process takes what others have done since for a part of it.
    async fn end_unheard(&self) -> Result<(), Unavailable> {
        let ids = self.open.take_unheard();
        if ids.is_empty() {
            return Ok(());
        }
        let ended = self.store.write(ids.iter().cloned().map(Write::Ended).collect()).await;
        ended.inspect_err(|_| self.open.leave_unheard(ids))
    }

    async fn all_open(&self) -> Result<Vec<Left>, Unavailable> {
        self.loaded.get_or_try_init(|| self.load()).await?;
        let mut open = self.open.all();
        if self.store.is_shared() {
            let elsewhere = self.store.unfinished(None).await?;
            let unknown = |intention: &Intention| open.iter().all(|left| left.intention.id != intention.id);
            let unknown: Vec<Intention> = elsewhere.into_iter().filter(unknown).collect();
            open.extend(unknown.into_iter().map(|intention| Left { intention, watched: None }));
        }
        Ok(open)
    }

    /// Puts one right, unless somebody is at work in its lane: that one sees to it.
    async fn visit(&self, left: Left) -> bool {
        let Left { intention, watched } = left;
        let lane = &intention.lane;
        let Some(_turn) = self.lanes.turn_now(&self.store, lane).await else { return true };
        if let Some(until) = watched {
            return match self.is_watched(&intention).await {
                Ok(true) => self.keep_watch(&intention, until).await,
                Ok(false) | Err(_) => true,
            };
        }
        let open = match self.refresh(Some(lane)).await {
            Ok(()) => self.left_open(lane).await,
            Err(error) => Err(error),
        };
        match open {
            Ok(open) if open.iter().any(|known| known.id == intention.id) => self.put_right(&intention).await,
            Ok(_) => true,
            Err(_) => false,
        }
    }

    /// Puts one right, in its lane. Whether others may write there now: it is done, or given up since no further try would
    /// help.
    pub(super) async fn put_right(&self, left: &Intention) -> bool {
        self.put_right_by(left, &LOOKS, None).await
    }

    /// Whether a watch goes on: a change of the group ends it, whichever process makes it.
    async fn is_watched(&self, left: &Intention) -> Result<bool, Unavailable> {
        let is_it = |known: &Intention| known.id == left.id;
        let here = self.open.in_lane(&left.lane).iter().any(|known| is_it(&known.intention));
        if !here || !self.store.is_shared() {
            return Ok(here);
        }
        let anywhere = self.store.unfinished(Some(&left.lane)).await?.iter().any(is_it);
        if !anywhere {
            self.open.end(left);
        }
        Ok(anywhere)
    }

    /// Looks once more at one that was put right.
    async fn keep_watch(&self, left: &Intention, until: Instant) -> bool {
        self.put_right_by(left, &[Duration::ZERO], Some(until)).await
    }

    async fn put_right_by(&self, left: &Intention, looks: &[Duration], watched: Option<Instant>) -> bool {
        let Some((intent, client)) = self.read(left) else { return false };
        let route = match Route::of(&self.config, client) {
            Ok(route) => route,
            Err(fault) => {
                error!(%fault, entry = left.id, "what was left half done has no way to its target");
                return false;
            }
        };
        let account = Account::unread();
        let execution = Execution::new(self, &route, &left.id, left.began, &account);
        let found = execution.put_deed_right(&intent.deed, looks).await;
        let settles = route.there.capability.settles_after;
        let (is_over, lets_in) = match found {
            Ok(Found::Whole) => (true, true),
            Ok(Found::TakenBack) => {
                let until = watched.unwrap_or_else(|| Instant::now() + settles);
                let goes_on = Instant::now() < until;
                if goes_on {
                    self.open.watch(left.clone(), until);
                }
                (!goes_on, true)
            }
            Err(fault) if may_pass(&fault) => {
                warn!(%fault, entry = left.id, "what was left half done cannot be put right yet");
                (false, watched.is_some())
            }
            Err(fault) => {
                error!(%fault, entry = left.id, "what was left half done is left so: the target refuses");
                (true, true)
            }
        };
        if is_over {
            self.open.end(left);
            execution.adopt(left.clone());
        }
        // What it learnt on the way is kept, whether it is over or watched on.
        execution.conclude().await;
        lets_in
    }

    /// An entry of the journal, and the client on whose behalf it is put right.
    fn read(&self, left: &Intention) -> Option<(Intent, usize)> {
        let intent: Intent = serde_json::from_str(&left.what)
            .inspect_err(|error| error!(%error, entry = left.id, "an entry of the journal cannot be read"))
            .ok()?;
        let goes_there = |client: &&Client| {
            self.config.targets.get(client.target).is_some_and(|target| *target.name == intent.target)
        };
        let is_it =
            |client: &Client| client.dialect == intent.dialect && client.credential.key_id == intent.key_id;
        let clients = || self.config.clients.iter().enumerate().filter(|(_, client)| goes_there(client));
        let client = clients().find(|(_, client)| is_it(client)).or_else(|| clients().next());
        if client.is_none() {
            error!(
                target_name = intent.target,
                entry = left.id,
                "no client of the config leads to the target of what was left half done"
            );
        }
        client.map(|(place, _)| (intent, place))
    }

    /// Waits until there may be something to do.
    async fn wait(&self) {
        let bell = self.open.bell.notified();
        let round = match (self.open.is_empty(), self.store.is_shared()) {
            (false, _) => WATCH,
            (true, true) => ROUND,
            (true, false) => return bell.await,
        };
        tokio::select! { () = bell => {}, () = sleep(round) => {} }
    }
}

impl Execution<'_> {
    async fn put_deed_right(&self, deed: &Deed, looks: &[Duration]) -> Result<Found, Fault> {
        match deed {
            Deed::Change(aim) => self.put_aim_right(aim, looks).await,
            Deed::Make(making) => self.put_making_right(making).await,
            Deed::Fill(aim) => self.put_filling_right(aim).await,
        }
    }
}
