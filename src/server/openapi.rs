//! The OpenAPI 3.1 document of what is served, made from the table of operations.
//!
//! All operations share one path, so they are told apart by the schema of the form that is posted: one schema each, with
//! `Action` as its constant.

use super::action::{ACTIONS, Action, Kind, Need, Param};
use serde_json::{Value, json};

/// The document.
pub fn document() -> Value {
    let actions = || ACTIONS.iter().copied().flatten();
    let requests = actions().map(|action| (action.name.to_owned(), request(action)));
    let mut schemas: serde_json::Map<String, Value> = requests.chain(actions().map(answer)).collect();
    schemas.insert("Error".to_owned(), error());
    let names = |suffix: &str| -> Vec<Value> {
        actions().map(|a| json!({"$ref": format!("#/components/schemas/{}{suffix}", a.name)})).collect()
    };
    let body = |schema: Value| json!({"application/json": {"schema": schema}});
    let refused =
        json!({"description": "The error document.", "content": body(json!({"$ref": "#/components/schemas/Error"}))});
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "medialith, IMM 2020-09-30",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Requests are signed with ACS3-HMAC-SHA256 or HMAC-SHA1; parameters may also come in the query."
        },
        "paths": {"/": {"post": {
            "operationId": "call",
            "requestBody": {"required": true, "content": {"application/x-www-form-urlencoded": {
                "schema": {"oneOf": names("")}
            }}},
            "responses": {
                "200": {"description": "The answer.", "content": body(json!({"anyOf": names("Response")}))},
                "4XX": refused, "5XX": refused
            }
        }}},
        "components": {"schemas": schemas}
    })
}

fn request(action: &Action) -> Value {
    let mut properties = serde_json::Map::new();
    properties.insert("Action".to_owned(), json!({"const": action.name}));
    properties.extend(action.params.iter().map(|param| (param.name.to_owned(), schema(param))));
    let needed = action.params.iter().filter(|p| p.need == Need::Required).map(|p| p.name);
    let required: Vec<&str> = std::iter::once("Action").chain(needed).collect();
    json!({"type": "object", "description": action.about, "properties": properties, "required": required})
}

fn answer(action: &Action) -> (String, Value) {
    let mut properties: serde_json::Map<String, Value> =
        action.answer.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
    properties.insert("RequestId".to_owned(), json!({"type": "string"}));
    let schema = json!({"type": "object", "properties": properties, "required": ["RequestId"]});
    (format!("{}Response", action.name), schema)
}

fn schema(param: &Param) -> Value {
    let value = match param.kind {
        Kind::Name => json!({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_-]{0,127}$"}),
        Kind::Text { chars } => json!({"type": "string", "maxLength": chars}),
        Kind::Bytes { most } => json!({"type": "string", "maxLength": most}),
        Kind::Int { least, most } | Kind::Quota { least, most } => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Choice(choices) => json!({"type": "string", "enum": choices}),
        Kind::Object => json!({"type": "string", "contentMediaType": "application/json",
            "contentSchema": {"type": "object"}}),
        Kind::List { most } => json!({"type": "string", "contentMediaType": "application/json",
            "contentSchema": {"type": "array", "maxItems": most}}),
    };
    let mut schema = value.as_object().cloned().unwrap_or_default();
    schema.insert("description".to_owned(), json!(param.about));
    Value::Object(schema)
}

fn error() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "required": ["RequestId", "HostId", "Code", "Message", "Recommend"],
        "properties": {
            "RequestId": text, "HostId": text, "Code": text, "Message": text, "Recommend": text,
            "AccessDeniedDetail": {"type": "object", "additionalProperties": text}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_parameter_is_there() {
        let document = document();
        for action in ACTIONS.iter().copied().flatten() {
            let schema = &document["components"]["schemas"][action.name];
            assert_eq!(schema["properties"]["Action"]["const"], action.name);
            for param in action.params {
                assert!(schema["properties"][param.name]["description"].is_string(), "{} {}", action.name, param.name);
            }
        }
        let one_of = &document["paths"]["/"]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"];
        assert_eq!(one_of["schema"]["oneOf"].as_array().unwrap().len(), ACTIONS.iter().map(|a| a.len()).sum::<usize>());
    }
}
