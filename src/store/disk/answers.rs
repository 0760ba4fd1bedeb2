//! Answers in a log of files, each of which is deleted once all that it says is out of date, and an index of where each
//! request's is.
//!
//! Nothing is taken out of the log. That what was told of a group is void is said by a record behind it, and known in
//! memory by where that stands; whoever opens the log reads it once for that.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    path::Path,
};

use jiff::Timestamp;

use super::{
    index::Index,
    record::{HEAD, Record, Said, body_length},
    series::{Series, is_blank},
};
use crate::store::{GroupKey, RequestDigest, Unavailable, forgotten::Forgotten};

/// How every file begins.
const MAGIC: &[u8; 22] = b"weighbridge answers 1\n";

/// How long a file grows before the next one begins.
const LONGEST: u64 = 1 << 20;

/// What is read at once of an answer: most are shorter.
const USUAL: usize = 4096;

/// A log of answers.
#[derive(Debug)]
pub(super) struct Answers {
    /// The number of a file and the place in it, by request.
    index: Index<8>,
    series: Series,
    /// The files that are there, the oldest first.
    segments: Vec<Segment>,
    /// The last of them, where this process has begun it: nothing is written behind what another has left half written.
    writer: Option<Writer>,
    /// The number of the last that there ever was, as far as this process knows.
    last: u32,
    forgotten: Forgotten,
    /// What time it was when that was told last.
    now: Timestamp,
}

#[derive(Debug)]
struct Segment {
    number: u32,
    /// When all that it says is out of date.
    until: Timestamp,
}

#[derive(Debug)]
struct Writer {
    file: File,
    number: u32,
    length: u64,
}

impl Answers {
    /// Opens the log beside a database, and reads what is void.
    pub(super) fn open(database: &Path) -> Result<Self, Unavailable> {
        let mut answers = Self {
            index: Index::open(Series::beside(database, "index"))?,
            series: Series::beside(database, "answers"),
            segments: Vec::new(),
            writer: None,
            last: 0,
            forgotten: Forgotten::default(),
            now: Timestamp::UNIX_EPOCH,
        };
        for number in answers.series.numbers()? {
            answers.read_segment(number)?;
        }
        Ok(answers)
    }

    /// Records an answer.
    pub(super) fn record(
        &mut self,
        request: RequestDigest,
        group: Option<GroupKey>,
        until: Timestamp,
        answer: String,
    ) -> Result<(), Unavailable> {
        let place = self.append(&Record { until, said: Said::Answer { request, group, answer } })?;
        self.index.put(&request, until, place.to_le_bytes(), self.now)
    }

    /// What was answered to a request.
    pub(super) fn answer(
        &mut self,
        request: &RequestDigest,
        now: Timestamp,
    ) -> Result<Option<String>, Unavailable> {
        self.now = now;
        let Some(place) = self.index.look(request, now)?.map(u64::from_le_bytes) else { return Ok(None) };
        let Some(Record { until, said }) = self.read_record(place)? else { return Ok(None) };
        let Said::Answer { request: its_own, group, answer } = said else { return Ok(None) };
        let counts = its_own == *request && until > now && !self.forgotten.is_void(group.as_ref(), place);
        Ok(Some(answer).filter(|_| counts))
    }

    /// Has what was answered of a group void.
    pub(super) fn forget(&mut self, group: &GroupKey) -> Result<(), Unavailable> {
        self.say_void(Said::Forget(group.clone()))
    }

    /// Has what was answered of the groups of a target void.
    pub(super) fn forget_target(&mut self, cloud: &str) -> Result<(), Unavailable> {
        self.say_void(Said::ForgetTarget(cloud.to_owned()))
    }

    /// Deletes what is out of date.
    pub(super) fn tidy(&mut self, now: Timestamp) -> Result<(), Unavailable> {
        self.now = now;
        for segment in self.segments.extract_if(.., |segment| segment.until <= now) {
            self.series.remove(segment.number)?;
        }
        let last = self.segments.last().map(|segment| segment.number);
        self.writer.take_if(|writer| Some(writer.number) != last);
        self.forgotten.tidy(now);
        self.index.forget(now)
    }

    /// What is recorded that something is void counts for as long as anything of what is void would.
    fn say_void(&mut self, said: Said) -> Result<(), Unavailable> {
        let Some(until) = self.segments.iter().map(|segment| segment.until).max() else { return Ok(()) };
        let record = Record { until, said };
        let place = self.append(&record)?;
        self.mark(record, place);
        Ok(())
    }

    fn mark(&mut self, record: Record, place: u64) {
        match record.said {
            Said::Answer { .. } => {}
            Said::Forget(group) => self.forgotten.forget(group, place, record.until),
            Said::ForgetTarget(cloud) => self.forgotten.forget_target(cloud, place, record.until),
        }
    }

    /// Writes a record behind the others; where it stands.
    fn append(&mut self, record: &Record) -> Result<u64, Unavailable> {
        let bytes = record.to_bytes();
        let length = bytes.len() as u64;
        if self.writer.as_ref().is_none_or(|writer| writer.length + length > LONGEST) {
            self.begin_segment()?;
        }
        let (Some(writer), Some(segment)) = (&mut self.writer, self.segments.last_mut()) else {
            return Err(Unavailable("the log of answers has no file".to_owned()));
        };
        let written = writer.file.write_all_at(&bytes, writer.length);
        written.map_err(|error| self.series.said(writer.number, &error))?;
        let place = place_of(writer.number, writer.length);
        writer.length += length;
        segment.until = segment.until.max(record.until);
        Ok(place)
    }

    fn begin_segment(&mut self) -> Result<(), Unavailable> {
        let number = self.last + 1;
        let file = self.series.make(number, MAGIC)?;
        self.last = number;
        self.segments.push(Segment { number, until: Timestamp::MIN });
        self.writer = Some(Writer { file, number, length: MAGIC.len() as u64 });
        Ok(())
    }

    /// Reads what another process has written, up to where a write was cut off.
    fn read_segment(&mut self, number: u32) -> Result<(), Unavailable> {
        let said = |error: io::Error| self.series.said(number, &error);
        let mut bytes = Vec::new();
        self.series.open(number).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(said)?;
        if !bytes.starts_with(MAGIC) {
            if is_blank(bytes.get(..MAGIC.len()).unwrap_or(&bytes)) {
                return self.series.remove(number);
            }
            return Err(self.series.said(number, &"it is damaged, or another program's"));
        }
        self.last = number;
        let (mut until, mut at) = (Timestamp::MIN, MAGIC.len());
        while let Some((record, length)) = bytes.get(at..).and_then(Record::read) {
            until = until.max(record.until);
            self.mark(record, place_of(number, at as u64));
            at += length;
        }
        self.segments.push(Segment { number, until });
        Ok(())
    }

    /// The record at a place; none where its file is deleted by now.
    fn read_record(&self, place: u64) -> Result<Option<Record>, Unavailable> {
        let (number, at) = (u32::try_from(place >> 32).unwrap_or_default(), place & u64::from(u32::MAX));
        let said = |error: io::Error| self.series.said(number, &error);
        let opened;
        let file = match &self.writer {
            Some(writer) if writer.number == number => &writer.file,
            Some(_) | None => match self.series.open(number) {
                Ok(file) => {
                    opened = file;
                    &opened
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(said(error)),
            },
        };
        let mut bytes = vec![0; USUAL];
        let mut read = file.read_at(&mut bytes, at).map_err(said)?;
        let length = bytes.first_chunk().and_then(body_length).map_or(0, |length| HEAD + length);
        let left = file.metadata().map_err(said)?.len().saturating_sub(at);
        if read < length && length as u64 <= left {
            bytes.resize(length, 0);
            file.read_exact_at(&mut bytes, at).map_err(said)?;
            read = length;
        }
        Ok(bytes.get(..read).and_then(Record::read).map(|(record, _)| record))
    }
}

/// Later records have higher places, in whichever file.
fn place_of(number: u32, at: u64) -> u64 {
    (u64::from(number) << 32) | at
}
