//! Packed streams to bytes (ISO 32000-1, 7.4), each step under a cap.

use super::object::{Dict, Object};
use flate2::read::ZlibDecoder;
use std::io::Read;
use weezl::BitOrder;
use weezl::decode::Decoder;

/// Filters of one stream.
const CHAIN: usize = 8;

/// Unpacks what a stream's dictionary says, to at most `most` bytes. `None` for pictures and what else holds no text.
/// Damaged data gives what came before the damage.
pub(super) fn unpack(dict: &Dict, bytes: Vec<u8>, most: usize) -> Option<Vec<u8>> {
    let filters =
        [dict.get("Filter"), dict.get("F")].into_iter().find(|f| **f != Object::Null).unwrap_or(&Object::Null);
    let all =
        [dict.get("DecodeParms"), dict.get("DP")].into_iter().find(|f| **f != Object::Null).unwrap_or(&Object::Null);
    let mut bytes = bytes;
    for (at, filter) in filters.items().iter().take(CHAIN).enumerate() {
        let options = all.items().get(at).and_then(Object::as_dict);
        bytes = match filter.as_name()? {
            "FlateDecode" | "Fl" => predicted(inflate(&bytes, most), options),
            "LZWDecode" | "LZW" => predicted(lzw(&bytes, options, most), options),
            "ASCII85Decode" | "A85" => ascii85(&bytes),
            "ASCIIHexDecode" | "AHx" => hexadecimal(&bytes),
            "RunLengthDecode" | "RL" => run_length(&bytes, most),
            // Decrypted already (7.4.10).
            "Crypt" => bytes,
            _ => return None,
        };
        bytes.truncate(most);
    }
    Some(bytes)
}

fn inflate(bytes: &[u8], most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let most = crate::extract::length(most);
    let _ = ZlibDecoder::new(bytes).take(most).read_to_end(&mut out);
    if out.is_empty() {
        // Some writers leave out the header of zlib.
        let _ = flate2::read::DeflateDecoder::new(bytes).take(most).read_to_end(&mut out);
    }
    out
}

/// 7.4.4: codes grow one code early unless `EarlyChange` says 0.
fn lzw(bytes: &[u8], options: Option<&Dict>, most: usize) -> Vec<u8> {
    let late = options.is_some_and(|options| options.get("EarlyChange").as_int() == Some(0));
    let mut decoder =
        if late { Decoder::new(BitOrder::Msb, 8) } else { Decoder::with_tiff_size_switch(BitOrder::Msb, 8) };
    let (mut out, mut buffer, mut rest) = (Vec::new(), vec![0; 4096], bytes);
    while out.len() < most {
        let step = decoder.decode_bytes(rest, &mut buffer);
        out.extend_from_slice(buffer.get(..step.consumed_out).unwrap_or(&[]));
        rest = rest.get(step.consumed_in..).unwrap_or(&[]);
        let stuck = step.consumed_in == 0 && step.consumed_out == 0;
        if stuck || !matches!(step.status, Ok(weezl::LzwStatus::Ok)) {
            break;
        }
    }
    out
}

/// 7.4.4.4: what was stored are differences to the row above or the pixel before.
fn predicted(bytes: Vec<u8>, options: Option<&Dict>) -> Vec<u8> {
    let Some(options) = options else { return bytes };
    let number = |key: &str, usual: usize| {
        options.get(key).as_int().and_then(|number| usize::try_from(number).ok()).unwrap_or(usual).clamp(1, 1 << 16)
    };
    let (kind, colours, bits, columns) =
        (number("Predictor", 1), number("Colors", 1), number("BitsPerComponent", 8), number("Columns", 1));
    let pixel = colours.saturating_mul(bits).div_ceil(8).max(1);
    let row = colours.saturating_mul(bits).saturating_mul(columns).div_ceil(8).max(1);
    match kind {
        10.. => png_rows(&bytes, row, pixel),
        2 if bits == 8 => tiff_rows(bytes, row, pixel),
        _ => bytes,
    }
}

/// PNG's filters (PNG specification, 9.2): one byte before each row says which.
fn png_rows(bytes: &[u8], row: usize, pixel: usize) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut above = vec![0_u8; row];
    for stored in bytes.chunks(row.saturating_add(1)) {
        let Some((kind, stored)) = stored.split_first() else { break };
        let mut current = vec![0_u8; row];
        for (at, byte) in stored.iter().enumerate() {
            let left = at.checked_sub(pixel).and_then(|at| current.get(at)).copied().unwrap_or(0);
            let up = above.get(at).copied().unwrap_or(0);
            let corner = at.checked_sub(pixel).and_then(|at| above.get(at)).copied().unwrap_or(0);
            let guess = match kind {
                1 => left,
                2 => up,
                3 => u16::from(left).midpoint(u16::from(up)).to_le_bytes()[0],
                4 => paeth(left, up, corner),
                _ => 0,
            };
            if let Some(slot) = current.get_mut(at) {
                *slot = byte.wrapping_add(guess);
            }
        }
        out.extend_from_slice(current.get(..stored.len()).unwrap_or(&current));
        above = current;
    }
    out
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(up), i16::from(corner));
    let guess = a.saturating_add(b).saturating_sub(c);
    let away = |from: i16| guess.saturating_sub(from).saturating_abs();
    let (pa, pb, pc) = (away(a), away(b), away(c));
    if pa <= pb && pa <= pc {
        left
    } else if pb <= pc {
        up
    } else {
        corner
    }
}

/// TIFF's predictor 2 (TIFF 6.0, section 14).
fn tiff_rows(mut bytes: Vec<u8>, row: usize, pixel: usize) -> Vec<u8> {
    for line in bytes.chunks_mut(row) {
        for at in pixel..line.len() {
            let before = at.checked_sub(pixel).and_then(|at| line.get(at)).copied().unwrap_or(0);
            if let Some(byte) = line.get_mut(at) {
                *byte = byte.wrapping_add(before);
            }
        }
    }
    bytes
}

/// 7.4.3: five characters from `!` to `u` are four bytes, `z` is four zeros, `~>` ends.
fn ascii85(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut group) = (Vec::new(), Vec::with_capacity(5));
    for byte in bytes.iter().take_while(|byte| **byte != b'~') {
        match byte {
            b'z' if group.is_empty() => out.extend([0; 4]),
            b'!'..=b'u' => group.push(byte.saturating_sub(b'!')),
            _ => {}
        }
        if group.len() == 5 {
            out.extend(four(&group));
            group.clear();
        }
    }
    if group.len() > 1 {
        let kept = group.len().saturating_sub(1);
        group.resize(5, 84);
        out.extend_from_slice(four(&group).get(..kept).unwrap_or(&[]));
    }
    out
}

fn four(group: &[u8]) -> [u8; 4] {
    let [a, b, c, d] =
        group.iter().fold(0_u32, |sum, digit| sum.wrapping_mul(85).wrapping_add(u32::from(*digit))).to_le_bytes();
    [d, c, b, a]
}

fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = bytes
        .iter()
        .take_while(|byte| **byte != b'>')
        .filter_map(|byte| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::wrapping_mul(pair.first().copied().unwrap_or(0), 16) | pair.get(1).copied().unwrap_or(0))
        .collect()
}

/// 7.4.5: a length, then so many bytes or one byte so many times; 128 ends.
fn run_length(bytes: &[u8], most: usize) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), bytes);
    while let Some((&length, after)) = rest.split_first().filter(|(length, _)| **length != 128 && out.len() < most) {
        let count = usize::from(length);
        if length < 128 {
            let run = count.saturating_add(1).min(after.len());
            out.extend_from_slice(after.get(..run).unwrap_or(&[]));
            rest = after.get(run..).unwrap_or(&[]);
        } else {
            let Some((byte, after)) = after.split_first() else { break };
            out.extend(std::iter::repeat_n(*byte, 257_usize.saturating_sub(count)));
            rest = after;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::lexer::Lexer;
    use super::*;
    use std::io::Write;

    fn with(dict: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        let Some(Object::Dict(dict)) = Lexer::new(dict.as_bytes()).object() else { panic!("{dict}") };
        unpack(&dict, bytes.to_vec(), 1000)
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn every_filter() {
        assert_eq!(with("<</Filter/ASCIIHexDecode>>", b"48 65 6C6c 6F>").unwrap(), b"Hello");
        assert_eq!(with("<</Filter[/A85]>>", b"87cURDZ~>").unwrap(), b"Hello");
        assert_eq!(with("<</Filter/RL>>", &[1, b'a', b'b', 254, b'c', 128, 9]).unwrap(), b"abccc");
        assert_eq!(with("<</Filter[/AHx /Fl]>>", b"00").unwrap(), b"");
        assert_eq!(with("<</Filter/FlateDecode>>", &zlib(b"text")).unwrap(), b"text");
        // The example of 7.4.4.2.
        let packed = [0x80, 0x0B, 0x60, 0x50, 0x22, 0x0C, 0x0C, 0x85, 0x01];
        assert_eq!(with("<</Filter/LZWDecode>>", &packed).unwrap(), [45, 45, 45, 45, 45, 65, 45, 45, 45, 66]);
        assert_eq!(with("<</Filter/DCTDecode>>", b"x"), None);
        assert_eq!(with("<<>>", b"plain").unwrap(), b"plain");
        assert_eq!(with("<</Filter/Fl>>", &zlib(&[7; 100_000])).unwrap().len(), 1000);
    }

    #[test]
    fn predictors() {
        let rows = [2, 1, 2, 3, 2, 1, 1, 1, 1, 5, 1, 1, 4, 1, 1, 1];
        let dict = "<</Filter/Fl/DecodeParms<</Predictor 15/Columns 3>>>>";
        let want = [1, 2, 3, 2, 3, 4, 5, 6, 7, 6, 7, 8];
        assert_eq!(with(dict, &zlib(&rows)).unwrap(), want);
        let dict = "<</Filter/Fl/DecodeParms<</Predictor 2/Columns 3>>>>";
        assert_eq!(with(dict, &zlib(&[1, 1, 1, 9, 1, 1])).unwrap(), [1, 2, 3, 9, 10, 11]);
    }
}
