//! Operations on queues and their messages.

use super::fault::MnsFault;
use super::route::{Answer, Ask, Poll, Reply, of_queue, receive_again};
use super::xml::{Element, Writer, read};
use crate::engine::queues::{Handled, Made, Message, NewMessage, QueueSpec, md5_hex};
use std::time::Duration;

/// Longest `waitseconds`.
const MAX_WAIT: u64 = 30;

fn done(status: u16) -> Result<Reply, MnsFault> {
    Ok(Reply::Done(Answer::empty(status)))
}

fn document(status: u16, writer: Writer) -> Result<Reply, MnsFault> {
    Ok(Reply::Done(Answer::with(status, writer.finish())))
}

pub(super) fn list(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let (prefix, marker, most) = ask.page()?;
    let page = ask.queues.queue_names(prefix, marker, most).map_err(|e| of_queue(&e))?;
    let with_meta = ask.header("x-mns-with-meta") == "true";
    let mut writer = Writer::new("Queues");
    for name in &page.items {
        writer.open("Queue").text("QueueURL", &format!("{}/queues/{name}", ask.base));
        if with_meta && let Ok(queue) = ask.queues.queue(name) {
            writer.number("CreateTime", queue.row.create_time / 1000);
            writer.number("LastModifyTime", queue.row.modify_time / 1000);
        }
        writer.close();
    }
    if !page.next_token.is_empty() {
        writer.text("NextMarker", &page.next_token);
    }
    document(200, writer)
}

fn spec(body: &[u8]) -> Result<QueueSpec, MnsFault> {
    let root = read(body, "Queue")?;
    Ok(QueueSpec {
        visibility: root.number("VisibilityTimeout")?,
        message_bytes: root.number("MaximumMessageSize")?,
        retention: root.number("MessageRetentionPeriod")?,
        delay: root.number("DelaySeconds")?,
        polling_wait: root.number("PollingWaitSeconds")?,
        logging: flag(&root, "LoggingEnabled")?,
    })
}

/// `True` or `False`, in any case.
pub(super) fn flag(root: &Element, name: &str) -> Result<Option<bool>, MnsFault> {
    match root.child(name).map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        None | Some("") => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(MnsFault::invalid(format!("{name}: expected True or False, got another text"))),
    }
}

pub(super) fn create(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let made = ask.queues.create_queue(ask.name, &spec(ask.request.body())?).map_err(|e| of_queue(&e))?;
    let status = if made == Made::New { 201 } else { 204 };
    Ok(Reply::Done(Answer { location: format!("{}/queues/{}", ask.base, ask.name), ..Answer::empty(status) }))
}

pub(super) fn set(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    ask.queues.set_queue(ask.name, &spec(ask.request.body())?).map_err(|e| of_queue(&e))?;
    done(204)
}

pub(super) fn get(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let queue = ask.queues.queue(ask.name).map_err(|e| of_queue(&e))?;
    let (row, mut writer) = (&queue.row, Writer::new("Queue"));
    writer.text("QueueName", &queue.name);
    // Seconds, as the SDK documents them; times of messages are milliseconds.
    writer.number("CreateTime", row.create_time / 1000).number("LastModifyTime", row.modify_time / 1000);
    writer.number("VisibilityTimeout", row.visibility.into());
    writer.number("MaximumMessageSize", row.message_bytes.into());
    writer.number("MessageRetentionPeriod", row.retention.into());
    writer.number("DelaySeconds", row.delay.into()).number("PollingWaitSeconds", row.polling_wait.into());
    writer.number("ActiveMessages", queue.active).number("InactiveMessages", queue.inactive);
    writer.number("DelayMessages", queue.delayed).flag("LoggingEnabled", row.logging);
    document(200, writer)
}

pub(super) fn delete(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    ask.queues.delete_queue(ask.name).map_err(|e| of_queue(&e))?;
    done(204)
}

fn new_message(element: &Element) -> Result<NewMessage, MnsFault> {
    Ok(NewMessage {
        body: element.child("MessageBody").unwrap_or("").to_owned(),
        delay: element.number("DelaySeconds")?,
        priority: element.number("Priority")?,
    })
}

fn sent(writer: &mut Writer, id: &str, body: &str) {
    writer.text("MessageId", id).text("MessageBodyMD5", &md5_hex(body));
}

/// One message (`Message`) or up to 16 (`Messages`).
pub(super) fn send(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let body = ask.request.body();
    if let Ok(batch) = read(body, "Messages") {
        let messages = batch.children.iter().map(new_message).collect::<Result<Vec<_>, _>>()?;
        let ids = ask.queues.send(ask.name, &messages).map_err(|e| of_queue(&e))?;
        let mut writer = Writer::new("Messages");
        for (id, message) in ids.iter().zip(&messages) {
            writer.open("Message");
            sent(&mut writer, id, &message.body);
            writer.close();
        }
        return document(201, writer);
    }
    let message = new_message(&read(body, "Message")?)?;
    let messages = [message];
    let ids = ask.queues.send(ask.name, &messages).map_err(|e| of_queue(&e))?;
    let mut writer = Writer::new("Message");
    for (id, message) in ids.iter().zip(&messages) {
        sent(&mut writer, id, &message.body);
    }
    document(201, writer)
}

fn many(ask: &Ask<'_>) -> Result<Option<usize>, MnsFault> {
    Ok(ask.number("numOfMessages")?.map(|n| usize::try_from(n).unwrap_or(usize::MAX)))
}

pub(super) fn receive(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let most = many(ask)?;
    let wait = match ask.number("waitseconds")? {
        Some(got) if got > MAX_WAIT => {
            return Err(MnsFault::invalid(format!("waitseconds: expected 0 to {MAX_WAIT}, got {got}")));
        }
        Some(wait) => wait,
        None => u64::from(ask.queues.polling_wait(ask.name).map_err(|e| of_queue(&e))?),
    };
    let mut poll = Poll { queue: ask.name.to_owned(), most, wait: Duration::from_secs(wait), next: None, seen: 0 };
    match receive_again(ask.queues, &mut poll) {
        Ok(answer) => Ok(Reply::Done(answer)),
        Err(fault) if fault.is_no_message() && wait > 0 => Ok(Reply::Wait(poll)),
        Err(fault) => Err(fault),
    }
}

pub(super) fn peek(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let most = many(ask)?;
    let messages = ask.queues.peek(ask.name, most.unwrap_or(1)).map_err(|e| of_queue(&e))?;
    received(&messages, most.is_some()).map(Reply::Done).ok_or_else(MnsFault::no_message)
}

/// The document of received messages; `None` where there are none.
pub(super) fn received(messages: &[Message], batch: bool) -> Option<Answer> {
    let first = messages.first()?;
    let mut writer = Writer::new(if batch { "Messages" } else { "Message" });
    if batch {
        for message in messages {
            writer.open("Message");
            members(&mut writer, message);
            writer.close();
        }
    } else {
        members(&mut writer, first);
    }
    Some(Answer::with(200, writer.finish()))
}

fn members(writer: &mut Writer, message: &Message) {
    writer.text("MessageId", &message.id);
    if !message.receipt.is_empty() {
        writer.text("ReceiptHandle", &message.receipt).number("NextVisibleTime", message.next_visible);
    }
    writer.text("MessageBody", &message.body).text("MessageBodyMD5", &md5_hex(&message.body));
    writer.number("EnqueueTime", message.enqueued).number("FirstDequeueTime", message.first_dequeued);
    writer.number("DequeueCount", message.dequeued.into()).number("Priority", message.priority.into());
}

/// One message by a handle in the query, or up to 16 by a document.
pub(super) fn delete_messages(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    if let Some(handle) = ask.query.get("ReceiptHandle") {
        let handled = ask.queues.delete(ask.name, &[handle.to_owned()]).map_err(|e| of_queue(&e))?;
        return match handled.first() {
            Some(Handled::Done(())) => done(204),
            Some(Handled::Malformed) => Err(MnsFault::bad_receipt()),
            _ => Err(MnsFault::no_message()),
        };
    }
    let root = read(ask.request.body(), "ReceiptHandles")?;
    let handles: Vec<String> = root.children.iter().map(|c| c.text.trim().to_owned()).collect();
    let handled = ask.queues.delete(ask.name, &handles).map_err(|e| of_queue(&e))?;
    let mut writer = Writer::new("Errors");
    let mut failed = false;
    for (handle, outcome) in handles.iter().zip(handled) {
        let fault = match outcome {
            Handled::Done(()) => continue,
            Handled::Gone => MnsFault::no_message(),
            Handled::Malformed => MnsFault::bad_receipt(),
        };
        failed = true;
        writer.open("Error").text("ErrorCode", fault.code).text("ErrorMessage", &fault.message);
        writer.text("ReceiptHandle", handle);
        writer.close();
    }
    if failed { document(404, writer) } else { done(204) }
}

pub(super) fn change(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let handle = ask.query.get("ReceiptHandle").ok_or_else(MnsFault::bad_receipt)?;
    let seconds = ask.number("VisibilityTimeout")?;
    let seconds = seconds.ok_or_else(|| MnsFault::invalid("VisibilityTimeout: expected a number, got none"))?;
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    match ask.queues.change_visibility(ask.name, handle, seconds).map_err(|e| of_queue(&e))? {
        Handled::Done((handle, next_visible)) => {
            let mut writer = Writer::new("ChangeVisibility");
            writer.text("ReceiptHandle", &handle).number("NextVisibleTime", next_visible);
            document(200, writer)
        }
        Handled::Gone => Err(MnsFault::no_message()),
        Handled::Malformed => Err(MnsFault::bad_receipt()),
    }
}
