import assert from "node:assert/strict";
import { test } from "node:test";
import { BASE, LOCAL, load, loaded, problemsOf } from "./loading.ts";

test("default gives way to the file, the file to the environment, the environment to flags", () => {
  const file = { ...BASE, log: { level: "warn" } };
  const env = { BROKERLINK_LOG__LEVEL: "error" };
  const flags = { logLevel: "fatal" };
  assert.equal(loaded({ file: BASE }).logLevel, "info");
  assert.equal(loaded({ file }).logLevel, "warn");
  assert.equal(loaded({ file, env }).logLevel, "error");
  assert.equal(loaded({ file, env, flags }).logLevel, "fatal");
});

test("groups are merged key by key, lists are replaced", () => {
  const config = loaded({
    file: { ...BASE, local: { ...LOCAL, username: "u", ignore_clients: ["x", "y"] } },
    env: { BROKERLINK_LOCAL__IGNORE_CLIENTS: "z" },
  });
  assert.equal(config.local.username, "u");
  assert.deepEqual(config.local.ignoreClients, ["z"]);
});

test("a link's key from the environment changes the link of that index and leaves the rest of it", () => {
  const links = [
    { name: "b", server: "mqtt://b", topics: ["t/#"] },
    { name: "c", server: "mqtt://c" },
  ];
  const config = loaded({ file: { ...BASE, links }, env: { BROKERLINK_LINKS__1__SERVER: "mqtt://d:99" } });
  assert.deepEqual(
    config.links.map(({ name, endpoint }) => [name, endpoint?.urls]),
    [
      ["b", ["mqtt://b:1883"]],
      ["c", ["mqtt://d:99"]],
    ],
  );
  assert.deepEqual(config.links[0]?.topics, ["t/#"]);
});

test("BROKERLINK_LINKS replaces the file's links, and variables of single keys change those, in whatever order they come", () => {
  const env = {
    BROKERLINK_LINKS__0__TOPICS: "x",
    BROKERLINK_LINKS: '[{"name":"n","server":"mqtt://n"}]',
    BROKERLINK_LINKS__1__NAME: "next",
  };
  const config = loaded({ file: { ...BASE, links: [{ name: "b" }, { name: "c" }, { name: "d" }] }, env });
  assert.deepEqual(
    config.links.map(({ name, topics }) => [name, topics]),
    [
      ["n", ["x"]],
      ["next", []],
    ],
  );
});

test("links of the environment are begun in the order of their numbers, ten after nine", () => {
  const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
  const env = Object.fromEntries(names.map((name, index) => [`BROKERLINK_LINKS__${index}__NAME`, name]).reverse());
  assert.deepEqual(
    loaded({ file: BASE, env }).links.map(({ name }) => name),
    names,
  );
});

test("an index that leaves a gap is named, with the one that comes next", () => {
  const file = { ...BASE, links: [{ name: "b" }] };
  assert.deepEqual(problemsOf({ file, env: { BROKERLINK_LINKS__2__NAME: "d" } }), [
    "BROKERLINK_LINKS__2__NAME: sets links[2], and there are 1 links: the next one is links[1]",
  ]);
});

test("flags find links by name, whatever their index, and add those that are not there", () => {
  const config = loaded({
    file: { ...BASE, links: [{ name: "b", server: "mqtt://b", topics: ["old"] }, { name: "c" }] },
    flags: {
      links: [
        { name: "c", server: "mqtt://c:1" },
        { name: "d", server: null },
      ],
      topics: [
        { name: "b", filters: ["t/#"] },
        { name: "b", filters: ["c/1"] },
      ],
    },
  });
  assert.deepEqual(
    config.links.map(({ name, endpoint, topics }) => [name, endpoint?.urls ?? null, topics]),
    [
      ["b", ["mqtt://b:1883"], ["t/#", "c/1"]],
      ["c", ["mqtt://c:1"], []],
      ["d", null, []],
    ],
  );
});

test("--link NAME without URL takes the file's server away: the peer dials in", () => {
  const file = { ...BASE, links: [{ name: "b", server: "mqtt://b" }] };
  assert.equal(loaded({ file, flags: { links: [{ name: "b", server: null }] } }).links[0]?.endpoint, null);
});

test("--link twice for one name, and --topics for a name without a link, are problems", () => {
  const flags = {
    links: [
      { name: "b", server: "mqtt://h" },
      { name: "b", server: "mqtt://i" },
    ],
    topics: [{ name: "x", filters: ["t"] }],
  };
  assert.deepEqual(problemsOf({ file: BASE, flags }), [
    '--link: "b" is given twice; several URLs of one peer go behind one sign, with commas',
    '--topics: there is no link "x": name it with --link too',
  ]);
});

test("several URLs behind one --link are tried one after the other", () => {
  const flags = { links: [{ name: "b", server: "mqtt://h,mqtt://i:2" }] };
  assert.deepEqual(loaded({ file: BASE, flags }).links[0]?.endpoint?.urls, ["mqtt://h:1883", "mqtt://i:2"]);
});

test("flags alone make a configuration", () => {
  const config = loaded({
    flags: {
      cluster: "a",
      local: "mqtt://127.0.0.1:1883",
      broker: "mosquitto",
      links: [{ name: "b", server: "mqtt://127.0.0.1:2883" }],
      topics: [{ name: "b", filters: ["t/#", "c/1"] }],
      http: { host: "::1", port: 1 },
    },
  });
  assert.equal(config.cluster, "a");
  assert.equal(config.local.broker, "mosquitto");
  assert.deepEqual(config.links[0]?.topics, ["t/#", "c/1"]);
  assert.deepEqual(config.links[0]?.endpoint?.urls, ["mqtt://127.0.0.1:2883"]);
  assert.deepEqual(config.http, { host: "::1", port: 1, token: null });
});

test("each problem names the source that has the last word: a line, a variable or a flag", () => {
  const file =
    "cluster: a\nlocal:\n  server: mqtt://h\n  broker: mosquitto\nlog:\n  level: loud\nlinks:\n  - name: b\n    max_routes: 0\n    max_demand: 0\n";
  const from = (sources: Parameters<typeof load>[0]): Record<string, string | null> => {
    const result = load(sources);
    return result.ok ? {} : Object.fromEntries(result.problems.map((problem) => [problem.path, problem.from]));
  };
  assert.deepEqual(from({ file }), {
    "log.level": "line 6",
    "links[0].max_routes": "line 9",
    "links[0].max_demand": "line 10",
  });
  assert.deepEqual(from({ file, env: { BROKERLINK_LOG__LEVEL: "louder", BROKERLINK_LINKS__0__MAX_ROUTES: "-1" } }), {
    "log.level": "BROKERLINK_LOG__LEVEL",
    "links[0].max_routes": "BROKERLINK_LINKS__0__MAX_ROUTES",
    "links[0].max_demand": "line 10",
  });
  assert.equal(from({ file, flags: { logLevel: "loudest" } })["log.level"], "--log-level");
});
