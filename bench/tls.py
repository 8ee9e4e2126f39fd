"""TLS before the engine, as DynamoDB has it: a chain of RSA-2048 certificates, under a root that what is measured trusts.

Our functions trust Amazon's five roots, which are compiled in. The copies that are measured have another in place of one
of them, filled up to its length: nothing else in them is changed.
"""

import contextlib
import datetime
import ipaddress
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .common import CLIENT_CPU, ROOT, WORK, Failure, on_processor

REPLACED = ROOT / "shared/src/aws/roots/amazon-root-ca-2.pem"


def certificate(name, issuer, key, signer, authority):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(digital_signature=True, content_commitment=False, key_encipherment=not authority, data_encipherment=False, key_agreement=False,
                          key_cert_sign=authority, crl_sign=authority, encipher_only=False, decipher_only=False),
            critical=True,
        )
    )
    if not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def chain(folder):
    """root.pem, chain.pem (the endpoint's certificate and the one between) and key.pem in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    root, between, end = (rsa.generate_private_key(65537, 2048) for _ in range(3))
    (folder / "root.pem").write_bytes(certificate("Bench root", "Bench root", root, root, True))
    (folder / "chain.pem").write_bytes(certificate("127.0.0.1", "Bench between", end, between, False) + certificate("Bench between", "Bench root", between, root, True))
    (folder / "key.pem").write_bytes(end.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def trusting(binary, root, to):
    """A copy of one of our binaries that trusts this root too."""
    code, was, put = binary.read_bytes(), REPLACED.read_bytes().strip(), root.read_bytes().strip()
    if code.count(was) != 1 or len(put) > len(was):
        raise Failure(f"{binary.name} doesn't have {REPLACED.name} in it once, as text")
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(code.replace(was, put + b"\n" * (len(was) - len(put))))
    to.chmod(0o755)
    return to


@contextlib.contextmanager
def endpoint(folder, to):
    """An https address before `http://127.0.0.1:port`, on the client's processor."""
    command = on_processor(CLIENT_CPU, [WORK / "driver/release/driver", "tls", "--chain", folder / "chain.pem", "--key", folder / "key.pem", "--to", to.removeprefix("http://")])
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as started:
        try:
            yield f"https://127.0.0.1:{started.stdout.readline().strip()}"
        finally:
            started.terminate()
