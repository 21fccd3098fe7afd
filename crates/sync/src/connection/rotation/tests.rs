//! The rules of a rotation, on rows in memory.

use std::sync::{Mutex, MutexGuard};

use secrecy::{ExposeSecret, SecretString};

use super::*;

/// A clock that stands still, and nonces that never come twice.
#[derive(Default)]
struct Still(Mutex<u8>);

impl Environment for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn random(&self, bytes: &mut [u8]) {
        let mut last = self.0.lock().unwrap();
        *last = last.wrapping_add(1);
        bytes.fill(*last);
    }
}

fn ring(keys: &[(u8, &str)]) -> KeyRing {
    let texts: Vec<String> = keys.iter().map(|(byte, id)| KeyRing::generate([*byte; 32], id)).collect();
    KeyRing::parse(&texts.join(",")).unwrap()
}

fn sealed(keys: &KeyRing, plain: &str, row: usize) -> String {
    let nonce = u8::try_from(row).unwrap() | 0x80;
    keys.seal(&SecretString::from(plain.to_owned()), &format!("row {row}"), [nonce; 12]).unwrap()
}

/// Table as envelope and version. `refreshed` is what a refresh writes just before a write of the rotation; `writes` may run out.
#[derive(Default)]
struct Table {
    rows: Mutex<Vec<(String, i64)>>,
    refreshed: Mutex<Vec<(usize, String)>>,
    writes: Mutex<Option<u32>>,
}

impl Table {
    fn of(envelopes: Vec<String>) -> Self {
        let rows = Mutex::new(envelopes.into_iter().map(|envelope| (envelope, 1)).collect());
        Self { rows, ..Self::default() }
    }

    fn rows(&self) -> MutexGuard<'_, Vec<(String, i64)>> {
        self.rows.lock().unwrap()
    }

    fn row(&self, place: usize) -> Option<SealedRow<usize>> {
        let (envelope, version) = self.rows().get(place)?.clone();
        Some(SealedRow { place, associated: format!("row {place}"), envelope, version })
    }

    fn plain(&self, keys: &KeyRing, place: usize) -> String {
        let row = self.row(place).unwrap();
        keys.open(&row.envelope, &row.associated).unwrap().expose_secret().to_owned()
    }
}

#[async_trait]
impl SealedRows for Table {
    type Place = usize;

    async fn page(&self, after: Option<&usize>, limit: u32) -> store::Result<Vec<SealedRow<usize>>> {
        let first = after.map_or(0, |after| after + 1);
        Ok((first..).map_while(|place| self.row(place)).take(usize::try_from(limit).unwrap()).collect())
    }

    async fn again(&self, place: &usize) -> store::Result<Option<SealedRow<usize>>> {
        Ok(self.row(*place))
    }

    async fn replace(&self, row: &SealedRow<usize>, envelope: &str, _: DateTime<Utc>) -> store::Result<()> {
        if let Some(left) = self.writes.lock().unwrap().as_mut() {
            *left =
                left.checked_sub(1).ok_or_else(|| store::Error::Unavailable("the machine is off".into()))?;
        }
        let mut refreshed = self.refreshed.lock().unwrap();
        refreshed.retain(|(place, newer)| {
            let is_it = *place == row.place;
            if is_it {
                let version = self.rows()[*place].1 + 1;
                self.rows()[*place] = (newer.clone(), version);
            }
            !is_it
        });
        let mut rows = self.rows();
        let current = &mut rows[row.place];
        if current.1 != row.version {
            return Err(store::Error::RowsAffected { expected: 1, actual: 0 });
        }
        *current = (envelope.to_owned(), row.version + 1);
        Ok(())
    }
}

async fn rotated(rows: &Table, keys: &KeyRing) -> store::Result<Rotation> {
    let mut rotation = Rotation::default();
    rotation.go_through(rows, keys, &Still::default()).await?;
    Ok(rotation)
}

#[tokio::test]
async fn everything_opens_without_the_old_key_afterwards_over_many_pages() {
    let old = ring(&[(7, "old")]);
    let count = 101;
    let rows = Table::of((0..count).map(|row| sealed(&old, &format!("secret {row}"), row)).collect());
    let both = ring(&[(8, "new"), (7, "old")]);
    let rotation = rotated(&rows, &both).await.unwrap();
    assert_eq!(rotation, Rotation { resealed: 101, ..Rotation::default() });
    assert!(rotation.is_complete());
    let new = ring(&[(8, "new")]);
    for row in 0..count {
        assert_eq!(rows.plain(&new, row), format!("secret {row}"));
    }
    assert_eq!(rotated(&rows, &new).await.unwrap(), Rotation { already: 101, ..Rotation::default() });
}

#[tokio::test]
async fn an_interrupted_rotation_goes_on_where_it_ended() {
    let old = ring(&[(7, "old")]);
    let rows = Table::of((0..5).map(|row| sealed(&old, "secret", row)).collect());
    *rows.writes.lock().unwrap() = Some(3);
    let both = ring(&[(8, "new"), (7, "old")]);
    assert!(rotated(&rows, &both).await.is_err());
    *rows.writes.lock().unwrap() = None;
    let rotation = rotated(&rows, &both).await.unwrap();
    assert_eq!((rotation.already, rotation.resealed), (3, 2));
}

#[tokio::test]
async fn a_refresh_that_comes_in_between_is_not_lost() {
    let (old, both) = (ring(&[(7, "old")]), ring(&[(8, "new"), (7, "old")]));
    let rows = Table::of((0..2).map(|row| sealed(&old, "before", row)).collect());
    // One was sealed by a process that has the new key already, the other by one that has it as a second key only.
    *rows.refreshed.lock().unwrap() =
        vec![(0, sealed(&both, "refreshed", 0)), (1, sealed(&old, "refreshed", 1))];
    let rotation = rotated(&rows, &both).await.unwrap();
    assert_eq!(rotation, Rotation { already: 1, resealed: 1, ..Rotation::default() });
    let new = ring(&[(8, "new")]);
    assert_eq!((rows.plain(&new, 0), rows.plain(&new, 1)), ("refreshed".to_owned(), "refreshed".to_owned()));
}

#[tokio::test]
async fn what_no_key_opens_is_named_and_stays_as_it_is() {
    let (lost, old) = (ring(&[(6, "lost")]), ring(&[(7, "old")]));
    let rows = Table::of(vec![sealed(&lost, "secret", 0), sealed(&old, "secret", 1), "damaged".to_owned()]);
    let before = rows.rows()[0].clone();
    let rotation = rotated(&rows, &ring(&[(8, "new"), (7, "old")])).await.unwrap();
    let unknown = vault::Error::UnknownKey { id: "lost".to_owned() };
    assert_eq!(rotation.unopened, [("0".to_owned(), unknown), ("2".to_owned(), vault::Error::NotAnEnvelope)]);
    assert_eq!((rotation.resealed, rotation.left, rotation.is_complete()), (1, 0, false));
    assert_eq!(rows.rows()[0], before);
}
