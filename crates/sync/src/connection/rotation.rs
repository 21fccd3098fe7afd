//! Rotation of the keys: whatever is sealed is sealed again with the first key of the ring, while everything goes on.
//!
//! Nothing is locked. A row is written only in place of the version that was read, so a refresh that came in between wins and is read
//! again. What the first key has sealed is passed over, so an interrupted rotation is simply begun again.

mod channels;
mod sealed_calls;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    environment::Environment,
    ids::{BindingId, PersonId},
};
use messages::message;
use store::{CredentialKind, SealedCredential, SecondFactor, Store};
use vault::KeyRing;

use crate::connection::credentials;

/// Rows that are read at once.
const BATCH: u32 = 100;

/// A sealed row of any table.
pub struct SealedRow<P> {
    /// Where it stands.
    pub place: P,
    /// What the envelope is bound to.
    pub associated: String,
    /// The envelope.
    pub envelope: String,
    /// What a write must name.
    pub version: i64,
}

/// A table of sealed rows, gone through in one order.
#[async_trait]
pub trait SealedRows: Sync {
    /// Names a row. Its text is for people and holds no secret.
    type Place: std::fmt::Display + Clone + Send + Sync;

    /// The rows behind a place; fewer than `limit` only at the end.
    async fn page(
        &self,
        after: Option<&Self::Place>,
        limit: u32,
    ) -> store::Result<Vec<SealedRow<Self::Place>>>;

    /// The row as it is now; none when it is gone.
    async fn again(&self, place: &Self::Place) -> store::Result<Option<SealedRow<Self::Place>>>;

    /// Writes an envelope in place of the version that the row names; [`store::Error::RowsAffected`] when it has moved on.
    async fn replace(
        &self,
        row: &SealedRow<Self::Place>,
        envelope: &str,
        now: DateTime<Utc>,
    ) -> store::Result<()>;
}

/// What came of a rotation.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Rows that were sealed again.
    pub resealed: u64,
    /// Rows that the first key had sealed already.
    pub already: u64,
    /// Rows that no key of the ring opens: what they are, and why.
    pub unopened: Vec<(String, vault::Error)>,
    /// Rows that another process has sealed with an old key meanwhile.
    pub left: u64,
}

impl Rotation {
    /// Whether nothing needs the old keys any more.
    pub const fn is_complete(&self) -> bool {
        self.unopened.is_empty() && self.left == 0
    }
}

/// Seals everything in the store again with the first key of the ring.
pub async fn rotate_keys(
    store: &dyn Store,
    keys: &KeyRing,
    environment: &dyn Environment,
) -> store::Result<Rotation> {
    // Each table of sealed rows is one line here.
    let mut rotation = Rotation::default();
    rotation.go_through(&CredentialTable(store), keys, environment).await?;
    rotation.go_through(&Factors(store), keys, environment).await?;
    rotation.go_through(&channels::Channels(store), keys, environment).await?;
    rotation.go_through(&sealed_calls::SealedCalls(store), keys, environment).await?;
    Ok(rotation)
}

impl Rotation {
    /// Goes through a table, then looks whether anything was sealed with an old key behind its back.
    pub async fn go_through<R: SealedRows>(
        &mut self,
        rows: &R,
        keys: &KeyRing,
        environment: &dyn Environment,
    ) -> store::Result<()> {
        let unopened_before = self.unopened.len();
        let mut page = rows.page(None, BATCH).await?;
        while let Some(last) = page.last().map(|row| row.place.clone()) {
            for row in page {
                self.rotate(rows, row, keys, environment).await?;
            }
            tracing::info!(resealed = self.resealed, already = self.already, "keys are being rotated");
            page = rows.page(Some(&last), BATCH).await?;
        }
        let unopened = u64::try_from(self.unopened.len() - unopened_before).unwrap_or(u64::MAX);
        self.left += count_old(rows, keys).await?.saturating_sub(unopened);
        Ok(())
    }

    async fn rotate<R: SealedRows>(
        &mut self,
        rows: &R,
        row: SealedRow<R::Place>,
        keys: &KeyRing,
        environment: &dyn Environment,
    ) -> store::Result<()> {
        let mut current = Some(row);
        while let Some(row) = current {
            if !keys.needs_rotation(&row.envelope) {
                self.already += 1;
                return Ok(());
            }
            let mut nonce = [0; 12];
            environment.random(&mut nonce);
            let opened = keys.open(&row.envelope, &row.associated);
            let envelope = match opened.and_then(|plain| keys.seal(&plain, &row.associated, nonce)) {
                Ok(envelope) => envelope,
                Err(why) => {
                    self.unopened.push((row.place.to_string(), why));
                    return Ok(());
                }
            };
            match rows.replace(&row, &envelope, environment.now()).await {
                Ok(()) => {
                    self.resealed += 1;
                    return Ok(());
                }
                // A refresh came in between, and wins.
                Err(store::Error::RowsAffected { .. }) => current = rows.again(&row.place).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// How many rows the first key has not sealed.
async fn count_old<R: SealedRows>(rows: &R, keys: &KeyRing) -> store::Result<u64> {
    let mut old = 0;
    let mut page = rows.page(None, BATCH).await?;
    while let Some(last) = page.last().map(|row| row.place.clone()) {
        old += page.iter().filter(|row| keys.needs_rotation(&row.envelope)).map(|_| 1).sum::<u64>();
        page = rows.page(Some(&last), BATCH).await?;
    }
    Ok(old)
}

/// The credentials of all bindings.
struct CredentialTable<'a>(&'a dyn Store);

/// A binding's credential.
#[derive(Clone, Copy)]
struct CredentialPlace(BindingId, CredentialKind);

impl std::fmt::Display for CredentialPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&message!(sealed.credential, kind = self.1.as_str(), id = self.0))
    }
}

impl From<SealedCredential> for SealedRow<CredentialPlace> {
    fn from(SealedCredential { binding, kind, sealed }: SealedCredential) -> Self {
        Self {
            place: CredentialPlace(binding, kind),
            associated: credentials::associated(binding, kind),
            envelope: sealed.envelope,
            version: sealed.version,
        }
    }
}

#[async_trait]
impl SealedRows for CredentialTable<'_> {
    type Place = CredentialPlace;

    async fn page(
        &self,
        after: Option<&CredentialPlace>,
        limit: u32,
    ) -> store::Result<Vec<SealedRow<CredentialPlace>>> {
        let after = after.map(|CredentialPlace(binding, kind)| (*binding, *kind));
        let page = self.0.page_credentials(after, limit).await?;
        Ok(page.into_iter().map(SealedRow::from).collect())
    }

    async fn again(
        &self,
        CredentialPlace(binding, kind): &CredentialPlace,
    ) -> store::Result<Option<SealedRow<CredentialPlace>>> {
        let (binding, kind) = (*binding, *kind);
        let sealed = self.0.credential(binding, kind).await?;
        Ok(sealed.map(|sealed| SealedCredential { binding, kind, sealed }.into()))
    }

    async fn replace(
        &self,
        row: &SealedRow<CredentialPlace>,
        envelope: &str,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let CredentialPlace(binding, kind) = row.place;
        self.0.put_credential(binding, kind, envelope, row.version, now, None).await.map(drop)
    }
}

/// The second factors of all people.
struct Factors<'a>(&'a dyn Store);

/// A person's second factor.
#[derive(Clone, Copy)]
struct PersonPlace(PersonId);

impl std::fmt::Display for PersonPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&message!(sealed.second_factor, id = self.0))
    }
}

impl From<SecondFactor> for SealedRow<PersonPlace> {
    fn from(factor: SecondFactor) -> Self {
        Self {
            place: PersonPlace(factor.person_id),
            associated: SecondFactor::bound_to(factor.person_id),
            envelope: factor.envelope,
            version: factor.version,
        }
    }
}

#[async_trait]
impl SealedRows for Factors<'_> {
    type Place = PersonPlace;

    async fn page(
        &self,
        after: Option<&PersonPlace>,
        limit: u32,
    ) -> store::Result<Vec<SealedRow<PersonPlace>>> {
        let page = self.0.sealed_second_factors(after.map(|PersonPlace(person)| *person), limit).await?;
        Ok(page.into_iter().map(SealedRow::from).collect())
    }

    async fn again(
        &self,
        PersonPlace(person): &PersonPlace,
    ) -> store::Result<Option<SealedRow<PersonPlace>>> {
        Ok(self.0.second_factor(*person).await?.map(SealedRow::from))
    }

    async fn replace(
        &self,
        row: &SealedRow<PersonPlace>,
        envelope: &str,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let PersonPlace(person) = row.place;
        self.0.reseal_second_factor(person, envelope, row.version, now).await
    }
}

#[cfg(test)]
mod tests;
