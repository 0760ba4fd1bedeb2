//! What a running server is told, and what it tells: bounds that may be replaced, and who came.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use arc_swap::ArcSwap;

use super::{exchange::Bounds, refusal::Refusal};

/// The door of one server, all its listeners together.
#[derive(Debug)]
pub struct Door {
    bounds: ArcSwap<Bounds>,
    open: AtomicUsize,
    refused: [AtomicU64; Refusal::REASONS.len()],
}

impl Door {
    /// A door within these bounds.
    #[must_use]
    pub fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            bounds: ArcSwap::from_pointee(bounds),
            open: AtomicUsize::new(0),
            refused: Default::default(),
        })
    }

    /// Replaces the bounds. A connection keeps those of its beginning.
    pub fn set_bounds(&self, bounds: Bounds) {
        self.bounds.store(Arc::new(bounds));
    }

    /// How many connections are held now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// How many connections and requests were turned away unread, by the reason.
    pub fn refused(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Refusal::REASONS
            .into_iter()
            .zip(&self.refused)
            .map(|(why, count)| (why, count.load(Ordering::Relaxed)))
    }

    pub(super) fn bounds(&self) -> Bounds {
        **self.bounds.load()
    }

    pub(super) fn refuses(&self, refusal: Refusal) {
        let at = Refusal::REASONS.iter().position(|reason| *reason == refusal.reason());
        if let Some(count) = at.and_then(|at| self.refused.get(at)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A place for one more connection, unless there are as many as may be.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Place> {
        let before = self.open.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(self));
        (before < self.bounds.load().max_connections).then_some(place)
    }
}

/// A connection's place; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Door>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
