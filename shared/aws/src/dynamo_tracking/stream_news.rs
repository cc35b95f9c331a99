//! News in the stream of the table (DynamoDB Developer Guide, "DynamoDB Streams and AWS Lambda triggers").

use domain::OrderId;
use serde::Deserialize;
use tracking::ports::OutgoingNews;

use super::orders::OUTBOX;

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventSource")]
    source: String,
    #[serde(rename = "eventName")]
    name: String,
    dynamodb: Change,
}

#[derive(Deserialize)]
struct Change {
    #[serde(rename = "NewImage", default)]
    image: Image,
}

/// Of an item, what news are made of; everything else in it stays unread.
#[derive(Default, Deserialize)]
struct Image {
    item: Option<Text>,
    #[serde(rename = "orderId")]
    order: Option<Text>,
    event: Option<Text>,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

/// The news that a batch of the stream brings; nothing where this is no batch of a stream.
#[must_use]
pub fn news_of_stream(payload: &str) -> Option<Vec<(OrderId, OutgoingNews)>> {
    let batch: Batch = serde_json::from_str(payload).ok()?;
    let is_stream = batch.records.iter().all(|record| record.source == "aws:dynamodb");
    let news = batch.records.into_iter().filter(|record| record.name == "INSERT");
    is_stream.then(|| news.filter_map(|record| news_of(record.dynamodb.image)).collect())
}

fn news_of(image: Image) -> Option<(OrderId, OutgoingNews)> {
    let news = OutgoingNews {
        key: image.item?.text.strip_prefix(OUTBOX)?.to_owned(),
        event: image.event?.text,
    };
    Some((OrderId::try_from(image.order?.text).ok()?, news))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, item: &str) -> String {
        format!(
            r##"{{"eventID":"1","eventName":"{name}","eventSource":"aws:dynamodb","dynamodb":{{"SequenceNumber":"1","NewImage":{{
                "about":{{"S":"order#456"}},"item":{{"S":"{item}"}},"orderId":{{"S":"456"}},"event":{{"S":"{{}}"}},"writtenAt":{{"N":"1"}}}}}}}}"##
        )
    }

    #[test]
    fn news_are_found_among_everything_else_that_happens_to_the_table() {
        let records = [
            record("INSERT", "outbox#k"),
            record("REMOVE", "outbox#l"),
            record("INSERT", "order"),
        ];
        let payload = format!(r#"{{"Records":[{}]}}"#, records.join(","));
        let news = news_of_stream(&payload).unwrap();
        assert_eq!(news.len(), 1);
        assert_eq!((news[0].0.as_str(), news[0].1.key.as_str()), ("456", "k"));
    }

    #[test]
    fn what_is_no_stream_is_not_taken_for_one() {
        for payload in [
            "{}",
            "[]",
            r#"{"Records":[{"eventSource":"aws:sqs"}]}"#,
            r#"{"detail-type":"Scheduled Event"}"#,
        ] {
            assert!(news_of_stream(payload).is_none(), "{payload}");
        }
    }
}
