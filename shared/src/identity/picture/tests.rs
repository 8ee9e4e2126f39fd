//! Pictures made here, of every kind that is read, whole and broken.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, Luma, Rgb, Rgba, RgbaImage};
use proptest::prelude::*;

use super::*;

/// Red, green, blue and white quarters, clockwise from the upper left.
fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => Rgb([220, 0, 0]),
        (false, true) => Rgb([0, 180, 0]),
        (false, false) => Rgb([0, 0, 220]),
        (true, false) => Rgb([255, 255, 255]),
    })
}

fn jpeg(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(image).expect("a JPEG");
    bytes
}

/// With an EXIF block that says only how to turn the picture (TIFF tag 0x0112).
fn oriented_jpeg(image: &RgbImage, orientation: u8) -> Vec<u8> {
    let tiff =
        [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[orientation, 0, 0, 0, 0, 0, 0, 0]].concat();
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
    encoder.set_exif_metadata(tiff).expect("metadata");
    encoder.encode_image(image).expect("a JPEG");
    bytes
}

fn png(pixels: &[u8], width: u32, height: u32, colour: ExtendedColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(pixels, width, height, colour).expect("a PNG");
    bytes
}

fn webp(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    WebPEncoder::new_lossless(&mut bytes)
        .write_image(image, image.width(), image.height(), ExtendedColorType::Rgb8)
        .expect("a WebP");
    bytes
}

fn drawn(upload: &[u8]) -> RgbImage {
    let picture = Picture::draw(upload).expect("a picture");
    assert!(picture.jpeg().len() <= MOST_KEPT, "{}", picture.jpeg().len());
    let image = ImageReader::with_format(Cursor::new(picture.jpeg()), ImageFormat::Jpeg).decode().expect("a JPEG");
    assert_eq!(image.width(), image.height());
    image.into_rgb8()
}

/// The colour in the middle of each quarter, clockwise from the upper left, by its letter.
fn corners(image: &RgbImage) -> String {
    let (near, far) = (image.width() / 4, image.width() * 3 / 4);
    let letter = |x, y| match image.get_pixel(x, y).0 {
        [150..=255, 0..60, 0..60] => 'r',
        [0..60, 120..=255, 0..60] => 'g',
        [0..60, 0..60, 150..=255] => 'b',
        [230..=255, 230..=255, 230..=255] => 'w',
        other => panic!("{other:?} at {x}, {y}"),
    };
    [letter(near, near), letter(far, near), letter(far, far), letter(near, far)].into_iter().collect()
}

fn refused(upload: &[u8]) -> String {
    format!("{:?}", Picture::draw(upload).expect_err("a refusal"))
}

#[test]
fn every_kind_becomes_a_square_of_at_most_512() {
    for (width, height, side) in [(1024, 1024, 512), (1030, 700, 512), (300, 301, 300), (512, 900, 512), (1, 5000, 1)] {
        let image = quarters(width, height);
        for upload in [jpeg(&image), png(&image, width, height, ExtendedColorType::Rgb8), webp(&image)] {
            let drawn = drawn(&upload);
            assert_eq!(drawn.dimensions(), (side, side), "{width} by {height}");
            if side > 1 {
                assert_eq!(corners(&drawn), "rgbw", "{width} by {height}");
            }
        }
    }
}

#[test]
fn the_middle_is_kept() {
    let stripes = RgbImage::from_fn(900, 300, |x, _| match x / 300 {
        0 => Rgb([220, 0, 0]),
        1 => Rgb([0, 180, 0]),
        _ => Rgb([0, 0, 220]),
    });
    assert_eq!(corners(&drawn(&jpeg(&stripes))), "gggg");
}

#[test]
fn the_right_way_up() {
    // What EXIF calls 6 is shown after a quarter turn clockwise.
    for (orientation, shown) in
        [(1, "rgbw"), (2, "grwb"), (3, "bwrg"), (4, "wbgr"), (5, "rwbg"), (6, "wrgb"), (7, "bgrw"), (8, "gbwr")]
    {
        let drawn = drawn(&oriented_jpeg(&quarters(640, 400), orientation));
        assert_eq!(corners(&drawn), shown, "orientation {orientation}");
    }
}

#[test]
fn transparent_is_white_and_half_transparent_is_pale() {
    let image = RgbaImage::from_fn(600, 600, |x, _| if x < 300 { Rgba([0, 0, 0, 0]) } else { Rgba([255, 0, 0, 128]) });
    let drawn = drawn(&png(&image, 600, 600, ExtendedColorType::Rgba8));
    assert!(drawn.get_pixel(100, 100).0.iter().all(|sample| *sample > 250));
    let [red, green, blue] = drawn.get_pixel(400, 100).0;
    assert!(red > 245 && green.abs_diff(127) < 8 && blue.abs_diff(127) < 8, "{red} {green} {blue}");
}

#[test]
fn grey_and_deep_colours_are_read() {
    let grey = image::GrayImage::from_pixel(40, 40, Luma([128]));
    assert!(drawn(&png(&grey, 40, 40, ExtendedColorType::L8)).get_pixel(20, 20).0.iter().all(|s| s.abs_diff(128) < 4));
    let deep: Vec<u8> = [0xffff_u16, 0, 0, 0xffff].repeat(1600).into_iter().flat_map(u16::to_ne_bytes).collect();
    assert_eq!(drawn(&png(&deep, 40, 40, ExtendedColorType::Rgba16)).get_pixel(20, 20).0[0], 254);
}

#[test]
fn noise_is_kept_small() {
    let mut state = 1_u32;
    let noise = RgbImage::from_fn(512, 512, |_, _| {
        Rgb(std::array::from_fn(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        }))
    });
    assert_eq!(drawn(&png(&noise, 512, 512, ExtendedColorType::Rgb8)).dimensions(), (512, 512));
}

#[test]
fn the_same_picture_has_the_same_version_and_another_another() {
    let draw = |upload: &[u8]| Picture::draw(upload).expect("a picture");
    let (image, other) = (quarters(64, 64), quarters(65, 65));
    let picture = draw(&jpeg(&image));
    assert_eq!(picture, draw(&jpeg(&image)));
    assert_eq!(picture, Picture::from_stored(picture.jpeg()));
    assert_ne!(picture.version(), draw(&jpeg(&other)).version());
    assert_eq!(picture.version().as_str().len(), 16);
}

#[test]
fn too_many_pixels_are_refused_unread() {
    // As large as its format can say, with nothing behind the header.
    let mut huge = png(&[0; 3], 1, 1, ExtendedColorType::Rgb8);
    huge[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let checksum = crc32(&huge[12..29]);
    huge[29..33].copy_from_slice(&checksum.to_be_bytes());
    assert_eq!(refused(&huge), "PictureTooLarge");
    let mut wide = jpeg(&quarters(16, 16));
    let frame = wide.windows(2).position(|two| two == [0xff, 0xc0]).expect("a frame header");
    wide[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    assert_eq!(refused(&wide), "PictureTooLarge");
    let just_over = vec![255; 4001 * 4000];
    assert_eq!(refused(&png(&just_over, 4001, 4000, ExtendedColorType::L8)), "PictureTooLarge");
    assert_eq!(drawn(&png(&just_over[..4000 * 4000], 4000, 4000, ExtendedColorType::L8)).dimensions(), (512, 512));
}

/// The checksum of PNG's chunks.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn other_kinds_are_refused() {
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>"#;
    for other in [&b"GIF89a\x01\0\x01\0\0\0\0;"[..], svg, b"hello", b"", b"BM", b"%PDF-1.7", &[0; 4096]] {
        assert_eq!(refused(other), "PictureTypeUnsupported", "{other:?}");
    }
}

#[test]
fn what_stands_behind_a_jpeg_does_not_matter() {
    let mut upload = jpeg(&quarters(64, 64));
    upload.extend_from_slice(b"\xff\xd8 the start of a moving picture");
    assert_eq!(corners(&drawn(&upload)), "rgbw");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_cut_off_is_refused(at in 0.02..0.97_f64) {
        let image = quarters(200, 150);
        for upload in [jpeg(&image), oriented_jpeg(&image, 6), png(&image, 200, 150, ExtendedColorType::Rgb8), webp(&image)] {
            let cut = (upload.len() as f64 * at) as usize;
            let refused = refused(&upload[..cut]);
            prop_assert!(refused == "PictureUnreadable" || cut < 16, "{} of {}: {}", cut, upload.len(), refused);
        }
    }

    #[test]
    fn what_is_damaged_is_drawn_or_refused(at in 0.0..1.0_f64, damage in prop::collection::vec(any::<u8>(), 1..9)) {
        let image = quarters(60, 40);
        for mut upload in [jpeg(&image), oriented_jpeg(&image, 6), png(&image, 60, 40, ExtendedColorType::Rgb8), webp(&image)] {
            let start = ((upload.len() - damage.len()) as f64 * at) as usize;
            upload[start..start + damage.len()].copy_from_slice(&damage);
            // Neither a panic nor an accident.
            if let Err(error) = Picture::draw(&upload) {
                prop_assert!(!error.is_accident(), "{error}");
            }
        }
    }

    #[test]
    fn anything_at_all_is_drawn_or_refused(kind in 0..4_usize, noise in prop::collection::vec(any::<u8>(), 0..600)) {
        let start = [b"".as_slice(), b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\0\0\0WEBPVP8 "][kind];
        if let Err(error) = Picture::draw(&[start, &noise].concat()) {
            prop_assert!(!error.is_accident(), "{error}");
        }
    }
}

/// 20 by 12 quarters, written in seven passes (Adam7).
const INTERLACED: &str = "iVBORw0KGgoAAAANSUhEUgAAABQAAAAMCAIAAAGaaTo6AAAATElEQVR42mO4w8AARAxbGBj+gwGIixCA8hCKtqBxsPAR5kDQHQYU\
     hFCIrBwOGNDUE5AmYDhl0pQ5jTSXE3AKfofTUfN/vICA4QOmGQALHUSs7zQj3wAAAABJRU5ErkJggg==";

#[test]
fn an_interlaced_png_is_put_together() {
    use base64::Engine;
    let upload = base64::engine::general_purpose::STANDARD.decode(INTERLACED).expect("base64");
    let drawn = drawn(&upload);
    assert_eq!(drawn.dimensions(), (12, 12));
    assert_eq!(corners(&drawn), "rgbw");
    assert_eq!(refused(&upload[..upload.len() - 60]), "PictureUnreadable");
}

#[test]
fn a_png_may_have_any_kind_of_samples() {
    let grey = |x: u32| if x < 300 { 60_u16 } else { 200 };
    let wide = |samples: &[u16]| samples.iter().flat_map(|sample| (sample * 257).to_ne_bytes()).collect::<Vec<_>>();
    let row = |pixel: &dyn Fn(u32) -> Vec<u16>| (0..600).flat_map(pixel).collect::<Vec<_>>();
    for (what, colour, pixel) in [
        ("grey", ExtendedColorType::L16, &(|x| vec![grey(x)]) as &dyn Fn(u32) -> Vec<u16>),
        ("grey with alpha", ExtendedColorType::La16, &|x| vec![grey(x), 255]),
        ("colour", ExtendedColorType::Rgb16, &|x| vec![grey(x); 3]),
        ("colour with alpha", ExtendedColorType::Rgba16, &|x| vec![grey(x), grey(x), grey(x), 255]),
    ] {
        let pixels = wide(&row(pixel)).repeat(600);
        let drawn = drawn(&png(&pixels, 600, 600, colour));
        let sample = |x: u32| drawn.get_pixel(x, 256).0[0];
        assert!(sample(100).abs_diff(60) < 4 && sample(400).abs_diff(200) < 4, "{what}");
    }
}
