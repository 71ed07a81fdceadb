//! One request from head to answer: route, identify, limit, check, run, tell.

use super::action::{self, ACTIONS, Action, Call, UNSERVED};
use super::auth::{self, Request};
use super::fault::Fault;
use super::http::{Budget, Head, Incoming, Refusal, Response, Service};
use super::inline::{self, Inline};
use super::listen::CERTIFICATE_PATH;
use super::log::Line;
use super::mns::{self, Answer, MnsFault, Served};
use super::openapi;
use super::params::{self, Params};
use super::state::State;
use super::store_events;
use crate::error::{Error, ErrorKind};
use crate::model::now;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The `action` of requests that name none of the table, in metrics and logs.
const NO_ACTION: &str = "none";

/// Answers the API's requests.
#[derive(Clone)]
pub(super) struct Api {
    state: Arc<State>,
    /// Calls that may run at the same time.
    calls: Arc<Semaphore>,
    /// Those of them that need no thread of their own.
    inline: Arc<Inline>,
    /// Answers that are being sent: clients that read slowly make the next calls wait, not the memory grow.
    sending: Budget,
}

/// What is told of a request afterwards.
struct Trace {
    request_id: String,
    peer: SocketAddr,
    host: String,
    begun: Instant,
    bytes_in: u64,
    action: &'static str,
    project: String,
    key_id: String,
}

impl Api {
    pub(super) fn new(state: Arc<State>) -> Api {
        let calls = Arc::new(Semaphore::new(state.options.calls));
        let sending = Budget::new(state.options.buffer_bytes);
        Api { state, calls, inline: Arc::new(Inline::new(inline::threads())), sending }
    }

    /// Runs a call of the API: a read here if there is a place, others on a thread that may block.
    async fn run(&self, request: Incoming, mut trace: Trace) -> Response {
        let turn = timeout(self.state.options.patience, Arc::clone(&self.calls).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return self.tell(&trace, Err(Fault::throttled("too many requests are waiting; try again", 1000)));
        };
        let (api, spare) = (self.clone(), trace.spare());
        let place = self.inline.place(&request.head);
        let run = move || {
            let answer = answer(&api.state, &request, &mut trace);
            // The request's memory is given back before the answer goes out.
            drop(request);
            (api.tell(&trace, answer), turn)
        };
        let ran = match place {
            // Nothing that it touched is used again but what is shared by all, as after a panic on any thread.
            Some(_held) => catch_unwind(AssertUnwindSafe(run)).ok(),
            None => tokio::task::spawn_blocking(run).await.ok(),
        };
        let Some((mut response, turn)) = ran else {
            let panicked = Error::new(ErrorKind::Internal, "the call panicked");
            return self.tell(&spare, Err(Fault::from(panicked)));
        };
        response.paid = self.sending.wait(response.body.len()).await;
        drop(turn);
        response
    }

    /// Runs a call of the MNS API; one that waits for a message gives its thread back meanwhile.
    async fn mns(&self, request: Incoming, mut trace: Trace) -> Response {
        let (begun, mut rung) = (Instant::now(), self.state.ringer.rung());
        let Some(Served { action, key_id, mut answer, mut poll }) =
            self.blocking(move |state| mns::serve(state, &request)).await
        else {
            return self.tell_mns(&trace, Err(MnsFault::busy()));
        };
        (trace.action, trace.key_id) = (action, key_id);
        while let Some(mut waiting) = poll.take().filter(|_| self.state.ready.load(Ordering::Relaxed)) {
            let Some(left) = waiting.wait.checked_sub(begun.elapsed()) else { break };
            let until = waiting.until_next(now().0 / 1_000_000).unwrap_or(left).min(left);
            let seen = waiting.seen;
            // Its sender lives as long as the state.
            let _ = timeout(until, rung.wait_for(|n| *n > seen)).await;
            let again = self.blocking(move |state| {
                let answer = mns::receive_again(state.engine.queues(), &mut waiting);
                (answer, waiting)
            });
            match again.await {
                Some((found, waiting)) => {
                    poll = found.as_ref().is_err_and(MnsFault::is_no_message).then_some(waiting);
                    answer = found;
                }
                None => answer = Err(MnsFault::busy()),
            }
        }
        self.tell_mns(&trace, answer)
    }

    /// Takes a message of an object store. Who sends it is checked before it waits for a turn.
    async fn store_events(&self, request: Incoming, mut trace: Trace) -> Response {
        trace.action = store_events::ACTION;
        if let Err(fault) = store_events::admit(&self.state, &request) {
            let mut response = self.tell(&trace, Err(fault));
            if response.status == 401 {
                response.fields.push(("WWW-Authenticate", "Bearer".to_owned()));
            }
            return response;
        }
        let taken = self.blocking(move |state| store_events::take(&state.engine, &request)).await;
        let busy = || Err(Fault::throttled("too many requests are waiting; try again", 1000));
        let answer = taken.unwrap_or_else(busy).map(|taken| store_events::told(taken, &trace.request_id));
        self.tell(&trace, answer)
    }

    /// Runs something on a thread of the pool, in its turn; `None` where none came, or it panicked.
    async fn blocking<T: Send + 'static>(&self, run: impl FnOnce(&State) -> T + Send + 'static) -> Option<T> {
        let turn = timeout(self.state.options.patience, Arc::clone(&self.calls).acquire_owned()).await.ok()?.ok()?;
        let state = Arc::clone(&self.state);
        let ran = tokio::task::spawn_blocking(move || {
            let done = run(&state);
            drop(turn);
            done
        });
        ran.await.ok()
    }

    /// The certificate that pushed messages are verified with.
    async fn certificate(&self) -> Response {
        match self.blocking(|state| state.engine.push_certificate()).await {
            Some(Ok(pem)) => Response::text(200, "application/x-pem-file", pem),
            _ => Response::text(503, "text/plain", "the certificate is not there yet; try again\n".to_owned()),
        }
    }

    /// The response to a call of the MNS API, after it was counted and logged.
    fn tell_mns(&self, trace: &Trace, answer: Result<Answer, MnsFault>) -> Response {
        let (answer, code) = match answer {
            Ok(answer) => (answer, "OK"),
            Err(fault) => {
                let body = fault.document(&trace.request_id, &trace.host);
                (Answer { status: fault.status, body, ..Answer::default() }, fault.code)
            }
        };
        self.note(trace, answer.status, code, "", answer.body.len() as u64);
        let mut response = Response::text(answer.status, mns::CONTENT_TYPE, String::new());
        response.body = answer.body;
        response.fields.push(("x-mns-request-id", trace.request_id.clone()));
        response.fields.push(("x-mns-version", mns::VERSION.to_owned()));
        if !answer.location.is_empty() {
            response.fields.push(("Location", answer.location));
        }
        response
    }

    /// The response, after it was counted and logged.
    fn tell(&self, trace: &Trace, answer: Result<Vec<u8>, Fault>) -> Response {
        let (body, fault) = match answer {
            Ok(body) => (body, None),
            Err(fault) => (fault.document(&trace.request_id, &trace.host), Some(fault)),
        };
        let (status, code, reason) =
            fault.as_ref().map_or((200, "OK", ""), |f| (f.status, f.code.as_str(), f.reason.as_str()));
        self.note(trace, status, code, reason, body.len() as u64);
        let mut response = Response::json(status, body, trace.request_id.clone());
        response.retry_after_ms = fault.and_then(|fault| fault.retry_after_ms);
        response
    }

    /// Counts and logs a request.
    fn note(&self, trace: &Trace, status: u16, code: &str, reason: &str, bytes_out: u64) {
        let metrics = &self.state.metrics;
        metrics.answered(trace.action, code, trace.begun.elapsed());
        metrics.received_bytes.fetch_add(trace.bytes_in, Ordering::Relaxed);
        metrics.sent_bytes.fetch_add(bytes_out, Ordering::Relaxed);
        self.state.options.log.line(&Line {
            time: now().to_string(),
            request_id: &trace.request_id,
            peer: trace.peer,
            action: trace.action,
            project: &trace.project,
            access_key_id: &trace.key_id,
            status,
            code,
            reason,
            micros: u64::try_from(trace.begun.elapsed().as_micros()).unwrap_or(u64::MAX),
            bytes_in: trace.bytes_in,
            bytes_out,
        });
    }
}

impl Trace {
    fn new(peer: SocketAddr, host: &str, bytes_in: usize) -> Trace {
        Trace {
            request_id: request_id(),
            peer,
            host: host.chars().take(255).collect(),
            begun: Instant::now(),
            bytes_in: bytes_in as u64,
            action: NO_ACTION,
            project: String::new(),
            key_id: String::new(),
        }
    }

    /// What is known before a call runs, should it not come back.
    fn spare(&self) -> Trace {
        let (request_id, host) = (self.request_id.clone(), self.host.clone());
        Trace { request_id, host, ..Trace::new(self.peer, "", 0) }
    }
}

impl Service for Api {
    async fn call(&self, request: Incoming) -> Response {
        let head = &request.head;
        let host = head.field("host").unwrap_or("");
        let trace = Trace::new(request.peer, host, head.target.len() + request.body().len());
        match (head.path(), head.method.as_str()) {
            ("/", "GET" | "POST") => self.run(request, trace).await,
            ("/", _) => {
                let message = "Specified api is not found, please check your url and method.";
                self.tell(&trace, Err(Fault::new(404, "InvalidAction.NotFound", message)))
            }
            ("/health", "GET" | "HEAD") => Response::text(200, "text/plain", "ok\n".to_owned()),
            ("/ready", "GET" | "HEAD") if self.state.ready.load(Ordering::Relaxed) => {
                Response::text(200, "text/plain", "ready\n".to_owned())
            }
            ("/ready", "GET" | "HEAD") => Response::text(503, "text/plain", "stopping\n".to_owned()),
            ("/openapi.json", "GET" | "HEAD") => {
                Response::text(200, "application/json", openapi::document().to_string())
            }
            (store_events::PATH, _) => self.store_events(request, trace).await,
            (CERTIFICATE_PATH, "GET" | "HEAD") => self.certificate().await,
            (path, _) if mns::is_path(path) => self.mns(request, trace).await,
            _ => {
                let message = "expected the path /, got another: every operation is a parameter of it";
                self.tell(&trace, Err(Fault::new(404, "InvalidAction.NotFound", message)))
            }
        }
    }

    fn refuse(&self, refusal: Refusal, peer: SocketAddr) -> Response {
        let code = match refusal.status {
            408 => "RequestTimeout",
            413 | 414 | 431 => "RequestTooLarge",
            503 => "ServiceUnavailable",
            501 => "NotImplemented",
            _ => "BadRequest",
        };
        let fault = Fault::new(refusal.status, code, refusal.message);
        self.tell(&Trace::new(peer, "", 0), Err(fault))
    }
}

/// Answers a call of the API.
fn answer(state: &State, request: &Incoming, trace: &mut Trace) -> Result<Vec<u8>, Fault> {
    let params = decode(&request.head, request.body())?;
    let caller = state.gate.identify(Request { head: &request.head, body: request.body(), params: &params })?;
    trace.key_id.clone_from(&caller.key.grant.id);
    let action = find(&caller.action)?;
    trace.action = action.name;
    let project = params.get("ProjectName").unwrap_or("");
    trace.project = project.chars().take(128).collect();
    auth::authorize(&caller, action, project)?;
    let _turn = state.limiter.enter(project, Instant::now()).map_err(|wait| {
        let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
        Fault::throttled("Request was denied due to project flow control.", ms)
    })?;
    params::check(action, &params)?;
    let reply = (action.run)(&Call { state, params: &params, request_id: &trace.request_id })?;
    Ok(reply.finish(&trace.request_id))
}

/// Parameters come in the query, in a form, or in both (wire.md 1 and 3).
pub(super) fn decode(head: &Head, body: &[u8]) -> Result<Params, Fault> {
    let form = match (body, head.field("content-type").unwrap_or("")) {
        ([], _) => "",
        (body, kind)
            if kind.is_empty() || kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") =>
        {
            std::str::from_utf8(body).map_err(|_| Fault::invalid("expected a form body in UTF-8, got other bytes"))?
        }
        _ => return Err(Fault::invalid("expected a body of type application/x-www-form-urlencoded, got another")),
    };
    Params::decode(head.query(), form).map_err(Fault::invalid)
}

fn find(name: &str) -> Result<&'static Action, Fault> {
    if let Some(action) = action::find(name) {
        return Ok(action);
    }
    let served: Vec<&str> = ACTIONS.iter().copied().flatten().map(|a| a.name).collect();
    if UNSERVED.contains(&name) {
        let message = format!("medialith does not have the operation {name}; it has {}", served.join(", "));
        return Err(Fault::new(400, "NotImplemented", message));
    }
    let shown: String = name.chars().take(64).collect();
    let message = format!("Specified api {shown:?} is not found; there are {}", served.join(", "));
    Err(Fault::new(404, "InvalidAction.NotFound", message))
}

/// An upper-case UUID of version 4 (wire.md 7, RFC 9562).
fn request_id() -> String {
    let mut bytes = [0u8; 16];
    // Without random bytes the ids repeat, which harms nobody but the reader of a log.
    let _ = getrandom::fill(&mut bytes);
    let bits = (u128::from_le_bytes(bytes) & !(0xF << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032X}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or("");
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_upper_case_uuids() {
        let id = request_id();
        let parts: Vec<&str> = id.split('-').collect();
        assert_eq!(parts.iter().map(|p| p.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
        assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'A', 'B']), "{id}");
        assert_ne!(id, request_id());
    }

    #[test]
    fn unknown_operations_are_told_apart() {
        assert_eq!(find("CreateStory").unwrap_err().code, "NotImplemented");
        let unknown = find("Nope").unwrap_err();
        assert_eq!((unknown.status, unknown.code.as_str()), (404, "InvalidAction.NotFound"));
        assert!(unknown.message.contains("FuzzyQuery"));
    }
}
