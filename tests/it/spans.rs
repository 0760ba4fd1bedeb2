//! Spans for a collector, with the feature `otlp`.

use std::time::Duration;

use http::StatusCode;
use weighbridge::wire::{Reply, read_request};

use crate::support::{
    house::Clouds,
    served::{Served, send, weighbridge},
    signer::{SHA1, V1},
    site::{Site, config_of},
    target::{Answers, Target},
};

#[test]
fn a_request_is_a_span_with_a_span_for_each_call() {
    let clouds = Clouds::open(Duration::ZERO);
    let thanks = Reply::new(StatusCode::OK, "application/x-protobuf", "");
    let collector = clouds.wait(Target::start(Answers::Always(thanks)));
    let site = Site::with(&format!("store = \"memory\"\n{}", config_of(&clouds)));
    let mut command = weighbridge(&["serve", "--config", &site.config()]);
    let served =
        Served::start(command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", collector.address)));
    let allocate = "Action=AllocateBackend&Region=cn-bj2&ULBId=ulb-abc123&VServerId=vserver-def456&ResourceId=uhost-demo02";
    for (signer, query) in [(SHA1, allocate), (V1, "Action=Frobnicate")] {
        send(read_request(&signer.curl_line(&served.endpoint, query)).unwrap());
    }
    let ended = served.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let sent = collector.take_calls();
    let traces: Vec<&[u8]> =
        sent.iter().filter(|call| call.path == "/v1/traces").map(|call| &call.body[..]).collect();
    assert!(!traces.is_empty(), "what was left was sent at the end: {sent:?}");
    let told = String::from_utf8_lossy(&traces.concat()).into_owned();
    for word in [
        "weighbridge.action",
        "AllocateBackend",
        "AddVServerGroupBackendServers",
        "unknown-action",
        "demo-ucloud",
    ] {
        assert!(told.contains(word), "{word}\n{told}");
    }
    assert!(!told.contains("secret"), "{told}");
}
