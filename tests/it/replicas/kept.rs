//! What one replica keeps of what a target cannot hold, another gives back at once.

use std::time::Duration;

use super::{GROUP, allocate, backend_id, describe_vserver, of_backend, two};
use crate::support::{house::Clouds, postgres::Postgres};

#[test]
fn a_description_is_read_through_the_other_replica() {
    let Some(postgres) = Postgres::shared() else { return };
    let clouds = Clouds::open(Duration::ZERO);
    clouds.wait(async {
        let (one, other) = two(&clouds, &postgres.database()).await;
        for at in 0..10 {
            let (writer, reader) = if at % 2 == 0 { (&one, &other) } else { (&other, &one) };
            let words = format!("words-{at}");
            let servers = format!(
                "[{{'ServerId':'i-bp1example00000001','Port':{},'Description':'{words}'}}]",
                8000 + at
            );
            let add = format!("Action=AddVServerGroupBackendServers&{GROUP}&BackendServers={servers}");
            let added = writer.aliyun(&add).await;
            assert!(added.starts_with("200 "), "{added}");
            let told = reader.aliyun(&format!("Action=DescribeVServerGroupAttribute&{GROUP}")).await;
            assert!(told.contains(&words), "{told}");
        }
    });
}

#[test]
fn the_weight_of_a_disabled_backend_is_read_through_the_other_replica() {
    let Some(postgres) = Postgres::shared() else { return };
    let clouds = Clouds::open(Duration::ZERO);
    clouds.wait(async {
        let (one, other) = two(&clouds, &postgres.database()).await;
        let id = backend_id(&one.ucloud(&allocate(1, 80)).await);
        for (writer, reader, weight) in [(&one, &other, 31), (&other, &one, 47)] {
            let disable = of_backend("UpdateBackendAttribute", &id) + &format!("&Enabled=0&Weight={weight}");
            let changed = writer.ucloud(&disable).await;
            assert!(changed.contains("\"RetCode\":0"), "{changed}");
            let told = reader.ucloud(&describe_vserver()).await;
            assert!(
                told.contains(&format!("\"Weight\":{weight}")) && told.contains("\"Enabled\":0"),
                "{told}"
            );
        }
    });
}
