//! Operations on topics and their subscriptions.

use super::fault::{MnsFault, Thing};
use super::queue::flag;
use super::route::{Answer, Ask, Reply};
use super::xml::{Element, Writer, read};
use crate::engine::queues::{Format, Made, Strategy, SubscriptionSpec, TopicSpec, md5_hex};
use crate::error::{Error, Result as EngineResult};

fn of_topic(error: &Error) -> MnsFault {
    MnsFault::of(error, Thing::Topic)
}

fn of_subscription(error: &Error) -> MnsFault {
    MnsFault::of(error, Thing::Subscription)
}

fn done(status: u16) -> Result<Reply, MnsFault> {
    Ok(Reply::Done(Answer::empty(status)))
}

fn made(made: Made, location: String) -> Result<Reply, MnsFault> {
    let status = if made == Made::New { 201 } else { 204 };
    Ok(Reply::Done(Answer { location, ..Answer::empty(status) }))
}

fn document(status: u16, writer: Writer) -> Result<Reply, MnsFault> {
    Ok(Reply::Done(Answer::with(status, writer.finish())))
}

pub(super) fn list(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let (prefix, marker, most) = ask.page()?;
    let page = ask.queues.topic_names(prefix, marker, most).map_err(|e| of_topic(&e))?;
    let mut writer = Writer::new("Topics");
    for name in &page.items {
        writer.open("Topic").text("TopicURL", &format!("{}/topics/{name}", ask.base));
        if ask.header("x-mns-with-meta") == "true"
            && let Ok(topic) = ask.queues.topic(name)
        {
            writer.number("CreateTime", topic.row.create_time / 1000);
            writer.number("LastModifyTime", topic.row.modify_time / 1000);
        }
        writer.close();
    }
    if !page.next_token.is_empty() {
        writer.text("NextMarker", &page.next_token);
    }
    document(200, writer)
}

fn spec(body: &[u8]) -> Result<TopicSpec, MnsFault> {
    let root = read(body, "Topic")?;
    Ok(TopicSpec { message_bytes: root.number("MaximumMessageSize")?, logging: flag(&root, "LoggingEnabled")? })
}

pub(super) fn create(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let outcome = ask.queues.create_topic(ask.name, spec(ask.request.body())?).map_err(|e| of_topic(&e))?;
    made(outcome, format!("{}/topics/{}", ask.base, ask.name))
}

pub(super) fn set(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    ask.queues.set_topic(ask.name, spec(ask.request.body())?).map_err(|e| of_topic(&e))?;
    done(204)
}

pub(super) fn get(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let topic = ask.queues.topic(ask.name).map_err(|e| of_topic(&e))?;
    let mut writer = Writer::new("Topic");
    writer.text("TopicName", &topic.name).number("MessageCount", 0);
    writer.number("CreateTime", topic.row.create_time / 1000);
    writer.number("LastModifyTime", topic.row.modify_time / 1000);
    writer.number("MaximumMessageSize", topic.row.message_bytes.into()).number("MessageRetentionPeriod", 86_400);
    writer.flag("LoggingEnabled", topic.row.logging);
    document(200, writer)
}

pub(super) fn delete(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    ask.queues.delete_topic(ask.name).map_err(|e| of_topic(&e))?;
    done(204)
}

pub(super) fn publish(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let root = read(ask.request.body(), "Message")?;
    let body = root.child("MessageBody").unwrap_or("");
    let tag = root.child("MessageTag").unwrap_or("");
    let id = ask.queues.publish(ask.name, body, tag).map_err(|e| of_topic(&e))?;
    let mut writer = Writer::new("Message");
    writer.text("MessageId", &id).text("MessageBodyMD5", &md5_hex(body));
    document(201, writer)
}

fn chosen<T: std::str::FromStr<Err = Error>>(root: &Element, name: &str) -> Result<Option<T>, MnsFault> {
    let text = root.child(name).map(str::trim).filter(|text| !text.is_empty());
    let parsed: EngineResult<Option<T>> = text.map(str::parse).transpose();
    parsed.map_err(|e| of_subscription(&e))
}

pub(super) fn subscribe(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let root = read(ask.request.body(), "Subscription")?;
    let spec = SubscriptionSpec {
        endpoint: root.child("Endpoint").map(|text| text.trim().to_owned()),
        filter_tag: root.child("FilterTag").map(str::to_owned),
        strategy: chosen::<Strategy>(&root, "NotifyStrategy")?,
        format: chosen::<Format>(&root, "NotifyContentFormat")?,
    };
    let outcome = ask.queues.subscribe(ask.name, ask.second, &spec).map_err(|e| of_subscription(&e))?;
    made(outcome, format!("{}/topics/{}/subscriptions/{}", ask.base, ask.name, ask.second))
}

pub(super) fn set_subscription(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let root = read(ask.request.body(), "Subscription")?;
    let strategy = chosen::<Strategy>(&root, "NotifyStrategy")?;
    let strategy = strategy.ok_or_else(|| MnsFault::invalid("NotifyStrategy: expected a strategy, got none"))?;
    ask.queues.set_subscription(ask.name, ask.second, strategy).map_err(|e| of_subscription(&e))?;
    done(204)
}

pub(super) fn subscription(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let found = ask.queues.subscription(ask.name, ask.second).map_err(|e| of_subscription(&e))?;
    let mut writer = Writer::new("Subscription");
    writer.text("TopicOwner", ask.account).text("TopicName", &found.topic);
    writer.text("SubscriptionName", &found.name).text("Subscriber", ask.account);
    writer.text("Endpoint", &found.endpoint).text("NotifyStrategy", &found.strategy.to_string());
    writer.text("NotifyContentFormat", &found.format.to_string()).text("FilterTag", &found.filter_tag);
    writer.number("CreateTime", found.create_time / 1000).number("LastModifyTime", found.modify_time / 1000);
    document(200, writer)
}

pub(super) fn unsubscribe(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    ask.queues.unsubscribe(ask.name, ask.second).map_err(|e| of_subscription(&e))?;
    done(204)
}

pub(super) fn subscriptions(ask: &Ask<'_>) -> Result<Reply, MnsFault> {
    let (prefix, marker, most) = ask.page()?;
    let page = ask.queues.subscription_names(ask.name, prefix, marker, most).map_err(|e| of_subscription(&e))?;
    let mut writer = Writer::new("Subscriptions");
    for name in &page.items {
        let url = format!("{}/topics/{}/subscriptions/{name}", ask.base, ask.name);
        writer.open("Subscription").text("SubscriptionURL", &url);
        writer.close();
    }
    if !page.next_token.is_empty() {
        writer.text("NextMarker", &page.next_token);
    }
    document(200, writer)
}
