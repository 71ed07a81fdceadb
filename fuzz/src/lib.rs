//! What the targets of parsers share.
#![cfg(feature = "extract")]

use medialith::extract::stream::Stream;
use medialith::extract::{Facts, Input, Limits, Parse, bitstream};

/// Runs one parser on bytes, whatever they are; it keeps to its budget.
pub fn parse(parse: Parse, data: &[u8]) {
    let (data, limits) = (data.to_vec(), Limits::default());
    let (mut input, mut facts) = (Input::new(&data, &limits), Facts::new(&limits));
    let _ = parse(&mut input, &mut facts);
    assert!(input.bytes_read() <= limits.bytes);
}

/// Runs every reader of codec headers on bytes, in each way that containers carry them.
pub fn header(codecs: &[&'static str], data: &[u8]) {
    for codec in codecs {
        let mut stream = Stream { codec, ..Stream::default() };
        bitstream::elementary(data, &mut stream);
        let lengths = bitstream::configuration(data, &mut stream);
        bitstream::first_frame(data, lengths.or(Some(4)), &mut stream);
        assert!(bitstream::samples(codec, data) <= 1 << 40);
    }
}
