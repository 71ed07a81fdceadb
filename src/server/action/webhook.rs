//! Webhooks and the state of receivers: beyond the API, so that they can be managed while the server holds the database.

use super::table::{Action, Call, Kind, Param, Reply};
use crate::engine::queues::{ReceiverState, Strategy, Webhook, WebhookSpec};
use crate::server::access::Role;
use crate::server::fault::Fault;
use serde::Serialize;

const NAME: Param = Param::required("WebhookName", Kind::Text { chars: 255 }, "The webhook.");

pub(super) static ACTIONS: &[Action] = &[
    Action {
        name: "CreateWebhook",
        role: Role::Admin,
        global: false,
        params: &[
            NAME,
            Param::required("URL", Kind::Text { chars: 2048 }, "Where to post."),
            Param::optional(
                "Secret",
                Kind::Text { chars: 128 },
                "whsec_ and 24 to 64 bytes in Base64; made where not given.",
            ),
            Param::optional(
                "EventTypes",
                Kind::List { most: 100 },
                "Types of events, or beginnings that end in *; empty for all.",
            ),
            Param::optional("OnlyProject", Kind::Text { chars: 128 }, "Only events of this project."),
            Param::optional("OnlyDataset", Kind::Text { chars: 128 }, "Only events of this dataset."),
            Param::optional(
                "NotifyStrategy",
                Kind::Choice(&["BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY"]),
                "How it is tried again; EXPONENTIAL_DECAY_RETRY where not given.",
            ),
        ],
        answer: &["Webhook"],
        about: "Beyond the API: adds a webhook, and shows its secret once.",
        run: create,
    },
    Action {
        name: "ListWebhooks",
        role: Role::Admin,
        global: false,
        params: &[],
        answer: &["Webhooks"],
        about: "Beyond the API: all webhooks by name, without secrets.",
        run: list,
    },
    Action {
        name: "DeleteWebhook",
        role: Role::Admin,
        global: false,
        params: &[NAME],
        answer: &[],
        about: "Beyond the API: removes a webhook with what it never took.",
        run: delete,
    },
    Action {
        name: "ListReceivers",
        role: Role::Admin,
        global: false,
        params: &[],
        answer: &["Receivers"],
        about: "Beyond the API: how far webhooks, subscriptions and queues have been told.",
        run: receivers,
    },
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WebhookOut<'a> {
    webhook_name: &'a str,
    #[serde(rename = "URL")]
    url: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    secret: &'a str,
    event_types: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    only_project: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    only_dataset: &'a str,
    notify_strategy: String,
}

impl<'a> WebhookOut<'a> {
    fn of(webhook: &'a Webhook, secret: &'a str) -> WebhookOut<'a> {
        WebhookOut {
            webhook_name: &webhook.name,
            url: &webhook.url,
            secret,
            event_types: &webhook.types,
            only_project: &webhook.project,
            only_dataset: &webhook.dataset,
            notify_strategy: webhook.strategy.to_string(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiverOut<'a> {
    receiver: &'a str,
    endpoint: &'a str,
    behind: u64,
    delivered: u64,
    dead: u64,
    tries: u32,
    suspended: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    failure: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

impl<'a> ReceiverOut<'a> {
    fn of(state: &'a ReceiverState) -> ReceiverOut<'a> {
        ReceiverOut {
            receiver: &state.name,
            endpoint: &state.endpoint,
            behind: state.behind,
            delivered: state.delivered,
            dead: state.dead,
            tries: state.tries,
            suspended: state.suspended,
            failure: &state.failure,
            failed: state.failed.map(|time| time.to_string()),
        }
    }
}

fn create(call: &Call<'_>) -> Result<Reply, Fault> {
    let params = call.params;
    let spec = WebhookSpec {
        url: params.text("URL").to_owned(),
        secret: params.given("Secret"),
        types: params.list("EventTypes")?,
        project: params.text("OnlyProject").to_owned(),
        dataset: params.text("OnlyDataset").to_owned(),
        strategy: params.given("NotifyStrategy").map(|text| text.parse::<Strategy>()).transpose()?,
    };
    let webhook = call.state.engine.queues().add_webhook(params.text("WebhookName"), &spec)?;
    Reply::new().with("Webhook", &WebhookOut::of(&webhook, &webhook.secret))
}

fn list(call: &Call<'_>) -> Result<Reply, Fault> {
    let webhooks = call.state.engine.queues().webhooks()?;
    let shown: Vec<WebhookOut<'_>> = webhooks.iter().map(|webhook| WebhookOut::of(webhook, "")).collect();
    Reply::new().with("Webhooks", &shown)
}

fn delete(call: &Call<'_>) -> Result<Reply, Fault> {
    call.state.engine.queues().remove_webhook(call.params.text("WebhookName"))?;
    Ok(Reply::new())
}

fn receivers(call: &Call<'_>) -> Result<Reply, Fault> {
    let states = call.state.engine.queues().receivers()?;
    let shown: Vec<ReceiverOut<'_>> = states.iter().map(ReceiverOut::of).collect();
    Reply::new().with("Receivers", &shown)
}
