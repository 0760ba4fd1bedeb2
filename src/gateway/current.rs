//! What is in force at this moment: the one place where a config is exchanged for another.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use tracing::{error, info, warn};

use super::{
    reload::Refused,
    snapshot::{Lasting, Snapshot},
};
use crate::{
    config::{Config, Fixed},
    http::{Answer, Arrived, Door, Service, SharedServerConfig, TlsError, server_config},
};

/// A gateway's present.
pub(super) struct Current {
    snapshot: ArcSwap<Snapshot>,
    pub(super) lasting: Lasting,
    pub(super) door: Arc<Door>,
    /// The certificate of the public listeners.
    pub(super) tls: Option<SharedServerConfig>,
    fixed: Fixed,
    /// Why the last reload was refused, one line a problem; nothing once one has ended well.
    refused: Mutex<Vec<String>>,
}

impl Current {
    /// Puts the first config in force.
    ///
    /// # Errors
    /// For certificates and authorities that cannot be used.
    pub(super) fn new(config: Config, lasting: Lasting) -> Result<Self, TlsError> {
        let tls = match &config.tls {
            Some(files) => Some(Arc::new(ArcSwap::new(server_config(&files.cert, &files.key)?))),
            None => None,
        };
        let snapshot = Snapshot::first(config, &lasting)?;
        lasting.telemetry.metrics.config_in_force(lasting.stamps.next().now);
        Ok(Self {
            fixed: Fixed::of(&snapshot.config),
            door: Door::new(snapshot.front.bounds),
            snapshot: ArcSwap::from_pointee(snapshot),
            lasting,
            tls,
            refused: Mutex::default(),
        })
    }

    /// What is in force now.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Puts another config in force, at once and as a whole. Requests at work end by the old one, which is given back.
    ///
    /// # Errors
    /// For certificates and authorities that cannot be used: then nothing has changed.
    pub(super) fn adopt(&self, config: Config) -> Result<Arc<Config>, TlsError> {
        let fresh_tls = match (&self.tls, &config.tls) {
            (Some(shared), Some(files)) => Some((shared, server_config(&files.cert, &files.key)?)),
            (_, None) | (None, _) => None,
        };
        let old = self.snapshot();
        let new = old.succeeded_by(config, &self.lasting)?;
        for warning in &new.config.warnings {
            warn!("{warning}");
        }
        for key in self.fixed.changed_by(&new.config) {
            warn!(
                key,
                "this has changed in the config and takes effect at the next start; all else does now"
            );
        }
        if let Some((shared, fresh)) = fresh_tls {
            shared.store(fresh);
        }
        self.door.set_bounds(new.front.bounds);
        let (clients, targets) = (new.config.clients.len(), new.config.targets.len());
        self.snapshot.store(Arc::new(new));
        old.over.cancel();
        self.refused().clear();
        let Lasting { telemetry, stamps, .. } = &self.lasting;
        telemetry.metrics.reloaded(stamps.next().now);
        info!(clients, targets, "reloaded: what the files say is in force");
        Ok(Arc::clone(&old.config))
    }

    /// Says why a reload did not happen.
    pub(super) fn refuse(&self, refused: &Refused) {
        let lines = refused.lines();
        for line in &lines {
            error!("{line}");
        }
        error!(problems = lines.len(), "not reloaded: what was in force stays in force");
        let (file, line, column) = refused.place();
        self.lasting.telemetry.metrics.reload_refused(&file, line, column);
        *self.refused() = lines;
    }

    /// Why the last reload was refused; empty if it was not.
    pub(super) fn refused(&self) -> MutexGuard<'_, Vec<String>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts right what is left half done, by whatever is in force, for as long as it is polled.
    pub(super) async fn look_after(&self) {
        loop {
            let snapshot = self.snapshot();
            let (engine, over) = (snapshot.engine.clone(), snapshot.over.clone());
            drop(snapshot);
            engine.look_after(&over).await;
        }
    }
}

impl Service for Current {
    fn answer(&self, arrived: Arrived) -> Answer<'_> {
        let snapshot = self.snapshot();
        Box::pin(async move { snapshot.front.answer(arrived).await })
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current").finish_non_exhaustive()
    }
}
