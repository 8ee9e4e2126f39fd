//! How much memory hostile uploads take: in a process of its own, whose peak is nobody else's.
#![cfg(target_os = "linux")]

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use polygate::{Options, Server};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

/// More than this above idle is too much.
const MOST_GROWTH: u64 = 64 * 1024;

/// KiB of memory: `VmRSS` at present, `VmHWM` at its peak.
fn kilobytes(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).expect("the field");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// A form around a file that is made once and sent without copying, so that the client's share stays small.
fn form(file: &[u8]) -> &'static [u8] {
    let head = b"--b\r\nContent-Disposition: form-data; name=\"avatar\"; filename=\"a\"\r\n\r\n";
    Vec::leak([head.as_slice(), file, b"\r\n--b--\r\n"].concat())
}

/// A PNG header for this many pixels, with a right checksum, and an empty data chunk to go with it.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut png = Vec::new();
    image::RgbImage::new(1, 1).write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png).expect("a PNG");
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = !png[12..29].iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    });
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    png
}

/// A small PNG with a colour profile that is 100 MB once it is unpacked.
fn png_with_a_bomb() -> Vec<u8> {
    let mut png = Vec::new();
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_icc_profile(vec![0; 100_000_000]).expect("a profile");
    encoder.write_image(&[0; 300], 10, 10, ExtendedColorType::Rgb8).expect("a PNG");
    png
}

/// As many pixels as are taken, with the most bytes each: 128 MB of them.
fn largest_png() -> Vec<u8> {
    let mut png = Vec::new();
    let pixels = vec![0x5a; 4000 * 4000 * 8];
    PngEncoder::new(&mut png).write_image(&pixels, 4000, 4000, ExtendedColorType::Rgba16).expect("a PNG");
    png
}

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut jpeg = Vec::new();
    JpegEncoder::new(&mut jpeg).encode_image(&image::RgbImage::new(width, height)).expect("a JPEG");
    jpeg
}

#[tokio::test]
async fn hostile_uploads_are_refused_in_little_memory() {
    let server = Server::start(Options::default()).await.expect("a server");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let registration = json!({"username": "anna", "email": "anna@example.com", "password": "secret123"});
    let registered = client.post(format!("{}/zeaya/api/auth/register", server.base_url())).json(&registration);
    let registered: Value = registered.send().await.expect("an answer").json().await.expect("JSON");
    let token = registered["data"]["token"].as_str().expect("a token").to_owned();
    let upload = async |body: &'static [u8]| {
        let request = client.post(format!("{}/zeaya/api/auth/avatar", server.base_url())).bearer_auth(&token);
        let answer = request.header(CONTENT_TYPE, "multipart/form-data; boundary=b").body(body).send().await;
        answer.expect("an answer").status().as_u16()
    };

    let whole = jpeg(3000, 2000);
    let hostile = [
        ("60,000 by 60,000 pixels", form(&png_header(60_000, 60_000)), 413),
        ("as many as a PNG can say", form(&png_header(0x7fff_ffff, 0x7fff_ffff)), 413),
        ("half a JPEG", form(&whole[..whole.len() / 2]), 400),
        ("SVG", form(br#"<svg xmlns="http://www.w3.org/2000/svg"/>"#), 415),
        ("4 MiB of nothing", form(&vec![0; 4 * 1024 * 1024]), 415),
        ("20 MB", form(&vec![0xff; 20_000_000]), 413),
        ("a colour profile of 100 MB", form(&png_with_a_bomb()), 200),
        ("128 MB of pixels", form(&largest_png()), 200),
    ];
    assert_eq!(upload(form(&jpeg(64, 64))).await, 200);
    drop(whole);
    // What making the uploads took is none of the server's: the peak is counted from here on (proc(5), clear_refs).
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak is reset");
    let idle = kilobytes("VmRSS");
    for (what, body, status) in hostile {
        // More than once, so that what one leaves behind would add up.
        for _ in 0..4 {
            assert_eq!(upload(body).await, status, "{what}");
        }
    }
    let growth = kilobytes("VmHWM").saturating_sub(idle);
    assert!(growth < MOST_GROWTH, "{growth} KiB above the {idle} KiB of idling");
    println!("{growth} KiB above the {idle} KiB of idling");
}
