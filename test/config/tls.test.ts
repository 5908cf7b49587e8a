import assert from "node:assert/strict";
import { test } from "node:test";
import { loaded, problemsOf, withLink } from "./loading.ts";
import { CERTIFICATE, LOCKED_KEY, OTHER_CERTIFICATE, PRIVATE_KEY } from "./pem.ts";

const FILES = {
  "conf/ca.pem": CERTIFICATE + OTHER_CERTIFICATE,
  "conf/own.pem": CERTIFICATE,
  "conf/own.key": PRIVATE_KEY,
  "conf/other.pem": OTHER_CERTIFICATE,
  "conf/locked.key": LOCKED_KEY,
  "conf/text": "hello",
  "conf/broken.pem": CERTIFICATE.replace("MIIB", "MIIC"),
  "conf/broken.key": PRIVATE_KEY.replace("MIGH", "AAAA"),
};

function tlsProblems(ssl: object, server: unknown = "mqtts://h"): string[] {
  return problemsOf({ ...withLink({ server, ssl }), files: FILES });
}

test("a TLS address is verified with Node's authorities unless told otherwise", () => {
  assert.deepEqual(loaded(withLink({ server: "mqtts://h" })).links[0]?.endpoint?.tls, {
    ca: null,
    cert: null,
    key: null,
    verify: true,
    servername: null,
  });
  assert.equal(loaded(withLink({ server: "mqtt://h" })).links[0]?.endpoint?.tls, null);
});

test("PEM files are read at load", () => {
  const ssl = { cacertfile: "ca.pem", certfile: "own.pem", keyfile: "own.key", verify: false, servername: "name" };
  assert.deepEqual(loaded({ ...withLink({ server: "wss://h", ssl }), files: FILES }).links[0]?.endpoint?.tls, {
    ca: CERTIFICATE + OTHER_CERTIFICATE,
    cert: CERTIFICATE,
    key: PRIVATE_KEY,
    verify: false,
    servername: "name",
  });
});

test("verify takes EMQX's words too", () => {
  const verify = (value: unknown): boolean | undefined =>
    loaded(withLink({ server: "mqtts://h", ssl: { verify: value } })).links[0]?.endpoint?.tls?.verify;
  assert.equal(verify("verify_none"), false);
  assert.equal(verify("verify_peer"), true);
  assert.deepEqual(tlsProblems({ verify: "none" }), [
    'links[0].ssl.verify: must be true or false, and is the text "none"',
  ]);
});

test("a certificate without its key, a key without its certificate, and two that do not belong together", () => {
  assert.deepEqual(tlsProblems({ certfile: "own.pem" }), ["links[0].ssl.certfile: is given without keyfile"]);
  assert.deepEqual(tlsProblems({ keyfile: "own.key" }), ["links[0].ssl.keyfile: is given without certfile"]);
  assert.deepEqual(tlsProblems({ certfile: "other.pem", keyfile: "own.key" }), [
    "links[0].ssl.keyfile: is not the key of the certificate in certfile",
  ]);
});

test("what is no PEM, or has a passphrase, is named", () => {
  assert.deepEqual(tlsProblems({ cacertfile: "text" }), [
    'links[0].ssl.cacertfile: file "text" is no certificate in PEM form',
  ]);
  assert.deepEqual(tlsProblems({ cacertfile: "broken.pem" }), [
    'links[0].ssl.cacertfile: file "broken.pem" is no certificate in PEM form',
  ]);
  assert.deepEqual(tlsProblems({ certfile: "own.pem", keyfile: "broken.key" }), [
    'links[0].ssl.keyfile: file "broken.key" is no private key in PEM form',
  ]);
  assert.deepEqual(tlsProblems({ certfile: "own.pem", keyfile: "own.pem" }), [
    'links[0].ssl.keyfile: file "own.pem" is no private key in PEM form',
  ]);
  assert.deepEqual(tlsProblems({ certfile: "own.pem", keyfile: "locked.key" }), [
    'links[0].ssl.keyfile: file "locked.key" has a passphrase: an agent starts without a person, so take it off',
  ]);
  assert.deepEqual(tlsProblems({ cacertfile: "nowhere.pem" }), [
    'links[0].ssl.cacertfile: cannot read "conf/nowhere.pem": ENOENT: no such file or directory',
  ]);
});

test("ssl beside a plain address is a problem, whatever of it is given", () => {
  const plain = "links[0].ssl: is given, and mqtt://h:1883 is no TLS address: use mqtts:// or wss://";
  for (const ssl of [{ cacertfile: "ca.pem" }, { servername: "x" }, { verify: false }, { enable: true }]) {
    assert.deepEqual(tlsProblems(ssl, "mqtt://h"), [plain], JSON.stringify(ssl));
  }
  assert.deepEqual(tlsProblems({ cacertfile: "ca.pem" }, ["mqtts://h", "mqtt://h"]), [plain]);
  assert.deepEqual(tlsProblems({ cacertfile: "ca.pem" }, "h"), [`${plain}; set ssl.enable too`]);
  assert.deepEqual(tlsProblems({ verify: true }, "mqtt://h"), []);
});

test("ssl.enable: false must not contradict the URL", () => {
  assert.deepEqual(tlsProblems({ enable: false }), [
    "links[0].ssl.enable: is false, and mqtts://h:8883 is a TLS address",
  ]);
  assert.deepEqual(tlsProblems({ enable: false, cacertfile: "ca.pem" }, "mqtt://h"), []);
});

test("servername is a host name", () => {
  assert.deepEqual(tlsProblems({ servername: "a.example" }), []);
  assert.deepEqual(tlsProblems({ servername: "https://a" }), [
    'links[0].ssl.servername: must be a host name, and is the text "https://a"',
  ]);
});
