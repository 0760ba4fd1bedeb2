//! What stands behind a front. The gateway's engine is one handler, the simulated cloud is another: the front
//! neither knows nor cares which.

use std::{future::Future, pin::Pin, sync::Arc};

use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;

use super::{arrival::Arrival, asked::Asked};
use crate::{
    model::{Fault, FaultKind, Loss, Outcome},
    telemetry::{Account, End},
    wire::Reply,
};

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request that has been authenticated and read.
#[derive(Debug, Clone)]
pub struct Request {
    /// The request id that the reply will carry.
    pub id: String,
    /// When it came.
    pub at: Timestamp,
    /// Who is calling: the place of the client in the config.
    pub client: usize,
    /// What is asked.
    pub wanted: Wanted,
    /// The call itself, for a target that is to get it as it came.
    pub arrival: Arc<Arrival>,
    /// Its place among the requests in work, free again when the last who holds it lets go: work that goes on after its
    /// caller has hung up still takes one.
    pub place: Option<Arc<OwnedSemaphorePermit>>,
    /// What two identical requests share, in schemes that cannot tell a repeat from a replay.
    pub repeat: Option<[u8; 32]>,
    /// Where it is written down what becomes of it.
    pub account: Arc<Account>,
}

/// What a request wants.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// An operation; shared with who writes the reply.
    Translated(Arc<Asked>),
    /// An action that is not translated; and what the caller is told if it is not passed on either.
    Untranslated(Arc<Fault>),
}

/// What came of a request that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was translated.
    Translated {
        /// The outcome, in the caller's ids.
        outcome: Outcome,
        /// What was lost on the way and has to be reported.
        losses: Vec<Loss>,
    },
    /// It was passed on, and this is the reply as it came: a success or not.
    Passed(Reply),
}

impl Answer {
    /// What was lost on the way and has to be reported.
    #[must_use]
    pub fn losses(&self) -> &[Loss] {
        match self {
            Self::Translated { losses, outcome: _ } => losses,
            Self::Passed(_) => &[],
        }
    }
}

/// What came of a request, for its account.
#[must_use]
pub fn end_of(result: &Result<Answer, Fault>) -> End {
    match result {
        Ok(answer) => {
            let outcome = if matches!(answer, Answer::Passed(_)) { "passed" } else { "done" };
            let losses = answer.losses().iter().map(|loss| (loss.field.name(), loss.reason.clone()));
            End { outcome, message: None, cause: String::new(), losses: losses.collect() }
        }
        Err(fault) => {
            // The string to sign holds every parameter; a token among them is no business of a log's.
            let is_told = fault.kind != FaultKind::SignatureMismatch;
            let message = is_told.then(|| fault.to_string());
            End { outcome: fault.kind.name(), message, cause: fault.causes(), losses: Vec::new() }
        }
    }
}

/// Carries requests out.
pub trait Handler: Send + Sync {
    /// Carries one request out. A caller that goes away does not stop what has begun.
    fn handle(&self, request: Request) -> BoxFuture<'_, Result<Answer, Fault>>;
}
