//! Reads a body up to a bound. The only place that reads one: nothing in this house buffers without a limit.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;

/// What was read of a body.
pub(super) struct Capped<B> {
    /// The whole body, or as much of it as the bound allows.
    pub(super) bytes: Bytes,
    /// The body itself, when there is more of it.
    pub(super) rest: Option<B>,
}

/// Reads `body` until it ends or is known to be longer than `max`. Trailers are dropped: neither cloud has any.
pub(super) async fn read_capped<B>(mut body: B, max: usize) -> Result<Capped<B>, B::Error>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let room = max.saturating_sub(bytes.len());
        bytes.extend_from_slice(data.get(..room).unwrap_or(&data));
        if data.len() > room {
            return Ok(Capped { bytes: bytes.freeze(), rest: Some(body) });
        }
    }
    Ok(Capped { bytes: bytes.freeze(), rest: None })
}

/// Reads and forgets at most `max` bytes of `body`.
pub(super) async fn drain<B: Body<Data = Bytes> + Unpin>(mut body: B, max: usize) {
    let mut left = max;
    while let Some(Ok(frame)) = body.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            return;
        }
    }
}
