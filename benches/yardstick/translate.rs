//! The yardstick's operations as queries.

use medialith::model::{Aggregation, Anchor, Condition, Filter, Order, Query, SortKey, Typos, field};

/// What the yardstick asks for.
pub(crate) enum Request {
    Get(String),
    Search(Box<Query>),
}

fn is(field: &str, operator: &str, value: &serde_json::Value) -> Option<Filter> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Condition::parse(field, operator, &text).ok().map(Filter::Is)
}

fn aggregate(query: &mut Query, field: &str, operation: &str) -> Option<()> {
    query.aggregations = vec![Aggregation::parse(field, operation).ok()?];
    Some(())
}

/// The request of a row; `None` for what has no counterpart (whole words, offsets).
pub(crate) fn request(row: &serde_json::Value) -> Option<Request> {
    let any = vec![field::URI, field::ARTIST, field::ALBUM, field::TITLE, field::OCR_TEXTS];
    let quoted = |text: &serde_json::Value| format!("\"{}\"", text.as_str().unwrap_or_default());
    let mut query = Query { typos: Typos::Off, search_in: vec![field::FILENAME], ..Query::default() };
    match row["op"].as_str()? {
        "get" => return Some(Request::Get(row["uri"].as_str()?.to_owned())),
        "contains" => {
            query.text = quoted(&row["text"]);
            query.search_in = match row["scope"].as_str()? {
                "name" => vec![field::FILENAME],
                "path" => vec![field::URI],
                _ => any,
            };
        }
        "all_of" => {
            query.text = row["texts"].as_array()?.iter().map(quoted).collect::<Vec<_>>().join(" ");
            query.search_in = any;
        }
        "prefix" => (query.text, query.anchor) = (quoted(&row["text"]), Anchor::Start),
        "suffix" => (query.text, query.anchor) = (quoted(&row["text"]), Anchor::End),
        "typo" => query.text = format!("{}~{}", row["word"].as_str()?, row["dist"]),
        "filter" => {
            query.filter = Some(Filter::And(vec![
                is("MediaType", "eq", &row["media"])?,
                is("Size", "gte", &row["size_min"])?,
                is("Size", "lte", &row["size_max"])?,
                is("Labels.LabelName", "eq", &row["label"])?,
            ]));
        }
        "label_conf" => {
            let both =
                vec![is("Labels.LabelName", "eq", &row["label"])?, is("Labels.LabelConfidence", "gte", &row["min"])?];
            query.filter = Some(Filter::Nested(field::LABELS, both));
        }
        "geo_box" => {
            let side = |name: &str| row[name].as_f64();
            let (north, south) = (side("lat_max")?.min(90.0), side("lat_min")?.max(-90.0));
            let (west, east) = (side("lon_min")?.max(-180.0), side("lon_max")?.min(180.0));
            let corners = format!("{north},{west};{south},{east}");
            query.filter = Some(is("LatLong", "geo-bounding-box", &corners.into())?);
        }
        "all" if row["offset"] == 0 => {
            query.filter = row["after"].as_str().and_then(|after| is("URI", "gt", &after.into()));
        }
        "group_by" => {
            aggregate(&mut query, "ContentType", "group")?;
            query.filter = row["label"].as_str().and_then(|label| is("Labels.LabelName", "eq", &label.into()));
        }
        "distinct" => aggregate(&mut query, "Artist", "distinct")?,
        "sum_size" => {
            aggregate(&mut query, "Size", "sum")?;
            query.filter = Some(is("MediaType", "eq", &row["media"])?);
        }
        _ => return None,
    }
    query.without_total = row["total"] != true;
    let by = |field| SortKey { field: From::from(field), order: Order::Desc };
    match row["sort"].as_str() {
        Some("size_desc") => query.sort = vec![by(field::SIZE)],
        Some("mtime_desc") => query.sort = vec![by(field::FILE_MODIFIED_TIME)],
        _ => {}
    }
    query.page.max_results = 100;
    if query.text.is_empty() {
        query.search_in.clear();
    }
    Some(Request::Search(Box::new(query)))
}
