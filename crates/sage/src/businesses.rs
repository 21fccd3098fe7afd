//! The businesses that a user reaches, and the user (Sage's guide on multiple businesses).

use domain::business::Named;
use messages::message;
use serde::Deserialize;
use serde_json::Value;

use crate::{Connection, Error, connection::unreadable};

/// A business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Business {
    /// Sage's id; goes into `X-Business`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// ISO country code of two letters, such as `GB`, where Sage tells.
    pub country: Option<String>,
    /// The county, state or province of its address; two letters in Canada.
    pub region: Option<String>,
    /// The postcode of its address.
    pub postal_code: Option<String>,
    /// Whether it is Sage's demonstration.
    pub is_demo: bool,
    /// Whether it is in Northern Ireland.
    pub ni_based: bool,
    /// What it subscribes to.
    pub subscriptions: Vec<Subscription>,
}

/// A subscription of a business.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Subscription {
    /// Sage's id, such as `ACCOUNTING`.
    pub id: String,
    /// Its name.
    #[serde(default, rename = "displayed_as")]
    pub name: String,
    /// Whether it is in force.
    #[serde(default)]
    pub active: bool,
}

/// The user who consented: every document in Sage carries the initials.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct User {
    /// Sage's id.
    pub id: String,
    /// Name.
    #[serde(default, rename = "displayed_as")]
    pub name: String,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Initials.
    #[serde(default)]
    pub initials: Option<String>,
    /// Language, such as `en-GB`.
    #[serde(default)]
    pub locale: Option<String>,
}

impl Connection<'_> {
    /// The businesses that the user reaches, for the merchant to choose from.
    pub async fn businesses(&self) -> Result<Vec<Named>, Error> {
        Ok(named(&self.list_all("/businesses", &[]).await?))
    }

    /// One business with its country and subscriptions.
    pub async fn business(&self, id: &str) -> Result<Business, Error> {
        let answer = self.get(&format!("/businesses/{id}"), &[]).await?;
        read_business(&answer.body).ok_or_else(|| unreadable(answer, message!(sage_answers.not_a_business)))
    }

    /// The user who consented.
    pub async fn user(&self) -> Result<User, Error> {
        let answer = self.get("/user", &[]).await?;
        serde_json::from_value(answer.body.clone())
            .map_err(|_| unreadable(answer, message!(sage_answers.not_a_user)))
    }
}

fn read_business(body: &Value) -> Option<Business> {
    let id = text(body, "id")?;
    let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
    let subscriptions = body.get("subscriptions").and_then(Value::as_array);
    Some(Business {
        name: text(body, "name").or_else(|| text(body, "displayed_as")).unwrap_or_else(|| id.clone()),
        id,
        country: body.get("country").and_then(|country| text(country, "id")),
        region: text(body, "region"),
        postal_code: text(body, "postal_code"),
        is_demo: flag("is_demo"),
        ni_based: flag("ni_based"),
        subscriptions: subscriptions
            .into_iter()
            .flatten()
            .filter_map(|entry| serde_json::from_value(entry.clone()).ok())
            .collect(),
    })
}

/// The ids and names of a list's entries. Ids that are no text are passed over.
pub(crate) fn named(items: &[Value]) -> Vec<Named> {
    let of = |item: &Value| {
        let id = text(item, "id")?;
        let name = text(item, "displayed_as").unwrap_or_else(|| id.clone());
        Some(Named { id, name })
    };
    items.iter().filter_map(of).collect()
}

/// A text of an object, unless it is empty.
pub(crate) fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}
