//! One file from bytes to members: sniff, parse by one table, resolve.

use super::digest::{self, Digests};
use super::embedded::xmp;
use super::facts::{Fact, Facts};
use super::input::Input;
use super::limits::Limits;
use super::sniff::{self, Format, MediaType};
use super::video;
use super::warning::{Parsed, Stop, Warning};
use super::{archive, audio, document};
use super::{image, resolve};
use crate::codec::ReadAt;
use crate::error::{Error, Result};
use crate::model::Members;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is known of a file beside its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hint<'a> {
    /// File name or key; only its extension is looked at, and only where the bytes leave a choice.
    pub name: &'a str,
}

/// How to extract.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Caps on the work.
    pub limits: Limits,
    /// Seconds east of UTC for times whose zone nothing tells. Default 0, at most a day either way.
    pub assume_offset: i32,
    /// Digests of the whole file; none by default.
    pub digests: Digests,
}

/// What one file says.
#[derive(Debug, Clone, Default)]
pub struct Extracted {
    /// The members of the File document that the facts support.
    pub members: Members,
    /// Every fact with its provenance.
    pub facts: Vec<Fact>,
    /// What was wrong, in the order of reading.
    pub warnings: Vec<Warning>,
    /// Bytes read from the source and from the file beside it.
    pub bytes_read: u64,
    /// Where they were read in the source.
    pub ranges: Vec<Range<u64>>,
    /// Whether memory was refused and the parser coped, so that something may be missing.
    pub memory_refused: bool,
}

/// Reads one format: the cursor stands at the file's start.
pub type Parse = fn(&mut Input<'_>, &mut Facts) -> Parsed<()>;

/// Which parser reads which format. Formats without a row keep their type only.
static PARSERS: &[(Format, Parse)] = &[
    // Audio.
    (Format::Mp3, audio::mpeg),
    (Format::Mp2, audio::mpeg),
    (Format::Aac, audio::adts),
    (Format::Flac, audio::flac),
    (Format::OggAudio, audio::ogg),
    (Format::OggFlac, audio::ogg),
    (Format::Opus, audio::ogg),
    (Format::Speex, audio::ogg),
    (Format::OggVideo, audio::ogg),
    (Format::Ogg, audio::ogg),
    (Format::Wav, audio::wav),
    (Format::Rf64, audio::wav),
    (Format::Wave64, audio::wave64),
    (Format::Aiff, audio::aiff),
    (Format::Caf, audio::caf),
    (Format::Ape, audio::monkey),
    (Format::WavPack, audio::wavpack),
    (Format::Musepack, audio::musepack),
    (Format::Dsf, audio::dsf),
    (Format::Dff, audio::dff),
    (Format::Tta, audio::tta),
    (Format::Midi, audio::midi),
    (Format::Amr, audio::amr),
    (Format::Ac3, audio::dolby),
    (Format::Dts, audio::dts),
    (Format::Au, audio::au),
    (Format::Voc, audio::voc),
    (Format::OptimFrog, audio::optim_frog),
    (Format::Tak, audio::tak),
    // Video, and sound in the same containers.
    (Format::M4a, video::mp4),
    (Format::Aax, video::mp4),
    (Format::Mp4, video::mp4),
    (Format::M4v, video::mp4),
    (Format::Mov, video::mp4),
    (Format::ThreeGp, video::mp4),
    (Format::ThreeG2, video::mp4),
    (Format::Mkv, video::matroska),
    (Format::Mka, video::matroska),
    (Format::WebM, video::matroska),
    (Format::WebA, video::matroska),
    (Format::Wmv, video::asf),
    (Format::Wma, video::asf),
    (Format::Avi, video::avi),
    (Format::Flv, video::flv),
    (Format::Dv, video::dv),
    (Format::Mxf, video::mxf),
    (Format::RealMedia, video::real_media),
    (Format::RealAudio, video::real_audio),
    (Format::MpegTs, video::transport_stream),
    (Format::MpegPs, video::program_stream),
    (Format::Ivf, video::ivf),
    (Format::H264, video::h264),
    (Format::Hevc, video::hevc),
    (Format::Mpeg4Video, video::mpeg4),
    (Format::Av1, video::av1),
    (Format::Hls, video::hls),
    (Format::M3u, video::hls),
    // Still images.
    (Format::Jpeg, image::jpeg::parse),
    (Format::Png, image::png::parse),
    (Format::Gif, image::gif::parse),
    (Format::WebP, image::webp::parse),
    (Format::Tiff, image::tiff::parse),
    (Format::Bmp, image::bmp::parse),
    (Format::Ico, image::ico::parse),
    (Format::Cur, image::ico::parse),
    (Format::Heic, image::heif::parse),
    (Format::HeicSequence, image::heif::parse),
    (Format::Heif, image::heif::parse),
    (Format::HeifSequence, image::heif::parse),
    (Format::Avif, image::heif::parse),
    (Format::Psd, image::psd::parse),
    (Format::Jp2, image::jp2::parse),
    (Format::Jpx, image::jp2::parse),
    (Format::J2c, image::jp2::codestream),
    (Format::Jxl, image::jxl::parse),
    (Format::Dng, image::tiff::raw),
    (Format::Cr2, image::tiff::raw),
    (Format::Nef, image::tiff::raw),
    (Format::Arw, image::tiff::raw),
    (Format::Orf, image::tiff::raw),
    (Format::Rw2, image::tiff::raw),
    (Format::Pef, image::tiff::raw),
    (Format::Srw, image::tiff::raw),
    (Format::Cr3, image::raw::cr3),
    (Format::Crw, image::crw::parse),
    (Format::Raf, image::raw::raf),
    (Format::Mrw, image::raw::mrw),
    (Format::Iiq, image::raw::iiq),
    (Format::X3f, image::raw::x3f),
    (Format::Xcf, image::xcf::parse),
    (Format::Bpg, image::bpg::parse),
    (Format::Dpx, image::dpx::parse),
    (Format::Pfm, image::pfm::parse),
    (Format::Svg, image::svg::parse),
    (Format::SvgPacked, image::svg::packed),
    (Format::Krita, archive::zip),
    (Format::OpenRaster, archive::zip),
    (Format::Exv, image::jpeg::segments),
    (Format::Xmp, xmp::parse),
    (Format::Pcx, image::pcx::parse),
    (Format::Djvu, image::plain::djvu),
    (Format::Mng, image::plain::mng),
    (Format::Jng, image::plain::mng),
    (Format::Pict, image::plain::pict),
    (Format::Pgf, image::plain::pgf),
    (Format::Flif, image::flif::parse),
    (Format::PaintShop, image::psp::parse),
    (Format::Dds, image::decoder::parse),
    (Format::Exr, image::decoder::parse),
    (Format::Hdr, image::decoder::parse),
    (Format::Pbm, image::decoder::parse),
    (Format::Pgm, image::decoder::parse),
    (Format::Ppm, image::decoder::parse),
    (Format::Pam, image::decoder::parse),
    (Format::Qoi, image::decoder::parse),
    (Format::Tga, image::decoder::parse),
    (Format::Farbfeld, image::decoder::parse),
    // Documents.
    (Format::Pdf, document::pdf),
    (Format::Docx, document::docx),
    (Format::Xlsx, document::xlsx),
    (Format::Pptx, document::pptx),
    (Format::Odt, document::odf),
    (Format::Ods, document::odf),
    (Format::Odp, document::odf),
    (Format::Odg, document::odf),
    (Format::FlatOdt, document::flat_odf),
    (Format::FlatOds, document::flat_odf),
    (Format::FlatOdp, document::flat_odf),
    (Format::FlatOdg, document::flat_odf),
    (Format::Epub, document::epub),
    (Format::Doc, document::office),
    (Format::Xls, document::office),
    (Format::Ppt, document::office),
    (Format::Ole, document::office),
    (Format::Rtf, document::rtf),
    (Format::Html, document::html),
    (Format::Xhtml, document::html),
    (Format::Markdown, document::markdown),
    (Format::Json, document::json),
    (Format::Csv, document::csv),
    (Format::Tsv, document::tsv),
    (Format::Text, document::text),
    (Format::Latex, document::text),
    (Format::Rst, document::text),
    (Format::Xml, document::text),
    (Format::FictionBook, document::html),
    (Format::Script, document::text),
    (Format::Srt, document::text),
    (Format::Vtt, document::text),
    (Format::VCard, document::text),
    (Format::Calendar, document::text),
    // Archives.
    (Format::Pages, archive::zip),
    (Format::Numbers, archive::zip),
    (Format::Keynote, archive::zip),
    (Format::Zip, archive::zip),
    (Format::Apk, archive::zip),
    (Format::Jar, archive::zip),
    (Format::Cbz, archive::zip),
    (Format::Tar, archive::tar),
    (Format::Gzip, archive::gzip),
    (Format::Bzip2, archive::bzip2),
    (Format::Xz, archive::xz),
    (Format::Zstd, archive::zstd),
    (Format::Lz4, archive::lz4),
    (Format::SevenZ, archive::seven),
    (Format::Rar, archive::rar),
    (Format::Cbr, archive::rar),
];

fn parser(format: Format) -> Option<Parse> {
    let zipped = |parse: Parse| matches!(format, Format::Named(_) | Format::Xps | Format::Model3mf).then_some(parse);
    PARSERS.iter().find(|(of, _)| *of == format).map(|(_, parse)| *parse).or_else(|| zipped(archive::package))
}

/// Reads what a file says of itself. A malformed file is no error: it gives fewer members and more warnings. Only an
/// I/O error of the source is returned.
pub fn extract(source: &dyn ReadAt, hint: &Hint<'_>, options: &Options) -> Result<Extracted> {
    extract_with(source, None, hint, options)
}

/// The same with the XMP file that stands beside a picture, film or sound, where there is one. What it says stands before
/// the XMP inside the file: editors that write such files leave the other one as it was. One that cannot be read is a
/// warning.
pub fn extract_with(
    source: &dyn ReadAt,
    sidecar: Option<&dyn ReadAt>,
    hint: &Hint<'_>,
    options: &Options,
) -> Result<Extracted> {
    let mut input = Input::new(source, &options.limits);
    let mut facts = Facts::new(&options.limits);
    let format = match sniff::sniff(&mut input, hint.name) {
        Ok(format) => format,
        Err(stop) => {
            settle(stop, &mut facts)?;
            Format::Unknown
        }
    };
    if let Some(message) = sniff::doubt(format, source.is_empty(), hint.name) {
        facts.warn(Warning { format: format.name(), offset: 0, message });
    }
    let described = matches!(format.media(), MediaType::Image | MediaType::Video | MediaType::Audio);
    let beside = sidecar.filter(|_| described).map_or(0, |sidecar| read_sidecar(sidecar, &mut facts, options));
    if let Some(parse) = parser(format) {
        run(parse, format, &mut input, &mut facts)?;
    }
    let mut members = resolve::resolve(&mut facts, format, source.len(), options);
    let digested = digest::add(source, &options.digests, &mut facts, &mut members)?;
    let bytes_read = input.bytes_read().saturating_add(beside).saturating_add(digested);
    let mut ranges = input.ranges().to_vec();
    if options.digests.read_all() {
        ranges.push(0..digested);
    }
    Ok(Extracted { members, facts: facts.facts, warnings: facts.warnings, bytes_read, ranges, memory_refused: false })
}

fn run(parse: Parse, format: Format, input: &mut Input<'_>, facts: &mut Facts) -> Result<()> {
    input.rewind();
    input.set_format(format.name());
    // A panic in a crate that we call costs that file its remaining facts, not the run. What was collected stays
    // valid: facts are only ever appended.
    let outcome = catch_unwind(AssertUnwindSafe(|| parse(input, facts)));
    let stop = match outcome {
        Ok(result) => result.err(),
        Err(_) => {
            let message = "the parser failed on these bytes (a defect in medialith or one of its crates)".to_owned();
            Some(Stop::Malformed(Warning { format: format.name(), offset: input.position(), message }))
        }
    };
    stop.into_iter().chain(input.failed.take()).try_for_each(|stop| settle(stop, facts))
}

/// Reads the XMP file beside the source. Returns how many bytes that took.
fn read_sidecar(sidecar: &dyn ReadAt, facts: &mut Facts, options: &Options) -> u64 {
    let mut input = Input::new(sidecar, &options.limits);
    input.set_format(xmp::SIDECAR);
    match xmp::parse(&mut input, facts) {
        Ok(()) => {}
        Err(Stop::Malformed(warning) | Stop::Exhausted(warning)) => facts.warn(warning),
        Err(Stop::Io(error)) => {
            facts.warn(Warning { format: xmp::SIDECAR, offset: 0, message: format!("it cannot be read: {error}") });
        }
    }
    input.bytes_read()
}

fn settle(stop: Stop, facts: &mut Facts) -> Result<()> {
    match stop {
        Stop::Malformed(warning) | Stop::Exhausted(warning) => {
            facts.warn(warning);
            Ok(())
        }
        Stop::Io(error) => Err(Error::io("read the file", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::field;

    fn packet(attributes: &str) -> Vec<u8> {
        format!("<rdf:RDF><rdf:Description {attributes}/></rdf:RDF>").into_bytes()
    }

    #[test]
    fn a_sidecar_stands_before_the_same_block_inside() {
        let inside = packet("dc:title='inside' xmp:CreateDate='2001-01-01T00:00:00Z' photoshop:Headline='x'");
        let chunk = [&b"XMP "[..], &(inside.len() as u32).to_le_bytes(), &inside].concat();
        let data = [&b"RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\x04\0\0\0\x3F\x01\0\xEF\0\0"[..], &chunk].concat();
        let sidecar = packet("dc:title='beside' xmp:CreateDate='2002-02-02T00:00:00Z' dc:subject='sea'");
        let read = |sidecar: Option<&dyn ReadAt>| {
            let found = extract_with(&data, sidecar, &Hint::default(), &Options::default()).unwrap();
            let text = |id| found.members.text(id).unwrap_or("-").to_owned();
            (text(field::TITLE), text(field::PRODUCE_TIME), found.members.get(field::LABELS).is_some())
        };
        assert_eq!(read(None), ("inside".into(), "2001-01-01T00:00:00Z".into(), false));
        assert_eq!(read(Some(&sidecar)), ("beside".into(), "2002-02-02T00:00:00Z".into(), true));
        assert_eq!(read(Some(&b"no XML <".to_vec())), read(None));
    }
}
