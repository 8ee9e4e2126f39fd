//! Which pictures are worth their time.

use std::io::Cursor;

use image::ImageReader;

/// Pixels that are drawn in no time.
const FEW: u64 = 100_000;
/// Of those that have more, one of so many is drawn.
const SELDOM: u8 = 64;

/// A few bytes may stand for millions of pixels, which take a second each time although nothing is new about them: of such
/// files nearly all are left out.
pub fn is_left_out(file: &[u8]) -> bool {
    let size = ImageReader::new(Cursor::new(file)).with_guessed_format().ok();
    let size = size.and_then(|reader| reader.into_dimensions().ok());
    let is_large = size.is_some_and(|(width, height)| u64::from(width) * u64::from(height) > FEW);
    let sum = file.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    is_large && !sum.is_multiple_of(SELDOM)
}
