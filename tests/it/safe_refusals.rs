//! What a target refuses for the moment is asked again, signed anew, inside the request's time; what it refuses for good is
//! not. The codes are those that the clouds' documents and their clients' retry lists name.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use http::StatusCode;
use tokio::{runtime::Runtime, time::Instant};
use weighbridge::{config::Config, wire::Reply};

use crate::support::{
    breaker::{Becomes, Heard},
    caller::{pairs, told},
    demo_config,
    program::announce,
    scene::{Caller, Scene, succeeded},
    signing::Pairs,
    target::param_of,
};

/// Codes of Alibaba Cloud's that say: not now. Each with the status that comes with it.
const BUSY_THERE: &[(u16, &str)] = &[
    (400, "VServerGroupProcessing"),
    (400, "ServiceIsConfiguring"),
    (409, "ServiceIsStopping"),
    (409, "BackendServer.configuring"),
    (400, "BackendServerProcessing"),
    (400, "OperationFailed.ServiceGroupProcessing"),
    (400, "OperationBusy"),
    (400, "SystemBusy"),
    (449, "SystemBusy"),
    (400, "VpcSystemBusy"),
    (409, "OperationConflict"),
    (400, "Operation.Conflict"),
    (400, "ProcessingSameRequest"),
    (400, "Throttling"),
    (400, "Throttling.User"),
    (400, "Throttling.Api"),
    (400, "Rejected.Throttling"),
    (429, "SomethingNew"),
];

/// Codes of Alibaba Cloud's that say: not at all; or that leave open whether it was done, which a look has to tell.
const FINAL_THERE: &[(u16, &str)] = &[
    (400, "ObtainIpFail"),
    (400, "InvalidServerId.NotExist"),
    (404, "ResourceNotFound.vServers"),
    (400, "InvalidBackendServers.ServerIpConflict"),
    (400, "NetworkConflict"),
    (400, "LbStatusNotSupport"),
    // In use by a listener, which does not go away by waiting: the caller is told, and its tools ask again themselves.
    (400, "RspoolVipExist"),
    (400, "OperationUnsupported.AddVServerGroupBackendServers"),
    (400, "OperationDenied.DeleteProtectionIsOn"),
    (400, "InstanceBackendServerNumberOverLimit"),
    (400, "SignatureNonceUsed"),
    (403, "Forbidden.RAM"),
    (500, "InternalError"),
    (503, "ServiceUnavailable"),
];

/// RetCodes of UCloud's that say: not now, "try later".
const BUSY_HERE: &[u32] =
    &[153, 4070, 4071, 4072, 4073, 4074, 4125, 4126, 4127, 4128, 4129, 4135, 4136, 4137];

/// RetCodes that say: not at all; or that leave open whether it was done.
const FINAL_HERE: &[u32] = &[
    110, 130, 150, 151, 152, 171, 172, 230, 292, 4088, 4090, 4092, 4100, 4107, 4110, 4118, 4120, 4207, 63032,
];

fn of_aliyun(&(status, code): &(u16, &str)) -> Reply {
    let body = format!(r#"{{"RequestId":"365F4154","Code":"{code}","Message":"please try again later"}}"#);
    Reply::new(StatusCode::from_u16(status).unwrap(), "application/json", body)
}

fn of_ucloud(code: u32) -> Reply {
    let body = format!(r#"{{"Action":"AllocateBackendResponse","RetCode":{code},"Message":"try later"}}"#);
    Reply::new(StatusCode::OK, "application/json", body)
}

/// An add of one backend, in the caller's language.
fn add(caller: Caller) -> (&'static str, Pairs) {
    match caller {
        Caller::Aliyun => {
            let list = r#"[{"ServerId":"i-bp1example00000001","Port":"80","Weight":"50"}]"#;
            let own = pairs(&[("VServerGroupId", "rsp-cige6j5e7p"), ("BackendServers", list)]);
            ("AddVServerGroupBackendServers", own)
        }
        Caller::Ucloud => {
            let own = pairs(&[
                ("ULBId", "ulb-abc123"),
                ("VServerId", "vserver-def456"),
                ("ResourceType", "UHost"),
                ("ResourceId", "uhost-demo01"),
                ("Port", "80"),
            ]);
            ("AllocateBackend", own)
        }
    }
}

/// Whether a change that is refused once so is sent again.
async fn is_sent_again(config: &Config, caller: Caller, refusal: Reply) -> bool {
    let scene = Scene::open(config, caller, Duration::ZERO).await;
    scene.breaker.follow(move |heard| match heard.change {
        1 => Becomes::Told(refusal.clone()),
        _ => Becomes::Whole,
    });
    let (action, own) = add(caller);
    let reply = scene.ask_all(action, own).await;
    let again = scene.breaker.changes().len() == 2;
    assert_eq!(succeeded(&reply), again, "{reply:?}");
    again
}

#[test]
fn refusals_of_the_moment_are_retried_and_no_others() {
    let mut rows = Vec::new();
    let said = |reply: &Reply| String::from_utf8_lossy(&reply.body).into_owned();
    rows.extend(BUSY_THERE.iter().map(|code| (Caller::Ucloud, of_aliyun(code), true)));
    rows.extend(FINAL_THERE.iter().map(|code| (Caller::Ucloud, of_aliyun(code), false)));
    rows.extend(BUSY_HERE.iter().map(|code| (Caller::Aliyun, of_ucloud(*code), true)));
    rows.extend(FINAL_HERE.iter().map(|code| (Caller::Aliyun, of_ucloud(*code), false)));
    let (count, config) = (rows.len(), demo_config());
    let wrong: Vec<String> = Runtime::new().unwrap().block_on(async {
        let run = |(caller, refusal, retried): (Caller, Reply, bool)| {
            let config = &config;
            async move {
                let again = is_sent_again(config, caller, refusal.clone()).await;
                (again != retried).then(|| format!("sent again: {again}: {}", said(&refusal)))
            }
        };
        stream::iter(rows).map(run).buffer_unordered(16).filter_map(std::future::ready).collect().await
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
    announce(&format!(
        "{count} codes of both clouds: what is said for the moment is asked again, and nothing else"
    ));
}

/// What makes an attempt its own: a nonce, a time and a signature, wherever they travel.
fn marks(heard: &Heard) -> [String; 3] {
    let either = |header: &str, name: &str| {
        let told = heard.call.header(header).map(str::to_owned);
        told.or_else(|| param_of(&heard.call, name)).expect("a signed call")
    };
    [
        either("x-acs-signature-nonce", "SignatureNonce"),
        either("authorization", "Signature"),
        either("x-acs-date", "Timestamp"),
    ]
}

#[test]
fn each_attempt_is_signed_anew_and_the_pauses_grow() {
    for scheme in ["acs3", "v1"] {
        let mut config = demo_config();
        for target in &mut config.targets {
            if target.provider == "aliyun" {
                scheme.clone_into(&mut target.scheme);
            }
        }
        Runtime::new().unwrap().block_on(async {
            let scene = Scene::open(&config, Caller::Ucloud, Duration::ZERO).await;
            scene.breaker.follow(|heard| match heard.change {
                1..=4 => Becomes::Told(of_aliyun(&(400, "SystemBusy"))),
                _ => Becomes::Whole,
            });
            let (action, own) = add(Caller::Ucloud);
            let reply = scene.ask_all(action, own).await;
            assert!(succeeded(&reply), "{reply:?}");
            let heard = scene.breaker.changes();
            let differ = |mark: usize| {
                let mut all: Vec<String> = heard.iter().map(|heard| marks(heard)[mark].clone()).collect();
                all.sort();
                all.dedup();
                all.len()
            };
            assert_eq!((heard.len(), differ(0), differ(1)), (5, 5, 5), "nonces and signatures of {scheme}");
            assert!(differ(2) > 1, "a time of its own, to the second");
            check_pauses(&heard);
        });
    }
}

/// How much later than it should anything happens on a busy machine.
const LATE: Duration = Duration::from_secs(1);

/// Each pause is between half of its length and all of it: 250 ms, and twice as long each time.
fn check_pauses(heard: &[Heard]) {
    for (pair, at) in heard.windows(2).zip(0..) {
        let (pause, full) = (pair[1].at - pair[0].at, Duration::from_millis(250) * 2_u32.pow(at));
        assert!(pause >= full / 2 && pause < full + LATE, "{pause:?} of {full:?}");
    }
}

#[test]
fn retrying_ends_inside_the_deadline_with_the_callers_own_word_for_busy() {
    let mut config = demo_config();
    config.limits.request_timeout = Duration::from_secs(2);
    let rows = [
        (Caller::Ucloud, of_aliyun(&(400, "SystemBusy")), "200 4100"),
        (Caller::Ucloud, of_aliyun(&(400, "Throttling.User")), "200 153"),
        (Caller::Aliyun, of_ucloud(153), "400 Throttling"),
        (Caller::Aliyun, of_ucloud(4074), "400 VServerGroupProcessing"),
    ];
    let run = |(caller, refusal, code): (Caller, Reply, &'static str)| {
        let config = &config;
        async move {
            let scene = Scene::open(config, caller, Duration::ZERO).await;
            scene.breaker.follow(move |heard| match heard.change {
                0 => Becomes::Whole,
                _ => Becomes::Told(refusal.clone()),
            });
            let (began, (action, own)) = (Instant::now(), add(caller));
            let reply = scene.ask_all(action, own).await;
            let (took, attempts) = (began.elapsed(), scene.breaker.changes().len());
            assert_eq!(told(&reply).code, code, "{reply:?}");
            assert!(took < config.limits.request_timeout + LATE, "{took:?}");
            assert!(attempts >= 3, "{attempts}");
        }
    };
    Runtime::new().unwrap().block_on(stream::iter(rows).map(run).buffer_unordered(4).collect::<()>());
}
