//! Media types by the ends of names, as IANA has registered them.

/// Ends of names, in the order of the alphabet, and what they mean. Texts are taken to be UTF-8.
const TYPES: &[(&str, &str)] = &[
    ("7z", "application/x-7z-compressed"),
    ("aac", "audio/aac"),
    ("atom", "application/atom+xml"),
    ("avif", "image/avif"),
    ("bin", OCTETS),
    ("bmp", "image/bmp"),
    ("bz2", "application/x-bzip2"),
    ("c", TEXT),
    ("css", "text/css; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("eot", "application/vnd.ms-fontobject"),
    ("epub", "application/epub+zip"),
    ("flac", "audio/flac"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("h", TEXT),
    ("htm", HTML),
    ("html", HTML),
    ("ico", "image/vnd.microsoft.icon"),
    ("ics", "text/calendar; charset=utf-8"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", SCRIPT),
    ("json", "application/json"),
    ("jsonld", "application/ld+json"),
    ("jxl", "image/jxl"),
    ("log", TEXT),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("map", "application/json"),
    ("md", "text/markdown; charset=utf-8"),
    ("mjs", SCRIPT),
    ("mkv", "video/matroska"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpeg", "video/mpeg"),
    ("ogg", "audio/ogg"),
    ("ogv", "video/ogg"),
    ("opus", "audio/ogg"),
    ("otf", "font/otf"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("rs", TEXT),
    ("rss", "application/rss+xml"),
    ("rtf", "application/rtf"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("toml", "application/toml"),
    ("ts", "video/mp2t"),
    ("ttf", "font/ttf"),
    ("txt", TEXT),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("weba", "audio/webm"),
    ("webm", "video/webm"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xhtml", "application/xhtml+xml"),
    ("xml", "application/xml"),
    ("xz", "application/x-xz"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("zip", "application/zip"),
    ("zst", "application/zstd"),
];

pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const OCTETS: &str = "application/octet-stream";

/// The longest end that is known.
const MOST_BYTES: usize = 11;

/// The type of a file of this name. Of one that nobody knows it says that it is bytes, which a browser stores and does not show.
#[must_use]
pub fn media_type(name: &[u8]) -> &'static str {
    let Some(dot) = name.iter().rposition(|byte| *byte == b'.') else { return OCTETS };
    let end = name.get(dot + 1..).unwrap_or_default();
    let mut lower = [0; MOST_BYTES];
    let Some(lower) = lower.get_mut(..end.len()) else { return OCTETS };
    lower.copy_from_slice(end);
    lower.make_ascii_lowercase();
    let found = TYPES.binary_search_by(|(known, _)| known.as_bytes().cmp(lower));
    found.ok().and_then(|place| TYPES.get(place)).map_or(OCTETS, |(_, media)| media)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        assert!(TYPES.is_sorted_by(|(one, _), (other, _)| one < other));
        assert_eq!(TYPES.iter().map(|(end, _)| end.len()).max(), Some(MOST_BYTES));
        for (end, media) in TYPES {
            assert_eq!(media_type(std::format!("a.b.{}", end.to_uppercase()).as_bytes()), *media);
        }
    }

    #[test]
    fn what_nobody_knows_is_bytes() {
        for name in ["", "a", "a.", ".", "a.unknown", "html", "a.html.x", "a.manifest-that-is-long"] {
            assert_eq!(media_type(name.as_bytes()), OCTETS, "{name}");
        }
    }
}
