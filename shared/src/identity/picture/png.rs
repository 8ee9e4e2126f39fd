//! PNGs, drawn row by row: whole, the largest that are taken would fill more memory than a function has to spare.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{Rgb, RgbImage};
use png::{ColorType, Decoder, DecodingError, Limits, Reader, Transformations};

use super::{MOST_DECODED, MOST_PIXELS, SIDE};
use crate::identity::{Error, Result};

/// The middle square of a PNG on white, shrunk to at most [`SIDE`], and how to turn it.
pub(super) fn middle_square(upload: &[u8]) -> Result<(RgbImage, Orientation)> {
    let limits = Limits { bytes: usize::try_from(MOST_DECODED).unwrap_or(usize::MAX) };
    let mut decoder = Decoder::new_with_limits(Cursor::new(upload), limits);
    // Colour profiles and texts are compressed, to whatever size their maker likes, and nothing of them is kept.
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(refusal)?;
    let (width, height) = reader.info().size();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(Error::PictureTooLarge);
    }
    let exif = reader.info().exif_metadata.as_deref();
    let orientation = exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms);
    let mut square = Square::within(width, height);
    read_rows(&mut reader, &mut square)?;
    Ok((square.finish(), orientation))
}

fn refusal(error: DecodingError) -> Error {
    match error {
        DecodingError::LimitsExceeded => Error::PictureTooLarge,
        // Anything else that a decoder can say, it says of the bytes.
        DecodingError::IoError(_) | DecodingError::Format(_) | DecodingError::Parameter(_) => Error::PictureUnreadable,
    }
}

fn read_rows(reader: &mut Reader<Cursor<&[u8]>>, square: &mut Square) -> Result<()> {
    let (colour, _) = reader.output_color_type();
    let samples = colour.samples();
    let (width, height) = reader.info().size();
    let lines: Vec<Line> =
        if reader.info().interlaced { adam7(width, height).collect() } else { whole(height).collect() };
    for line in lines {
        let Some(row) = reader.next_interlaced_row().map_err(refusal)? else { return Err(Error::PictureUnreadable) };
        let pixels = row.data().chunks_exact(samples).map(|pixel| on_white(colour, pixel));
        for (x, pixel) in (line.first..width).step_by(line.step).zip(pixels) {
            square.add(x, line.y, pixel);
        }
    }
    Ok(())
}

/// Where the pixels of one row of the file belong.
struct Line {
    y: u32,
    first: u32,
    step: usize,
}

fn whole(height: u32) -> impl Iterator<Item = Line> {
    (0..height).map(|y| Line { y, first: 0, step: 1 })
}

/// The rows of an interlaced file, in their order (PNG section 8.2).
fn adam7(width: u32, height: u32) -> impl Iterator<Item = Line> {
    const PASSES: [(u32, usize, u32, usize); 7] =
        [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)];
    let passes = PASSES.into_iter().filter(move |(first, ..)| *first < width);
    passes.flat_map(move |(first, step, top, down)| (top..height).step_by(down).map(move |y| Line { y, first, step }))
}

/// A pixel of eight bits a sample as it looks on white paper.
fn on_white(colour: ColorType, pixel: &[u8]) -> [u8; 3] {
    let (rgb, alpha) = match (colour, pixel) {
        (ColorType::Grayscale, [grey]) => ([*grey; 3], u8::MAX),
        (ColorType::GrayscaleAlpha, [grey, alpha]) => ([*grey; 3], *alpha),
        (_, [red, green, blue]) => ([*red, *green, *blue], u8::MAX),
        (_, [red, green, blue, alpha]) => ([*red, *green, *blue], *alpha),
        // No other number of samples exists.
        _ => ([u8::MAX; 3], u8::MAX),
    };
    rgb.map(|sample| super::blend(sample, alpha))
}

/// The middle square of a picture while it comes in, in any order: each of its pixels is the mean of those that fall on it.
struct Square {
    /// Where it begins in the picture.
    left: u32,
    top: u32,
    /// Pixels along each side, in the picture and as it is kept.
    from: u32,
    to: u32,
    sums: Vec<[u32; 4]>,
}

impl Square {
    fn within(width: u32, height: u32) -> Self {
        let from = width.min(height);
        let to = from.min(SIDE);
        let cells = (to as usize) * (to as usize);
        Self { left: (width - from) / 2, top: (height - from) / 2, from, to, sums: vec![[0; 4]; cells] }
    }

    fn add(&mut self, x: u32, y: u32, rgb: [u8; 3]) {
        let place = |at: u32, first: u32| at.checked_sub(first).filter(|at| *at < self.from).map(|at| self.scaled(at));
        let (Some(x), Some(y)) = (place(x, self.left), place(y, self.top)) else { return };
        if let Some(cell) = self.sums.get_mut(y * (self.to as usize) + x) {
            for (sum, sample) in cell.iter_mut().zip(rgb) {
                *sum += u32::from(sample);
            }
            cell[3] += 1;
        }
    }

    fn scaled(&self, at: u32) -> usize {
        (u64::from(at) * u64::from(self.to) / u64::from(self.from)) as usize
    }

    fn finish(self) -> RgbImage {
        let mut image = RgbImage::new(self.to, self.to);
        for (pixel, [red, green, blue, count]) in image.pixels_mut().zip(self.sums) {
            let mean = |sum: u32| u8::try_from((sum + count / 2) / count.max(1)).unwrap_or(u8::MAX);
            *pixel = Rgb([mean(red), mean(green), mean(blue)]);
        }
        image
    }
}
