//! A hash table in files: what is in it until when, and a value for each.
//!
//! A table has buckets of slots, none of which is larger than a sector. A look reads one bucket, and what is new takes the
//! first slot of it that is free or out of date, so that under a steady load the files stay as they are. Where a bucket is
//! full, the next table begins, with eight times the buckets; looks go through all of them, until everything in the older
//! one is out of date and it is deleted. Nothing is held in memory of what is in it.

use std::{
    fs::File,
    hash::{BuildHasher, RandomState},
    io,
    os::unix::fs::FileExt,
};

use jiff::Timestamp;

use super::series::{Series, is_blank};
use crate::{
    crypto::sha256,
    store::{
        Unavailable,
        nonces::{seconds, seconds_up},
    },
};

/// How every file begins: this, the size of a slot, how many buckets there are, the salt, and until when something in it counts.
const MAGIC: &[u8; 20] = b"weighbridge index 1\n";

/// The bytes of a bucket, and of what stands before the first.
const BUCKET: usize = 512;

/// The buckets of the first table: 1 MiB, of which the file system keeps what has been written.
const FIRST: u64 = 2048;

/// How many times as large the next table is. A look reads a bucket of each, so there had better be few; what is not written
/// of a file takes no room.
const GROWTH: u64 = 8;

/// More than any disk holds.
const MOST: u64 = 1 << 40;

/// How much later than what it holds a table is said to end, in seconds: so seldom is that written.
const SLACK: u32 = 600;

/// What something is known by in a table.
type Key = [u8; 12];

/// A hash table whose values have so many bytes.
#[derive(Debug)]
pub(super) struct Index<const VALUE: usize> {
    series: Series,
    /// Hashed into every key, so that nobody can choose what falls into one bucket.
    salt: [u8; 16],
    /// The oldest first.
    tables: Vec<Table>,
}

#[derive(Debug)]
struct Table {
    number: u32,
    file: File,
    buckets: u64,
    /// Nothing in it counts after that: seconds since 1970.
    latest: u32,
}

/// What a slot says.
struct Slot<const VALUE: usize> {
    key: Key,
    until: u32,
    value: [u8; VALUE],
}

/// What a look has found: a value that counts, and the slot to write to, if there is one.
struct Found<const VALUE: usize> {
    value: Option<[u8; VALUE]>,
    place: Option<(usize, u64)>,
}

impl<const VALUE: usize> Index<VALUE> {
    const SLOT: usize = 16 + VALUE;

    /// Opens the tables that are there.
    pub(super) fn open(series: Series) -> Result<Self, Unavailable> {
        let (mut tables, mut salt) = (Vec::new(), None);
        for number in series.numbers()? {
            let Some((table, its_salt)) = Table::open(&series, number, Self::SLOT)? else {
                series.remove(number)?;
                continue;
            };
            if *salt.get_or_insert(its_salt) != its_salt {
                return Err(series.said(number, &"it does not belong to the others of its name"));
            }
            tables.push(table);
        }
        Ok(Self { series, salt: salt.unwrap_or_else(drawn), tables })
    }

    /// What stands for a digest until after `now`.
    pub(super) fn look(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<[u8; VALUE]>, Unavailable> {
        Ok(self.find(&self.key(digest), seconds(now))?.value)
    }

    /// Has `value` stand for a digest, in place of what stood there.
    pub(super) fn put(
        &mut self,
        digest: &[u8; 32],
        until: Timestamp,
        value: [u8; VALUE],
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        let (key, now) = (self.key(digest), seconds(now));
        let found = self.find(&key, now)?;
        self.write(found.place, &Slot { key, until: seconds_up(until), value })
    }

    /// Has `value` stand for a digest for which nothing stands; whether that is so.
    pub(super) fn put_first(
        &mut self,
        digest: &[u8; 32],
        until: Timestamp,
        value: [u8; VALUE],
        now: Timestamp,
    ) -> Result<bool, Unavailable> {
        let (key, now) = (self.key(digest), seconds(now));
        let found = self.find(&key, now)?;
        if found.value.is_some() {
            return Ok(false);
        }
        self.write(found.place, &Slot { key, until: seconds_up(until), value })?;
        Ok(true)
    }

    /// Deletes the tables in which everything is out of date.
    pub(super) fn forget(&mut self, now: Timestamp) -> Result<(), Unavailable> {
        let now = seconds(now);
        for table in self.tables.extract_if(.., |table| table.latest < now) {
            self.series.remove(table.number)?;
        }
        Ok(())
    }

    fn key(&self, digest: &[u8; 32]) -> Key {
        let mut salted = [0; 48];
        let (salt, rest) = salted.split_at_mut(self.salt.len());
        salt.copy_from_slice(&self.salt);
        rest.copy_from_slice(digest);
        sha256(&salted).first_chunk().copied().unwrap_or_default()
    }

    /// Looks through all tables, the newest first. Whoever has a slot already keeps it.
    fn find(&self, key: &Key, now: u32) -> Result<Found<VALUE>, Unavailable> {
        let mut free = None;
        for (place, table) in self.tables.iter().enumerate().rev() {
            let (mut bucket, begin) = ([0; BUCKET], table.bucket(key));
            table.file.read_exact_at(&mut bucket, begin).map_err(|error| self.said(table, &error))?;
            for (at, slot) in (begin..).step_by(Self::SLOT).zip(bucket.chunks_exact(Self::SLOT)) {
                let Some(slot) = Slot::<VALUE>::read(slot) else { continue };
                if slot.key == *key && slot.until > 0 {
                    let value = Some(slot.value).filter(|_| slot.until >= now);
                    return Ok(Found { value, place: Some((place, at)) });
                }
                let is_free = slot.until == 0 || slot.until < now;
                if is_free && place + 1 == self.tables.len() {
                    free = free.or(Some((place, at)));
                }
            }
        }
        Ok(Found { value: None, place: free })
    }

    /// A slot lies in one page of the page cache: a process that is killed has written all of it or nothing.
    fn write(&mut self, place: Option<(usize, u64)>, slot: &Slot<VALUE>) -> Result<(), Unavailable> {
        if place.is_none() {
            self.grow()?;
        }
        let last = self.tables.len().saturating_sub(1);
        let table = place.map_or(last, |(table, _)| table);
        // There is one: it was found, or made just now.
        let Some(table) = self.tables.get_mut(table) else { return Ok(()) };
        let at = place.map_or_else(|| table.bucket(&slot.key), |(_, at)| at);
        let mut bytes = [0; BUCKET];
        let written = table.lasts_until(slot.until).and_then(|()| {
            let bytes = slot.write(&mut bytes);
            table.file.write_all_at(bytes, at)
        });
        let number = table.number;
        written.map_err(|error| self.series.said(number, &error))
    }

    fn grow(&mut self) -> Result<(), Unavailable> {
        let last = self.tables.last();
        let (number, buckets) = last.map_or((1, FIRST), |last| (last.number + 1, last.buckets * GROWTH));
        let slot = u32::try_from(Self::SLOT).unwrap_or_default();
        let parts: [&[u8]; 4] = [MAGIC, &slot.to_le_bytes(), &buckets.to_le_bytes(), &self.salt];
        let file = self.series.make(number, &parts.concat())?;
        let table = Table { number, file, buckets, latest: 0 };
        table.file.set_len(table.bytes()).map_err(|error| self.said(&table, &error))?;
        self.tables.push(table);
        Ok(())
    }

    fn said(&self, table: &Table, error: &io::Error) -> Unavailable {
        self.series.said(table.number, error)
    }
}

impl Table {
    /// The place of the time until which something in it counts.
    const LATEST: u64 = 48;

    /// Opens a table, and the salt of its keys; none of a file that was never written.
    fn open(series: &Series, number: u32, slot: usize) -> Result<Option<(Self, [u8; 16])>, Unavailable> {
        let said = |error: io::Error| series.said(number, &error);
        let file = series.open(number).map_err(said)?;
        let mut begin = [0; 52];
        let read = file.read_at(&mut begin, 0).map_err(said)?;
        if is_blank(&begin) {
            return Ok(None);
        }
        let mut rest = begin.get(..read).unwrap_or_default();
        let foreign = || series.said(number, &"it is damaged, or another program's");
        if take(&mut rest) != Some(*MAGIC) {
            return Err(foreign());
        }
        let its_slot = take(&mut rest).map(u32::from_le_bytes).and_then(|slot| usize::try_from(slot).ok());
        let buckets = take(&mut rest).map_or(0, u64::from_le_bytes);
        let salt = take(&mut rest);
        let latest = take(&mut rest).map_or(0, u32::from_le_bytes);
        let is_sound = its_slot == Some(slot) && buckets.is_power_of_two() && buckets <= MOST;
        let salt = salt.filter(|_| is_sound).ok_or_else(foreign)?;
        let table = Self { number, file, buckets, latest };
        // What is missing at its end was never written.
        if table.file.metadata().map_err(said)?.len() < table.bytes() {
            table.file.set_len(table.bytes()).map_err(said)?;
        }
        Ok(Some((table, salt)))
    }

    fn bytes(&self) -> u64 {
        (self.buckets + 1) * BUCKET as u64
    }

    /// Where the bucket of a key begins.
    fn bucket(&self, key: &Key) -> u64 {
        let number = key.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)) % self.buckets;
        (number + 1) * BUCKET as u64
    }

    /// Takes down, before anything is written that counts longer than the rest, that it does.
    fn lasts_until(&mut self, until: u32) -> io::Result<()> {
        if until > self.latest {
            let latest = until.saturating_add(SLACK);
            self.file.write_all_at(&latest.to_le_bytes(), Self::LATEST)?;
            self.latest = latest;
        }
        Ok(())
    }
}

impl<const VALUE: usize> Slot<VALUE> {
    fn read(mut bytes: &[u8]) -> Option<Self> {
        let (key, until, value) = (take(&mut bytes)?, take(&mut bytes)?, take(&mut bytes)?);
        Some(Self { key, until: u32::from_le_bytes(until), value })
    }

    fn write<'b>(&self, to: &'b mut [u8; BUCKET]) -> &'b [u8] {
        let parts: [&[u8]; 3] = [&self.key, &self.until.to_le_bytes(), &self.value];
        let mut length = 0;
        for (to, from) in to.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
            length += 1;
        }
        to.get(..length).unwrap_or_default()
    }
}

/// The next so many bytes.
pub(super) fn take<const COUNT: usize>(from: &mut &[u8]) -> Option<[u8; COUNT]> {
    let (taken, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*taken)
}

/// Drawn as a hash map draws its own, and for the same reason.
fn drawn() -> [u8; 16] {
    let state = RandomState::new();
    let [high, low] = [0, 1].map(|half| u128::from(state.hash_one(half)));
    ((high << 64) | low).to_le_bytes()
}
