//! Detection without storing (operations.md 7, "Detect*"): what a media file says of itself.

use super::project::PROJECT;
use super::table::{Action, Call, Kind, Param, Reply};
use crate::error::ErrorKind;
use crate::model::{FieldId, field};
use crate::server::access::Role;
use crate::server::fault::Fault;

pub(super) static ACTIONS: &[Action] = &[Action {
    name: "DetectMediaMeta",
    role: Role::Read,
    global: false,
    params: &[
        PROJECT,
        Param::required("SourceURI", Kind::Bytes { most: crate::model::uri::MAX_URI_BYTES }, "The file's address."),
        Param::ignored("CredentialConfig", Kind::Object, "There are no other credentials than the access key's."),
    ],
    answer: &[
        "Addresses",
        "Album",
        "AlbumArtist",
        "Artist",
        "AudioStreams",
        "Bitrate",
        "Composer",
        "Duration",
        "FormatLongName",
        "FormatName",
        "Language",
        "LatLong",
        "Performer",
        "ProduceTime",
        "ProgramCount",
        "Size",
        "StartTime",
        "StreamCount",
        "Subtitles",
        "Title",
        "VideoHeight",
        "VideoStreams",
        "VideoWidth",
    ],
    about: "What a media file says of itself; nothing is stored.",
    run: media,
}];

/// The members of the answer, in its order.
const MEMBERS: [FieldId; 23] = [
    field::ADDRESSES,
    field::ALBUM,
    field::ALBUM_ARTIST,
    field::ARTIST,
    field::AUDIO_STREAMS,
    field::BITRATE,
    field::COMPOSER,
    field::DURATION,
    field::FORMAT_LONG_NAME,
    field::FORMAT_NAME,
    field::LANGUAGE,
    field::LAT_LONG,
    field::PERFORMER,
    field::PRODUCE_TIME,
    field::PROGRAM_COUNT,
    field::SIZE,
    field::START_TIME,
    field::STREAM_COUNT,
    field::SUBTITLES,
    field::TITLE,
    field::VIDEO_HEIGHT,
    field::VIDEO_STREAMS,
    field::VIDEO_WIDTH,
];

fn media(call: &Call<'_>) -> Result<Reply, Fault> {
    call.state.engine.project(call.project())?;
    let found = call.state.indexer.detect(call.params.text("SourceURI")).map_err(|e| match e.kind() {
        ErrorKind::NotFound | ErrorKind::Io => Fault::invalid(format!("SourceURI: {}", e.message())),
        _ => Fault::from(e),
    })?;
    let present = MEMBERS.iter().filter_map(|id| Some((id.field().path, found.get(*id)?)));
    present.into_iter().try_fold(Reply::new(), |reply, (name, value)| reply.with(name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_the_members() {
        let names: Vec<&str> = MEMBERS.iter().map(|id| id.field().path).collect();
        assert_eq!(ACTIONS[0].answer, names);
    }
}
