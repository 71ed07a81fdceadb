//! Namespaces: the prefix that everybody uses for one, and which one a packet means by a prefix.

use std::borrow::Cow;

/// The namespace of RDF itself (RDF 1.1 XML Syntax, 5.1).
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
/// Namespaces that are kept bound at the same time: packets of Photoshop bind about twenty.
const MOST: usize = 128;

/// Namespaces and their preferred prefixes (ISO 16684-1, clause 8; XMP specification part 2; the standards of IPTC, PLUS,
/// CIPA and the Metadata Working Group; the documentation of Google, Microsoft and Apple).
static PREFIXES: &[(&str, &str)] = &[
    ("http://ns.adobe.com/xap/1.0/", "xmp"),
    ("http://purl.org/dc/elements/1.1/", "dc"),
    ("http://ns.adobe.com/xap/1.0/mm/", "xmpMM"),
    ("http://ns.adobe.com/xap/1.0/rights/", "xmpRights"),
    ("http://ns.adobe.com/xap/1.0/bj/", "xmpBJ"),
    ("http://ns.adobe.com/xap/1.0/t/pg/", "xmpTPg"),
    ("http://ns.adobe.com/xap/1.0/g/", "xmpG"),
    ("http://ns.adobe.com/xap/1.0/g/img/", "xmpGImg"),
    ("http://ns.adobe.com/xap/1.0/sType/ResourceEvent#", "stEvt"),
    ("http://ns.adobe.com/xap/1.0/sType/ResourceRef#", "stRef"),
    ("http://ns.adobe.com/xap/1.0/sType/Dimensions#", "stDim"),
    ("http://ns.adobe.com/xmp/sType/Area#", "stArea"),
    ("http://ns.adobe.com/xmp/1.0/DynamicMedia/", "xmpDM"),
    ("http://ns.adobe.com/xmp/note/", "xmpNote"),
    ("http://ns.adobe.com/exif/1.0/", "exif"),
    ("http://ns.adobe.com/exif/1.0/aux/", "aux"),
    ("http://cipa.jp/exif/1.0/", "exifEX"),
    ("http://ns.adobe.com/tiff/1.0/", "tiff"),
    ("http://ns.adobe.com/photoshop/1.0/", "photoshop"),
    ("http://ns.adobe.com/camera-raw-settings/1.0/", "crs"),
    ("http://ns.adobe.com/lightroom/1.0/", "lr"),
    ("http://ns.adobe.com/hdr-gain-map/1.0/", "hdrgm"),
    ("http://ns.adobe.com/pdf/1.3/", "pdf"),
    ("http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "Iptc4xmpCore"),
    ("http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "Iptc4xmpExt"),
    ("http://ns.useplus.org/ldf/xmp/1.0/", "plus"),
    ("http://www.metadataworkinggroup.com/schemas/regions/", "mwg-rs"),
    ("http://www.metadataworkinggroup.com/schemas/keywords/", "mwg-kw"),
    ("http://ns.microsoft.com/photo/1.0/", "MicrosoftPhoto"),
    ("http://ns.microsoft.com/photo/1.0", "MicrosoftPhoto"),
    ("http://ns.microsoft.com/photo/1.2/", "MP"),
    ("http://www.digikam.org/ns/1.0/", "digiKam"),
    ("http://ns.google.com/photos/1.0/camera/", "GCamera"),
    ("http://ns.google.com/photos/1.0/container/", "Container"),
    ("http://ns.google.com/photos/1.0/container/item/", "Item"),
    ("http://ns.google.com/photos/1.0/panorama/", "GPano"),
    ("http://ns.google.com/photos/1.0/image/", "GImage"),
    ("http://ns.google.com/photos/1.0/depthmap/", "GDepth"),
    ("http://ns.apple.com/pixeldatainfo/1.0/", "apdi"),
    ("http://creativecommons.org/ns#", "cc"),
    ("http://web.resource.org/cc/", "cc"),
    ("adobe:ns:meta/", "x"),
    (RDF, "rdf"),
];

/// Which prefix of the packet stands for which namespace.
#[derive(Default)]
pub(super) struct Names {
    bound: Vec<Binding>,
}

struct Binding {
    /// As the packet spells it; empty for the default namespace.
    prefix: Box<str>,
    /// As everybody spells it.
    usual: Cow<'static, str>,
    /// Depth of the element that binds it.
    depth: usize,
}

impl Names {
    /// Takes over the binding of `prefix` made by the element at `depth`. Beyond the cap prefixes are taken as written.
    pub(super) fn bind(&mut self, prefix: &str, namespace: &str, depth: usize) {
        if self.bound.len() < MOST {
            let known = PREFIXES.iter().find(|(of, _)| *of == namespace);
            let usual = known.map_or_else(|| Cow::Owned(prefix.to_owned()), |(_, usual)| Cow::Borrowed(*usual));
            self.bound.push(Binding { prefix: prefix.into(), usual, depth });
        }
    }

    /// Forgets what the element at `depth` bound.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.bound.pop_if(|binding| binding.depth >= depth).is_some() {}
    }

    /// The usual spelling of a prefix.
    pub(super) fn usual<'a>(&'a self, prefix: &'a str) -> &'a str {
        let found = self.bound.iter().rev().find(|binding| *binding.prefix == *prefix);
        found.map_or(prefix, |binding| &binding.usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_binding_counts_and_unknown_ones_stay_as_written() {
        let mut names = Names::default();
        names.bind("a", "http://purl.org/dc/elements/1.1/", 1);
        names.bind("a", "urn:mine", 2);
        assert_eq!((names.usual("a"), names.usual("b")), ("a", "b"));
        names.leave(2);
        assert_eq!(names.usual("a"), "dc");
        (0..1000).for_each(|_| names.bind("z", RDF, 3));
        assert_eq!(names.bound.len(), MOST);
    }
}
