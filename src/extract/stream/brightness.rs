//! What is said of brightness, in words: mastering displays, content light, Dolby Vision.

/// Red, green, blue and white as x and y, the brightest and the darkest in candela per square metre (SMPTE ST 2086).
pub fn mastering_display(values: [f64; 10]) -> String {
    let [rx, ry, gx, gy, bx, by, wx, wy, most, least] = values;
    format!("R({rx:.4},{ry:.4}) G({gx:.4},{gy:.4}) B({bx:.4},{by:.4}) WP({wx:.4},{wy:.4}) L({most:.4},{least:.4})")
}

/// The brightest pixel and the brightest frame on average in candela per square metre (CTA-861.3, annex P).
pub fn content_light(most: u16, average: u16) -> String {
    format!("MaxCLL {most} MaxFALL {average}")
}

/// Profile and level of a decoder configuration record (Dolby Vision streams within ISOBMFF 2.1.2, 3.2).
pub fn dolby_vision(record: &[u8]) -> Option<String> {
    let [major, minor, packed @ ..] = record else { return None };
    let &[high, low, compatible, ..] = packed else { return None };
    let level = ((high & 1) << 5) | (low >> 3);
    let layers = [(4, "RPU"), (2, "EL"), (1, "BL")].into_iter().filter(|(bit, _)| low & bit != 0);
    let layers: Vec<&str> = layers.map(|(_, name)| name).collect();
    let (profile, compatible) = (high >> 1, compatible >> 4);
    Some(format!(
        "version {major}.{minor} profile {profile} level {level} {} compatible {compatible}",
        layers.join("+")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_dolby_vision() {
        let text = dolby_vision(&[1, 0, 0x10, 0x35, 0x10]).unwrap();
        assert_eq!(text, "version 1.0 profile 8 level 6 RPU+BL compatible 1");
        assert_eq!(dolby_vision(&[1, 0, 0]), None);
        assert_eq!(content_light(1000, 400), "MaxCLL 1000 MaxFALL 400");
    }
}
