//! What stands behind a front. The gateway's engine is one handler, the simulated cloud is another: the front
//! neither knows nor cares which.

use std::{future::Future, pin::Pin, sync::Arc};

use tokio::sync::OwnedSemaphorePermit;

use crate::model::{Fault, Loss, Operation, Outcome};

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request that has been authenticated and read.
#[derive(Debug, Clone)]
pub struct Request {
    /// The request id that the reply will carry.
    pub id: String,
    /// Who is calling: the place of the client in the config.
    pub client: usize,
    /// What is asked.
    pub operation: Operation,
    /// Fields that were given and have no effect by the caller's cloud's own rules.
    pub ineffective: Vec<Loss>,
    /// Its place among the requests in work, free again when the last who holds it lets go: work that goes on after its
    /// caller has hung up still takes one.
    pub place: Option<Arc<OwnedSemaphorePermit>>,
    /// What two identical requests share, in schemes that cannot tell a repeat from a replay.
    pub repeat: Option<[u8; 32]>,
}

/// What came of a request that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The outcome, in the caller's ids.
    pub outcome: Outcome,
    /// What was lost on the way and has to be reported.
    pub losses: Vec<Loss>,
}

/// Carries requests out.
pub trait Handler: Send + Sync {
    /// Carries one request out. A caller that goes away does not stop what has begun.
    fn handle(&self, request: Request) -> BoxFuture<'_, Result<Answer, Fault>>;
}
