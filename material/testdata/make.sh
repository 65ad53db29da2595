#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes the keys in this folder anew, with tools that share no code with keymat: openssl 3, ssh-keygen, and Python with its
# cryptography package. The keys protect nothing. Every file NAME.FORM holds the key whose public half is NAME.pub (DER).
set -eu
pass='correct horse battery staple'

pem() { # NAME GENPKEY-OPTION...
	name=$1; shift
	openssl genpkey "$@" -out "$name.p8.pem"
	openssl pkey -in "$name.p8.pem" -pubout -outform DER -out "$name.pub"
	openssl pkcs8 -topk8 -nocrypt -in "$name.p8.pem" -outform DER -out "$name.p8.der"
}

pem rsa2048 -algorithm RSA -pkeyopt rsa_keygen_bits:2048
pem rsa3072 -algorithm RSA -pkeyopt rsa_keygen_bits:3072
pem rsa4096 -algorithm RSA -pkeyopt rsa_keygen_bits:4096
pem p256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
pem p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
pem p521 -algorithm EC -pkeyopt ec_paramgen_curve:P-521
pem k1 -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1
pem ed25519 -algorithm ED25519

# traditional forms
openssl rsa -in rsa2048.p8.pem -traditional -out rsa2048.p1.pem 2>/dev/null
openssl rsa -in rsa2048.p8.pem -traditional -outform DER -out rsa2048.p1.der 2>/dev/null
for name in p256 p384 p521 k1; do
	openssl ec -in $name.p8.pem -out $name.sec1.pem 2>/dev/null
	openssl ec -in $name.p8.pem -outform DER -out $name.sec1.der 2>/dev/null
done
{ openssl ecparam -name secp256k1; cat k1.sec1.pem; } >k1.params.pem
openssl ec -in p256.p8.pem -conv_form compressed -outform DER -out p256.compressed.sec1.der 2>/dev/null
openssl ec -in p256.p8.pem -conv_form hybrid -outform DER -out p256.hybrid.sec1.der 2>/dev/null
openssl ec -in p256.p8.pem -no_public -outform DER -out p256.nopublic.sec1.der 2>/dev/null

# encrypted PKCS #8
openssl pkcs8 -topk8 -in p256.p8.pem -passout "pass:$pass" -v2 aes-256-cbc -v2prf hmacWithSHA256 -out p256.aes256.enc.pem
openssl pkcs8 -topk8 -in p256.p8.pem -passout "pass:$pass" -v2 aes-256-cbc -outform DER -out p256.aes256.enc.der
openssl pkcs8 -topk8 -in k1.p8.pem -passout "pass:$pass" -v2 aes-128-cbc -v2prf hmacWithSHA512 -out k1.aes128.enc.pem
openssl pkcs8 -topk8 -in rsa2048.p8.pem -passout "pass:$pass" -v2 aes-192-cbc -out rsa2048.aes192.enc.pem
openssl pkcs8 -topk8 -in ed25519.p8.pem -passout "pass:$pass" -v2 aes-256-cbc -scrypt -scrypt_N 1024 -out ed25519.scrypt.enc.pem
openssl pkcs8 -topk8 -in p384.p8.pem -passout "pass:$pass" -v2 des3 -v2prf hmacWithSHA256 -out p384.des3.enc.pem
openssl pkcs8 -topk8 -in p384.p8.pem -passout "pass:$pass" -v2 aes-256-cbc -v2prf hmacWithSHA1 -out p384.sha1.enc.pem

# OpenSSH
for name in rsa2048 p256 p384 p521 ed25519; do
	case $name in
	rsa*) set -- -t rsa -b 2048 ;;
	p256) set -- -t ecdsa -b 256 ;;
	p384) set -- -t ecdsa -b 384 ;;
	p521) set -- -t ecdsa -b 521 ;;
	*) set -- -t ed25519 ;;
	esac
	rm -f ssh-$name.ssh ssh-$name.enc.ssh
	ssh-keygen -q "$@" -N '' -C '' -f ssh-$name.ssh
	cp ssh-$name.ssh ssh-$name.enc.ssh
	chmod 600 ssh-$name.enc.ssh
	mv ssh-$name.ssh.pub openssh-line.x.txt
	ssh-keygen -q -p -a 4 -P '' -N "$pass" -f ssh-$name.enc.ssh >/dev/null
done

# what is no private key that KMS imports
openssl req -new -x509 -key p256.p8.pem -subj /CN=keymat -days 36500 -out certificate.x.pem
openssl req -new -key k1.p8.pem -subj /CN=keymat -out request.x.pem
openssl pkey -in p256.p8.pem -pubout -out public.x.pem
openssl rsa -in rsa2048.p8.pem -RSAPublicKey_out -out public-p1.x.pem 2>/dev/null
openssl rsa -in rsa2048.p8.pem -traditional -aes128 -passout "pass:$pass" -out traditional.x.pem 2>/dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out rsa1024.x.pem 2>/dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_primes:3 -out multiprime.x.pem 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp224r1 -out p224.x.pem
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit -out explicit.x.pem
openssl genpkey -algorithm X25519 -out x25519.x.pem
openssl genpkey -algorithm ED448 -out ed448.x.pem
openssl pkcs12 -export -in certificate.x.pem -inkey p256.p8.pem -passout "pass:$pass" -out store.x.p12

python3 - <<'PYTHON'
import base64, json, struct
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key, Encoding, PublicFormat, PrivateFormat, NoEncryption
b64 = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode()
num = lambda n, size=None: b64(n.to_bytes(size or (n.bit_length() + 7) // 8, "big"))
load = lambda name: load_pem_private_key(open(name + ".p8.pem", "rb").read(), None)
write = lambda name, key: open(name + ".jwk", "w").write(json.dumps(key, indent=2) + "\n")
n = load("rsa2048").private_numbers()
rsa = dict(kty="RSA", n=num(n.public_numbers.n), e=num(n.public_numbers.e), d=num(n.d), p=num(n.p), q=num(n.q))
write("rsa2048.short", rsa)
write("rsa2048", dict(rsa, dp=num(n.dmp1), dq=num(n.dmq1), qi=num(n.iqmp), alg="RS256", kid="test"))
for name, crv, size in [("p256", "P-256", 32), ("p384", "P-384", 48), ("p521", "P-521", 66), ("k1", "secp256k1", 32)]:
    n = load(name).private_numbers()
    write(name, dict(kty="EC", crv=crv, x=num(n.public_numbers.x, size), y=num(n.public_numbers.y, size), d=num(n.private_value, size)))
    if name == "k1":
        open("k1.scalar", "wb").write(n.private_value.to_bytes(32, "big"))
key = load("ed25519")
raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
write("ed25519", dict(kty="OKP", crv="Ed25519", x=b64(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)), d=b64(raw)))
for name in ["rsa2048", "p256", "p384", "p521", "ed25519"]:
    key = load_ssh_private_key(open(f"ssh-{name}.ssh", "rb").read(), None)
    open(f"ssh-{name}.pub", "wb").write(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
PYTHON
