//! What the engine adds to what a file says of itself: the zone of the place, and the files that a playlist names.

use medialith::engine::extraction::{Isolation, Sandbox};
use medialith::engine::{Dataset, Engine, IngestOptions, Inspection, Inspector, Options, Progress};
use medialith::extract::{self, Datum, Group};
use medialith::model::{DatasetSpec, File, Members, ProjectSpec, Value, field};
use std::path::{Path, PathBuf};

fn walls() -> [Isolation; 2] {
    let helper = Some(PathBuf::from(env!("CARGO_BIN_EXE_mock-worker")));
    [Isolation::InThread, Isolation::Process(Sandbox { helper, ..Sandbox::default() })]
}

fn inspect(walls: &Isolation, path: &Path) -> Inspection {
    Inspector::new(walls).unwrap().inspect(path, &extract::Options::default()).unwrap()
}

fn indexed(folder: &Path, isolation: Isolation) -> (tempfile::TempDir, Engine, Dataset) {
    let home = tempfile::tempdir().unwrap();
    let engine = Engine::open(home.path(), Options { isolation, ..Options::default() }).unwrap();
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    dataset.index_folder("b", folder, &IngestOptions::default(), &Progress::new()).unwrap();
    (home, engine, dataset)
}

fn document(dataset: &Dataset, key: &str) -> File {
    dataset.get(&format!("oss://b/{key}"), &[]).unwrap().unwrap()
}

/// A picture of TIFF with a clock and a place, and no more.
fn picture(clock: &str, place: [(u32, u8); 2]) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let directory =
        |entries: Vec<Vec<u8>>| [&(entries.len() as u16).to_le_bytes()[..], &entries.concat(), &[0; 4]].concat();
    // Main directory at 8, EXIF's at 62, the clock at 80, GPS's at 100, the degrees at 154 and 178.
    let main = directory(vec![
        entry(0x100, 3, 1, 4),
        entry(0x101, 3, 1, 3),
        entry(0x8769, 4, 1, 62),
        entry(0x8825, 4, 1, 100),
    ]);
    let exif = directory(vec![entry(0x9003, 2, 20, 80)]);
    let [(south, ns), (east, ew)] = place;
    let gps =
        directory(vec![entry(1, 2, 2, ns.into()), entry(2, 5, 3, 154), entry(3, 2, 2, ew.into()), entry(4, 5, 3, 178)]);
    let degrees = |millionths: u32| [millionths, 1_000_000, 0, 1, 0, 1].map(u32::to_le_bytes).concat();
    let clock = format!("{clock}\0").into_bytes();
    [&b"II\x2A\0\x08\0\0\0"[..], &main, &exif, &clock, &gps, &degrees(south), &degrees(east)].concat()
}

#[test]
fn a_clock_without_a_zone_takes_that_of_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let berlin = [(52_520_000, b'N'), (13_405_000, b'E')];
    for (name, clock, place) in [
        ("summer.tif", "2024:07:09 11:20:45", berlin),
        ("winter.tif", "2024:01:09 11:20:45", berlin),
        ("sea.tif", "2024:07:09 11:20:45", [(0, b'N'), (30_000_000, b'W')]),
    ] {
        std::fs::write(folder.path().join(name), picture(clock, place)).unwrap();
    }
    for walls in walls() {
        let (_home, _engine, dataset) = indexed(folder.path(), walls.clone());
        for (name, time, zone) in [
            ("summer.tif", "2024-07-09T11:20:45+02:00", "from place Europe/Berlin"),
            ("winter.tif", "2024-01-09T11:20:45+01:00", "from place Europe/Berlin"),
            ("sea.tif", "2024-07-09T11:20:45+00:00", "assumed"),
        ] {
            let found = inspect(&walls, &folder.path().join(name));
            for file in [&found.file, &document(&dataset, name)] {
                assert_eq!(file.text(field::PRODUCE_TIME), Some(time), "{name}");
                assert_eq!(file.text(field::PRODUCE_TIME_ZONE), Some(zone), "{name}");
            }
            let told: Vec<_> =
                found.extracted.facts.iter().filter(|f| f.group == Group::Time && f.tag == "Zone").collect();
            assert_eq!(told.len(), 1);
            assert_eq!(told[0].value, Datum::from(format!("{zone} {}", &time[19..])));
            assert_eq!(told[0].format == "places", zone.starts_with("from place"));
        }
    }
}

/// A film in two parts, as HLS cuts them, with a list of it in `show` and one of lists above that.
fn playlists(folder: &Path) -> File {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample/videos/ferry.mp4");
    let film = std::fs::read(&sample).unwrap();
    let (front, back) = film.split_at(film.len() / 2);
    let show = folder.join("show");
    std::fs::create_dir_all(&show).unwrap();
    std::fs::write(show.join("init.mp4"), front).unwrap();
    std::fs::write(show.join("part 1.m4s"), back).unwrap();
    std::fs::write(show.join("all.mp4"), [&b"junk"[..], &film].concat()).unwrap();
    let list =
        "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:4.5,\npart%201.m4s\n#EXTINF:6,\nmissing.m4s\n#EXT-X-ENDLIST\n";
    std::fs::write(show.join("list.m3u8"), list).unwrap();
    let ranged = format!(
        "#EXTM3U\n#EXT-X-MAP:URI=\"all.mp4\",BYTERANGE=\"{}@4\"\n#EXTINF:9,\n#EXT-X-BYTERANGE:{}@{}\nall.mp4\n#EXT-X-ENDLIST\n",
        front.len(),
        back.len(),
        front.len() + 4
    );
    std::fs::write(show.join("ranges.m3u8"), ranged).unwrap();
    let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1x1\nshow/list.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=100000,CODECS=\"avc1.64001f\",RESOLUTION=64x48\nhttp://host/far.m3u8\n";
    std::fs::write(folder.join("master.m3u8"), master).unwrap();
    inspect(&Isolation::InThread, &sample).file
}

fn rows(file: &File, id: medialith::model::FieldId) -> Vec<Members> {
    match file.get(id) {
        Some(Value::Rows(rows)) => rows.clone(),
        _ => Vec::new(),
    }
}

/// A stream of the whole film as a playlist tells it: without what is true of that file alone.
fn told(mut rows: Vec<Members>) -> Vec<Members> {
    let own = [
        field::VIDEO_DURATION,
        field::VIDEO_FRAME_COUNT,
        field::VIDEO_BITRATE,
        field::AUDIO_DURATION,
        field::AUDIO_FRAME_COUNT,
        field::AUDIO_BITRATE,
    ];
    rows.iter_mut().for_each(|row| row.retain(|id| !own.contains(&id)));
    rows
}

#[test]
fn a_list_tells_what_its_first_segment_holds() {
    let folder = tempfile::tempdir().unwrap();
    let film = playlists(folder.path());
    for walls in walls() {
        let (_home, _engine, dataset) = indexed(folder.path(), walls.clone());
        for (name, length) in [("show/list.m3u8", 10.5), ("show/ranges.m3u8", 9.0)] {
            let found = inspect(&walls, &folder.path().join(name));
            assert_eq!(found.extracted.warnings, [], "{name}");
            for file in [&found.file, &document(&dataset, name)] {
                assert_eq!(file.get(field::DURATION), Some(&Value::Float(length)), "{name}");
                for id in [field::VIDEO_STREAMS, field::AUDIO_STREAMS] {
                    assert!(!rows(file, id).is_empty(), "{name}");
                    assert_eq!(rows(file, id), told(rows(&film, id)), "{name}");
                }
                for id in [field::VIDEO_WIDTH, field::VIDEO_HEIGHT, field::STREAM_COUNT] {
                    assert_eq!(file.get(id), film.get(id), "{name}");
                }
                assert_eq!(file.text(field::FORMAT_NAME), Some("hls"));
            }
            let opened = found.extracted.facts.iter().filter(|fact| fact.tag == "Opened").count();
            assert_eq!(opened, 2, "{name}");
        }
    }
}

#[test]
fn a_list_of_lists_tells_what_its_variants_hold() {
    let folder = tempfile::tempdir().unwrap();
    let film = playlists(folder.path());
    for walls in walls() {
        let (_home, _engine, dataset) = indexed(folder.path(), walls.clone());
        let found = inspect(&walls, &folder.path().join("master.m3u8")).file;
        for file in [&found, &document(&dataset, "master.m3u8")] {
            assert_eq!(file.get(field::DURATION), Some(&Value::Float(10.5)));
            assert_eq!(file.get(field::STREAM_COUNT), Some(&Value::Int(3)));
            assert_eq!(file.get(field::VIDEO_WIDTH), film.get(field::VIDEO_WIDTH));
            let videos = rows(file, field::VIDEO_STREAMS);
            // The near variant as its segment says, the far one as the list says.
            let widths: Vec<_> = videos.iter().map(|row| row.get(field::VIDEO_STREAM_WIDTH).cloned()).collect();
            assert_eq!(widths, [film.get(field::VIDEO_WIDTH).cloned(), Some(Value::Int(64))]);
            assert_eq!(videos[0].get(field::VIDEO_BITRATE), Some(&Value::Int(900_000)));
            assert_eq!(videos[1].text(field::VIDEO_CODEC_NAME), Some("h264"));
            let sounds = rows(file, field::AUDIO_STREAMS);
            let rates: Vec<_> = sounds.iter().map(|row| row.get(field::AUDIO_SAMPLE_RATE).cloned()).collect();
            assert_eq!(rates, [rows(&film, field::AUDIO_STREAMS)[0].get(field::AUDIO_SAMPLE_RATE).cloned()]);
        }
    }
}

#[test]
fn nothing_outside_the_lists_folder_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    playlists(folder.path());
    let show = folder.path().join("show");
    let outside = folder.path().join("secret.mp4");
    std::fs::copy(show.join("all.mp4"), &outside).unwrap();
    std::os::unix::fs::symlink("../secret.mp4", show.join("link.mp4")).unwrap();
    std::os::unix::fs::symlink("..", show.join("up")).unwrap();
    let fifo = show.join("fifo.ts");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    let absolute = outside.to_str().unwrap().to_owned();
    let schemes = [format!("file://{absolute}"), "http://127.0.0.1:9/a.ts".into(), "concat:list.m3u8".into()];
    let paths = ["../secret.mp4", "%2e%2e/secret.mp4", "link.mp4", "up/secret.mp4", "fifo.ts", "/dev/zero", "."];
    let encrypted = "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n";
    let names = paths.iter().map(|path| (*path).to_owned()).chain(schemes).chain([absolute]);
    let mut lists: Vec<String> = names.map(|name| format!("#EXTINF:4,\n{name}\n")).collect();
    lists.push(format!("{encrypted}#EXTINF:4,\nall.mp4\n"));
    // Lists that name themselves, and more than anybody opens.
    lists.push("#EXTINF:4,\nx.m3u8\n".into());
    lists.push("#EXT-X-STREAM-INF:BANDWIDTH=1\nx.m3u8\n".repeat(500));
    for walls in walls() {
        for list in &lists {
            std::fs::write(show.join("x.m3u8"), format!("#EXTM3U\n{list}#EXT-X-ENDLIST\n")).unwrap();
            let found = inspect(&walls, &show.join("x.m3u8"));
            assert_eq!(found.file.text(field::CONTENT_TYPE), Some("application/vnd.apple.mpegurl"), "{list}");
            assert!(rows(&found.file, field::VIDEO_STREAMS).is_empty(), "{list}");
            assert!(found.extracted.bytes_read < 1 << 20, "{list}");
        }
    }
}
