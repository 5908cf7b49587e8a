import assert from "node:assert/strict";
import { test } from "node:test";
import { configDiff } from "../../src/config/config-diff.ts";
import type { AgentConfig } from "../../src/config/types.ts";
import { BASE, LOCAL, loaded } from "./loading.ts";
import { CERTIFICATE, OTHER_CERTIFICATE, PRIVATE_KEY } from "./pem.ts";

const LINK = { name: "b", server: "mqtts://h" };
const FILES = {
  "conf/one": "one",
  "conf/two": "two",
  "conf/cert.pem": CERTIFICATE,
  "conf/other.pem": OTHER_CERTIFICATE,
  "conf/cert.key": PRIVATE_KEY,
};

function config(link: object = {}, more: object = {}): AgentConfig {
  return loaded({ file: { ...BASE, links: [{ ...LINK, ...link }], ...more }, files: FILES, folders: ["/d", "/e"] });
}

function diff(before: AgentConfig, after: AgentConfig): object {
  const { needsRestart, keys, added, removed, changed } = configDiff(before, after);
  return {
    needsRestart,
    keys,
    links: [
      ...added.map(({ name }) => `+${name}`),
      ...removed.map(({ name }) => `-${name}`),
      ...changed.map((link) => [link.after.name, ...link.keys, link.connection].join(" ")),
    ],
  };
}

const NOTHING = { needsRestart: [], keys: [], links: [] };

test("the same configuration read twice differs in nothing, whatever the order of its links", () => {
  assert.deepEqual(diff(config(), config()), NOTHING);
  assert.equal(configDiff(config(), config()).isEmpty, true);
  const links = [{ name: "b" }, { name: "c", topics: ["t"] }];
  const turned = { links: [...links].reverse() };
  assert.deepEqual(diff(config({}, { links }), config({}, turned)), NOTHING);
});

test("every key of a link is noticed, and what it means for the connection", () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ enable: false }, "b enable keep"],
    [{ topics: ["t"] }, "b topics keep"],
    [{ export: ["t"] }, "b export keep"],
    [{ max_routes: 9 }, "b max_routes keep"],
    [{ max_demand: 9 }, "b max_demand keep"],
    [{ route_retention: "5m" }, "b route_retention keep"],
    [{ durability: "end_to_end" }, "b durability keep"],
    [{ retained: "live" }, "b retained keep"],
    [{ max_inflight: 9 }, "b max_inflight keep"],
    [{ retry_interval: "9s" }, "b retry_interval keep"],
    [{ drain_rate: 9 }, "b drain_rate keep"],
    [{ control_prefix: "$L" }, "b control_prefix replace"],
    [{ server: "mqtts://i" }, "b server replace"],
    [{ clientid: "me" }, "b clientid replace"],
    [{ username: "me" }, "b username replace"],
    [{ protocol_version: 4 }, "b protocol_version replace"],
    [{ ssl: { verify: false } }, "b ssl.verify replace"],
    [{ ssl: { servername: "n" } }, "b ssl.servername replace"],
    [{ password_file: "one" }, "b password renew"],
    [{ ssl: { cacertfile: "other.pem" } }, "b ssl.cacertfile renew"],
    [{ ssl: { certfile: "cert.pem", keyfile: "cert.key" } }, "b ssl.certfile ssl.keyfile renew"],
    [{ server: null }, "b server replace"],
    [{ server: "mqtt://h" }, "b server ssl.enable replace"],
    [{ password_file: "one", username: "me" }, "b username password replace"],
  ];
  for (const [change, expected] of cases) {
    assert.deepEqual(diff(config(), config(change)), { ...NOTHING, links: [expected] });
  }
});

test("links come and go by name", () => {
  const both = config({}, { links: [LINK, { name: "c" }] });
  assert.deepEqual(diff(config(), both), { ...NOTHING, links: ["+c"] });
  assert.deepEqual(diff(both, config()), { ...NOTHING, links: ["-c"] });
  assert.deepEqual(diff(config(), config({ name: "d" })), { ...NOTHING, links: ["+d", "-b"] });
});

test("of the rest, what only a restart can change is told from what can change", () => {
  const restart = (more: object): unknown => configDiff(config(), config({}, more)).needsRestart;
  assert.deepEqual(restart({ cluster: "z", control_prefix: "$L" }), ["cluster", "control_prefix", "local.clientid"]);
  assert.deepEqual(restart({ local: { ...LOCAL, server: "mqtt://z" } }), ["local.server"]);
  assert.deepEqual(restart({ local: { ...LOCAL, broker: "aedes", ignore_clients: ["x"], trust_after: "1h" } }), [
    "local.broker",
    "local.ignore_clients",
    "local.trust_after",
  ]);
  assert.deepEqual(restart({ http: { host: "::1", port: 1 } }), ["http.host", "http.port"]);
  assert.deepEqual(restart({ data_dir: "/d" }), ["data_dir", "links.b.durability"]);
  const more = {
    local: { ...LOCAL, username: "u", password_file: "two" },
    spool: { max_bytes: "1MiB", max_age: "1h", when_full: "drop_newest" },
    http: { token_file: "one" },
    log: { level: "warn" },
  };
  const before = config({}, { local: { ...LOCAL, username: "u", password_file: "one" } });
  assert.deepEqual(diff(before, config({}, more)), {
    needsRestart: [],
    keys: ["local.password", "spool.max_bytes", "spool.max_age", "spool.when_full", "http.token_file", "log.level"],
    links: [],
  });
});

test("a link's messages move neither onto the disk nor off it while the agent runs", () => {
  const onDisk = (durability: string): AgentConfig => config({ durability, route_retention: "1m" }, { data_dir: "/d" });
  assert.deepEqual(configDiff(onDisk("disk"), onDisk("memory")).needsRestart, ["links.b.durability"]);
  assert.deepEqual(configDiff(onDisk("end_to_end"), onDisk("disk")).needsRestart, ["links.b.durability"]);
  assert.deepEqual(configDiff(onDisk("end_to_end"), onDisk("memory")).needsRestart, []);
});

test("no value is ever part of it", () => {
  const secret = config({ username: "u", password: "s3cret-a" });
  const { needsRestart, keys, changed } = configDiff(secret, config({ username: "u", password: "s3cret-b" }));
  assert.doesNotMatch(JSON.stringify([needsRestart, keys, changed.map((link) => link.keys)]), /s3cret/);
});
