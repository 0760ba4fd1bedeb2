//! The built binary from outside: what each command prints, and what it exits with.

mod arguments;
mod check;
mod demo;
mod explain;
mod secrets;
mod serve;

/// "Request example" — AddVServerGroupBackendServers.
const ALIBABA_PAGE: &str = "
http(s)://[Endpoint]/? Action=AddVServerGroupBackendServers
&BackendServers=[{'ServerId':'vm-233','Port':'80','Weight':'100'},{'ServerId':'vm-232','Port':'90','Weight':'100'},{'ServerId':'vm-231','Port':'70','Weight':'100'}]
&RegionId=cn-hangzhou
&VServerGroupId=rsp-cige6j5e7p
&<CommonParameters>
";

/// Parameters of an add to the embedded default's group, without its backends.
const RSP: &str = "Action=AddVServerGroupBackendServers&RegionId=cn-hangzhou&VServerGroupId=rsp-cige6j5e7p";
/// The same in UCloud's ids.
const VSERVER: &str = "ProjectId=org-abc123&Region=cn-bj2&ULBId=ulb-abc123&VServerId=vserver-def456";

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
