//! Files of pictures: what is taken becomes a picture that is small enough to be kept, the rest is refused.
#![no_main]

use polygate_fuzz::is_left_out;
use polygate_shared::identity::Picture;

/// What the table has room for beside it.
const MOST: usize = 150_000;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if is_left_out(input) {
        return;
    }
    if let Ok(picture) = Picture::draw(input) {
        let jpeg = picture.jpeg();
        assert!(jpeg.starts_with(&[0xff, 0xd8]) && jpeg.len() <= MOST, "{} bytes", jpeg.len());
    }
});
