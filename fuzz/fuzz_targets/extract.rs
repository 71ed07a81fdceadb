//! Any bytes under any name: extraction answers, within its budget, with members that a document may hold.
// covers: src/extract src/model
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::{Hint, Options, extract};
use medialith::model::{File, field};

fuzz_target!(|data: &[u8]| {
    // The first byte chooses the extension, which decides between formats that bytes alone leave open.
    let Some((choice, bytes)) = data.split_first() else { return };
    let names = ["", "a.jpg", "a.mp3", "a.mp4", "a.mkv", "a.heic", "a.ogg", "a.txt"];
    let name = names[usize::from(*choice) % names.len()];
    let options = Options::default();
    let found = extract(&bytes.to_vec(), &Hint { name }, &options).expect("memory gives no I/O error");
    let mut file = File::from_members(found.members);
    file.set(field::URI, "oss://b/k");
    file.validate().expect("what extraction says, a document can hold");
});
