//! Floor 1: HTTP messages as values, and the ways in which text travels inside them.
//!
//! Nothing here opens a socket or knows a cloud. A [`Call`] is a request, a [`Reply`] is an answer, [`Params`] is
//! the ordered list of decoded parameters, a [`Document`] is what JSON and its neighbours hold, and `request_text` is a
//! request as people write one down.

mod call;
mod document;
mod excerpt;
mod params;
mod percent;
mod reply;
mod request_text;

pub use call::Call;
pub use document::{Document, DocumentError, NamedValue};
pub use excerpt::{beginning, excerpt};
pub use params::{EncodingError, Param, Params, encode_canonical, to_canonical, to_form};
pub use percent::{encode_form, encode_strict};
pub use reply::Reply;
pub use request_text::{RequestTextError, read_request, to_curl};
