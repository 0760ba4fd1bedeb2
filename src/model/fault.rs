//! Everything that can go wrong, as a closed list that says nothing of codes or statuses.
//!
//! A cloud's `faults.toml` gives each kind its code, status and message. The code that fails never chooses them.

use std::{borrow::Cow, error::Error, fmt};

macro_rules! fault_kinds {
    ($($(#[$doc:meta])+ $kind:ident = $name:literal,)+) => {
        /// What went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum FaultKind {$($(#[$doc])+ $kind,)+}

        impl FaultKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The word for it in mapping files, logs and metrics.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {$(Self::$kind => $name,)+}
            }
        }
    };
}

fault_kinds! {
    /// The request names no action.
    MissingAction = "missing-action",
    /// No such action in this cloud's API, or one that is not translated.
    UnknownAction = "unknown-action",
    /// The API version is not the one that is spoken here.
    UnknownVersion = "unknown-version",
    /// The request method is neither GET nor POST.
    UnknownMethod = "unknown-method",
    /// A parameter that has to be there is not.
    MissingParameter = "missing-parameter",
    /// A parameter stands there twice.
    DoubledParameter = "doubled-parameter",
    /// A parameter that this action does not have.
    UnknownParameter = "unknown-parameter",
    /// A value of the wrong type, shape or range.
    InvalidParameter = "invalid-parameter",
    /// A port outside its range.
    InvalidPort = "invalid-port",
    /// A weight outside its range.
    InvalidWeight = "invalid-weight",
    /// A server type that this cloud does not have.
    InvalidKind = "invalid-kind",
    /// The list of backends cannot be read.
    MalformedBackends = "malformed-backends",
    /// More backends than one call may carry.
    TooManyBackends = "too-many-backends",
    /// A parameter's percent-encoding is broken.
    MalformedEncoding = "malformed-encoding",
    /// The body cannot be read.
    MalformedBody = "malformed-body",
    /// The body is longer than the limit.
    BodyTooLarge = "body-too-large",
    /// The request line is longer than the limit.
    RequestLineTooLong = "request-line-too-long",
    /// One of the parameters that authenticate a request is missing.
    MissingCredential = "missing-credential",
    /// No client has this key id.
    UnknownKey = "unknown-key",
    /// The signature is not the one that the secret makes.
    SignatureMismatch = "signature-mismatch",
    /// The signature is not of the form that the scheme prescribes.
    MalformedSignature = "malformed-signature",
    /// The signature method or version is none that is verified here.
    UnknownSignatureMethod = "unknown-signature-method",
    /// The time stamp cannot be read.
    MalformedTimestamp = "malformed-timestamp",
    /// The time stamp is too old or too far ahead.
    Expired = "expired",
    /// The nonce was used before.
    NonceUsed = "nonce-used",
    /// The security token is not this client's.
    InvalidToken = "invalid-token",
    /// No such group.
    UnknownGroup = "unknown-group",
    /// No such load balancer, or none that the resource map knows.
    UnknownLoadBalancer = "unknown-load-balancer",
    /// No such server, or none that the resource map knows.
    UnknownServer = "unknown-server",
    /// No such backend in the group.
    UnknownBackend = "unknown-backend",
    /// No region could be found for the call.
    UnknownRegion = "unknown-region",
    /// The backend is in the group already.
    AlreadyPresent = "already-present",
    /// The group, the load balancer or the account is full.
    QuotaExceeded = "quota-exceeded",
    /// Something still uses the group.
    GroupInUse = "group-in-use",
    /// The load balancer has a listener on this port already.
    PortTaken = "port-taken",
    /// The server is in another network than the load balancer.
    NetworkConflict = "network-conflict",
    /// The target has no place for something that the request says.
    CannotHold = "cannot-hold",
    /// The target is busy with another change of the group.
    Busy = "busy",
    /// The target asks to be called less often.
    Throttled = "throttled",
    /// The target does not accept the gateway's own key, signature or project.
    TargetDenied = "target-denied",
    /// The target refused for a reason of its own.
    TargetRefused = "target-refused",
    /// The target failed; it may work later.
    TargetFailed = "target-failed",
    /// The connection broke after the call was sent, or the answer made no sense.
    TargetLost = "target-lost",
    /// The target cannot be reached: nothing was sent.
    TargetUnreachable = "target-unreachable",
    /// The target did not answer in time.
    TargetTimedOut = "target-timed-out",
    /// The gateway has as much in flight as it may.
    Overloaded = "overloaded",
    /// The gateway's store cannot be used, so nothing may be changed.
    StoreUnavailable = "store-unavailable",
    /// The gateway itself failed.
    Internal = "internal",
}

impl FaultKind {
    /// Whether the operation may have been carried out although it is reported as failed.
    #[must_use]
    pub fn leaves_doubt(self) -> bool {
        matches!(self, Self::TargetTimedOut | Self::TargetLost)
    }
}

/// A failure, with what the caller may know and what only the log may.
#[derive(Debug)]
pub struct Fault {
    /// What went wrong.
    pub kind: FaultKind,
    /// The parameter or field at fault, in the words of the cloud that is to read it.
    pub field: Option<Cow<'static, str>>,
    /// What is wrong and what is allowed, for the caller. Never a secret.
    pub detail: Cow<'static, str>,
    /// What caused it, for the log.
    pub cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A fault that concerns no field.
    #[must_use]
    pub fn new(kind: FaultKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, field: None, detail: detail.into(), cause: None }
    }

    /// A fault of one field.
    #[must_use]
    pub fn of_field(
        kind: FaultKind,
        field: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { kind, field: Some(field.into()), detail: detail.into(), cause: None }
    }

    /// The same fault once more, without its cause: one reply may speak for several backends.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { kind: self.kind, field: self.field.clone(), detail: self.detail.clone(), cause: None }
    }

    /// The same fault with its cause, for the log.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl Fault {
    /// What caused it, and what caused that, for the log; empty when nothing is known.
    #[must_use]
    pub fn causes(&self) -> String {
        let chain = std::iter::successors(self.source(), |cause: &&(dyn Error + 'static)| (*cause).source());
        chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind.name())?;
        if let Some(field) = &self.field {
            write!(f, " `{field}`")?;
        }
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_told_the_whole_chain_of_causes() {
        let inner = Fault::new(FaultKind::TargetLost, "inner").caused_by("certificate expired");
        let outer = Fault::new(FaultKind::TargetUnreachable, "outer").caused_by(inner);
        assert_eq!(outer.causes(), "target-lost: inner: certificate expired");
        assert!(!outer.to_string().contains("certificate"), "{outer}");
    }
}
