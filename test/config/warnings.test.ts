import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import { configWarnings } from "../../src/config/warnings.ts";
import { BASE, LOCAL, loaded, warningsOf, withLink } from "./loading.ts";
import { CERTIFICATE, OTHER_CERTIFICATE, PRIVATE_KEY } from "./pem.ts";

const MEMORY =
  "durability: memory, for there is no data_dir: messages that a peer has not confirmed are lost when this agent ends";

function localWarnings(local: object): readonly string[] {
  return warningsOf({ file: { ...BASE, local: { ...LOCAL, ...local }, links: [{ name: "b" }] } }).filter(
    (warning) => warning !== MEMORY,
  );
}

test("memory durability is said once, however many links there are", () => {
  assert.deepEqual(warningsOf({ file: { ...BASE, links: [{ name: "b" }, { name: "c" }] } }), [MEMORY]);
  assert.deepEqual(warningsOf({ file: { ...BASE, links: [{ name: "b", enable: false }] } }), []);
});

test("an agent without links is told that it has nothing to do", () => {
  assert.deepEqual(warningsOf({ file: BASE }), ["links: there are none, so this agent has nothing to do"]);
});

test("EMQX is told what this version does not read, and that nothing proves its interest", () => {
  const warnings = localWarnings({ broker: "emqx" });
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] ?? "", /^local.broker: emqx: without local.api only EMQX's event messages/);
  assert.match(warnings[1] ?? "", /^local.broker: emqx gives no count of its subscriptions/);
  assert.equal(localWarnings({ broker: "emqx", trust_after: "1h" }).length, 1, "the first stays");
});

test("brokers without a counter stay wide for ever unless somebody vouches for them", () => {
  for (const broker of [{ broker: "aedes" }, { broker: "events", events_topic: "e" }]) {
    assert.match(localWarnings(broker).join(), /so this agent asks for all of each link's topics for ever/);
    assert.deepEqual(localWarnings({ ...broker, trust_after: "1h" }), []);
    assert.deepEqual(localWarnings({ ...broker, interest_at_start: "none" }), []);
  }
  assert.deepEqual(localWarnings({ broker: "mosquitto" }), []);
  assert.deepEqual(localWarnings({ broker: "static", filters: ["x"] }), []);
});

test("a password over a plain address is a warning, but not on this machine", () => {
  const login = { username: "u", password: "hunter2" };
  const told = (server: unknown): readonly string[] =>
    warningsOf(withLink({ ...login, server })).filter((warning) => warning !== MEMORY);
  assert.deepEqual(told(["mqtt://far", "mqtts://safe", "ws://far/x"]), [
    "links[0].server: the password travels to mqtt://far:1883, ws://far:80/x for everybody on the way to read",
  ]);
  for (const near of ["mqtt://localhost:99", "mqtt://127.0.0.2:99", "mqtt://[::1]:99", "mqtts://far"]) {
    assert.deepEqual(told(near), [], near);
  }
  assert.equal(told("mqtt://127.0.0.1.example.org").length, 1, "a name that only begins like an address");
});

test("a certificate that nobody checks is a warning", () => {
  assert.ok(
    warningsOf(withLink({ server: "mqtts://h", ssl: { verify: false } })).includes(
      "links[0].ssl.verify: false: anybody on the way can pretend to be this broker",
    ),
  );
});

test("a link that leads to the local broker, or lets nothing cross, is a warning", () => {
  assert.match(
    warningsOf(withLink({ server: LOCAL.server })).join(),
    /links\[0\].server: mqtt:\/\/127.0.0.1:1883 is the local broker, not the peer's/,
  );
  assert.match(warningsOf(withLink({ export: [] })).join(), /links\[0\]: topics and export are empty/);
});

test("limits that the process's memory cannot hold are a warning", () => {
  const spool = (max_bytes: string): string =>
    warningsOf({ ...withLink({}), file: { ...withLink({}).file, spool: { max_bytes } } }).join();
  assert.match(spool("2GiB"), /spool.max_bytes: all spools together may take more than 1GiB/);
  assert.doesNotMatch(spool("1GiB"), /spool.max_bytes/);
});

test("a prefix without $, a short token and a long MQTT 3.1.1 client id are warnings", () => {
  const file = { ...BASE, control_prefix: "links", http: { token_file: "/t" }, links: [{ name: "b" }] };
  const warnings = warningsOf({ file, files: { "/t": "short" } }).join("\n");
  assert.match(warnings, /control_prefix: "links" does not begin with "\$"/);
  assert.match(warnings, /http.token_file: the token has fewer than 16 characters/);
  const longId = warningsOf(withLink({ protocol_version: 4, clientid: "c".repeat(24) })).join();
  assert.match(longId, /links\[0\].clientid: client ids of more than 23 bytes/);
  assert.match(localWarnings({ protocol_version: 4, clientid: "c".repeat(17) }).join(), /local.clientid/);
  assert.doesNotMatch(localWarnings({ protocol_version: 4, clientid: "c".repeat(16) }).join(), /local.clientid/);
});

test("a key of the file with nothing behind it is a warning with its line: # begins a comment", () => {
  const text = `cluster: a
local:
  server: mqtt://h
  broker: mosquitto
  password:
links:
  - name: b
    server: mqtt://i
    topics: # all
`;
  const empty = (sources: Parameters<typeof warningsOf>[0]): string[] =>
    warningsOf(sources).filter((warning) => warning.includes("nothing behind it"));
  const rest = "a text that begins with # needs quotes";
  assert.deepEqual(empty({ file: text }), [
    `local.password: has nothing behind it and counts as absent (line 5); ${rest}`,
    `links[0].topics: has nothing behind it and counts as absent (line 9); ${rest}`,
  ]);
  const flags = { links: [{ name: "b", server: null }], topics: [{ name: "b", filters: ["#"] }] };
  assert.equal(empty({ file: text, flags }).length, 1, "a flag that takes the server away means it");
});

test("certificates that have expired are a warning", () => {
  const files = { "/own.pem": CERTIFICATE, "/own.key": PRIVATE_KEY, "/ca.pem": OTHER_CERTIFICATE };
  const ssl = { certfile: "/own.pem", keyfile: "/own.key", cacertfile: "/ca.pem" };
  const config = loaded({ ...withLink({ server: "mqtts://h", ssl }), files });
  const expired = (nowMs: number): string[] =>
    configWarnings(config, nowMs).filter((warning) => warning.includes("expired"));
  assert.deepEqual(expired(Date.parse("2126-10-30T09:36:41Z")), []);
  assert.deepEqual(expired(Date.parse("2126-10-30T09:36:42Z")), [
    "links[0].ssl.certfile: holds a certificate that expired at 2126-10-30T09:36:42.000Z",
    "links[0].ssl.cacertfile: holds a certificate that expired at 2126-10-30T09:36:42.000Z",
  ]);
});

test("zstd is a warning where this runtime has none", () => {
  const told = warningsOf(withLink({ compression: "zstd" })).filter((warning) => warning.includes("compression"));
  assert.equal(told.length, "zstdCompressSync" in zlib ? 0 : 1);
  for (const warning of told) assert.match(warning, /^links\[0\].compression: zstd needs Node.js 22.15 or later/);
  assert.deepEqual(
    warningsOf(withLink({ compression: "brotli" })).filter((warning) => warning.includes("compression")),
    [],
  );
});
