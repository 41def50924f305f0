//! Opens files in the formats of compression that repositories use.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

/// How much memory the format with the largest window may take, in octets; the highest level of `xz` needs 65 MiB.
const MOST_MEMORY: u64 = 128 * 1024 * 1024;

/// The largest window of zstd that is accepted, as a power of two: what `zstd` itself accepts.
const LARGEST_WINDOW: u32 = 27;

const BUFFER: usize = 64 * 1024;

/// The content of a file, by what the file begins with: gzip, zstd, xz, bzip2, or as it is. There is no bound to what
/// comes out of it.
pub(super) fn open(mut file: File) -> io::Result<Box<dyn BufRead>> {
    let mut magic = Vec::new();
    file.by_ref().take(6).read_to_end(&mut magic)?;
    file.rewind()?;
    let file = BufReader::with_capacity(BUFFER, file);
    let content: Box<dyn Read> = if magic.starts_with(b"\x1f\x8b") {
        Box::new(MultiGzDecoder::new(file))
    } else if magic.starts_with(b"\x28\xb5\x2f\xfd") {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(file)?;
        decoder.window_log_max(LARGEST_WINDOW)?;
        Box::new(decoder)
    } else if magic.starts_with(b"\xfd7zXZ\0") {
        Box::new(XzDecoder::new_stream(file, Stream::new_stream_decoder(MOST_MEMORY, CONCATENATED)?))
    } else if magic.starts_with(b"BZh") {
        Box::new(MultiBzDecoder::new(file))
    } else {
        return Ok(Box::new(file));
    };
    Ok(Box::new(BufReader::with_capacity(BUFFER, content)))
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    const TEXT: &[u8] = b"<metadata/>";

    fn read(compressed: &[u8]) -> io::Result<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(compressed).unwrap();
        file.rewind().unwrap();
        let mut content = Vec::new();
        open(file)?.read_to_end(&mut content)?;
        Ok(content)
    }

    fn written(mut encoder: impl Read) -> Vec<u8> {
        let mut compressed = Vec::new();
        encoder.read_to_end(&mut compressed).unwrap();
        compressed
    }

    #[test]
    fn every_format_is_read() {
        for compressed in [
            TEXT.to_vec(),
            written(flate2::read::GzEncoder::new(TEXT, flate2::Compression::fast())),
            zstd::encode_all(TEXT, 1).unwrap(),
            written(liblzma::read::XzEncoder::new(TEXT, 1)),
            written(bzip2::read::BzEncoder::new(TEXT, bzip2::Compression::fast())),
        ] {
            assert_eq!(read(&compressed).unwrap(), TEXT);
            if compressed != TEXT {
                assert!(read(compressed.get(..compressed.len() - 3).unwrap()).is_err(), "{compressed:?}");
                assert_eq!(read(&compressed.repeat(2)).unwrap(), TEXT.repeat(2));
            }
        }
        assert_eq!(read(b"").unwrap(), b"");
    }
}
