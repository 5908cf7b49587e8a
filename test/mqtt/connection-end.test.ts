import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ConnectionEnd, diagnose } from "../../src/mqtt/connection-end.ts";
import { dialProblem, isTlsFailure } from "../../src/mqtt/dial-problem.ts";
import { reasonText, refusesForGood, refusesVersion } from "../../src/mqtt/reason-code.ts";

const coded = (code: string, message = ""): Error => Object.assign(new Error(message), { code });

describe("what a session says of an end", () => {
  const cases: readonly [
    name: string,
    end: ConnectionEnd,
    local: string,
    peer: string,
    retry: string,
    reason: RegExp,
  ][] = [
    [
      "a host that does not answer",
      { kind: "undialled", problem: { kind: "unreachable", reason: "refused by h:1" } },
      "LOCAL_UNREACHABLE",
      "PEER_UNREACHABLE",
      "soon",
      /refused by h:1/,
    ],
    [
      "a web server that says 401",
      { kind: "undialled", problem: { kind: "refused", reason: "HTTP 401" } },
      "LOCAL_REFUSED",
      "PEER_LOGIN_REFUSED",
      "slow",
      /401/,
    ],
    [
      "a handshake that fails",
      { kind: "undialled", problem: { kind: "tls", reason: "TLS with h failed" } },
      "LOCAL_TLS",
      "PEER_TLS",
      "soon",
      /TLS/,
    ],
    ["a client certificate refused", { kind: "tls", reason: "alert" }, "LOCAL_TLS", "PEER_TLS", "soon", /alert/],
    ["silence", { kind: "silent", reason: "no word" }, "LOCAL_UNREACHABLE", "PEER_UNREACHABLE", "soon", /no word/],
    [
      "a wrong password",
      { kind: "refused", reasonCode: 0x86 },
      "LOCAL_REFUSED",
      "PEER_LOGIN_REFUSED",
      "slow",
      /bad user name or password \(0x86\)/,
    ],
    [
      "a busy broker",
      { kind: "refused", reasonCode: 0x89 },
      "LOCAL_REFUSED",
      "PEER_LOGIN_REFUSED",
      "soon",
      /server busy/,
    ],
    [
      "a takeover that is told",
      { kind: "disconnected", reasonCode: 0x8e },
      "LOCAL_SESSION_TAKEN",
      "PEER_SESSION_TAKEN",
      "slow",
      /taken over/,
    ],
    [
      "a shutdown",
      { kind: "disconnected", reasonCode: 0x8b },
      "LOCAL_UNREACHABLE",
      "PEER_UNREACHABLE",
      "soon",
      /shutting down/,
    ],
    [
      "rights that are taken away",
      { kind: "disconnected", reasonCode: 0x87 },
      "LOCAL_REFUSED",
      "PEER_LOGIN_REFUSED",
      "slow",
      /not authorized/,
    ],
    ["a lost connection", { kind: "lost", reason: "reset" }, "LOCAL_UNREACHABLE", "PEER_UNREACHABLE", "soon", /reset/],
    [
      "one that is dropped",
      { kind: "dropped", reason: "closed" },
      "LOCAL_UNREACHABLE",
      "PEER_UNREACHABLE",
      "soon",
      /^closed$/,
    ],
    ["our own close", { kind: "closed" }, "LOCAL_UNREACHABLE", "PEER_UNREACHABLE", "soon", /closed/],
  ];
  for (const [name, end, local, peer, retry, reason] of cases) {
    test(name, () => {
      const here = diagnose(end, "local", 1);
      assert.deepEqual([here.code, diagnose(end, "peer", 1).code, here.retry], [local, peer, retry]);
      assert.match(here.reason, reason);
    });
  }

  test("five drops in a row are most likely a rival, four may be restarts", () => {
    const end: ConnectionEnd = { kind: "dropped", reason: "the broker closed the connection" };
    assert.equal(diagnose(end, "local", 4).code, "LOCAL_UNREACHABLE");
    const fifth = diagnose(end, "local", 5);
    assert.deepEqual([fifth.code, fifth.retry], ["LOCAL_SESSION_TAKEN", "calm"]);
    assert.match(fifth.reason, /5 times in a row: another client may use the same client id/);
  });
});

describe("reason codes", () => {
  test("are said in words, unknown ones in numbers", () => {
    assert.equal(reasonText(0x05), "not authorized (0x05)");
    assert.equal(reasonText(0x95), "packet too large (0x95)");
    assert.equal(reasonText(0x00), "normal disconnection (0x00)");
    assert.equal(reasonText(0xfe), "reason 0xfe");
  });

  test("of both versions tell that a version is not spoken", () => {
    assert.deepEqual(Array.from({ length: 256 }, (_, code) => code).filter(refusesVersion), [0x01, 0x84]);
  });

  test("that no second try can change are told from those that time may", () => {
    assert.deepEqual(
      Array.from({ length: 256 }, (_, code) => code).filter(refusesForGood),
      [0x02, 0x04, 0x05, 0x85, 0x86, 0x87, 0x8a, 0x8c],
    );
  });
});

describe("why an address does not open", () => {
  const cases: readonly [code: string, message: string, kind: string, reason: RegExp][] = [
    ["ENOTFOUND", "getaddrinfo ENOTFOUND h", "unreachable", /unknown host in h:1/],
    ["EAI_AGAIN", "getaddrinfo EAI_AGAIN h", "unreachable", /unknown host/],
    ["ECONNREFUSED", "connect ECONNREFUSED", "unreachable", /connection refused by h:1/],
    ["ETIMEDOUT", "", "unreachable", /no answer from h:1/],
    ["ECONNRESET", "", "unreachable", /reset by h:1/],
    ["EHOSTUNREACH", "", "unreachable", /no route to h:1/],
    ["CERT_HAS_EXPIRED", "certificate has expired", "tls", /h:1 failed: certificate has expired \(CERT_HAS_EXPIRED\)/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "altnames", "tls", /altnames/],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "wrong version", "tls", /wrong version/],
    ["EPROTO", "proto", "tls", /proto/],
    ["ERR_OSSL_UNSUPPORTED", "DECODER routines::unsupported", "tls", /unsupported/],
    ["EPIPE", "", "unreachable", /h:1: EPIPE/],
  ];
  for (const [code, message, kind, reason] of cases) {
    test(code, () => {
      const problem = dialProblem(coded(code, message), "h:1");
      assert.equal(problem.kind, kind);
      assert.match(problem.reason, reason);
    });
  }

  test("several addresses that all fail are named by the first", () => {
    const error = new AggregateError([coded("ECONNREFUSED"), coded("ENETUNREACH")]);
    assert.equal(dialProblem(error, "h:1").reason, "connection refused by h:1");
  });

  test("an HTTP answer instead of a WebSocket is told by its number", () => {
    const kind = (status: number): string =>
      dialProblem(new Error(`Unexpected server response: ${status}`), "h:1").kind;
    assert.deepEqual([401, 403, 404, 200].map(kind), ["refused", "refused", "unreachable", "unreachable"]);
  });

  test("an alert after the handshake is TLS's too, a reset is not", () => {
    assert.equal(isTlsFailure("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"), true);
    assert.equal(isTlsFailure("ECONNRESET"), false);
    assert.equal(isTlsFailure(null), false);
  });
});
