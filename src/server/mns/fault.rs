//! Errors as MNS tells them: an XML document of four members.

use super::xml::Writer;
use crate::error::{Error, ErrorKind};
use crate::server::fault::Fault;

/// An error of the MNS API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct MnsFault {
    pub(in crate::server) status: u16,
    pub(in crate::server) code: &'static str,
    pub(in crate::server) message: String,
}

/// What a missing or existing thing is called in codes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Thing {
    Queue,
    Topic,
    Subscription,
}

impl MnsFault {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> MnsFault {
        MnsFault { status, code, message: message.into() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> MnsFault {
        MnsFault::new(400, "InvalidArgument", message)
    }

    /// There was no turn for it.
    pub(in crate::server) fn busy() -> MnsFault {
        MnsFault::new(503, "ServiceUnavailable", "Too many requests are waiting; try again.")
    }

    pub(in crate::server) fn is_no_message(&self) -> bool {
        self.code == "MessageNotExist"
    }

    pub(super) fn no_message() -> MnsFault {
        MnsFault::new(404, "MessageNotExist", "Message not exist.")
    }

    pub(super) fn bad_receipt() -> MnsFault {
        MnsFault::new(400, "ReceiptHandleError", "The receipt handle you provide is not valid.")
    }

    /// An error of the engine while it looked for a thing.
    pub(super) fn of(error: &Error, thing: Thing) -> MnsFault {
        let (status, code) = match (error.kind(), thing) {
            (ErrorKind::NotFound, Thing::Queue) => (404, "QueueNotExist"),
            (ErrorKind::NotFound, Thing::Topic) => (404, "TopicNotExist"),
            // The sentence says which of the two it is; so does the code.
            (ErrorKind::NotFound, Thing::Subscription) if error.message().starts_with("the topic") => {
                (404, "TopicNotExist")
            }
            (ErrorKind::NotFound, Thing::Subscription) => (404, "SubscriptionNotExist"),
            (ErrorKind::AlreadyExists, Thing::Queue) => (409, "QueueAlreadyExist"),
            (ErrorKind::AlreadyExists, Thing::Topic) => (409, "TopicAlreadyExist"),
            (ErrorKind::AlreadyExists, Thing::Subscription) => (409, "SubscriptionAlreadyExist"),
            (ErrorKind::InvalidArgument, _) => (400, "InvalidArgument"),
            (ErrorKind::LimitExceeded, _) => (403, "QuotaExceeded"),
            _ => (500, "InternalError"),
        };
        // What is inside stays inside.
        let shown = if status == 500 { "The server could not do it.".to_owned() } else { error.message().to_owned() };
        MnsFault::new(status, code, shown)
    }

    /// The document.
    pub(in crate::server) fn document(&self, request_id: &str, host: &str) -> Vec<u8> {
        let mut writer = Writer::new("Error");
        writer.text("Code", self.code).text("Message", &self.message).text("RequestId", request_id);
        writer.text("HostId", &format!("http://{host}"));
        writer.finish()
    }
}

impl From<Fault> for MnsFault {
    fn from(fault: Fault) -> MnsFault {
        let code = match fault.status {
            403 => "AccessDenied",
            429 => "Throttling",
            500 => "InternalError",
            _ => "InvalidSecurityToken",
        };
        MnsFault::new(fault.status, code, fault.message)
    }
}
