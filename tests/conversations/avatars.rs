use std::io::Cursor;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage, RgbaImage};
use polygate_shared::http::Group;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::events::{all_events, play};
use crate::support::{Answer, World};

const BOUNDARY: &str = "the-boundary";

/// Red on the left, blue on the right.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([220, 0, 0]) } else { Rgb([0, 0, 220]) })
}

/// Photographed with the camera turned: EXIF says that it is to be shown after a quarter turn clockwise. The camera's
/// name stands in it too.
fn photograph() -> Vec<u8> {
    let tiff =
        b"II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x0a\0\0\0\x26\0\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0SecretCam\0";
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new(&mut bytes);
    encoder.set_exif_metadata(tiff.to_vec()).expect("metadata");
    encoder.encode_image(&halves(1200, 800)).expect("a JPEG");
    bytes
}

/// Transparent, but for a green square in the middle, and with a text chunk.
pub(crate) fn drawing() -> Vec<u8> {
    let inside = |at: u32| (100..200).contains(&at);
    let image = RgbaImage::from_fn(300, 300, |x, y| {
        image::Rgba(if inside(x) && inside(y) { [0, 180, 0, 255] } else { [0, 0, 0, 0] })
    });
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(&image, 300, 300, ExtendedColorType::Rgba8).expect("a PNG");
    let mut text = b"tEXtComment\0SecretNote".to_vec();
    let length = u32::try_from(text.len() - 4).expect("short").to_be_bytes();
    text.extend_from_slice(&crc32(&text).to_be_bytes());
    // Behind the signature and the header, which take 33 bytes.
    bytes.splice(33..33, length.into_iter().chain(text));
    bytes
}

fn webp() -> Vec<u8> {
    let mut bytes = Vec::new();
    WebPEncoder::new_lossless(&mut bytes)
        .write_image(&halves(600, 600), 600, 600, ExtendedColorType::Rgb8)
        .expect("a WebP");
    bytes
}

/// A PNG that says it has 60,000 by 60,000 pixels.
pub(crate) fn bomb() -> Vec<u8> {
    let mut bytes = drawing();
    bytes[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// The checksum of PNG's chunks.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

pub(crate) fn form(field: &str, file: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"a\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), file, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

pub(crate) fn form_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

async fn upload(world: &mut World, token: &str, field: &str, file: &[u8]) -> Answer {
    world.ask(Method::POST, "/zeaya/api/auth/avatar").bearer(token).raw(&form_type(), form(field, file)).await
}

/// What is served at a path: a square JPEG without any of the secrets that were uploaded.
async fn served(world: &mut World, path: &str) -> RgbImage {
    let answer = world.get(path).quietly().await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (StatusCode::OK, &"image/jpeg".parse().expect("text"))
    );
    for secret in ["Exif", "Secret", "Comment", "ICC_PROFILE", "http://"] {
        let found = answer.bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} in the picture");
    }
    let reader = image::ImageReader::with_format(Cursor::new(&answer.bytes), ImageFormat::Jpeg);
    let image = reader.decode().expect("a JPEG").into_rgb8();
    assert!(image.width() == image.height() && image.width() <= 512, "{} by {}", image.width(), image.height());
    image
}

fn is_near(image: &RgbImage, x: u32, y: u32, colour: [u8; 3]) -> bool {
    image.get_pixel(x, y).0.iter().zip(colour).all(|(sample, wanted)| sample.abs_diff(wanted) < 16)
}

#[tokio::test]
async fn an_avatar_is_uploaded_and_seen_everywhere() {
    let mut world = World::start().await;
    world.register("anna", "secret123").await;
    let token = world.sign_in("anna", "secret123").await;
    world.note("a photograph, the form's other name, a drawing");
    let photographed = upload(&mut world, &token, "avatar", &photograph()).await.text("/data/avatar");
    let image = served(&mut world, &format!("/zeaya{photographed}")).await;
    assert_eq!(image.width(), 512);
    assert!(is_near(&image, 256, 128, [220, 0, 0]) && is_near(&image, 256, 384, [0, 0, 220]), "turned");
    let scanned = upload(&mut world, &token, "file", &webp()).await.text("/data/avatar");
    let image = served(&mut world, &format!("/zeaya{scanned}")).await;
    assert!(is_near(&image, 128, 256, [220, 0, 0]) && is_near(&image, 384, 256, [0, 0, 220]));
    let path = upload(&mut world, &token, "avatar", &drawing()).await.text("/data/avatar");
    assert!(path.starts_with("/storage/avatars/2.jpg?v=") && path != photographed && path != scanned, "{path}");
    world.note("in every contract, and at every address that they tell");
    let told = world.get("/zeaya/api/auth/user").bearer(&token).quietly().await.text("/data/avatar");
    assert_eq!(told, path);
    let kite = world.get("/kite/api/v1/profile").bearer(&token).await.text("/data/avatar_url");
    let sproutgate = world.get("/sproutgate/api/auth/me").bearer(&token).await.text("/user/avatarUrl");
    let address = format!("{}{path}", world.base_url());
    assert_eq!((&kite, &sproutgate), (&address, &address));
    for mount in ["", "/kite", "/zeaya", "/sproutgate", "/mcphub"] {
        let image = served(&mut world, &format!("{mount}{path}")).await;
        assert_eq!(image.width(), 300);
        assert!(is_near(&image, 10, 10, [255, 255, 255]) && is_near(&image, 150, 150, [0, 180, 0]), "on white");
    }
    world.note("an old address shows the new picture, but not for long");
    world.ask(Method::HEAD, &format!("/zeaya{photographed}")).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn a_picture_is_kept_as_long_as_its_address_tells_which() {
    let mut world = World::start().await;
    world.register("anna", "secret123").await;
    let token = world.sign_in("anna", "secret123").await;
    let path = upload(&mut world, &token, "avatar", &webp()).await.text("/data/avatar");
    let (bare, version) = path.split_once("?v=").expect("a version");
    let tag = format!("\"{version}\"");
    world.ask(Method::HEAD, &path).await;
    world.ask(Method::HEAD, bare).await;
    world.get(&path).header("if-none-match", &tag).await;
    world.get(bare).header("if-none-match", &format!("\"other\", W/{tag}")).await;
    let fresh = world.get(&path).header("if-none-match", "\"other\"").quietly().await;
    assert_eq!((fresh.status, fresh.headers["etag"].to_str().ok()), (StatusCode::OK, Some(tag.as_str())));
    world.note("none");
    for nowhere in ["/kite/storage/avatars/1.jpg", "/zeaya/storage/avatars/1.jpg", "/storage/avatars/1.jpg"] {
        world.get(nowhere).await;
    }
    for nowhere in ["/zeaya/storage/avatars/2.png", "/zeaya/storage/avatars/02.jpg", "/mcphub/storage/avatars/%ff.jpg"]
    {
        world.get(nowhere).await;
    }
    world.ask(Method::DELETE, bare).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn another_address_takes_the_picture_away() {
    let mut world = World::start().await;
    world.register("anna", "secret123").await;
    let token = world.sign_in("anna", "secret123").await;
    for (path, field, pointer) in
        [("/kite/api/v1/profile", "avatar_url", "/data"), ("/sproutgate/api/auth/profile", "avatarUrl", "/user")]
    {
        for next in ["", "https://example.com/a.png"] {
            let uploaded = upload(&mut world, &token, "avatar", &webp()).await.text("/data/avatar");
            world.note("sent back as it was shown, it stays");
            let shown = format!("{}{uploaded}", world.base_url());
            let kept = world.put(path, json!({field: shown})).bearer(&token).quietly().await;
            assert_eq!(kept.text(&format!("{pointer}/{field}")), shown);
            assert_eq!(world.get(&uploaded).quietly().await.status, StatusCode::OK);
            world.put(path, json!({field: next})).bearer(&token).await;
            assert_eq!(world.get(&uploaded).quietly().await.status, StatusCode::NOT_FOUND);
            let user = world.get("/zeaya/api/auth/user").bearer(&token).quietly().await;
            assert_eq!(user.text("/data/avatar"), next);
        }
    }
    insta::assert_snapshot!(world.transcript());
    world.is_sound().await;
}

#[tokio::test]
async fn an_administrator_takes_pictures_away_too() {
    let mut world = World::start().await;
    world.register("anna", "secret123").await;
    let token = world.sign_in("anna", "secret123").await;
    let admin = world.server.admin_token().reveal().to_owned();
    let user = "/sproutgate/api/admin/users/anna";
    for deletes in [false, true] {
        let path = upload(&mut world, &token, "avatar", &webp()).await.text("/data/avatar");
        let shown = json!({"avatarUrl": format!("{}{path}", world.base_url()), "level": 3});
        world.put(user, shown).header("x-admin-token", &admin).quietly().await;
        assert_eq!(world.get(&path).quietly().await.status, StatusCode::OK, "sent back as it was shown");
        let taken = match deletes {
            true => world.ask(Method::DELETE, user).header("x-admin-token", &admin).quietly().await,
            false => world.put(user, json!({"avatarUrl": ""})).header("x-admin-token", &admin).quietly().await,
        };
        assert_eq!(taken.status, StatusCode::OK, "{}", taken.body);
        assert_eq!(world.get(&path).quietly().await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn more_than_ten_megabytes_are_refused() {
    let mut world = World::start().await;
    world.register("anna", "secret123").await;
    let token = world.sign_in("anna", "secret123").await;
    let much = vec![0xff; 20_000_000];
    for (content_type, body) in [(form_type(), form("avatar", &much)), ("image/jpeg".to_owned(), much)] {
        world.ask(Method::POST, "/zeaya/api/auth/avatar").bearer(&token).raw(&content_type, body).await;
    }
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    let mut world = World::start().await;
    world.register("anna", "secret123").await;
    let token = world.sign_in("anna", "secret123").await;
    let photograph = photograph();
    let whole = form("avatar", &photograph);
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"/>"#.to_vec();
    for (what, content_type, body) in [
        ("60,000 by 60,000 pixels", form_type(), form("avatar", &bomb())),
        ("half a JPEG", form_type(), form("avatar", &photograph[..photograph.len() / 2])),
        ("half a PNG", form_type(), form("avatar", &drawing()[..200])),
        ("SVG", form_type(), form("avatar", &svg)),
        ("GIF", form_type(), form("avatar", b"GIF89a\x01\0\x01\0\0\0\0;")),
        ("text", form_type(), form("avatar", b"hello")),
        ("more than 4 MiB", form_type(), form("avatar", &vec![0xff; 4 * 1024 * 1024 + 1])),
        ("another field", form_type(), form("picture", &photograph)),
        ("an empty field", form_type(), form("avatar", b"")),
        ("a form that ends early", form_type(), whole[..whole.len() - 8].to_vec()),
        ("a form without an end", form_type(), whole[..2000].to_vec()),
        ("another boundary", "multipart/form-data; boundary=other".to_owned(), whole.clone()),
        ("no boundary", "multipart/form-data".to_owned(), whole.clone()),
        ("no form", "image/jpeg".to_owned(), photograph.clone()),
        ("JSON", "application/json".to_owned(), br#"{"avatar":"a"}"#.to_vec()),
    ] {
        world.note(what);
        let answer = world.ask(Method::POST, "/zeaya/api/auth/avatar").bearer(&token).raw(&content_type, body).await;
        assert!(matches!(answer.status.as_u16(), 400 | 413 | 415), "{what}: {} {}", answer.status, answer.body);
    }
    world.note("no body, nobody, another method");
    world.ask(Method::POST, "/zeaya/api/auth/avatar?lang=en").bearer(&token).await;
    world.ask(Method::POST, "/zeaya/api/auth/avatar").raw(&form_type(), whole).await;
    world.get("/zeaya/api/auth/avatar").bearer(&token).await;
    let user = world.get("/zeaya/api/auth/user").bearer(&token).quietly().await;
    assert_eq!(user.text("/data/avatar"), "");
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn uploads_at_once_leave_one_picture_and_its_own_address() {
    let mut world = World::start().await;
    world.register("anna", "secret123").await;
    let token = world.sign_in("anna", "secret123").await;
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let uploads = [photograph(), drawing(), webp()].map(|file| {
        let request = client.post(format!("{}/zeaya/api/auth/avatar", world.base_url()));
        request.bearer_auth(&token).header("content-type", form_type()).body(form("avatar", &file)).send()
    });
    for answer in futures_util::future::join_all(uploads).await {
        assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
    }
    let path = world.get("/zeaya/api/auth/user").bearer(&token).quietly().await.text("/data/avatar");
    let answer = world.ask(Method::HEAD, &path).quietly().await;
    assert_eq!(answer.headers["cache-control"], "public, max-age=31536000, immutable", "account and picture agree");
}

#[tokio::test]
async fn bytes_pass_the_gateway_both_ways() {
    let mut world = World::start().await;
    world.register("anna", "secret123").await;
    let token = world.sign_in("anna", "secret123").await;
    let mut event = all_events()["zeaya/avatar"].clone();
    event["headers"]["authorization"] = format!("Bearer {token}").into();
    assert_eq!(event["isBase64Encoded"], json!(true));
    let answer = play(&world, Group::Profile, &event).await;
    assert_eq!(answer["statusCode"], json!(200), "{answer}");
    let body: Value = serde_json::from_str(answer["body"].as_str().expect("a text")).expect("JSON");
    let path = body["data"]["avatar"].as_str().expect("a path").to_owned();

    let mut event = all_events()["zeaya/avatar-picture"].clone();
    let (bare, query) = path.split_once('?').expect("a version");
    event["rawPath"] = format!("/zeaya{bare}").into();
    event["rawQueryString"] = query.into();
    let answer = play(&world, Group::Refresh, &event).await;
    assert_eq!((&answer["statusCode"], &answer["isBase64Encoded"]), (&json!(200), &json!(true)), "{answer}");
    assert_eq!(answer["headers"]["cache-control"], json!("public, max-age=31536000, immutable"));
    let jpeg = STANDARD.decode(answer["body"].as_str().expect("a text")).expect("base64");
    assert_eq!(jpeg, world.get(&path).quietly().await.bytes, "the same as over HTTP");

    event["headers"]["if-none-match"] = answer["headers"]["etag"].clone();
    let answer = play(&world, Group::Refresh, &event).await;
    assert_eq!(answer["statusCode"], json!(304), "{answer}");
    assert!(answer["body"].as_str().is_none_or(str::is_empty), "{answer}");
    let picture = world.server.identity().picture(2).await.expect("a picture");
    assert_eq!(Arc::<[u8]>::from(picture.jpeg()), jpeg.into());
}
