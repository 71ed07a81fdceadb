//! Files made to cost more than they are: each below 1 MiB, each a case that brought a parser down somewhere (reliability
//! research, section 6c, and the advisories named there). Generated, so that nothing hostile lies in the repository.

#![expect(clippy::big_endian_bytes, reason = "most of the formats are big-endian")]

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use std::io::Write;
use std::sync::OnceLock;

type Bomb = (&'static str, Vec<u8>);

/// Bytes that a packed part unpacks to.
const UNPACKED: usize = 128 << 20;

/// Blanks, packed a thousandfold. Made once: packing them takes longer than defusing them.
fn deflated() -> &'static [u8] {
    static PACKED: OnceLock<Vec<u8>> = OnceLock::new();
    PACKED.get_or_init(|| pack_blanks(UNPACKED))
}

fn pack_blanks(bytes: usize) -> Vec<u8> {
    let mut out = DeflateEncoder::new(Vec::new(), Compression::new(3));
    for _ in 0..bytes >> 20 {
        out.write_all(&[b' '; 1 << 20]).unwrap();
    }
    out.finish().unwrap()
}

/// The same in the wrapping of zlib, without its sum: nobody should get that far.
fn zlib() -> Vec<u8> {
    [&b"\x78\x9C"[..], deflated(), &[0; 4]].concat()
}

/// The same in the wrapping of gzip.
fn gzip() -> Vec<u8> {
    [&b"\x1F\x8B\x08\0\0\0\0\0\0\xFF"[..], deflated(), &[0; 8]].concat()
}

/// Every bomb.
pub(crate) fn all() -> Vec<Bomb> {
    [png(), jpeg_tiff(), films(), sounds(), archives(), documents(), pictures()].concat()
}

// Pictures.

fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let crc = crc32fast::hash(&[&kind[..], body].concat());
    [&(body.len() as u32).to_be_bytes()[..], kind, body, &crc.to_be_bytes()].concat()
}

fn header(width: u32, height: u32) -> Vec<u8> {
    let body = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &body)].concat()
}

fn png() -> Vec<Bomb> {
    let text = |kind: &[u8; 4], head: &[u8]| {
        let body = [head, &zlib()].concat();
        [header(1, 1), chunk(kind, &body), chunk(b"IEND", b"")].concat()
    };
    let many =
        |kind: &[u8; 4], body: &[u8]| [header(1, 1), chunk(kind, body).repeat(900_000 / (12 + body.len()))].concat();
    let mut endless = header(1, 1);
    endless.extend([&u32::MAX.to_be_bytes()[..], b"tEXt", b"x"].concat());
    vec![
        ("png of 2^31 by 2^31", [header(1 << 31, 1 << 31), chunk(b"IDAT", &zlib())].concat()),
        ("png zTXt that unpacks 1000:1", text(b"zTXt", b"Comment\0\0")),
        ("png iTXt that unpacks 1000:1", text(b"iTXt", b"Comment\0\x01\0\0\0")),
        ("png iCCP that unpacks 1000:1", text(b"iCCP", b"icc\0\0")),
        ("png XMP that unpacks 1000:1", text(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0")),
        ("png of 75,000 empty chunks", many(b"tEXt", b"")),
        ("png of many animation frames", many(b"fcTL", &[0; 26])),
        ("png with a chunk of 4 GiB", endless),
    ]
}

fn tiff(entries: &[(u16, u16, u32, u32)], next: u32) -> Vec<u8> {
    let mut out = b"II*\0\x08\0\0\0".to_vec();
    out.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        out.extend(tag.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend(count.to_le_bytes());
        out.extend(value.to_le_bytes());
    }
    out.extend(next.to_le_bytes());
    out
}

fn app1(body: &[u8]) -> Vec<u8> {
    let len = (body.len() + 2) as u16;
    [&[0xFF, 0xE1][..], &len.to_be_bytes(), body].concat()
}

fn jpeg_tiff() -> Vec<Bomb> {
    let exif = |tiff: &[u8]| [&b"\xFF\xD8"[..], &app1(&[b"Exif\0\0", tiff].concat()), b"\xFF\xD9"].concat();
    let directory = |tag, at| (tag, 4, 1, at);
    let mut full = tiff(&[], 8);
    full[8..10].copy_from_slice(&u16::MAX.to_le_bytes());
    let strips: Vec<_> = (0..2).map(|n| (273 + 6 * n, 4u16, 60_000u32, 8u32)).collect();
    let chain: Vec<u8> =
        (0..50_000u32).flat_map(|n| [&[0, 0][..], &(8 + 6 * (n + 1)).to_le_bytes()].concat()).collect();
    vec![
        ("tiff whose directory follows itself", tiff(&[(256, 4, 1, 1)], 8)),
        ("tiff of 65,535 entries in nothing", full.clone()),
        ("tiff of 65,535 entries in full", [full, vec![1; 65_535 * 12]].concat()),
        ("tiff of overlapping strips", tiff(&strips, 0)),
        ("tiff with a value of 2^32 - 1 numbers", tiff(&[(270, 2, u32::MAX, 8), (33_432, 12, u32::MAX, 8)], 0)),
        ("tiff of 50,000 directories", [b"II*\0\x08\0\0\0".to_vec(), chain].concat()),
        (
            "exif that points to itself",
            exif(&tiff(&[directory(34_665, 8), directory(34_853, 8), directory(40_965, 8)], 8)),
        ),
        ("exif with sub-directories by the thousand", exif(&tiff(&[(330, 4, 4000, 8); 4000], 8))),
        ("jpeg of 10,000 segments", [&b"\xFF\xD8"[..], &b"\xFF\xE5\0\x04xx".repeat(10_000)].concat()),
        ("jpeg of fill bytes", [&b"\xFF\xD8"[..], &[0xFF; 1 << 19]].concat()),
        (
            "jpeg of ICC parts without end",
            [&b"\xFF\xD8"[..], &b"\xFF\xE2\0\x12ICC_PROFILE\0\x01\xFFxx".repeat(40_000)].concat(),
        ),
        (
            "jpeg of XMP extensions without end",
            [
                &b"\xFF\xD8"[..],
                &app1(
                    &[&b"http://ns.adobe.com/xmp/extension/\0"[..], &[0x41; 32], &u32::MAX.to_be_bytes(), &[0; 4]]
                        .concat(),
                )
                .repeat(9000),
            ]
            .concat(),
        ),
        (
            "jpeg of 65,535 by 65,535",
            b"\xFF\xD8\xFF\xC0\0\x11\x08\xFF\xFF\xFF\xFF\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xFF\xDA".to_vec(),
        ),
    ]
}

fn pictures() -> Vec<Bomb> {
    let frame = b"\x2C\0\0\0\0\x01\0\x01\0\0\x02\x01\0\0";
    let gif = |body: &[u8]| [&b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xFF\xFF\xFF"[..], body].concat();
    let packet = |body: &str| {
        format!("<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:dc='http://purl.org/dc/elements/1.1/'>{body}</rdf:RDF></x:xmpmeta>").into_bytes()
    };
    let webp = |kind: &[u8; 4], len: u32, body: &[u8]| {
        [&b"RIFF\xFF\xFF\xFF\x7FWEBP"[..], kind, &len.to_le_bytes(), body].concat()
    };
    vec![
        ("gif of 60,000 frames", gif(&frame.repeat(60_000))),
        ("gif with a comment without end", gif(&[&b"\x21\xFE"[..], &b"\xFFx".repeat(400_000)].concat())),
        (
            "xmp of 900 KB in one bag",
            packet(&format!(
                "<rdf:Description><dc:subject><rdf:Bag>{}</rdf:Bag></dc:subject></rdf:Description>",
                "<rdf:li>x</rdf:li>".repeat(50_000)
            )),
        ),
        ("xmp nested 60,000 deep", packet(&"<rdf:Description>".repeat(50_000))),
        ("xmp with entities that multiply", packet("").iter().copied().chain(laughs().bytes()).collect()),
        ("svgz that unpacks 1000:1", gzip()),
        (
            "svg nested 100,000 deep",
            [&b"<svg xmlns='http://www.w3.org/2000/svg'>"[..], &b"<g>".repeat(100_000)].concat(),
        ),
        ("webp with a chunk of 4 GiB", webp(b"EXIF", u32::MAX, b"II*\0")),
        ("webp of 90,000 chunks", webp(b"VP8X", 10, &[&[0; 10][..], &b"ANMF\0\0\0\0".repeat(90_000)].concat())),
        (
            "bmp of 2^31 columns",
            [
                &b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"[..],
                &i32::MAX.to_le_bytes(),
                &i32::MIN.to_le_bytes(),
                &[1, 0, 32, 0],
            ]
            .concat(),
        ),
        ("ico of 65,535 pictures", [&b"\0\0\x01\0\xFF\xFF"[..], &[0xFF; 600_000]].concat()),
        (
            "psd with resources of 4 GiB",
            [
                &b"8BPS\0\x01\0\0\0\0\0\0\0\x03\0\0\0\x01\0\0\0\x01\0\x08\0\x03\0\0\0\0\xFF\xFF\xFF\xFF"[..],
                &b"8BIM\x04\x04\0\0\xFF\xFF\xFF\xFF".repeat(1000),
            ]
            .concat(),
        ),
        ("avif with a grid of 65,535 by 65,535", avif()),
    ]
}

// Films.

fn atom(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&((body.len() + 8) as u32).to_be_bytes()[..], kind, body].concat()
}

fn avif() -> Vec<u8> {
    let grid = [0, 1, 0xFE, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
    let info = [&[0, 0, 0, 0, 0, 1][..], &atom(b"infe", b"\x02\0\0\0\0\x01\0\0grid\0")].concat();
    let place = [&[0, 0, 0, 0, 0x44, 0, 0, 1, 0, 1, 0, 0, 0, 1][..], &[0, 0, 0, 200, 0, 0, 0, 12]].concat();
    let uses = [&[0, 0, 0, 0][..], &atom(b"dimg", &[&[0, 1, 0xFF, 0xFF][..], &[0; 131_070]].concat())].concat();
    let parts = [atom(b"pitm", &[0, 0, 0, 0, 0, 1]), atom(b"iinf", &info), atom(b"iloc", &place), atom(b"iref", &uses)];
    let meta = [vec![0; 4], parts.concat()].concat();
    [atom(b"ftyp", b"avif\0\0\0\0avifmif1"), atom(b"meta", &meta), atom(b"mdat", &grid)].concat()
}

/// A film with one track whose sample table holds `table`.
fn film(table: &[u8]) -> Vec<u8> {
    let entry = atom(b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1][..], &atom(b"avc1", &[0; 78])].concat());
    let stbl = atom(b"stbl", &[&entry, table].concat());
    let mdhd = atom(b"mdhd", &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0xE8, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]);
    let hdlr = atom(b"hdlr", b"\0\0\0\0\0\0\0\0vide\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let mdia = atom(b"mdia", &[mdhd, hdlr, atom(b"minf", &stbl)].concat());
    [atom(b"ftyp", b"isom\0\0\0\0isom"), atom(b"moov", &atom(b"trak", &mdia))].concat()
}

#[expect(clippy::too_many_lines, reason = "a line for each")]
fn films() -> Vec<Bomb> {
    let most = u32::MAX.to_be_bytes();
    let table = |kind: &[u8; 4], body: &[u8]| film(&atom(kind, &[&[0; 4][..], body].concat()));
    let part = |n: u32| [&(8 * (100_000 - n)).to_be_bytes()[..], b"moov"].concat();
    let deep: Vec<u8> = (0..100_000).flat_map(part).collect();
    let ebml = b"\x1A\x45\xDF\xA3\x88\x42\x82\x85webm\0";
    let unknown = |id: &[u8]| [id, &[0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]].concat();
    let segment = unknown(b"\x18\x53\x80\x67");
    let mkv = |body: &[u8]| [&ebml[..], &segment, body].concat();
    vec![
        ("mp4 with 2^32 - 1 sample sizes", table(b"stsz", &[&[0; 4][..], &most].concat())),
        ("mp4 with 2^32 - 1 chunk runs", table(b"stsc", &most)),
        (
            "mp4 with no samples in a chunk",
            table(b"stsc", &[&[0, 0, 0, 1][..], &[0, 0, 0, 1], &[0; 4], &[0, 0, 0, 1]].concat()),
        ),
        (
            "mp4 with runs of 2^32 - 1 samples",
            table(b"stts", &[&[0, 0, 0, 2][..], &most, &most, &most, &most].concat()),
        ),
        ("mp4 with a part of size 0 in a part", film(&[0, 0, 0, 0, b's', b't', b's', b'z'])),
        (
            "mp4 with a part of 2^64 - 1 bytes",
            [atom(b"ftyp", b"isom\0\0\0\0isom"), [&[0, 0, 0, 1][..], b"moov", &[0xFF; 8]].concat()].concat(),
        ),
        ("mp4 nested 100,000 deep", [atom(b"ftyp", b"isom\0\0\0\0isom"), deep].concat()),
        (
            "mp4 of 100,000 tracks",
            [atom(b"ftyp", b"isom\0\0\0\0isom"), atom(b"moov", &atom(b"trak", b"").repeat(100_000))].concat(),
        ),
        (
            "mp4 with 30,000 tags",
            [
                atom(b"ftyp", b"isom\0\0\0\0isom"),
                atom(
                    b"moov",
                    &atom(
                        b"udta",
                        &atom(
                            b"meta",
                            &[
                                vec![0; 4],
                                atom(b"ilst", &atom(b"\xA9nam", &atom(b"data", b"\0\0\0\x01\0\0\0\0x")).repeat(30_000)),
                            ]
                            .concat(),
                        ),
                    ),
                ),
            ]
            .concat(),
        ),
        ("matroska of unknown sizes, nested", mkv(&unknown(b"\x1F\x43\xB6\x75").repeat(60_000))),
        (
            "matroska with lacing that overflows",
            mkv(&[unknown(b"\x1F\x43\xB6\x75"), b"\xA3\x8A\x81\0\0\x04\xFF\xFF\xFF\xFF\xFF\xFF".repeat(50_000)]
                .concat()),
        ),
        (
            "matroska with a text of 2^56 bytes",
            mkv(&[&b"\x15\x49\xA9\x66\x01\0\0\0\0\0\0\x20\x7B\xA9\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFE"[..], b"x"].concat()),
        ),
        ("matroska of 200,000 empty parts", mkv(&b"\xEC\x80".repeat(200_000))),
        (
            "avi nested without end",
            [&b"RIFF\xFF\xFF\xFF\x7FAVI "[..], &b"LIST\xFF\xFF\xFF\x7Fhdrl".repeat(70_000)].concat(),
        ),
        ("mpeg stream of nothing but starts", b"\0\0\x01\xBA\x44\0\x04\0\x04\x01\0\0\x03\xF8".repeat(60_000)),
        (
            "flv of empty tags",
            [&b"FLV\x01\x05\0\0\0\x09\0\0\0\0"[..], &b"\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\x0B".repeat(60_000)].concat(),
        ),
    ]
}

// Sounds.

fn sounds() -> Vec<Bomb> {
    let id3 = |frames: &[u8], flags: u8| [&b"ID3\x04\0"[..], &[flags, 0x7F, 0x7F, 0x7F, 0x7F], frames].concat();
    let flac = |kind: u8, len: u32, times: usize| {
        let block = [&[kind][..], &len.to_be_bytes()[1..], &[0; 64]].concat();
        [&b"fLaC\0\0\0\x22"[..], &[0; 34], &block.repeat(times)].concat()
    };
    let page = |kind: u8, sequence: u32, body: &[u8]| {
        let lacing = vec![255u8; body.len() / 255];
        [
            &b"OggS\0"[..],
            &[kind],
            &[0; 8],
            &[1, 0, 0, 0],
            &sequence.to_le_bytes(),
            &[0; 4],
            &[lacing.len() as u8],
            &lacing,
            body,
        ]
        .concat()
    };
    let endless = (0..16).flat_map(|n| page(u8::from(n > 0), n, &[b'x'; 255 * 255])).collect();
    vec![
        ("id3 with a frame of 256 MiB", id3(b"TIT2\x7F\x7F\x7F\x7F\0\0\x03x", 0)),
        ("id3 of nothing but unsynchronised bytes", id3(&b"\xFF\0".repeat(400_000), 0x80)),
        ("id3 of 80,000 frames", id3(&b"TX\x58X\0\0\0\x01\0\0\x03".repeat(80_000), 0)),
        (
            "id3 with a compressed frame 1000:1",
            id3(&[&b"TIT2\x7F\x7F\x7F\x7F\0\x09\x0F\x7F\x7F\x7F"[..], &zlib()].concat(), 0),
        ),
        ("flac of pictures of 16 MiB", flac(6, 0x00FF_FFFF, 1000)),
        ("flac of 10,000 empty blocks", flac(1, 64, 10_000)),
        ("ogg with a packet without end", endless),
        ("ogg of empty pages", page(0, 0, b"").repeat(30_000)),
        ("wav of 90,000 empty parts", [&b"RIFF\xFF\xFF\xFF\xFFWAVE"[..], &b"LIST\0\0\0\0".repeat(90_000)].concat()),
        (
            "midi of 60,000 tracks",
            [&b"MThd\0\0\0\x06\0\x01\xFF\xFF\0\x60"[..], &b"MTrk\0\0\0\0".repeat(60_000)].concat(),
        ),
    ]
}

// Archives and documents.

/// A ZIP of entries `(name, packed bytes, claimed size)` that all lie at the same place if `overlap`.
fn zip(entries: &[(String, Vec<u8>, u32)], overlap: bool) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, packed, size) in entries {
        let at = if overlap { 0 } else { out.len() as u32 };
        let common = [
            &[20, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &(packed.len() as u32).to_le_bytes(),
            &size.to_le_bytes(),
            &(name.len() as u16).to_le_bytes(),
            &[0, 0],
        ]
        .concat();
        if !overlap || out.is_empty() {
            out.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), packed].concat());
        }
        directory.extend([&b"PK\x01\x02\x14\0"[..], &common, &[0; 10], &at.to_le_bytes(), name.as_bytes()].concat());
    }
    let (at, count) = (out.len() as u32, (entries.len().min(65_535) as u16).to_le_bytes());
    out.extend(&directory);
    out.extend(
        [
            &b"PK\x05\x06\0\0\0\0"[..],
            &count,
            &count,
            &(directory.len() as u32).to_le_bytes(),
            &at.to_le_bytes(),
            &[0, 0],
        ]
        .concat(),
    );
    out
}

fn laughs() -> String {
    let more: String = (1..20).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    format!("<!DOCTYPE x [<!ENTITY l0 \"ha\">{more}]><x>&l19;</x>")
}

fn package(kind: &str, part: &str, body: Vec<u8>) -> Vec<u8> {
    let pack = |bytes: &[u8]| {
        let mut out = DeflateEncoder::new(Vec::new(), Compression::best());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let types = format!(
        "<Types><Override PartName='/{part}' ContentType='application/vnd.openxmlformats-officedocument.{kind}.main+xml'/></Types>"
    );
    zip(
        &[
            ("[Content_Types].xml".into(), pack(types.as_bytes()), types.len() as u32),
            (part.into(), pack(&body), body.len() as u32),
        ],
        false,
    )
}

fn archives() -> Vec<Bomb> {
    let packed = deflated().to_vec();
    let many: Vec<_> = (0..5000).map(|n| (format!("../../{n}/../etc/passwd"), Vec::new(), 0)).collect();
    let body = |n| if n == 0 { deflated().to_vec() } else { Vec::new() };
    let same: Vec<_> = (0..9000).map(|n| (format!("{n}"), body(n), u32::MAX)).collect();
    let claim = {
        let mut zip = zip(&[("a".into(), Vec::new(), 0)], false);
        let at = zip.len() - 14;
        zip[at..at + 4].fill(0xFF);
        zip
    };
    let tar = |name: &str, size: &str| {
        let mut head = vec![0; 512];
        head[..name.len()].copy_from_slice(name.as_bytes());
        head[124..124 + size.len()].copy_from_slice(size.as_bytes());
        head[257..263].copy_from_slice(b"ustar\0");
        let sum: u32 = head.iter().map(|b| u32::from(*b)).sum::<u32>() + 8 * 32;
        head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        head
    };
    vec![
        ("zip of one entry that unpacks 1000:1", zip(&[("a.txt".into(), packed, UNPACKED as u32)], false)),
        ("zip of 9000 entries in one place", zip(&same, true)),
        ("zip of names that climb", zip(&many, false)),
        ("zip that claims 65,535 entries", claim),
        ("gzip that unpacks 1000:1", gzip()),
        ("gzip of gzip of gzip", {
            let mut out = GzEncoder::new(Vec::new(), Compression::best());
            out.write_all(&gzip()).unwrap();
            out.finish().unwrap()
        }),
        ("tar with a file of 8 GiB", tar("a", "77777777777\0")),
        ("tar of 1800 empty files", tar("a", "00000000000\0").repeat(1800)),
        ("7z with a header of 2^63 bytes", [&b"7z\xBC\xAF\x27\x1C\0\x04\0\0\0\0"[..], &[0xFF; 20]].concat()),
        ("rar of endless numbers", [&b"Rar!\x1A\x07\x01\0"[..], &[0xFF; 500_000]].concat()),
    ]
}

fn documents() -> Vec<Bomb> {
    let pdf = |body: &str| format!("%PDF-1.7\n{body}").into_bytes();
    let stream = |dictionary: &str, body: &[u8]| {
        [
            pdf(&format!("1 0 obj<<{dictionary}/Length {}>>stream\n", body.len())),
            body.to_vec(),
            b"\nendstream endobj\ntrailer<</Root 1 0 R/Info 1 0 R>>\n%%EOF".to_vec(),
        ]
        .concat()
    };
    let word = "word/document.xml";
    vec![
        ("docx nested 900,000 deep", package("wordprocessingml.document", word, b"<w:p>".repeat(180_000))),
        ("docx that unpacks 1000:1", package("wordprocessingml.document", word, vec![b' '; 32 << 20])),
        ("docx of entities that multiply", package("wordprocessingml.document", word, laughs().into_bytes())),
        (
            "docx of an external entity",
            package(
                "wordprocessingml.document",
                word,
                b"<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><w:p><w:t>&f;</w:t></w:p>".to_vec(),
            ),
        ),
        (
            "pdf whose tables follow each other",
            pdf("xref\n0 1\n0000000000 65535 f \ntrailer<</Prev 9/Size 1>>\nstartxref\n9\n%%EOF"),
        ),
        (
            "pdf whose pages hold themselves",
            pdf(&format!(
                "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 2147483647/Kids[{}]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
                "2 0 R ".repeat(50_000)
            )),
        ),
        ("pdf with an object stream 1000:1", stream("/Type/ObjStm/N 2147483647/First 8/Filter/FlateDecode", &zlib())),
        (
            "pdf with a predictor of 2^31 columns",
            stream("/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 2147483647/Colors 32>>", &zlib()),
        ),
        ("pdf of filters over filters", stream(&format!("/Filter[{}]", "/FlateDecode".repeat(2000)), &zlib())),
        ("pdf nested 400,000 deep", pdf(&format!("1 0 obj{}", "[".repeat(400_000)))),
        (
            "pdf that refers to itself",
            pdf(
                "1 0 obj 1 0 R endobj\n2 0 obj<</Length 2 0 R>>stream\nx\nendstream endobj\ntrailer<</Root 1 0 R/Info 2 0 R>>\n%%EOF",
            ),
        ),
        ("html nested 100,000 deep", [&b"<!DOCTYPE html><html>"[..], &b"<div>".repeat(100_000)].concat()),
        ("rtf nested 500,000 deep", [&b"{\\rtf1"[..], &b"{".repeat(500_000)].concat()),
        ("json nested 500,000 deep", b"[".repeat(500_000)),
        ("xml of one attribute of 900 KB", [&b"<?xml version='1.0'?><a b='"[..], &[b'x'; 900_000]].concat()),
        (
            "a picture that is an archive that is a document",
            [
                &b"\xFF\xD8\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0%PDF-1.4\n"[..],
                &zip(&[("a".into(), Vec::new(), 0)], false),
            ]
            .concat(),
        ),
    ]
}
