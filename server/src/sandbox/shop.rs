//! What the merchant does in the demo: turns the simulators' knobs, and consents at Sage.

use std::{sync::Arc, time::Duration};

use domain::{
    business::{Named, ReferenceSet},
    environment::Environment,
    run::BindingStatus,
};
use reqwest::{Client, header, redirect::Policy};
use sage::{Connection, FixedToken, Pkce, authorize_url};
use serde_json::{Value, json};
use store::Binding;
use url::Url;

use crate::{environment::Machine, lifecycle::Failure};

/// The controls of a simulator.
pub struct Controls {
    client: Client,
    base: String,
}

impl Controls {
    /// The controls of the simulator at this address.
    pub fn new(base: &str) -> Result<Self, Failure> {
        let client = Client::builder().redirect(Policy::none()).timeout(Duration::from_mins(1)).build()?;
        Ok(Self { client, base: base.to_owned() })
    }

    /// The simulator's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Posts to a control; null when the answer is empty.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let answer =
            self.client.post(format!("{}{path}", self.base)).json(body).send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?).unwrap_or_default())
    }

    /// Changes something behind the simulator's back.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<(), Failure> {
        self.client.patch(format!("{}{path}", self.base)).json(body).send().await?.error_for_status()?;
        Ok(())
    }

    /// Takes something away.
    pub async fn delete(&self, path: &str) -> Result<(), Failure> {
        self.client.delete(format!("{}{path}", self.base)).send().await?.error_for_status()?;
        Ok(())
    }

    /// Reads a control.
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        Ok(self.client.get(format!("{}{path}", self.base)).send().await?.error_for_status()?.json().await?)
    }
}

/// The demo's shop charges Irish tax to Irish customers; the merchant has added that rate in Sage.
pub async fn allow_irish_tax(sage: &Controls) -> Result<(), Failure> {
    let books = sage.get("/_sim/books").await?;
    let british = books["businesses"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, business)| business["country"] == "GB");
    for (id, _) in british {
        let rate = json!({
            "name": "Irish standard rate", "percentage": "23.0", "is_visible": true,
            "percentages": [{ "percentage": "23.0", "from_date": "2021-07-01", "to_date": null }],
        });
        sage.patch(&format!("/_sim/records/{id}/tax_rates/IE_STANDARD_OSS"), &rate).await?;
    }
    Ok(())
}

/// Consents at Sage as a merchant does in a browser, and connects the first free British business on the largest plan.
pub async fn consent_and_connect(
    engine: &Arc<sync::Engine>,
    binding: &Binding,
) -> Result<ReferenceSet, Failure> {
    let mut random = [0; 32];
    Machine.random(&mut random);
    let pkce = Pkce::new(random);
    let state = Machine.uuid_v4().to_string();
    let mut consent = authorize_url(engine.sage.app(), engine.sage.endpoints(), Some("gb"), &state, &pkce);
    consent.query_pairs_mut().append_pair("approve", "1");
    let browser = Client::builder().redirect(Policy::none()).build()?;
    let answer = browser.get(consent).send().await?;
    let location = answer
        .headers()
        .get(header::LOCATION)
        .and_then(|location| location.to_str().ok())
        .ok_or("the Sage simulator did not consent")?;
    let returned = Url::parse(location)?;
    let parameter =
        |name: &str| returned.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    if parameter("state").as_deref() != Some(state.as_str()) {
        return Err("the consent's state is not the one that was sent".into());
    }
    let code = parameter("code").ok_or("the consent brought no code")?;
    let tokens = engine.sage.exchange_code(&code, &pkce.verifier).await?;
    let bought = FixedToken(tokens.access.clone());
    let businesses = Connection::without_business(&engine.sage, &bought).businesses().await?;
    let bindings = engine.store.list_all_bindings().await?;
    let is_taken = |business: &Named| {
        let others = bindings.iter().filter(|other| other.id != binding.id);
        let mut others = others.filter(|other| other.status != BindingStatus::Revoked);
        others.any(|other| other.business.as_ref().is_some_and(|taken| taken.id == business.id))
    };
    let free = |business: &&Named| business.name.contains("Harbour Tea") && !is_taken(business);
    let business = businesses.iter().find(free).ok_or("the Sage user has no free business")?;
    Ok(engine.connect_sage(binding, &tokens, &business.id, &|_| (), None).await?)
}
