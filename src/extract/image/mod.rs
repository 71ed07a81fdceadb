//! Still images: header fields and EXIF.
