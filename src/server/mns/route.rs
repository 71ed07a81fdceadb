//! One request of the MNS API: who sends it, what it asks, what it is answered.

use super::auth::{authorize, identify};
use super::fault::{MnsFault, Thing};
use super::{queue, topic};
use crate::engine::queues::Queues;
use crate::error::Error;
use crate::server::access::Role;
use crate::server::http::Incoming;
use crate::server::params::Params;
use crate::server::state::State;
use std::time::Duration;

/// Names of queues or topics of one page where the request does not say.
const PAGE: usize = 1000;

/// Whether a path belongs to this API.
pub(in crate::server) fn is_path(path: &str) -> bool {
    ["/queues", "/topics"]
        .iter()
        .any(|p| path.strip_prefix(p).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// What a request is answered where nothing is wrong.
#[derive(Debug, Default)]
pub(in crate::server) struct Answer {
    pub(in crate::server) status: u16,
    pub(in crate::server) body: Vec<u8>,
    /// `Location`, or empty.
    pub(in crate::server) location: String,
}

impl Answer {
    pub(super) fn empty(status: u16) -> Answer {
        Answer { status, ..Answer::default() }
    }

    pub(super) fn with(status: u16, body: Vec<u8>) -> Answer {
        Answer { status, body, ..Answer::default() }
    }
}

/// A call to receive that found nothing and has time left.
#[derive(Debug)]
pub(in crate::server) struct Poll {
    pub(super) queue: String,
    pub(super) most: Option<usize>,
    /// How long to wait for a message.
    pub(in crate::server) wait: Duration,
    /// When a hidden message becomes visible, milliseconds since 1970.
    pub(in crate::server) next: Option<u64>,
    /// How many calls of the bell had come before the queue was looked at.
    pub(in crate::server) seen: u64,
}

impl Poll {
    /// Time from `present` (milliseconds since 1970) until a hidden message becomes visible.
    pub(in crate::server) fn until_next(&self, present: i64) -> Option<Duration> {
        let present = u64::try_from(present).unwrap_or(0);
        self.next.map(|at| Duration::from_millis(at.saturating_sub(present).max(1)))
    }
}

/// What came of it.
pub(super) enum Reply {
    Done(Answer),
    /// Nothing is there yet.
    Wait(Poll),
}

/// A request that was identified and run.
pub(in crate::server) struct Served {
    /// Name of the operation, for metrics and log.
    pub(in crate::server) action: &'static str,
    pub(in crate::server) key_id: String,
    pub(in crate::server) answer: Result<Answer, MnsFault>,
    pub(in crate::server) poll: Option<Poll>,
}

/// A request to a handler.
pub(super) struct Ask<'a> {
    pub(super) queues: &'a Queues,
    pub(super) request: &'a Incoming,
    pub(super) query: &'a Params,
    /// Names in the path: of the queue or topic, of the subscription.
    pub(super) name: &'a str,
    pub(super) second: &'a str,
    pub(super) base: String,
    pub(super) account: &'a str,
}

impl Ask<'_> {
    pub(super) fn header(&self, name: &str) -> &str {
        self.request.head.field(name).unwrap_or("")
    }

    /// Prefix, marker and number of names of a listing.
    pub(super) fn page(&self) -> Result<(&str, &str, usize), MnsFault> {
        let most = match self.header("x-mns-ret-number") {
            "" => PAGE,
            text => match text.parse() {
                Ok(most @ 1..=PAGE) => most,
                _ => return Err(MnsFault::invalid(format!("x-mns-ret-number: expected 1 to {PAGE}, got {text:?}"))),
            },
        };
        Ok((self.header("x-mns-prefix"), self.header("x-mns-marker"), most))
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, MnsFault> {
        let Some(text) = self.query.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| MnsFault::invalid(format!("{name}: expected a number, got {text:?}")))
    }
}

/// An operation.
struct Operation {
    name: &'static str,
    role: Role,
    run: fn(&Ask<'_>) -> Result<Reply, MnsFault>,
}

const fn operation(name: &'static str, role: Role, run: fn(&Ask<'_>) -> Result<Reply, MnsFault>) -> Operation {
    Operation { name, role, run }
}

/// Finds the operation, and the names in the path.
fn find<'p>(method: &str, path: &'p str, query: &Params) -> Option<(Operation, &'p str, &'p str)> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let meta = query.get("metaoverride") == Some("true");
    let peek = query.get("peekonly") == Some("true");
    let found = match (method, parts.as_slice()) {
        ("GET", ["queues"]) => operation("mns:ListQueue", Role::Read, queue::list),
        ("PUT", ["queues", _]) if meta => operation("mns:SetQueueAttributes", Role::Admin, queue::set),
        ("PUT", ["queues", _]) => operation("mns:CreateQueue", Role::Admin, queue::create),
        ("GET", ["queues", _]) => operation("mns:GetQueueAttributes", Role::Read, queue::get),
        ("DELETE", ["queues", _]) => operation("mns:DeleteQueue", Role::Admin, queue::delete),
        ("POST", ["queues", _, "messages"]) => operation("mns:SendMessage", Role::Index, queue::send),
        ("GET", ["queues", _, "messages"]) if peek => operation("mns:PeekMessage", Role::Read, queue::peek),
        ("GET", ["queues", _, "messages"]) => operation("mns:ReceiveMessage", Role::Index, queue::receive),
        ("DELETE", ["queues", _, "messages"]) => operation("mns:DeleteMessage", Role::Index, queue::delete_messages),
        ("PUT", ["queues", _, "messages"]) => operation("mns:ChangeMessageVisibility", Role::Index, queue::change),
        ("GET", ["topics"]) => operation("mns:ListTopic", Role::Read, topic::list),
        ("PUT", ["topics", _]) if meta => operation("mns:SetTopicAttributes", Role::Admin, topic::set),
        ("PUT", ["topics", _]) => operation("mns:CreateTopic", Role::Admin, topic::create),
        ("GET", ["topics", _]) => operation("mns:GetTopicAttributes", Role::Read, topic::get),
        ("DELETE", ["topics", _]) => operation("mns:DeleteTopic", Role::Admin, topic::delete),
        ("POST", ["topics", _, "messages"]) => operation("mns:PublishMessage", Role::Index, topic::publish),
        ("GET", ["topics", _, "subscriptions"]) => operation("mns:ListSubscription", Role::Read, topic::subscriptions),
        ("PUT", ["topics", _, "subscriptions", _]) if meta => {
            operation("mns:SetSubscriptionAttributes", Role::Admin, topic::set_subscription)
        }
        ("PUT", ["topics", _, "subscriptions", _]) => operation("mns:Subscribe", Role::Admin, topic::subscribe),
        ("GET", ["topics", _, "subscriptions", _]) => {
            operation("mns:GetSubscriptionAttributes", Role::Read, topic::subscription)
        }
        ("DELETE", ["topics", _, "subscriptions", _]) => operation("mns:Unsubscribe", Role::Admin, topic::unsubscribe),
        _ => return None,
    };
    Some((found, parts.get(1).copied().unwrap_or(""), parts.get(3).copied().unwrap_or("")))
}

/// Identifies and runs a request.
pub(in crate::server) fn serve(state: &State, request: &Incoming) -> Served {
    let mut served = Served { action: "mns", key_id: String::new(), answer: Ok(Answer::default()), poll: None };
    match run(state, request, &mut served) {
        Ok(Reply::Done(answer)) => served.answer = Ok(answer),
        Ok(Reply::Wait(poll)) => (served.answer, served.poll) = (Err(MnsFault::no_message()), Some(poll)),
        Err(fault) => served.answer = Err(fault),
    }
    served
}

fn run(state: &State, request: &Incoming, served: &mut Served) -> Result<Reply, MnsFault> {
    let key = identify(state, request)?;
    served.key_id.clone_from(&key.grant.id);
    let query = Params::decode(request.head.query(), "").map_err(MnsFault::invalid)?;
    let head = &request.head;
    let Some((operation, name, second)) = find(&head.method, head.path(), &query) else {
        return Err(MnsFault::new(400, "InvalidRequestURL", "Http request URL is invalid."));
    };
    served.action = operation.name;
    authorize(&key, operation.role)?;
    let base = format!("http://{}", head.field("host").unwrap_or(""));
    (operation.run)(&Ask {
        queues: state.engine.queues(),
        request,
        query: &query,
        name,
        second,
        base,
        account: &state.options.style.account,
    })
}

/// Looks once more for messages; the poll learns when to look again.
pub(in crate::server) fn receive_again(queues: &Queues, poll: &mut Poll) -> Result<Answer, MnsFault> {
    poll.seen = queues.wait(0, Duration::ZERO);
    let received = queues.try_receive(&poll.queue, poll.most.unwrap_or(1)).map_err(|e| of_queue(&e))?;
    poll.next = received.next;
    queue::received(&received.messages, poll.most.is_some()).ok_or_else(MnsFault::no_message)
}

pub(super) fn of_queue(error: &Error) -> MnsFault {
    MnsFault::of(error, Thing::Queue)
}
