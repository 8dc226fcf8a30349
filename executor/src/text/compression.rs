use std::fmt;
use std::io::{self, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;
use liblzma::bufread::XzDecoder;

use super::gzip::GzipReader;

/// Compressed bytes are read in pieces of this size.
const COMPRESSED_READ_BYTES: usize = 128 * 1024;

/// How a file is compressed, as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// The .xz format.
    Xz,
    /// RFC 8878.
    Zstd,
}

/// Enough of a file's beginning to tell its compression.
pub(crate) const MAGIC_BYTES: usize = 10;

impl Compression {
    /// Recognises the first [`MAGIC_BYTES`] of a file, or all of a shorter one.
    pub(crate) fn sniff(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            // The level, then the first block's mark, or at once the end's.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => {
                Some(Self::Bzip2)
            }
            [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => {
                Some(Self::Bzip2)
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0x00, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // A skippable frame: pzstd begins with one.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// False when these first bytes already tell that a file is not compressed.
    pub(crate) fn may_begin(head: &[u8]) -> bool {
        let first = head.first().copied();
        first.is_none_or(|first| matches!(first, 0x1f | b'B' | 0xfd | 0x28 | 0x50..=0x5f))
    }

    /// The compression that a file's name promises. A file is never read by it, only not split.
    pub fn of_name(name: &str) -> Option<Self> {
        let (stem, suffix) = name.rsplit_once('.')?;
        match suffix.to_ascii_lowercase().as_str() {
            _ if stem.is_empty() => None,
            "gz" | "gzip" => Some(Self::Gzip),
            "bz2" | "bzip2" => Some(Self::Bzip2),
            "xz" => Some(Self::Xz),
            "zst" | "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Decompresses to the end of the file: all members, streams or frames.
    pub(crate) fn reader(self, input: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
        let input = BufReader::with_capacity(COMPRESSED_READ_BYTES, input);
        Ok(match self {
            Self::Gzip => Box::new(GzipReader::new(input)),
            Self::Bzip2 => Box::new(MultiBzDecoder::new(input)),
            Self::Xz => Box::new(XzDecoder::new_multi_decoder(input)),
            Self::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(input)?),
        })
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    const ALL: [Compression; 4] =
        [Compression::Gzip, Compression::Bzip2, Compression::Xz, Compression::Zstd];

    /// One member.
    fn compress(compression: Compression, text: &[u8]) -> Vec<u8> {
        match compression {
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(vec![], Default::default());
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            Compression::Bzip2 => {
                let mut encoder = bzip2::write::BzEncoder::new(vec![], Default::default());
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            Compression::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(vec![], 1);
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            Compression::Zstd => zstd::encode_all(text, 1).unwrap(),
        }
    }

    fn decompress(compression: Compression, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let input = Box::new(Cursor::new(bytes.to_vec()));
        compression.reader(input)?.read_to_end(&mut text)?;
        Ok(text)
    }

    /// Text that does not compress to nothing.
    fn sample() -> Vec<u8> {
        let number = |n: u32| format!("{}\n", n.wrapping_mul(2_654_435_761));
        (0..20_000).flat_map(|n| number(n).into_bytes()).collect()
    }

    #[test]
    fn all_members_are_read() {
        let text = sample();
        for compression in ALL {
            let mut bytes = compress(compression, &text);
            assert_eq!(Compression::sniff(&bytes), Some(compression));
            bytes.extend(compress(compression, b""));
            bytes.extend(compress(compression, b"end\n"));
            let expected = [&text[..], b"end\n"].concat();
            assert!(decompress(compression, &bytes).unwrap() == expected, "{compression}");
            let empty = compress(compression, b"");
            assert_eq!(Compression::sniff(&empty), Some(compression));
            assert_eq!(decompress(compression, &empty).unwrap(), b"");
        }
    }

    #[test]
    fn every_truncation_is_an_error() {
        let text = sample();
        for compression in ALL {
            let bytes = compress(compression, &text);
            let ends = (bytes.len() - 40..bytes.len()).chain((20..bytes.len()).step_by(997));
            for end in ends {
                let error = decompress(compression, &bytes[..end]).unwrap_err();
                let kind = error.kind();
                assert_eq!(kind, io::ErrorKind::UnexpectedEof, "{compression} {end} {error}");
            }
            let second = compress(compression, b"second member\n");
            for end in 1..second.len() {
                let cut = [&bytes[..], &second[..end]].concat();
                assert!(decompress(compression, &cut).is_err(), "{compression} second {end}");
            }
        }
    }

    #[test]
    fn damage_and_garbage_are_errors() {
        for compression in ALL {
            let mut bytes = compress(compression, &sample());
            let garbage = [&bytes[..], b"garbage"].concat();
            assert!(decompress(compression, &garbage).is_err(), "{compression}");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x55;
            let damaged = decompress(compression, &bytes);
            // zstd(1) writes a checksum, its library by default does not.
            let is_noticed = damaged.is_err() || compression == Compression::Zstd;
            assert!(is_noticed, "{compression}");
        }
    }

    #[test]
    fn zeros_after_a_gzip_member_are_padding() {
        let member = compress(Compression::Gzip, b"a\n");
        let padded = [&member[..], &[0; 1000], &member[..], &[0; 7]].concat();
        assert_eq!(decompress(Compression::Gzip, &padded).unwrap(), b"a\na\n");
    }

    #[test]
    fn text_is_not_taken_for_compressed() {
        for head in ["", "B", "BZ", "BZh9", "BZh9 is a name", "(µ/", "P*M", "\u{1f}"] {
            assert_eq!(Compression::sniff(head.as_bytes()), None, "{head}");
        }
        assert!(!Compression::may_begin(b"a"));
        assert_eq!(Compression::of_name("a.log.GZ"), Some(Compression::Gzip));
        assert_eq!(Compression::of_name("gz"), None);
        assert_eq!(Compression::of_name(".gz"), None);
    }
}
