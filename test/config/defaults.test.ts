import assert from "node:assert/strict";
import { test } from "node:test";
import { BASE, load, loaded, withLink } from "./loading.ts";

test("three keys make a configuration, and everything else has its documented default", () => {
  assert.deepEqual(loaded({ file: BASE }), {
    cluster: "a",
    controlPrefix: "$LINK",
    dataDir: null,
    local: {
      urls: ["mqtt://127.0.0.1:1883"],
      clientid: "brokerlink-a",
      username: null,
      password: null,
      tls: null,
      protocolVersion: null,
      broker: "mosquitto",
      ignoreClients: [],
      untrackedSubscriptions: 0,
      interestAtStart: "unknown",
      trustAfterMs: null,
      eventsTopic: null,
      filters: [],
      api: null,
    },
    links: [],
    spool: { bytesMax: 128 * 2 ** 20, ageMaxMs: 86_400_000, whenFull: "drop_oldest" },
    http: { host: "127.0.0.1", port: 9464, token: null },
    logLevel: "info",
  });
});

test("a link needs a name only: its peer dials in, it receives nothing and may send everything", () => {
  const { links } = loaded({ file: { ...BASE, links: [{ name: "b" }] } });
  assert.deepEqual(links, [
    {
      name: "b",
      enable: true,
      topics: [],
      exportFilters: ["#"],
      endpoint: null,
      controlPrefix: "$LINK",
      routesMax: 1_000_000,
      demandMax: 50_000,
      routeRetentionMs: 60_000,
      durability: "memory",
      retained: "strip",
      compression: "auto",
      protocol: "brokerlink",
      framesInflightMax: 64,
      retryIntervalMs: 15_000,
      drainPerSecond: null,
    },
  ]);
});

test("a link with a server connects as <local.clientid>-to-<name>", () => {
  assert.equal(loaded(withLink({})).links[0]?.endpoint?.clientid, "brokerlink-a-to-b");
  const local = { ...BASE.local, clientid: "agent" };
  const named = loaded({ file: { ...BASE, local, links: [{ name: "b", server: "mqtt://h" }] } });
  assert.equal(named.links[0]?.endpoint?.clientid, "agent-to-b");
});

test("a client id of our own making stays within the limit for given ones", () => {
  const local = { ...BASE.local, clientid: "c".repeat(200) };
  const { links } = loaded({ file: { ...BASE, local, links: [{ name: "b".repeat(64), server: "mqtt://h" }] } });
  assert.equal(links[0]?.endpoint?.clientid, `brokerlink-to-${"b".repeat(64)}`);
});

test("the prefix of a link is the peer's broker's, or our own where the peer dials in", () => {
  const file = { ...BASE, control_prefix: "own", links: [{ name: "b", server: "mqtt://h" }, { name: "c" }] };
  assert.deepEqual(
    loaded({ file }).links.map(({ controlPrefix }) => controlPrefix),
    ["$LINK", "own"],
  );
  assert.equal(loaded(withLink({ control_prefix: "peers/own" })).links[0]?.controlPrefix, "peers/own");
});

test("a key with nothing behind it counts as absent", () => {
  const text =
    'cluster: a\nlocal:\n  server: "mqtt://h"\n  broker: static\n  filters: [x]\n  username:\nhttp:\nspool: ~\nlinks:\n';
  const config = loaded({ file: text });
  assert.equal(config.local.username, null);
  assert.equal(config.http.port, 9464);
  assert.equal(config.spool.ageMaxMs, 86_400_000);
  assert.deepEqual(config.links, []);
});

test("what is loaded is frozen to its last list", () => {
  const config = loaded(withLink({ topics: ["t/#"] }));
  const inner = [
    config,
    config.local,
    config.links,
    config.links[0],
    config.links[0]?.topics,
    config.links[0]?.endpoint,
  ];
  assert.deepEqual(
    inner.map((value) => Object.isFrozen(value)),
    inner.map(() => true),
  );
});

test("nothing but the three keys is missing in an empty configuration", () => {
  for (const file of ["", "# nothing\n", "{}", "~"]) {
    const result = load({ file });
    assert.ok(!result.ok);
    assert.deepEqual(
      result.problems.map(({ path, from }) => ({ path, from })),
      ["cluster", "local.server", "local.broker"].map((path) => ({ path, from: null })),
      `of ${JSON.stringify(file)}`,
    );
    for (const { message } of result.problems) assert.match(message, /^is missing: it must be /);
  }
});
