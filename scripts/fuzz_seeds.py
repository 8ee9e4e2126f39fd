#!/usr/bin/env python3
"""Writes fuzz/seeds/ anew: what the fuzz targets start from, made of events/ and of a few texts by hand.

An input names a live credential by what stands in braces ({anna}, {boss}, {program}, {refresh}, {admin}, {code}); fuzz/src/lib.rs
puts one there.
"""

import json
import pathlib
import shutil
import struct
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEEDS = ROOT / "fuzz" / "seeds"
STAND_INS = {
    "Bearer not-a-token": "Bearer {anna}",
    "not-a-token": "{anna}",
    "not-the-token": "{admin}",
    "access_token=not-a-token": "access_token={anna}",
    "pgr_not-a-token": "{refresh}",
    "jwt-token": "{anna}",
}


def live(text, path):
    for stand_in, credential in STAND_INS.items():
        text = text.replace(stand_in, credential)
    return text.replace("{anna}", "{boss}") if "/admin/" in path else text


def seed(target, name, content):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def png(width, height, colour=b"\x20\x80\xd0"):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + colour * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def form(name, file, boundary="b"):
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\n\r\n'
    return head.encode() + file + f"\r\n--{boundary}--\r\n".encode()


def main():
    shutil.rmtree(SEEDS, ignore_errors=True)
    for file in sorted(ROOT.glob("events/*/*.json")):
        event, name = json.loads(file.read_text()), f"{file.parent.name}-{file.stem}"
        path = event["rawPath"]
        seed("events", name, live(json.dumps(event, separators=(",", ":")), path))
        if event.get("isBase64Encoded"):
            continue
        query = event.get("rawQueryString")
        lines = [f"{event['requestContext']['http']['method']} {path}{'?' + query if query else ''}"]
        lines += [f"{key}: {value}" for key, value in event["headers"].items() if key not in ("accept", "user-agent")]
        lines += [f"cookie: {'; '.join(event['cookies'])}"] if event.get("cookies") else []
        seed("requests", name, live("\n".join(lines) + "\n\n" + (event.get("body") or ""), path))
        seed("places", name, f"{event['headers'].get('host', '')}\n{path}")
        if query:
            seed("queries", name, bytes([len(name) % 5]) + live(query, path).encode())
    for host in ["photos.example.com", "HUB.example.com.:8443", "[::1]:9000", ""]:
        for path in ["/", "", "/kite", "//kite/api", "/.well-known/jwks.json", "/storage/avatars/1.jpg", "/api/v1"]:
            seed("places", f"by-hand-{host or 'none'}-{path}".replace("/", "_").replace(":", "_"), f"{host}\n{path}")
    for number, query in enumerate(["page=1&page_size=20&keyword=a", "limit=20&cursor=x", "limit=5", "search=b", "token={anna}"]):
        seed("queries", f"by-hand-{number}", bytes([number]) + query.encode())
    for file in ["ses-bounce", "ses-complaint"]:
        event = json.loads((ROOT / "events" / f"{file}.json").read_text())
        seed("bounces", file, json.dumps(event))
        seed("bounces", f"{file}-message", event["Records"][0]["Sns"]["Message"])
    cookies = ["access_token={anna}", "refresh_token={refresh}; access_token={anna}", "access_token={anna}\nhttps://id.example.com",
               "access_token={program}\nhttps://evil.example", 'a="b"; access_token=', "access_token=%7B; ;=;a==b"]
    for number, cookie in enumerate(cookies):
        for asked in range(4):
            seed("cookies", f"by-hand-{number}-{asked}", bytes([asked]) + cookie.encode())
    header = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJub25lIn0"
    tokens = [b"\0\0\0" + f"{header}.e30.".encode(), b"\0\0\0pgt_", b"\x02\x08\x04AAAA", b"\x03\x01\x02zz", b"\x04\0\0" + header.encode(),
              b"\x04\x01\0e30", b"\x04\x02\0AAAA", b"\0\0\0a.b.c"]
    for number, token in enumerate(tokens):
        seed("tokens", f"by-hand-{number}", token)
    texts = ["anna", "Anna@Example.com", "ａｎｎａ", "müller@bücher.example", "a.b+c@xn--bcher-kva.example", '"a b"@example.com', "..", "ΣΑΣ",
             "İ", "\u00ad", "a\u200db", "admin@[127.0.0.1]", "\ufdfa", "e\u0301", "a" * 70]
    for number, text in enumerate(texts):
        seed("texts", f"by-hand-{number}", text)
    for number, code in enumerate(["123456", "123 456", "abcd-efgh-ijkl-mnop", "ＡＢＣ", "０１２３４５", "", "-", "pgc_x", "{code}", "{program}"]):
        for place in "ABCDEF":
            seed("codes", f"by-hand-{number}-{place}", place + code)
    pictures = {"png-small": png(3, 2), "png-wide": png(300, 2), "png-bomb": png(1, 1)[:16] + struct.pack(">II", 60000, 60000) + png(1, 1)[24:],
                "jpeg": bytes.fromhex(JPEG), "webp": bytes.fromhex(WEBP), "gif": b"GIF89a\x01\0\x01\0\0\0\0;", "svg": b"<svg/>"}
    for name, file in pictures.items():
        seed("pictures", name, file)
        seed("uploads", name, b"multipart/form-data; boundary=b\n\n" + form("avatar", file))
    seed("uploads", "two-parts", b'multipart/form-data; boundary="a b"\n\n' + form("file", b"", "a b")[:-8] + form("avatar", png(2, 2), "a b"))
    seed("uploads", "no-boundary", b"multipart/form-data\n\nx")
    seed("uploads", "no-form", b"application/json\n\n{}")


# One pixel each.
JPEG = (
    "ffd8ffe000104a46494600010100000100010000ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d1a1f1e1d1a1c1c"
    "20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffc0000b080001000101011100ffc4001f0000010501010101010100"
    "000000000000000102030405060708090a0bffc400b5100002010303020403050504040000017d010203000411051221314106135161072271"
    "14328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a6364"
    "65666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9"
    "cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffda0008010100003f00fbd28a2bffd9"
)
WEBP = "524946461a000000574542505650384c0d0000002f00000010071011118888fe0700"


if __name__ == "__main__":
    main()
