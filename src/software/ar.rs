//! Reads `ar` archives, the form of Debian packages and of VIBs, from the front to the back.
//!
//! Members are named in one of two ways: bare, or as GNU `ar` does it, with a `/` behind a name and long names in a table.

use std::io::{self, Read, Seek, SeekFrom};

/// What an archive begins with.
const MAGIC: &[u8; 8] = b"!<arch>\n";

/// How long the header of a member is.
const HEADER: usize = 60;

/// How long the table of long names may be, in octets.
const LONGEST_TABLE: u64 = 64 * 1024;

/// How long a name may be, in octets.
const LONGEST_NAME: usize = 255;

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArError {
    /// It does not begin as archives do, but with these octets.
    #[error("it is no ar archive")]
    Magic([u8; 8]),
    /// It ends in the middle of a member.
    #[error("it is cut off")]
    CutOff,
    /// The header of a member, or a name, is not written as it should be.
    #[error("a member of its archive is damaged")]
    Damaged,
    /// It has more members than are taken.
    #[error("its archive has too many members")]
    TooMany,
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// A member of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ArMember {
    /// Its name.
    pub(super) name: String,
    /// How long it is, in octets.
    pub(super) size: u64,
}

/// An archive that is read. Between two members its [`Read`] gives what is left of the first one.
#[derive(Debug)]
pub(super) struct ArReader<R> {
    input: R,
    /// How much of the member is not read.
    left: u64,
    /// Whether an octet fills up the member to an even length.
    is_odd: bool,
    /// How many members may follow.
    members_left: usize,
    /// The long names of GNU `ar`.
    long_names: Vec<u8>,
}

impl<R: Read> ArReader<R> {
    /// Begins to read an archive, of which at most so many members are taken.
    ///
    /// # Errors
    /// [`ArError::Magic`] for what is no archive.
    pub(super) fn open(mut input: R, most_members: usize) -> Result<Self, ArError> {
        let mut magic = [0; 8];
        let got = read_up_to(&mut input, &mut magic)?;
        if got != magic.len() || &magic != MAGIC {
            return Err(ArError::Magic(magic));
        }
        Ok(Self { input, left: 0, is_odd: false, members_left: most_members, long_names: Vec::new() })
    }

    /// The next member, after what is left of the one before; `None` at the end.
    ///
    /// # Errors
    /// As [`ArError`] has them.
    pub(super) fn next_member(&mut self) -> Result<Option<ArMember>, ArError> {
        self.pass_by_reading()?;
        let Some((name, size)) = self.header()? else { return Ok(None) };
        if name != "//" {
            return self.named(&name, size).map(Some);
        }
        if size > LONGEST_TABLE || !self.long_names.is_empty() {
            return Err(ArError::Damaged);
        }
        let mut table = Vec::new();
        self.read_to_end(&mut table)?;
        self.long_names = table;
        self.next_member()
    }

    /// The member of this header, by its whole name.
    fn named(&self, name: &str, size: u64) -> Result<ArMember, ArError> {
        let whole = match name.strip_prefix('/').filter(|place| !place.is_empty()) {
            Some(place) => self.long_name(place).ok_or(ArError::Damaged)?,
            None => name.strip_suffix('/').unwrap_or(name),
        };
        Ok(ArMember { name: whole.to_owned(), size })
    }

    /// The name that stands in the table at this place.
    fn long_name(&self, place: &str) -> Option<&str> {
        let place: usize = decimal(place)?.try_into().ok()?;
        let name = self.long_names.get(place..)?.split(|octet| *octet == b'\n').next()?;
        let name = std::str::from_utf8(name).ok()?;
        Some(name.strip_suffix('/').unwrap_or(name)).filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME)
    }

    /// Name and size in the next header, from where on the member is read.
    fn header(&mut self) -> Result<Option<(String, u64)>, ArError> {
        let mut header = [0; HEADER];
        match read_up_to(&mut self.input, &mut header)? {
            0 => return Ok(None),
            HEADER => {}
            _ => return Err(ArError::CutOff),
        }
        self.members_left = self.members_left.checked_sub(1).ok_or(ArError::TooMany)?;
        let (name, size) = name_and_size(&header).ok_or(ArError::Damaged)?;
        (self.left, self.is_odd) = (size, size % 2 == 1);
        Ok(Some((name.to_owned(), size)))
    }

    /// Reads what is left of the member, and the octet that fills it up; the last one may lack it.
    fn pass_by_reading(&mut self) -> Result<(), ArError> {
        io::copy(self, &mut io::sink())?;
        if std::mem::take(&mut self.is_odd) {
            read_up_to(&mut self.input, &mut [0])?;
        }
        Ok(())
    }

    /// What the archive is read from, behind what was read.
    pub(super) fn into_input(self) -> R {
        self.input
    }

    /// The same.
    pub(super) fn input_mut(&mut self) -> &mut R {
        &mut self.input
    }
}

impl<R: Read + Seek> ArReader<R> {
    /// Passes over what is left of the member without reading it. Whether the input is so long is not seen here.
    pub(super) fn pass(&mut self) -> Result<(), ArError> {
        let left = self.left + u64::from(std::mem::take(&mut self.is_odd));
        self.left = 0;
        self.input.seek(SeekFrom::Current(i64::try_from(left).map_err(|_| ArError::CutOff)?))?;
        Ok(())
    }
}

impl<R: Read> Read for ArReader<R> {
    /// Reads the member. An archive that ends inside of it is an error of the kind `UnexpectedEof`.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..most).filter(|buffer| !buffer.is_empty()) else { return Ok(0) };
        match self.input.read(buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            got => {
                self.left -= got as u64;
                Ok(got)
            }
        }
    }
}

/// Name and size of a member; every number in a header is decimal text.
fn name_and_size(header: &[u8; HEADER]) -> Option<(&str, u64)> {
    if header.get(58..60)? != b"`\n" {
        return None;
    }
    let name = std::str::from_utf8(header.get(..16)?).ok()?.trim_end_matches(' ');
    let size = decimal(std::str::from_utf8(header.get(48..58)?).ok()?.trim_end_matches(' '))?;
    (!name.is_empty()).then_some((name, size))
}

fn decimal(text: &str) -> Option<u64> {
    text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Fills the buffer as far as the input reaches, and tells how far.
pub(super) fn read_up_to(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while let Some(free) = buffer.get_mut(got..).filter(|free| !free.is_empty()) {
        match input.read(free) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::software::vib::building::archive::{Spelling, ar, header};

    /// All members of an archive and their octets.
    fn members(archive: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ArError> {
        let mut reader = ArReader::open(archive, 16)?;
        let mut members = Vec::new();
        while let Some(member) = reader.next_member()? {
            let mut content = Vec::new();
            reader.read_to_end(&mut content)?;
            assert_eq!(content.len() as u64, member.size);
            members.push((member.name, content));
        }
        Ok(members)
    }

    #[test]
    fn both_spellings_are_read_with_long_names_and_odd_lengths() {
        let written: [(&str, &[u8]); 4] =
            [("descriptor.xml", b"odd"), ("sig.pkcs7", b""), ("longer_than_16_it_is", b"even"), ("last", b"l")];
        let expected: Vec<(String, Vec<u8>)> =
            written.iter().map(|(name, content)| ((*name).to_owned(), content.to_vec())).collect();
        assert_eq!(members(&ar(&written, Spelling::Gnu)).unwrap(), expected);
        let short = [written[0], written[1], written[3]];
        let bare = ar(&short, Spelling::Vmware);
        assert_eq!(members(&bare).unwrap(), [expected[0].clone(), expected[1].clone(), expected[3].clone()]);
        let unfilled = bare.strip_suffix(b"\n").unwrap();
        assert_eq!(members(unfilled).unwrap().len(), 3, "the last member is not filled up");
    }

    #[test]
    fn what_is_not_read_of_a_member_is_passed_over() {
        let archive = ar(&[("a", b"12345"), ("b", b"678")], Spelling::Vmware);
        let mut reader = ArReader::open(archive.as_slice(), 16).unwrap();
        assert_eq!(reader.next_member().unwrap().unwrap().size, 5);
        assert_eq!(reader.read(&mut [0; 2]).unwrap(), 2);
        assert_eq!(reader.next_member().unwrap().unwrap().name, "b");
        let mut reader = ArReader::open(Cursor::new(&archive), 16).unwrap();
        reader.next_member().unwrap();
        reader.pass().unwrap();
        assert_eq!(reader.next_member().unwrap().unwrap().name, "b");
        assert_eq!(reader.next_member().unwrap(), None);
    }

    #[test]
    fn damage_is_told() {
        let archive = ar(&[("descriptor.xml", b"octets"), ("another", b"x")], Spelling::Gnu);
        let told = |archive: &[u8]| members(archive).map(|_| ()).unwrap_err();
        assert!(matches!(told(b"\xed\xab\xee\xdb"), ArError::Magic([0xed, 0xab, ..])));
        assert!(matches!(told(&archive[..archive.len() - 30]), ArError::CutOff));
        assert!(matches!(told(&archive[..70]), ArError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof));
        let with = |header: Vec<u8>| [MAGIC.as_slice(), &header].concat();
        assert!(matches!(told(&with(header("/7", "0", 0))), ArError::Damaged), "no such long name");
        assert!(matches!(told(&with(header("", "0", 0))), ArError::Damaged), "no name");
        assert!(matches!(told(&with(header("//", "0", 9_999_999))), ArError::Damaged), "a table too long");
        let mut sizeless = header("a", "0", 0);
        sizeless[48] = b'-';
        assert!(matches!(told(&with(sizeless)), ArError::Damaged));
        let many: Vec<(&str, &[u8])> = vec![("a", b""); 17];
        assert!(matches!(told(&ar(&many, Spelling::Vmware)), ArError::TooMany));
    }

    proptest! {
        #[test]
        fn any_octets_are_judged(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = members(&octets);
            prop_assert!(octets.is_empty() || members(&[MAGIC.as_slice(), &octets].concat()).is_err());
        }
    }
}
