//! Every body of every golden Plan fits Sage's own description of its API: known fields, right types, required ones there. The
//! description is not ours to publish; `SAGE_SWAGGER` names the file.

use std::{env, fs, path::Path};

use serde_json::Value;

/// What the description does not know, and Sage's guide on idempotency does.
const BEYOND: &str = "idempotency_id";

struct Swagger(Value);

impl Swagger {
    /// The schema of a call's body.
    fn body(&self, method: &str, path: &str) -> Option<&Value> {
        let template = path
            .split('/')
            .enumerate()
            .map(|(place, part)| if place == 2 { "{key}" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        let operation = &self.0["paths"][&template][method.to_lowercase()];
        let parameters = operation["parameters"].as_array()?;
        let body = parameters.iter().find(|parameter| parameter["in"] == "body")?;
        Some(self.resolved(&body["schema"]))
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/definitions/")) {
            Some(name) => &self.0["definitions"][name],
            None => schema,
        }
    }

    /// What is wrong with a value, each with its path.
    fn problems(&self, value: &Value, schema: &Value, path: &str, found: &mut Vec<String>) {
        let schema = self.resolved(schema);
        match (schema["type"].as_str(), value) {
            (_, Value::Object(members)) => {
                for (name, member) in members.iter().filter(|(name, _)| *name != BEYOND) {
                    match schema["properties"].get(name) {
                        Some(schema) => self.problems(member, schema, &format!("{path}.{name}"), found),
                        None => found.push(format!("{path}.{name} is unknown")),
                    }
                }
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                found.extend(
                    required
                        .filter(|name| !members.contains_key(*name))
                        .map(|name| format!("{path}.{name} is missing")),
                );
            }
            (Some("array"), Value::Array(items)) => {
                for item in items {
                    self.problems(item, &schema["items"], &format!("{path}[]"), found);
                }
            }
            (Some("string"), Value::String(_))
            | (Some("boolean"), Value::Bool(_))
            | (Some("number"), Value::Number(_)) => {}
            (Some("integer"), Value::Number(number)) if number.is_i64() => {}
            (expected, value) => found.push(format!("{path} is {value}, and must be {expected:?}")),
        }
    }
}

#[test]
fn every_body_of_every_golden_plan_fits_sages_description() {
    let Ok(file) = env::var("SAGE_SWAGGER") else {
        eprintln!("The plans were NOT held against Sage's description: SAGE_SWAGGER is not set");
        return;
    };
    let swagger = Swagger(serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap());
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let (mut checked, mut problems) = (0, Vec::new());
    for case in fs::read_dir(golden).unwrap() {
        let folder = case.unwrap().path();
        let Ok(text) = fs::read_to_string(folder.join("plan.json")) else { continue };
        let plan: Value = serde_json::from_str(&text).unwrap();
        for call in plan["calls"].as_array().unwrap().iter().filter(|call| !call["body"].is_null()) {
            let (method, path) = (call["method"].as_str().unwrap(), call["path"].as_str().unwrap());
            let schema = swagger
                .body(method, path)
                .unwrap_or_else(|| panic!("{method} {path} is not in the description"));
            let name = format!("{}: {method} {path}", folder.file_name().unwrap().display());
            swagger.problems(&call["body"], schema, &name, &mut problems);
            checked += 1;
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(checked > 40, "only {checked} bodies were checked");
}
