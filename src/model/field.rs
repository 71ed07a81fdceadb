//! The field registry: every member of the File document, its kind, and what may be done with it.
//!
//! One table, in the order of the API's field list. Numbers are written into records and segments: they are never
//! changed or reused (a test freezes them). Source of names and kinds: IMM API 2020-09-30, data type `File`.

use crate::error::{Error, Result};
use hashbrown::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// Number of a field as stored on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub(crate) u16);

/// How the keys and values of a map field compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyCase {
    /// Keys and values ignore case (`CustomLabels`).
    Insensitive,
    /// Keys and values are case-sensitive (`OSSTagging`).
    Sensitive,
    /// Keys ignore case, values do not (`OSSUserMeta`).
    InsensitiveKey,
}

/// The type of a field's value, which decides the operators that fit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string compared byte by byte.
    Keyword,
    /// Several keywords in one value ([`crate::model::Value::set`]): a condition holds where one of them fulfils it.
    Set,
    /// A string that is also searched by words.
    Text,
    /// A 64-bit integer.
    Int,
    /// A 64-bit float.
    Float,
    /// An RFC 3339 time, kept as written, compared as an instant.
    Time,
    /// `"latitude,longitude"` in decimal degrees.
    Geo,
    /// String keys to string values.
    Map(KeyCase),
    /// An array of objects whose members are fields of their own.
    Rows,
    /// A single object whose members are fields of their own.
    Object,
    /// A string that is stored and returned only.
    Stored,
    /// Any JSON, stored and returned only.
    Json,
}

/// One member of the File document.
#[derive(Debug)]
pub struct Field {
    /// Number on disk.
    pub id: FieldId,
    /// Dotted path as used in queries, for example `Labels.LabelName`.
    pub path: &'static str,
    /// Type of the value.
    pub kind: Kind,
    /// The array or object that holds this member; `None` at the top level.
    pub parent: Option<FieldId>,
    /// Whether `FuzzyQuery` searches it.
    pub searched: bool,
}

impl Field {
    /// The name inside its array or object: `LabelName` for `Labels.LabelName`.
    pub fn name(&self) -> &'static str {
        let parent = self.parent.and_then(by_id).map_or("", |parent| parent.path);
        let inner = self.path.strip_prefix(parent).and_then(|rest| rest.strip_prefix('.'));
        inner.unwrap_or(self.path)
    }

    /// Whether results can be ordered by it: scalars at the top level or in a single object.
    pub fn sortable(&self) -> bool {
        let scalar = matches!(self.kind, Kind::Keyword | Kind::Text | Kind::Int | Kind::Float | Kind::Time);
        scalar && self.parent.and_then(by_id).is_none_or(|p| p.kind == Kind::Object)
    }
}

/// `fields!` writes one constant and one table row per line, so that a number and its meaning cannot drift apart.
macro_rules! fields {
    ($($id:literal $name:ident $path:literal $kind:expr, $parent:expr, $searched:expr;)*) => {
        $(#[doc = concat!("`", $path, "`")] pub const $name: FieldId = FieldId($id);)*
        /// Every field, ordered by number.
        pub static FIELDS: &[Field] = &[$(Field { id: FieldId($id), path: $path, kind: $kind, parent: $parent, searched: $searched },)*];
    };
}

const TOP: Option<FieldId> = None;
const YES: bool = true;
const NO: bool = false;

use Kind::{Float, Geo, Int, Json, Keyword, Map, Object, Rows, Set, Stored, Text, Time};

fields! {
    // Identity and bookkeeping.
    1 URI "URI" Keyword, TOP, YES;
    2 OWNER_ID "OwnerId" Keyword, TOP, NO;
    3 PROJECT_NAME "ProjectName" Keyword, TOP, NO;
    4 DATASET_NAME "DatasetName" Keyword, TOP, NO;
    5 OBJECT_TYPE "ObjectType" Keyword, TOP, NO;
    6 OBJECT_ID "ObjectId" Keyword, TOP, NO;
    7 OSS_URI "OSSURI" Keyword, TOP, NO;
    8 CREATE_TIME "CreateTime" Time, TOP, NO;
    9 UPDATE_TIME "UpdateTime" Time, TOP, NO;
    10 CUSTOM_ID "CustomId" Keyword, TOP, YES;
    11 CUSTOM_LABELS "CustomLabels" Map(KeyCase::Insensitive), TOP, YES;
    12 OBJECT_STATUS "ObjectStatus" Keyword, TOP, NO;
    13 REASON "Reason" Stored, TOP, NO;
    // Storage object.
    20 FILENAME "Filename" Text, TOP, YES;
    21 SIZE "Size" Int, TOP, NO;
    22 FILE_HASH "FileHash" Keyword, TOP, NO;
    23 FILE_MODIFIED_TIME "FileModifiedTime" Time, TOP, NO;
    24 FILE_CREATE_TIME "FileCreateTime" Time, TOP, NO;
    25 FILE_ACCESS_TIME "FileAccessTime" Time, TOP, NO;
    26 ETAG "ETag" Keyword, TOP, NO;
    27 CONTENT_MD5 "ContentMd5" Keyword, TOP, NO;
    28 OSS_CRC64 "OSSCRC64" Keyword, TOP, NO;
    29 OSS_OBJECT_TYPE "OSSObjectType" Keyword, TOP, NO;
    30 OSS_STORAGE_CLASS "OSSStorageClass" Keyword, TOP, NO;
    31 OBJECT_ACL "ObjectACL" Keyword, TOP, NO;
    32 OSS_VERSION_ID "OSSVersionId" Keyword, TOP, NO;
    33 OSS_DELETE_MARKER "OSSDeleteMarker" Keyword, TOP, NO;
    34 OSS_EXPIRATION "OSSExpiration" Keyword, TOP, NO;
    35 OSS_TAGGING "OSSTagging" Map(KeyCase::Sensitive), TOP, NO;
    36 OSS_TAGGING_COUNT "OSSTaggingCount" Int, TOP, NO;
    37 OSS_USER_META "OSSUserMeta" Map(KeyCase::InsensitiveKey), TOP, NO;
    38 CACHE_CONTROL "CacheControl" Keyword, TOP, NO;
    39 CONTENT_DISPOSITION "ContentDisposition" Keyword, TOP, NO;
    40 CONTENT_ENCODING "ContentEncoding" Keyword, TOP, NO;
    41 CONTENT_LANGUAGE "ContentLanguage" Keyword, TOP, NO;
    42 ACCESS_CONTROL_ALLOW_ORIGIN "AccessControlAllowOrigin" Keyword, TOP, NO;
    43 ACCESS_CONTROL_REQUEST_METHOD "AccessControlRequestMethod" Keyword, TOP, NO;
    44 SERVER_SIDE_ENCRYPTION "ServerSideEncryption" Keyword, TOP, NO;
    45 SERVER_SIDE_DATA_ENCRYPTION "ServerSideDataEncryption" Keyword, TOP, NO;
    46 SSE_CUSTOMER_ALGORITHM "ServerSideEncryptionCustomerAlgorithm" Keyword, TOP, NO;
    47 SSE_KEY_ID "ServerSideEncryptionKeyId" Keyword, TOP, NO;
    // Type.
    60 CONTENT_TYPE "ContentType" Keyword, TOP, NO;
    61 MEDIA_TYPE "MediaType" Keyword, TOP, NO;
    // Image and position.
    70 IMAGE_WIDTH "ImageWidth" Int, TOP, NO;
    71 IMAGE_HEIGHT "ImageHeight" Int, TOP, NO;
    72 EXIF "EXIF" Stored, TOP, NO;
    73 ORIENTATION "Orientation" Int, TOP, NO;
    74 PRODUCE_TIME "ProduceTime" Time, TOP, NO;
    75 LAT_LONG "LatLong" Geo, TOP, NO;
    76 TIMEZONE "Timezone" Stored, TOP, NO;
    77 ADDRESSES "Addresses" Rows, TOP, NO;
    78 IMAGE_SCORE "ImageScore" Object, TOP, NO;
    79 CROPPING_SUGGESTIONS "CroppingSuggestions" Json, TOP, NO;
    80 OCR_CONTENTS "OCRContents" Rows, TOP, NO;
    81 OCR_TEXTS "OCRTexts" Text, TOP, YES;
    82 TRAVEL_CLUSTER_ID "TravelClusterId" Keyword, TOP, NO;
    // Faces and labels.
    90 FIGURE_COUNT "FigureCount" Int, TOP, NO;
    91 FIGURES "Figures" Rows, TOP, NO;
    92 LABELS "Labels" Rows, TOP, NO;
    // Video and audio.
    100 FORMAT_NAME "FormatName" Keyword, TOP, NO;
    101 FORMAT_LONG_NAME "FormatLongName" Keyword, TOP, NO;
    102 DURATION "Duration" Float, TOP, NO;
    103 BITRATE "Bitrate" Int, TOP, NO;
    104 START_TIME "StartTime" Float, TOP, NO;
    105 STREAM_COUNT "StreamCount" Int, TOP, NO;
    106 PROGRAM_COUNT "ProgramCount" Int, TOP, NO;
    107 LANGUAGE "Language" Keyword, TOP, NO;
    108 VIDEO_WIDTH "VideoWidth" Int, TOP, NO;
    109 VIDEO_HEIGHT "VideoHeight" Int, TOP, NO;
    110 TITLE "Title" Text, TOP, YES;
    111 ARTIST "Artist" Text, TOP, YES;
    112 ALBUM_ARTIST "AlbumArtist" Text, TOP, YES;
    113 ALBUM "Album" Text, TOP, YES;
    114 COMPOSER "Composer" Text, TOP, YES;
    115 PERFORMER "Performer" Text, TOP, YES;
    116 VIDEO_STREAMS "VideoStreams" Rows, TOP, NO;
    117 AUDIO_STREAMS "AudioStreams" Rows, TOP, NO;
    118 SUBTITLES "Subtitles" Rows, TOP, NO;
    119 AUDIO_COVERS "AudioCovers" Json, TOP, NO;
    // Documents and search-time members.
    130 PAGE_COUNT "PageCount" Int, TOP, NO;
    131 DOCUMENT_CONTENT "DocumentContent" Text, TOP, YES;
    132 DOCUMENT_LANGUAGE "DocumentLanguage" Keyword, TOP, NO;
    133 SEMANTIC_TYPES "SemanticTypes" Json, TOP, NO;
    134 ELEMENTS "Elements" Json, TOP, NO;
    135 SCENE_ELEMENTS "SceneElements" Rows, TOP, NO;
    136 INSIGHTS "Insights" Json, TOP, NO;
    // medialith's own: what operators did and gave.
    140 OPS "ops" Map(KeyCase::Insensitive), TOP, NO;
    141 IMAGE_HASH "ImageHash" Keyword, TOP, NO;
    142 IMAGE_HASH_PARTS "ImageHashParts" Map(KeyCase::Sensitive), TOP, NO;
    143 IMAGE_PLACEHOLDER "ImagePlaceholder" Stored, TOP, NO;
    // medialith's own: how the offset of ProduceTime became known.
    144 PRODUCE_TIME_ZONE "ProduceTimeZone" Keyword, TOP, NO;
    // medialith's own: what became of reading the file, where that is not `ok`.
    145 EXTRACT_OUTCOME "ExtractOutcome" Keyword, TOP, NO;
    // medialith's own: points of networks; documents show them only where they are asked for by name.
    146 IMAGE_EMBEDDING "ImageEmbedding" Stored, TOP, NO;
    147 FACE_EMBEDDINGS "FaceEmbeddings" Stored, TOP, NO;
    // Members of Addresses.
    200 ADDRESS_LANGUAGE "Addresses.Language" Keyword, Some(ADDRESSES), NO;
    201 ADDRESS_LINE "Addresses.AddressLine" Text, Some(ADDRESSES), YES;
    202 ADDRESS_COUNTRY "Addresses.Country" Keyword, Some(ADDRESSES), YES;
    203 ADDRESS_PROVINCE "Addresses.Province" Keyword, Some(ADDRESSES), YES;
    204 ADDRESS_CITY "Addresses.City" Keyword, Some(ADDRESSES), YES;
    205 ADDRESS_DISTRICT "Addresses.District" Keyword, Some(ADDRESSES), YES;
    206 ADDRESS_TOWNSHIP "Addresses.Township" Keyword, Some(ADDRESSES), YES;
    // Members of ImageScore and OCRContents.
    220 OVERALL_QUALITY_SCORE "ImageScore.OverallQualityScore" Float, Some(IMAGE_SCORE), NO;
    230 OCR_LANGUAGE "OCRContents.Language" Keyword, Some(OCR_CONTENTS), NO;
    231 OCR_CONTENT "OCRContents.Contents" Text, Some(OCR_CONTENTS), YES;
    232 OCR_CONFIDENCE "OCRContents.Confidence" Float, Some(OCR_CONTENTS), NO;
    233 OCR_BOUNDARY "OCRContents.Boundary" Json, Some(OCR_CONTENTS), NO;
    // Members of Figures.
    240 FIGURE_ID "Figures.FigureId" Keyword, Some(FIGURES), NO;
    241 FIGURE_TYPE "Figures.FigureType" Keyword, Some(FIGURES), NO;
    242 FIGURE_CONFIDENCE "Figures.FigureConfidence" Float, Some(FIGURES), NO;
    243 FIGURE_CLUSTER_ID "Figures.FigureClusterId" Keyword, Some(FIGURES), NO;
    244 FIGURE_CLUSTER_CONFIDENCE "Figures.FigureClusterConfidence" Float, Some(FIGURES), NO;
    245 FIGURE_AGE "Figures.Age" Int, Some(FIGURES), NO;
    246 FIGURE_AGE_SD "Figures.AgeSD" Float, Some(FIGURES), NO;
    247 FIGURE_GENDER "Figures.Gender" Keyword, Some(FIGURES), NO;
    248 FIGURE_GENDER_CONFIDENCE "Figures.GenderConfidence" Float, Some(FIGURES), NO;
    249 FIGURE_EMOTION "Figures.Emotion" Keyword, Some(FIGURES), NO;
    250 FIGURE_EMOTION_CONFIDENCE "Figures.EmotionConfidence" Float, Some(FIGURES), NO;
    251 FIGURE_MOUTH "Figures.Mouth" Keyword, Some(FIGURES), NO;
    252 FIGURE_MOUTH_CONFIDENCE "Figures.MouthConfidence" Float, Some(FIGURES), NO;
    253 FIGURE_BEARD "Figures.Beard" Keyword, Some(FIGURES), NO;
    254 FIGURE_BEARD_CONFIDENCE "Figures.BeardConfidence" Float, Some(FIGURES), NO;
    255 FIGURE_HAT "Figures.Hat" Keyword, Some(FIGURES), NO;
    256 FIGURE_HAT_CONFIDENCE "Figures.HatConfidence" Float, Some(FIGURES), NO;
    257 FIGURE_MASK "Figures.Mask" Keyword, Some(FIGURES), NO;
    258 FIGURE_MASK_CONFIDENCE "Figures.MaskConfidence" Float, Some(FIGURES), NO;
    259 FIGURE_GLASSES "Figures.Glasses" Keyword, Some(FIGURES), NO;
    260 FIGURE_GLASSES_CONFIDENCE "Figures.GlassesConfidence" Float, Some(FIGURES), NO;
    261 FIGURE_FACE_QUALITY "Figures.FaceQuality" Float, Some(FIGURES), NO;
    262 FIGURE_SHARPNESS "Figures.Sharpness" Float, Some(FIGURES), NO;
    263 FIGURE_ATTRACTIVE "Figures.Attractive" Float, Some(FIGURES), NO;
    264 FIGURE_HEAD_POSE "Figures.HeadPose" Json, Some(FIGURES), NO;
    265 FIGURE_BOUNDARY "Figures.Boundary" Json, Some(FIGURES), NO;
    // Members of Labels.
    280 LABEL_NAME "Labels.LabelName" Keyword, Some(LABELS), YES;
    281 PARENT_LABEL_NAME "Labels.ParentLabelName" Keyword, Some(LABELS), YES;
    282 LABEL_LEVEL "Labels.LabelLevel" Int, Some(LABELS), NO;
    283 LABEL_CONFIDENCE "Labels.LabelConfidence" Float, Some(LABELS), NO;
    284 LABEL_CENTRIC_SCORE "Labels.CentricScore" Float, Some(LABELS), NO;
    285 LABEL_ALIAS "Labels.LabelAlias" Keyword, Some(LABELS), YES;
    286 LABEL_LANGUAGE "Labels.Language" Keyword, Some(LABELS), NO;
    287 LABEL_CLIPS "Labels.Clips" Json, Some(LABELS), NO;
    // Members of VideoStreams.
    300 VIDEO_INDEX "VideoStreams.Index" Int, Some(VIDEO_STREAMS), NO;
    301 VIDEO_LANGUAGE "VideoStreams.Language" Keyword, Some(VIDEO_STREAMS), NO;
    302 VIDEO_CODEC_NAME "VideoStreams.CodecName" Keyword, Some(VIDEO_STREAMS), NO;
    303 VIDEO_CODEC_LONG_NAME "VideoStreams.CodecLongName" Keyword, Some(VIDEO_STREAMS), NO;
    304 VIDEO_PROFILE "VideoStreams.Profile" Keyword, Some(VIDEO_STREAMS), NO;
    305 VIDEO_CODEC_TIME_BASE "VideoStreams.CodecTimeBase" Keyword, Some(VIDEO_STREAMS), NO;
    306 VIDEO_CODEC_TAG_STRING "VideoStreams.CodecTagString" Keyword, Some(VIDEO_STREAMS), NO;
    307 VIDEO_CODEC_TAG "VideoStreams.CodecTag" Keyword, Some(VIDEO_STREAMS), NO;
    308 VIDEO_STREAM_WIDTH "VideoStreams.Width" Int, Some(VIDEO_STREAMS), NO;
    309 VIDEO_STREAM_HEIGHT "VideoStreams.Height" Int, Some(VIDEO_STREAMS), NO;
    310 VIDEO_HAS_B_FRAMES "VideoStreams.HasBFrames" Int, Some(VIDEO_STREAMS), NO;
    311 VIDEO_SAMPLE_ASPECT_RATIO "VideoStreams.SampleAspectRatio" Keyword, Some(VIDEO_STREAMS), NO;
    312 VIDEO_DISPLAY_ASPECT_RATIO "VideoStreams.DisplayAspectRatio" Keyword, Some(VIDEO_STREAMS), NO;
    313 VIDEO_PIXEL_FORMAT "VideoStreams.PixelFormat" Keyword, Some(VIDEO_STREAMS), NO;
    314 VIDEO_LEVEL "VideoStreams.Level" Int, Some(VIDEO_STREAMS), NO;
    315 VIDEO_FRAME_RATE "VideoStreams.FrameRate" Keyword, Some(VIDEO_STREAMS), NO;
    316 VIDEO_AVERAGE_FRAME_RATE "VideoStreams.AverageFrameRate" Keyword, Some(VIDEO_STREAMS), NO;
    317 VIDEO_TIME_BASE "VideoStreams.TimeBase" Keyword, Some(VIDEO_STREAMS), NO;
    318 VIDEO_START_TIME "VideoStreams.StartTime" Float, Some(VIDEO_STREAMS), NO;
    319 VIDEO_DURATION "VideoStreams.Duration" Float, Some(VIDEO_STREAMS), NO;
    320 VIDEO_BITRATE "VideoStreams.Bitrate" Int, Some(VIDEO_STREAMS), NO;
    321 VIDEO_FRAME_COUNT "VideoStreams.FrameCount" Int, Some(VIDEO_STREAMS), NO;
    322 VIDEO_ROTATE "VideoStreams.Rotate" Keyword, Some(VIDEO_STREAMS), NO;
    323 VIDEO_BIT_DEPTH "VideoStreams.BitDepth" Int, Some(VIDEO_STREAMS), NO;
    324 VIDEO_COLOR_SPACE "VideoStreams.ColorSpace" Keyword, Some(VIDEO_STREAMS), NO;
    325 VIDEO_COLOR_RANGE "VideoStreams.ColorRange" Keyword, Some(VIDEO_STREAMS), NO;
    326 VIDEO_COLOR_TRANSFER "VideoStreams.ColorTransfer" Keyword, Some(VIDEO_STREAMS), NO;
    327 VIDEO_COLOR_PRIMARIES "VideoStreams.ColorPrimaries" Keyword, Some(VIDEO_STREAMS), NO;
    // Members of AudioStreams.
    340 AUDIO_INDEX "AudioStreams.Index" Int, Some(AUDIO_STREAMS), NO;
    341 AUDIO_LANGUAGE "AudioStreams.Language" Keyword, Some(AUDIO_STREAMS), NO;
    342 AUDIO_CODEC_NAME "AudioStreams.CodecName" Keyword, Some(AUDIO_STREAMS), NO;
    343 AUDIO_CODEC_LONG_NAME "AudioStreams.CodecLongName" Keyword, Some(AUDIO_STREAMS), NO;
    344 AUDIO_CODEC_TIME_BASE "AudioStreams.CodecTimeBase" Keyword, Some(AUDIO_STREAMS), NO;
    345 AUDIO_CODEC_TAG_STRING "AudioStreams.CodecTagString" Keyword, Some(AUDIO_STREAMS), NO;
    346 AUDIO_CODEC_TAG "AudioStreams.CodecTag" Keyword, Some(AUDIO_STREAMS), NO;
    347 AUDIO_TIME_BASE "AudioStreams.TimeBase" Keyword, Some(AUDIO_STREAMS), NO;
    348 AUDIO_START_TIME "AudioStreams.StartTime" Float, Some(AUDIO_STREAMS), NO;
    349 AUDIO_DURATION "AudioStreams.Duration" Float, Some(AUDIO_STREAMS), NO;
    350 AUDIO_BITRATE "AudioStreams.Bitrate" Int, Some(AUDIO_STREAMS), NO;
    351 AUDIO_FRAME_COUNT "AudioStreams.FrameCount" Int, Some(AUDIO_STREAMS), NO;
    352 AUDIO_LYRIC "AudioStreams.Lyric" Text, Some(AUDIO_STREAMS), NO;
    353 AUDIO_SAMPLE_FORMAT "AudioStreams.SampleFormat" Keyword, Some(AUDIO_STREAMS), NO;
    354 AUDIO_SAMPLE_RATE "AudioStreams.SampleRate" Int, Some(AUDIO_STREAMS), NO;
    355 AUDIO_CHANNELS "AudioStreams.Channels" Int, Some(AUDIO_STREAMS), NO;
    356 AUDIO_CHANNEL_LAYOUT "AudioStreams.ChannelLayout" Keyword, Some(AUDIO_STREAMS), NO;
    // Members of Subtitles.
    370 SUBTITLE_INDEX "Subtitles.Index" Int, Some(SUBTITLES), NO;
    371 SUBTITLE_LANGUAGE "Subtitles.Language" Keyword, Some(SUBTITLES), NO;
    372 SUBTITLE_CODEC_NAME "Subtitles.CodecName" Keyword, Some(SUBTITLES), NO;
    373 SUBTITLE_CODEC_LONG_NAME "Subtitles.CodecLongName" Keyword, Some(SUBTITLES), NO;
    374 SUBTITLE_CODEC_TAG_STRING "Subtitles.CodecTagString" Keyword, Some(SUBTITLES), NO;
    375 SUBTITLE_CODEC_TAG "Subtitles.CodecTag" Keyword, Some(SUBTITLES), NO;
    376 SUBTITLE_START_TIME "Subtitles.StartTime" Float, Some(SUBTITLES), NO;
    377 SUBTITLE_DURATION "Subtitles.Duration" Float, Some(SUBTITLES), NO;
    378 SUBTITLE_BITRATE "Subtitles.Bitrate" Int, Some(SUBTITLES), NO;
    379 SUBTITLE_CONTENT "Subtitles.Content" Text, Some(SUBTITLES), YES;
    380 SUBTITLE_WIDTH "Subtitles.Width" Int, Some(SUBTITLES), NO;
    381 SUBTITLE_HEIGHT "Subtitles.Height" Int, Some(SUBTITLES), NO;
    // Members of SceneElements. Documents have the first four; the others follow from them and only the index has them.
    390 SCENE_TIME_RANGE "SceneElements.TimeRange" Json, Some(SCENE_ELEMENTS), NO;
    391 SCENE_FRAME_TIMES "SceneElements.FrameTimes" Json, Some(SCENE_ELEMENTS), NO;
    392 SCENE_STREAM_INDEX "SceneElements.VideoStreamIndex" Int, Some(SCENE_ELEMENTS), NO;
    393 SCENE_LABELS "SceneElements.Labels" Json, Some(SCENE_ELEMENTS), NO;
    394 SCENE_LABEL_NAME "SceneElements.Labels.LabelName" Set, Some(SCENE_ELEMENTS), NO;
    395 SCENE_START "SceneElements.Start" Int, Some(SCENE_ELEMENTS), NO;
    396 SCENE_END "SceneElements.End" Int, Some(SCENE_ELEMENTS), NO;
}

/// One past the largest field number: the size of a table indexed by field number.
pub(crate) const NUMBERS: usize = 400;

/// Position in [`FIELDS`] by number; 0xFFFF where no field has that number.
static BY_NUMBER: [u16; NUMBERS] = {
    let mut table = [u16::MAX; NUMBERS];
    let mut at = 0;
    while at < FIELDS.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated at compile time: an overflow would not compile")]
        {
            table[FIELDS[at].id.0 as usize] = at as u16;
        }
        at += 1;
    }
    table
};

/// The field of that number, if there is one.
pub fn by_id(id: FieldId) -> Option<&'static Field> {
    FIELDS.get(usize::from(*BY_NUMBER.get(usize::from(id.0))?))
}

impl FieldId {
    /// The number as stored.
    pub fn number(self) -> u16 {
        self.0
    }

    /// The field of a stored number; `None` where this version knows no such field.
    pub fn from_number(number: u16) -> Option<FieldId> {
        by_id(FieldId(number)).map(|f| f.id)
    }

    /// The registry row. Every `FieldId` outside this module was made from one.
    #[expect(clippy::indexing_slicing, reason = "a constant index into a table that is never empty")]
    pub fn field(self) -> &'static Field {
        by_id(self).unwrap_or(&FIELDS[0])
    }
}

impl fmt::Display for FieldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field().path)
    }
}

/// Finds a member by its name inside an object (`parent`), or at the top level (`None`).
pub fn member(parent: Option<FieldId>, name: &str) -> Option<&'static Field> {
    static NAMES: LazyLock<HashMap<(u16, &'static str), &'static Field>> =
        LazyLock::new(|| FIELDS.iter().map(|f| ((f.parent.map_or(0, |p| p.0), f.name()), f)).collect());
    NAMES.get(&(parent.map_or(0, |p| p.0), name)).copied()
}

/// A field as a query names it: a registry path, with the entry's key for maps (`CustomLabels.album`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath {
    /// The registry field.
    pub id: FieldId,
    /// The map key, for map fields.
    pub key: Option<String>,
}

impl FieldPath {
    /// Parses a dotted path. Errors name the path that was given.
    pub fn parse(path: &str) -> Result<FieldPath> {
        let (head, rest) = path.split_once('.').map_or((path, None), |(h, r)| (h, Some(r)));
        let unknown = || Error::invalid(format!("unknown field {path:?}"));
        let top = member(None, head).ok_or_else(unknown)?;
        match (top.kind, rest) {
            (Kind::Map(_), Some(key)) if !key.is_empty() => Ok(FieldPath { id: top.id, key: Some(key.to_owned()) }),
            (Kind::Rows | Kind::Object, Some(name)) => {
                Ok(FieldPath { id: member(Some(top.id), name).ok_or_else(unknown)?.id, key: None })
            }
            (_, None) => Ok(FieldPath { id: top.id, key: None }),
            _ => Err(unknown()),
        }
    }
}

impl From<FieldId> for FieldPath {
    fn from(id: FieldId) -> FieldPath {
        FieldPath { id, key: None }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{}.{key}", self.id),
            None => write!(f, "{}", self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_ordered_and_resolvable() {
        assert!(FIELDS.windows(2).all(|w| w[0].id < w[1].id));
        for field in FIELDS {
            assert_eq!(by_id(field.id).map(|f| f.path), Some(field.path));
            let prefix = field.parent.map_or(String::new(), |p| format!("{}.", p.field().path));
            assert_eq!(format!("{prefix}{}", field.name()), field.path);
            assert_eq!(FieldPath::parse(field.path).unwrap().id, field.id);
        }
    }

    #[test]
    fn paths_with_keys() {
        assert_eq!(FieldPath::parse("CustomLabels.a.b").unwrap().key.as_deref(), Some("a.b"));
        for bad in ["", "Nope", "Labels.Nope", "Size.x", "CustomLabels."] {
            assert!(FieldPath::parse(bad).is_err(), "{bad}");
        }
    }
}
