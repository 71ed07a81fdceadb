//! Regions (operations.md 7): there is one, this machine.

use super::table::{Action, Call, Kind, Param, Reply};
use crate::server::access::Role;
use crate::server::fault::Fault;
use serde::Serialize;

pub(super) static ACTIONS: &[Action] = &[Action {
    name: "ListRegions",
    role: Role::Read,
    global: true,
    params: &[Param::required(
        "AcceptLanguage",
        Kind::Choice(&["zh-CN", "en-US", "ja"]),
        "Language of the names; the one region has the same name in all.",
    )],
    answer: &["Regions"],
    about: "The one region that this server stands for.",
    run: list,
}];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Region<'a> {
    region_id: &'a str,
    local_name: &'a str,
}

fn list(call: &Call<'_>) -> Result<Reply, Fault> {
    let region = call.state.options.region.as_str();
    Reply::new().with("Regions", &[Region { region_id: region, local_name: region }])
}
