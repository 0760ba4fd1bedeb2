//! What goes wrong at the target or on the way there, told in the caller's own codes.

use futures_util::future::{join, join_all};
use http::StatusCode;
use serde_json::json;
use weighbridge::wire::Reply;

use crate::support::{
    caller::{Told, aliyun_add, in_form, in_query, plain_signed, rpc_signed, told, ucloud_add},
    comparison::text_fits,
    outpost::Outpost,
    target::Answers,
};

/// What the target answers, what the caller gets (HTTP status and code), and what the message has to say.
type Saying<'t> = (Reply, &'t str, &'t [&'t str]);

#[tokio::test]
async fn what_a_ucloud_target_refuses_is_told_in_alibaba_clouds_codes() {
    let said = |code: u32, text: &str| {
        let body = json!({"RetCode": code, "Action": "AllocateBackendResponse", "Message": text});
        Reply::new(StatusCode::OK, "application/json", body.to_string())
    };
    let mut rows: Vec<Saying<'_>> = vec![
        (said(4207, "quota"), "400 InstanceBackendServerNumberOverLimit", &["i-bp1example00000001", "quota"]),
        (said(63032, "vpc"), "400 NetworkConflict", &["i-bp1example00000001", "vpc"]),
        (said(153, "slower"), "400 Throttling", &["Request was denied due to request throttling."]),
        (said(4550, "no such port"), "400 *", &["i-bp1example00000001", "4550", "no such port"]),
        (said(99_999, "news"), "400 *", &["i-bp1example00000001", "99999", "news"]),
        (Reply::new(StatusCode::BAD_GATEWAY, "text/html", "<html>"), "503 ServiceUnavailable", &["502"]),
        (
            Reply::new(StatusCode::OK, "application/json", "{}"),
            "503 ServiceUnavailable",
            &["i-bp1example00000001"],
        ),
    ];
    for code in [4088, 4103, 4143] {
        rows.push((
            said(code, "no VServer"),
            "404 InvalidParameter",
            &["The specified VServerGroupId does not exist."],
        ));
    }
    for code in [150, 151, 152] {
        rows.push((said(code, "down"), "503 ServiceUnavailable", &["i-bp1example00000001", "down"]));
    }
    let request = in_query("GET", &rpc_signed("GET", &aliyun_add(ONE_SERVER)));
    tell(&request, rows, &[]).await;
    let denied = [140, 170, 171, 172, 173, 174, 290, 291, 292, 293, 294, 295, 299];
    let denied =
        denied.map(|code| (said(code, "Signature VerifyAC Error"), "503 ServiceUnavailable", NOTHING));
    tell(&request, denied.into(), &["ignature", "VerifyAC"]).await;
}

#[tokio::test]
async fn what_an_alibaba_cloud_target_refuses_is_told_in_uclouds_codes() {
    let said = |status: u16, code: &str, text: &str| {
        let body = json!({"RequestId": "365F4154-92F6-4AE4-92F8-7FF34B540710", "HostId": "slb.aliyuncs.com", "Code": code, "Message": text});
        Reply::new(StatusCode::from_u16(status).unwrap(), "application/json", body.to_string())
    };
    let mut rows: Vec<Saying<'_>> = vec![
        (said(404, "InvalidParameter", NO_GROUP), "200 4088", &["VServer", NO_GROUP]),
        (
            said(400, "InvalidParameter", "bad port"),
            "200 4090",
            &["uhost-ghi789", "InvalidParameter", "bad port"],
        ),
        (said(400, "InstanceBackendServerNumberOverLimit", "full"), "200 4207", &["uhost-ghi789", "full"]),
        (said(400, "NetworkConflict", "vpc"), "200 63032", &["uhost-ghi789", "vpc"]),
        (said(400, "Throttling.User", "slower"), "200 153", &[]),
        (said(400, "VServerGroupProcessing", "pending"), "200 4100", &["uhost-ghi789", "pending"]),
        (said(503, "ServiceUnavailable", "down"), "200 150", &["uhost-ghi789", "down"]),
        (said(500, "InternalError", "unknown"), "200 150", &["uhost-ghi789"]),
        (said(400, "Something.New", "news"), "200 4090", &["uhost-ghi789", "Something.New", "news"]),
        (said(200, "ObtainIpFail", "gone"), "200 230", &["uhost-ghi789", "gone"]),
        (Reply::new(StatusCode::BAD_GATEWAY, "text/html", "<html>"), "200 150", &["uhost-ghi789"]),
    ];
    for (status, code) in [
        (400, "ObtainIpFail"),
        (404, "InvalidServerId.NotFound"),
        (400, "InvalidServerId.NotExist"),
        (404, "ResourceNotFound.vServers"),
    ] {
        rows.push((
            said(status, code, "gone"),
            "200 230",
            &["Params [ResourceId] not available", "uhost-ghi789", "gone"],
        ));
    }
    let request = in_form("", &plain_signed(&ucloud_add()));
    tell(&request, rows, &[]).await;
    let denied = [
        (400, "SignatureDoesNotMatch"),
        (400, "IncompleteSignature"),
        (404, "InvalidAccessKeyId.NotFound"),
        (400, "InvalidAccessKeyId.Inactive"),
        (400, "InvalidSecurityToken.Expired"),
        (400, "InvalidTimeStamp.Expired"),
        (403, "Forbidden"),
        (403, "Forbidden.RAM"),
        (403, "UnauthorizedRegion"),
    ];
    let denied = denied.map(|(status, code)| (said(status, code, "Specified signature"), "200 130", NOTHING));
    tell(&request, denied.into(), &["ignature", "AccessKey", "Forbidden"]).await;
}

#[tokio::test]
async fn a_target_that_cannot_be_reached_or_does_not_answer_is_told_apart() {
    let aliyun = || in_query("GET", &rpc_signed("GET", &aliyun_add(ONE_SERVER)));
    let ucloud = || in_form("", &plain_signed(&ucloud_add()));
    let absent = Outpost::open(&[], Answers::Absent).await;
    assert_eq!(told(&absent.ask(&aliyun()).await).code, "503 ServiceUnavailable");
    assert_eq!(told(&absent.ask(&ucloud()).await).code, "200 150");
    let impatient = [("upstream_timeout = \"10s\"", "upstream_timeout = \"500ms\"")];
    let silent = Outpost::open(&impatient, Answers::Never).await;
    let (aliyun, ucloud) = (aliyun(), ucloud());
    let (aliyun, ucloud) = join(silent.ask(&aliyun), silent.ask(&ucloud)).await;
    assert_eq!(told(&aliyun).code, "503 ServiceUnavailable");
    assert_eq!(told(&ucloud).code, "200 110");
}

#[tokio::test]
async fn a_gateway_with_its_hands_full_says_when_to_come_again() {
    let outpost = Outpost::open(&[("max_in_flight = 1024", "max_in_flight = 1")], Answers::Never).await;
    let first = in_query("GET", &rpc_signed("GET", &aliyun_add(ONE_SERVER)));
    let second = in_query("GET", &rpc_signed("GET", &aliyun_add(ONE_SERVER)));
    let third = in_form("", &plain_signed(&ucloud_add()));
    let refused = async {
        outpost.target.called().await;
        (outpost.ask(&second).await, outpost.ask(&third).await)
    };
    let (aliyun, ucloud) = tokio::select! {
        reply = outpost.ask(&first) => panic!("it is answered before its target: {reply:?}"),
        refused = refused => refused,
    };
    assert_eq!(told(&aliyun).code, "503 ServiceUnavailable");
    assert_eq!(ucloud.status, StatusCode::SERVICE_UNAVAILABLE);
    for reply in [aliyun, ucloud] {
        let seconds = reply.header("retry-after").map(str::parse::<u32>);
        assert!(matches!(seconds, Some(Ok(_))), "{reply:?}");
    }
}

const NO_GROUP: &str = "The specified VServerGroupId does not exist.";
const ONE_SERVER: &str = r#"[{"ServerId":"i-bp1example00000001","Port":80}]"#;
const NOTHING: &[&str] = &[];

/// Asks once before each of these targets, all at the same time: one that says that it is busy is asked again.
async fn tell(request: &[u8], rows: Vec<Saying<'_>>, lacks: &[&str]) {
    let asked = rows.into_iter().map(|(says, code, words)| async move {
        let soon = ("max_in_flight = 1024", "request_timeout = \"2s\"");
        let outpost = Outpost::open(&[soon], Answers::Always(says.clone())).await;
        let reply = outpost.ask(request).await;
        let Told { code: found, message } = told(&reply);
        let silent = words.iter().filter(|word| !message.contains(**word)).collect::<Vec<_>>();
        let leaked = lacks.iter().filter(|word| message.contains(**word)).collect::<Vec<_>>();
        let right = text_fits(code, &found) && silent.is_empty() && leaked.is_empty();
        (!right).then(|| {
            format!(
                "{:?}: wanted {code}, found {found}: {message}; silent on {silent:?}, leaks {leaked:?}",
                says.body
            )
        })
    });
    let problems: Vec<String> = join_all(asked).await.into_iter().flatten().collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}
