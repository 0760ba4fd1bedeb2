//! Requests as people write them down: a URL, a curl command line, a raw HTTP request.
//!
//! [`read_request`] turns such a text into the [`Call`] that it describes, and [`to_curl`] turns a call into a
//! command that sends it. Nothing here sends anything, opens a file, or knows what a parameter means. The URL may
//! be laid out as the two API pages print it ("Request example" of `AddVServerGroupBackendServers` and of
//! `AllocateBackend`): over several lines, with values that nobody has encoded.

mod address;
mod curl;
mod error;
mod header;
mod http_text;

use http::{HeaderValue, Method, header::HOST};

use crate::wire::Call;

use address::Address;
pub use curl::to_curl;
pub use error::RequestTextError;

/// Reads a URL, a curl command line, or a raw HTTP request.
///
/// A URL or curl call has its `origin`, unless the page's `[Endpoint]` stands there; a raw request has none, unless
/// its target is a whole URL. Where there is an origin and no `host` header, the header is added.
///
/// # Errors
/// [`RequestTextError`] says what is wrong and what to write instead.
pub fn read_request(text: &str) -> Result<Call, RequestTextError> {
    let text = without_prompt(text.trim_start());
    if curl::is_command(text) {
        curl::read(text)
    } else if http_text::is_request(text) {
        http_text::read(text)
    } else if address::has_scheme(text) {
        read_url(text)
    } else {
        Err(RequestTextError::of_unknown_form(text))
    }
}

fn without_prompt(text: &str) -> &str {
    text.strip_prefix("$ ").map_or(text, str::trim_start)
}

fn read_url(text: &str) -> Result<Call, RequestTextError> {
    let mut call = Address::read(text)?.into_call(Method::GET);
    add_host(&mut call);
    Ok(call)
}

/// Gives a call that names its origin the header that every client sends for it.
fn add_host(call: &mut Call) {
    if call.headers.contains_key(HOST) {
        return;
    }
    let host = address::authority(&call.origin).map(HeaderValue::from_str);
    if let Some(Ok(host)) = host {
        call.headers.insert(HOST, host);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::wire::{Document, Params};

    use super::*;

    /// "Request example" — `AddVServerGroupBackendServers`.
    const ALIBABA_PAGE: &str = "
http(s)://[Endpoint]/? Action=AddVServerGroupBackendServers
&BackendServers=[{'ServerId':'vm-233','Port':'80','Weight':'100'},{'ServerId':'vm-232','Port':'90','Weight':'100'},{'ServerId':'vm-231','Port':'70','Weight':'100'}]
&RegionId=cn-hangzhou
&VServerGroupId=rsp-cige6j5e7p
&<CommonParameters>

";

    /// "Request Example" — `AllocateBackend`. The space after `uhost-XXXX` is the page's.
    const UCLOUD_PAGE: &str = "https://api.scloudsg.com/?Action=AllocateBackend
&Region=cn-bj2
&ProjectId=project-XXXXX
&ULBId=ulb-XXXXX
&VServerId=vserver-XXXXX
&ResourceType=UHost
&ResourceId=uhost-XXXX 
&Port=80
&Enabled=1
&Weight=4
&IsBackup=4
&ResourceIP=ELVhVVux
&VPCId=qFbjvNJn
&SubnetId=DKBOyKER
";

    fn params(call: &Call) -> Params {
        Params::decode(&call.query).unwrap()
    }

    #[test]
    fn the_alibaba_page_example_reads_as_printed() {
        let call = read_request(ALIBABA_PAGE).unwrap();
        assert_eq!((call.method.as_str(), call.origin.as_str(), call.path.as_str()), ("GET", "", "/"));
        assert!(call.headers.is_empty());
        let params = params(&call);
        let names: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
        assert_eq!(names, ["Action", "BackendServers", "RegionId", "VServerGroupId"]);
        assert_eq!(params.get("Action"), Some("AddVServerGroupBackendServers"));
        let servers = Document::from_loose_json(params.get("BackendServers").unwrap()).unwrap();
        let Document::List(servers) = servers else { panic!("{servers:?} is no list") };
        assert_eq!(servers.len(), 3);
        assert_eq!(servers[2].member("Port"), Some(&Document::text("70")));
    }

    #[test]
    fn the_ucloud_page_example_reads_as_printed() {
        let call = read_request(UCLOUD_PAGE).unwrap();
        assert_eq!(call.origin, "https://api.scloudsg.com");
        assert_eq!(call.header("host"), Some("api.scloudsg.com"));
        let params = params(&call);
        assert_eq!(params.len(), 14);
        assert_eq!(params.get("ResourceId"), Some("uhost-XXXX"));
        assert_eq!(params.get("SubnetId"), Some("DKBOyKER"));
    }

    #[test]
    fn a_page_example_inside_a_quoted_curl_argument_reads_the_same() {
        let call = read_request(&format!("$ curl -sS \"{}\"", UCLOUD_PAGE.trim_end())).unwrap();
        assert_eq!(call, read_request(UCLOUD_PAGE).unwrap());
    }

    #[test]
    fn what_is_none_of_the_three_forms_is_told_the_three_forms() {
        let error = read_request("Action=AllocateBackend&Region=cn-bj2").unwrap_err().to_string();
        assert!(error.starts_with("`Action=AllocateBackend&Region=cn-bj2` is no request"), "{error}");
        assert_eq!(read_request(" \n").unwrap_err(), RequestTextError::Empty);
        assert!(matches!(read_request("HTTP/1.1 200 OK\n\n{}"), Err(RequestTextError::Response(_))));
    }

    proptest! {
        #[test]
        fn reading_never_panics(
            start in "(|\\$ |curl |curl -[a-zA-Z] |https?://|http\\(s\\)://\\[|POST / HTTP/1.1\n|GET )",
            text in "(?s).{0,80}",
        ) {
            let _outcome = read_request(&format!("{start}{text}"));
        }

        #[test]
        fn a_curl_line_of_common_pieces_never_panics(
            words in proptest::collection::vec("(-[XHdAGI]|--data-urlencode|--json|\\$'|'|\"|\\\\|https://h/\\?a=b|@f|[ -~]{0,6})", 0..8),
        ) {
            let _outcome = read_request(&format!("curl {}", words.join(" ")));
        }

        #[test]
        fn an_encoded_query_is_kept_as_it_stands(query in "[A-Za-z0-9._~!$'()*+,;=:@/?&%-]{0,40}") {
            let call = read_request(&format!("https://h/?{query}")).unwrap();
            prop_assert_eq!(call.query, query);
        }

        #[test]
        fn a_raw_value_is_read_as_it_was_meant(value in "[^&+%\\s\\p{C}]{1,20}") {
            let call = read_request(&format!("https://h/? A=b\n&Value={value} \n&<Common>")).unwrap();
            let params = params(&call);
            prop_assert_eq!(params.get("Value"), Some(value.as_str()));
        }
    }
}
