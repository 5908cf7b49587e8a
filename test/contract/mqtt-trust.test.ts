/** TLS, logins and access lists at a real Mosquitto: what fails has to be named, so that an operator can mend it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { EndpointTls } from "../../src/mqtt/endpoint.ts";
import type { SessionProblem } from "../../src/mqtt/session.ts";
import { Certificates, type KeyPair } from "../mqtt/certificates.ts";
import { SessionRig } from "../mqtt/session-rig.ts";
import { TestMosquitto } from "../mqtt/test-mosquitto.ts";

const TRUSTING: EndpointTls = { ca: null, cert: null, key: null, verify: true, servername: null };

describe("TLS", () => {
  const certificates = new Certificates();
  const authority = certificates.authority("ca");
  const stranger = certificates.authority("stranger");
  const good = certificates.issue("good", authority, "IP:127.0.0.1,DNS:broker.example");
  const client = certificates.issue("client", authority, "DNS:client");
  const foreignClient = certificates.issue("foreign-client", stranger, "DNS:client");
  const listeners: readonly [name: string, pair: KeyPair, ...lines: string[]][] = [
    ["good", good],
    ["expired", certificates.issue("expired", authority, "IP:127.0.0.1", -1)],
    ["other host", certificates.issue("elsewhere", authority, "DNS:elsewhere.example")],
    ["mutual", good, "require_certificate true", "use_identity_as_username true"],
    ["mutual over WebSocket", good, "require_certificate true", "protocol websockets"],
    ["only TLS 1.2, mutual", good, "require_certificate true", "tls_version tlsv1.2"],
  ];
  let broker: TestMosquitto;

  before(async () => {
    broker = await TestMosquitto.start(
      (_dir, ports) => [
        "allow_anonymous true",
        `listener ${ports[0]} 127.0.0.1`,
        ...listeners.flatMap(([, pair, ...lines], index) => [
          `listener ${ports[index + 1]} 127.0.0.1`,
          `cafile ${authority.certFile}`,
          `certfile ${pair.certFile}`,
          `keyfile ${pair.keyFile}`,
          ...lines,
        ]),
      ],
      listeners.length + 1,
    );
  });
  after(async () => {
    await broker[Symbol.asyncDispose]();
    certificates[Symbol.dispose]();
  });

  function url(listener: string, scheme = "mqtts"): string {
    const index = listeners.findIndex(([name]) => name === listener);
    return `${scheme}://127.0.0.1:${broker.ports[index + 1]}`;
  }

  async function connects(listener: string, tls: Partial<EndpointTls>, scheme?: string): Promise<void> {
    await using rig = await SessionRig.up({
      urls: [url(listener, scheme)],
      endpoint: { tls: { ...TRUSTING, ca: authority.cert, ...tls } },
    });
    assert.deepEqual(rig.problems, []);
    assert.deepEqual(await rig.publish("t", "x"), { ok: true, reasonCode: 0x10 });
    const shown = listeners.find(([name]) => name === listener)?.[1];
    assert.equal(rig.session.certificateEndsAtMs, Date.parse(new X509Certificate(shown?.cert ?? "").validTo));
  }

  async function fails(listener: string, tls: Partial<EndpointTls>, scheme?: string): Promise<SessionProblem> {
    await using rig = new SessionRig({
      urls: [url(listener, scheme)],
      side: "peer",
      endpoint: { tls: { ...TRUSTING, ca: authority.cert, ...tls } },
    });
    rig.session.start();
    const problem = await rig.failed();
    assert.equal(rig.ups.length, 0);
    return problem;
  }

  async function tlsReason(listener: string, tls: Partial<EndpointTls>, scheme?: string): Promise<string> {
    const { code, reason } = await fails(listener, tls, scheme);
    assert.equal(code, "PEER_TLS", reason);
    return reason;
  }

  test("a certificate that our authority signed for this address is trusted", () => connects("good", {}));

  test("one for another name too, when we are told to expect that name", () =>
    connects("good", { servername: "broker.example" }));

  test("an authority we do not know", async () => {
    assert.match(await tlsReason("good", { ca: stranger.cert }), /unable to verify the first certificate|self.signed/i);
    assert.match(await tlsReason("good", { ca: null }), /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED/);
  });

  test("a certificate that has expired", async () => {
    assert.match(await tlsReason("expired", {}), /certificate has expired \(CERT_HAS_EXPIRED\)/);
  });

  test("a certificate for another host, and a name that is not the certificate's", async () => {
    assert.match(await tlsReason("other host", {}), /127\.0\.0\.1.*not in the cert's list/);
    assert.match(await tlsReason("good", { servername: "wrong.example" }), /wrong\.example.*altnames/i);
  });

  test("nothing is verified when we are told not to", async () => {
    await connects("expired", { verify: false });
    await connects("other host", { verify: false });
  });

  test("a port that speaks no TLS", async () => {
    await using rig = new SessionRig({
      urls: [broker.url.replace("mqtt:", "mqtts:")],
      endpoint: { tls: { ...TRUSTING, ca: authority.cert } },
      connectTimeoutMs: 1_000,
    });
    rig.session.start();
    const { code, reason } = await rig.failed();
    // Mosquitto takes the handshake for a packet and hangs up; others answer in plain text, which is TLS's own error.
    assert.match(code, /LOCAL_TLS|LOCAL_UNREACHABLE/);
    assert.match(reason, new RegExp(`127\\.0\\.0\\.1:${broker.ports[0]}`));
  });

  test("a key that is none", async () => {
    assert.match(await tlsReason("good", { cert: client.cert, key: "rubbish" }), /failed/);
  });

  test("a client certificate lets us in, also over WebSocket", async () => {
    await connects("mutual", { cert: client.cert, key: client.key });
    await connects("mutual over WebSocket", { cert: client.cert, key: client.key }, "wss");
    await connects("only TLS 1.2, mutual", { cert: client.cert, key: client.key });
  });

  for (const listener of ["mutual", "only TLS 1.2, mutual"]) {
    test(`a client certificate that is missing is told as TLS's failure, every time: ${listener}`, async () => {
      for (let i = 0; i < 5; i += 1) assert.match(await tlsReason(listener, {}), /certificate/i);
    });

    test(`and one of a stranger: ${listener}`, async () => {
      const { cert, key } = foreignClient;
      for (let i = 0; i < 5; i += 1) assert.match(await tlsReason(listener, { cert, key }), /alert|ca\b|certificate/i);
    });
  }
});

describe("logins and rights", () => {
  let broker: TestMosquitto;
  const conf = (dir: string, [port]: readonly number[]): string[] => [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous false",
    `password_file ${dir}/passwords`,
    `acl_file ${dir}/acl`,
  ];

  before(async () => {
    broker = await TestMosquitto.start((dir, ports) => {
      const passwords = join(dir, "passwords");
      writeFileSync(passwords, "");
      execFileSync("mosquitto_passwd", ["-b", passwords, "agent", "secret"], { stdio: "ignore" });
      chmodSync(passwords, 0o600);
      writeFileSync(join(dir, "acl"), "user agent\ntopic readwrite open/#\ntopic read quiet/#\n");
      return conf(dir, ports);
    });
  });
  after(async () => {
    await broker[Symbol.asyncDispose]();
  });

  for (const protocolVersion of [4, 5] as const) {
    test(`name and password let us in, wrong ones and none are refused and not hurried: MQTT ${protocolVersion}`, async () => {
      const endpoint = { username: "agent", password: "secret", protocolVersion };
      await using rig = await SessionRig.up({ urls: [broker.url], endpoint });
      assert.equal((await rig.publish("open/1", "x")).ok, true);
      for (const [username, password] of [
        ["agent", "wrong"],
        ["nobody", "secret"],
        [null, null],
      ] as const) {
        await using refused = new SessionRig({ urls: [broker.url], endpoint: { username, password, protocolVersion } });
        refused.session.start();
        const { code, reason, willRetryInMs } = await refused.failed();
        assert.equal(code, "LOCAL_REFUSED");
        assert.match(reason, /not authorized/);
        assert.equal(willRetryInMs, 400);
        assert.equal(reason.includes("wrong"), false, "no secrets in reasons");
      }
    });
  }

  test("a publish that the access list denies is answered with its reason in MQTT 5", async () => {
    const endpoint = { username: "agent", password: "secret" };
    await using rig = await SessionRig.up({ urls: [broker.url], endpoint });
    assert.deepEqual(await rig.publish("quiet/1", "x"), { ok: true, reasonCode: 0x87 });
    assert.deepEqual(await rig.publish("other", "x"), { ok: true, reasonCode: 0x87 });
  });
});
