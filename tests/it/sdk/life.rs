//! The life of a group, one call after the other, in a caller's SDK and before a simulated target.

use serde_json::{Value, json};
use weighbridge::model::{Group, Kind};

use super::driver::{Sdk, Session, Told};
use crate::support::house::{Held, House};

/// An SDK in one process, and the house that it calls.
pub struct Life {
    /// The gateway and the clouds behind it.
    pub house: House,
    /// The name of the target that does the work.
    pub target: &'static str,
    session: Session,
    common: Value,
}

impl Life {
    /// Begins one; none when the SDK is skipped.
    pub fn begin(sdk: Sdk, house: House) -> Option<Self> {
        let session = sdk.driver()?.session();
        let (target, mut common) = match sdk {
            Sdk::Ucloud | Sdk::UcloudBatch => (
                "aliyun-simulated",
                json!({"key_id": "demo-ucloud", "secret": "demo-ucloud-secret", "region": "cn-bj2",
                       "project": "org-abc123"}),
            ),
            Sdk::Tea | Sdk::TeaV1 | Sdk::Classic | Sdk::PopCoreGet | Sdk::PopCorePost | Sdk::Libcloud => (
                "ucloud-simulated",
                json!({"key_id": "demo-aliyun", "secret": "demo-aliyun-secret", "region": "cn-hangzhou"}),
            ),
        };
        common["endpoint"] = house.endpoint().into();
        Some(Self { house, target, session, common })
    }

    /// What the SDK gave its caller for this call.
    pub fn ask(&mut self, call: &str, params: Value) -> Told {
        let mut job = self.common.clone();
        job["call"] = call.into();
        job["params"] = params;
        self.session.told(&job)
    }

    /// The answer to a call that succeeds, without its request id.
    pub fn told(&mut self, call: &str, params: Value) -> Value {
        let sent = params.to_string();
        let mut told = self.ask(call, params).unwrap_or_else(|error| panic!("{call} {sent}: {error}"));
        told.as_object_mut().unwrap().remove("RequestId");
        told
    }

    /// What the SDK raised for a call that fails.
    pub fn refused(&mut self, call: &str, params: Value) -> Value {
        let sent = params.to_string();
        match self.ask(call, params) {
            Ok(told) => panic!("{call} {sent}: {told}"),
            Err(error) => error,
        }
    }

    /// What a group of the target holds, by port.
    pub fn held(&self, group: &str) -> Vec<Held> {
        self.house.clouds().held(self.target, group)
    }

    /// A group of the target.
    pub fn group(&self, group: &str) -> Option<Group> {
        let groups = self.house.clouds().groups(self.target);
        groups.into_iter().find(|known| known.id.group.as_str() == group)
    }

    /// The id of the group of the target that was made last.
    pub fn newest(&self) -> String {
        self.house.clouds().groups(self.target).last().unwrap().id.group.to_string()
    }
}

/// What a target holds: port, server and weight; none for one that gets no traffic.
pub fn holds(of: &[(u16, &str, Option<u8>)]) -> Vec<Held> {
    let held = |(port, server, weight): &(u16, &str, Option<u8>)| {
        let kind = match server.split('-').next() {
            Some("uni" | "eni") => Kind::Interface,
            Some("cube" | "eci") => Kind::Container,
            Some("upm") => Kind::Metal,
            _ => Kind::Instance,
        };
        Held { port: *port, server: (*server).to_owned(), kind, weight: *weight }
    };
    of.iter().map(held).collect()
}
