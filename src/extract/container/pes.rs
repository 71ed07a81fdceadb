//! Headers of packetized elementary streams (ISO/IEC 13818-1, 2.4.3.6; ISO/IEC 11172-1, 2.4.3.3).

/// Ticks of a second in time stamps.
pub const CLOCK: u32 = 90_000;
/// Time stamps have 33 bits.
const WRAP: u64 = 1 << 33;

/// One packet: its times and what follows its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'b> {
    /// Time of presentation.
    pub shown: Option<u64>,
    /// Time of decoding; that of presentation where the packet does not say.
    pub decoded: Option<u64>,
    /// What is carried.
    pub body: &'b [u8],
}

/// The packet of stream `id` behind its start code and length.
pub fn packet(id: u8, bytes: &[u8]) -> Option<Packet<'_>> {
    // Maps, padding, private stream 2 and messages have no header.
    if matches!(id, 0xBC | 0xBE | 0xBF | 0xF0..=0xF2 | 0xF8 | 0xFF) {
        return Some(Packet { shown: None, decoded: None, body: bytes });
    }
    match bytes.first()? >> 6 {
        2 => second(bytes),
        _ => first(bytes),
    }
}

/// MPEG-2: flags, the length of the rest, time stamps.
fn second(bytes: &[u8]) -> Option<Packet<'_>> {
    let [_, flags, len, rest @ ..] = bytes else { return None };
    let (head, body) = rest.split_at_checked(usize::from(*len))?;
    let shown = if flags & 0x80 != 0 { stamp(head) } else { None };
    let decoded = if flags & 0x40 != 0 { head.get(5..).and_then(stamp) } else { None };
    Some(Packet { shown, decoded: decoded.or(shown), body })
}

/// MPEG-1: stuffing, buffer size, time stamps told by their first bits.
fn first(bytes: &[u8]) -> Option<Packet<'_>> {
    let stuffing = bytes.iter().take(16).take_while(|byte| **byte == 0xFF).count();
    let mut rest = bytes.get(stuffing..)?;
    if rest.first()? >> 6 == 1 {
        rest = rest.get(2..)?;
    }
    match rest.first()? >> 4 {
        2 => Some(Packet { shown: stamp(rest), decoded: stamp(rest), body: rest.get(5..)? }),
        3 => Some(Packet { shown: stamp(rest), decoded: rest.get(5..).and_then(stamp), body: rest.get(10..)? }),
        _ => Some(Packet { shown: None, decoded: None, body: rest.get(1..)? }),
    }
}

/// 33 bits in five bytes, with marker bits between them.
fn stamp(bytes: &[u8]) -> Option<u64> {
    let [a, b, c, d, e] = bytes.first_chunk::<5>()?.map(u64::from);
    let marked = a & 1 == 1 && c & 1 == 1 && e & 1 == 1;
    marked.then_some(((a >> 1) & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1)
}

/// Ticks from one time stamp to a later one, which may have begun again at zero.
pub fn since(from: u64, to: u64) -> u64 {
    if to >= from { to.saturating_sub(from) } else { to.saturating_add(WRAP).saturating_sub(from) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_both_versions() {
        let two = packet(0xE0, &[0x80, 0xC0, 10, 0x31, 0, 1, 0x46, 0x51, 0x11, 0, 1, 0, 1, 9, 8]).unwrap();
        assert_eq!((two.shown, two.decoded, two.body), (Some(9_000), Some(0), &[9, 8][..]));
        let one = packet(0xC0, &[0xFF, 0xFF, 0x40, 0x20, 0x21, 0, 1, 0, 3, 7]).unwrap();
        assert_eq!((one.shown, one.body), (Some(1), &[7][..]));
        assert_eq!(packet(0xC0, &[0x0F, 7]).unwrap().body, &[7]);
        assert_eq!(packet(0xE0, &[0x80, 0x80, 200]), None);
        assert_eq!((since(5, 9), since(WRAP - 5, 5)), (4, 10));
    }
}
