//! Pictures: whatever somebody uploads becomes a small square JPEG that holds nothing of the upload but what is seen.

mod png;

use std::io::Cursor;
use std::sync::Arc;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};
use ring::digest;
use serde::{Deserialize, Serialize};

use super::{Error, Result};

/// Pixels along each side of a picture, at most.
const SIDE: u32 = 512;
/// Pixels of an upload, at most.
const MOST_PIXELS: u64 = 16_000_000;
/// Bytes of an upload's decoded pixels, at most: the most pixels, with four samples of a byte each.
const MOST_DECODED: u64 = 4 * MOST_PIXELS;
/// Bytes of a finished picture, at most. Reading one costs a unit per 4 KiB, and an item of the store holds 400 KB.
const MOST_KEPT: usize = 150_000;
/// JPEG qualities to try, best first. Noise, which compresses worst, fits at 25.
const QUALITIES: [u8; 6] = [85, 70, 55, 40, 25, 10];

/// Tells a picture from others: the same pixels have the same version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PictureVersion(String);

impl PictureVersion {
    /// 16 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A finished picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    version: PictureVersion,
    jpeg: Arc<[u8]>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}, {} bytes)", self.version.0, self.jpeg.len())
    }
}

impl Picture {
    /// Takes a JPEG that was drawn here before.
    pub fn from_stored(jpeg: &[u8]) -> Self {
        let hash = digest::digest(&digest::SHA256, jpeg);
        let version = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { version: PictureVersion(version), jpeg: jpeg.into() }
    }

    /// Draws the middle of an upload (JPEG, PNG or WebP) the right way up, on white where it is transparent. Slow: not
    /// for a thread that has others to serve.
    pub fn draw(upload: &[u8]) -> Result<Self> {
        let format = image::guess_format(upload).ok().filter(is_supported).ok_or(Error::PictureTypeUnsupported)?;
        let (mut square, orientation) = match format {
            ImageFormat::Png => {
                let (square, orientation) = png::middle_square(upload)?;
                (square.into(), orientation)
            }
            _ => {
                let (image, orientation) = decode(upload, format)?;
                (middle_square(&shrink(on_white(image))), orientation)
            }
        };
        // Turned last, when little is left to turn: the middle of a turned picture is the turned middle.
        square.apply_orientation(orientation);
        Ok(Self::from_stored(&encode(&square.into_rgb8())?))
    }

    /// Its version.
    pub fn version(&self) -> &PictureVersion {
        &self.version
    }

    /// The JPEG.
    pub fn jpeg(&self) -> &[u8] {
        &self.jpeg
    }
}

/// A JPEG's or WebP's pixels, once its header has said that there are not too many, and how to turn them.
fn decode(upload: &[u8], format: ImageFormat) -> Result<(DynamicImage, Orientation)> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_DECODED);
    let mut reader = ImageReader::with_format(Cursor::new(upload), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refusal)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(Error::PictureTooLarge);
    }
    // The decoder of JPEGs paints what is missing in grey.
    if format == ImageFormat::Jpeg && !is_whole_jpeg(upload) {
        return Err(Error::PictureUnreadable);
    }
    // A picture whose metadata is broken is still a picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(refusal)?;
    Ok((image, orientation))
}

fn is_supported(format: &ImageFormat) -> bool {
    matches!(format, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)
}

fn refusal(error: ImageError) -> Error {
    match error {
        ImageError::Limits(_) => Error::PictureTooLarge,
        ImageError::Unsupported(_) => Error::PictureTypeUnsupported,
        // Anything else that a decoder can say, it says of the bytes.
        _ => Error::PictureUnreadable,
    }
}

/// Whether a JPEG's segments follow one another up to its end marker. What a camera put behind that doesn't matter.
fn is_whole_jpeg(jpeg: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    const END_OF_IMAGE: u8 = 0xd9;
    let mut rest = jpeg.get(2..).unwrap_or_default();
    let mut in_scan = false;
    loop {
        rest = match *rest {
            [0xff, 0xff, ..] => &rest[1..],
            // Within a scan, an escaped byte or a restart marker.
            [0xff, 0x00 | 0xd0..=0xd7, ..] if in_scan => &rest[2..],
            [0xff, END_OF_IMAGE, ..] => return true,
            [0xff, marker, high, low, ..] => {
                in_scan = marker == START_OF_SCAN;
                rest.get(2 + usize::from(u16::from_be_bytes([high, low]))..).unwrap_or_default()
            }
            [_, ..] if in_scan => &rest[1..],
            _ => return false,
        };
    }
}

/// The picture as it looks on white paper.
fn on_white(image: DynamicImage) -> DynamicImage {
    if !image.color().has_alpha() {
        return image;
    }
    let mut rgba = image.into_rgba8();
    for pixel in rgba.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0;
        pixel.0 = [blend(red, alpha), blend(green, alpha), blend(blue, alpha), u8::MAX];
    }
    rgba.into()
}

/// A sample as it looks on white.
fn blend(sample: u8, alpha: u8) -> u8 {
    let (sample, alpha) = (u32::from(sample), u32::from(alpha));
    // A mean of bytes is one.
    u8::try_from((sample * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
}

/// Smaller, so that the shorter side fits; never larger.
fn shrink(image: DynamicImage) -> DynamicImage {
    let short = image.width().min(image.height());
    if short <= SIDE {
        return image;
    }
    let scaled = |side: u32| {
        let exact = u64::from(side) * u64::from(SIDE) / u64::from(short);
        u32::try_from(exact).unwrap_or(u32::MAX)
    };
    image.thumbnail_exact(scaled(image.width()), scaled(image.height()))
}

fn middle_square(image: &DynamicImage) -> DynamicImage {
    let (width, height) = (image.width(), image.height());
    let side = width.min(height).min(SIDE);
    image.crop_imm((width - side) / 2, (height - side) / 2, side, side)
}

/// The best JPEG that is small enough to keep. The encoder writes pixels and tables, and nothing besides.
fn encode(image: &RgbImage) -> anyhow::Result<Vec<u8>> {
    for quality in QUALITIES {
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, quality).encode_image(image)?;
        if jpeg.len() <= MOST_KEPT {
            return Ok(jpeg);
        }
    }
    anyhow::bail!("a picture of {} by {} pixels stays too large", image.width(), image.height())
}

#[cfg(test)]
mod tests;
