import assert from "node:assert/strict";
import { test } from "node:test";
import { readEnvironment, variableOf } from "../../src/config/environment.ts";
import type { Keys, Leaf } from "../../src/config/format.ts";
import { LINK_KEYS } from "../../src/config/link-keys.ts";
import type { Path } from "../../src/config/problem.ts";
import { AGENT_KEYS } from "../../src/config/schema.ts";
import { BASE, load, loaded, problemsOf } from "./loading.ts";
import { CERTIFICATE, PRIVATE_KEY } from "./pem.ts";

function leaves(keys: Keys, base: Path): { readonly path: Path; readonly leaf: Leaf<unknown> }[] {
  return Object.entries(keys).flatMap(([key, node]) =>
    node.kind === "group" ? leaves(node.keys, [...base, key]) : [{ path: [...base, key], leaf: node }],
  );
}

test("every key has a variable, and the variable leads back to the key", () => {
  const all = [...leaves(AGENT_KEYS, []), ...leaves(LINK_KEYS, ["links", 3])];
  assert.ok(all.length > 50);
  for (const { path } of all) {
    const variable = variableOf(path);
    assert.match(variable, /^BROKERLINK(_{1,2}[A-Z0-9]+)+$/);
    const { settings, problems } = readEnvironment({ [variable]: "1" });
    assert.deepEqual(problems, []);
    assert.deepEqual(
      settings.map((setting) => setting.path),
      [path],
    );
  }
});

test("a whole configuration in variables is the same as in a file", () => {
  const files = { pw: "secret\n", "conf/pw": "secret\n", tok: "0123456789abcdef", "conf/tok": "0123456789abcdef" };
  const pems = Object.fromEntries(
    ["", "conf/"].flatMap((folder) => [
      [`${folder}ca.pem`, CERTIFICATE],
      [`${folder}own.pem`, CERTIFICATE],
      [`${folder}own.key`, PRIVATE_KEY],
    ]),
  );
  const env = {
    BROKERLINK_CLUSTER: "a",
    BROKERLINK_CONTROL_PREFIX: "$OWN",
    BROKERLINK_DATA_DIR: "state",
    BROKERLINK_LOCAL__SERVER: "mqtt://h,mqtt://i:2",
    BROKERLINK_LOCAL__BROKER: "mosquitto",
    BROKERLINK_LOCAL__CLIENTID: "me",
    BROKERLINK_LOCAL__USERNAME: "0123",
    BROKERLINK_LOCAL__PASSWORD_FILE: "pw",
    BROKERLINK_LOCAL__PROTOCOL_VERSION: "4",
    BROKERLINK_LOCAL__IGNORE_CLIENTS: "one-*, two",
    BROKERLINK_LOCAL__UNTRACKED_SUBSCRIPTIONS: "7",
    BROKERLINK_LOCAL__INTEREST_AT_START: "none",
    BROKERLINK_LOCAL__TRUST_AFTER: "1h30m",
    BROKERLINK_LINKS__0__NAME: "b",
    BROKERLINK_LINKS__0__ENABLE: "FALSE",
    BROKERLINK_LINKS__0__SERVER: '["mqtts://x", "wss://y/mqtt"]',
    BROKERLINK_LINKS__0__TOPICS: '["a,b", "c"]',
    BROKERLINK_LINKS__0__EXPORT: "[]",
    BROKERLINK_LINKS__0__CLIENTID: "there",
    BROKERLINK_LINKS__0__USERNAME: "u",
    BROKERLINK_LINKS__0__PASSWORD: "123",
    BROKERLINK_LINKS__0__SSL__ENABLE: "true",
    BROKERLINK_LINKS__0__SSL__CACERTFILE: "ca.pem",
    BROKERLINK_LINKS__0__SSL__CERTFILE: "own.pem",
    BROKERLINK_LINKS__0__SSL__KEYFILE: "own.key",
    BROKERLINK_LINKS__0__SSL__VERIFY: "verify_none",
    BROKERLINK_LINKS__0__SSL__SERVERNAME: "z",
    BROKERLINK_LINKS__0__PROTOCOL_VERSION: "auto",
    BROKERLINK_LINKS__0__CONTROL_PREFIX: "$THEIRS",
    BROKERLINK_LINKS__0__MAX_INFLIGHT: "9",
    BROKERLINK_LINKS__0__RETRY_INTERVAL: "5s",
    BROKERLINK_LINKS__0__DRAIN_RATE: "12",
    BROKERLINK_LINKS__0__MAX_ROUTES: "10",
    BROKERLINK_LINKS__0__MAX_DEMAND: "11",
    BROKERLINK_LINKS__0__ROUTE_RETENTION: "2m",
    BROKERLINK_LINKS__0__DURABILITY: "memory",
    BROKERLINK_LINKS__0__RETAINED: "strip",
    BROKERLINK_LINKS__0__COMPRESSION: "deflate",
    BROKERLINK_LINKS__0__PROTOCOL: "brokerlink",
    BROKERLINK_SPOOL__MAX_BYTES: "1MiB",
    BROKERLINK_SPOOL__MAX_AGE: "90s",
    BROKERLINK_SPOOL__WHEN_FULL: "drop_newest",
    BROKERLINK_HTTP__HOST: "::",
    BROKERLINK_HTTP__PORT: "0",
    BROKERLINK_HTTP__TOKEN_FILE: "tok",
    BROKERLINK_LOG__LEVEL: "debug",
  };
  const file = {
    cluster: "a",
    control_prefix: "$OWN",
    data_dir: "state",
    local: {
      server: ["mqtt://h", "mqtt://i:2"],
      broker: "mosquitto",
      clientid: "me",
      username: "0123",
      password_file: "pw",
      protocol_version: 4,
      ignore_clients: ["one-*", "two"],
      untracked_subscriptions: 7,
      interest_at_start: "none",
      trust_after: "1h30m",
    },
    links: [
      {
        name: "b",
        enable: false,
        server: ["mqtts://x", "wss://y/mqtt"],
        topics: ["a,b", "c"],
        export: [],
        clientid: "there",
        username: "u",
        password: "123",
        ssl: {
          enable: true,
          cacertfile: "ca.pem",
          certfile: "own.pem",
          keyfile: "own.key",
          verify: false,
          servername: "z",
        },
        protocol_version: "auto",
        control_prefix: "$THEIRS",
        max_inflight: 9,
        retry_interval: "5s",
        drain_rate: 12,
        max_routes: 10,
        max_demand: 11,
        route_retention: "2m",
        durability: "memory",
        retained: "strip",
        compression: "deflate",
        protocol: "brokerlink",
      },
    ],
    spool: { max_bytes: "1MiB", max_age: "90s", when_full: "drop_newest" },
    http: { host: "::", port: 0, token_file: "tok" },
    log: { level: "debug" },
  };
  const fromFile = loaded({ file, files: { ...files, ...pems } });
  assert.deepEqual(loaded({ env, files: { ...files, ...pems } }), fromFile);
  assert.equal(fromFile.links[0]?.endpoint?.password, "123");
  assert.equal(fromFile.local.password, "secret");
});

test("numbers and switches are read from text, and stay a problem where they are none", () => {
  assert.equal(loaded({ file: BASE, env: { BROKERLINK_HTTP__PORT: " 8080 " } }).http.port, 8080);
  for (const text of ["80a", "1e3", "0x50", "8.5", "-1", "65536", "NaN", "١"]) {
    assert.match(
      problemsOf({ file: BASE, env: { BROKERLINK_HTTP__PORT: text } }).join(),
      /^http.port: must be a whole number from 0 to 65,535, and is /,
      text,
    );
  }
});

test("a list ends and begins without space, an entry with a comma needs JSON", () => {
  const topics = (text: string): readonly string[] | undefined =>
    loaded({ file: { ...BASE, links: [{ name: "b" }] }, env: { BROKERLINK_LINKS__0__TOPICS: text } }).links[0]?.topics;
  assert.deepEqual(topics("t/# , c/1"), ["t/#", "c/1"]);
  assert.deepEqual(topics('["with,comma"," space "]'), ["with,comma", " space "]);
  assert.deepEqual(topics("[]"), []);
});

test("an empty variable counts as absent", () => {
  assert.equal(loaded({ file: BASE, env: { BROKERLINK_HTTP__PORT: "", BROKERLINK_NONSENSE: "" } }).http.port, 9464);
});

test("a variable that names no key is a mistake, with the one that was probably meant", () => {
  const env = {
    BROKERLINK_LOCAL_SERVER: "x",
    BROKERLINK_LINKS__0__USRNAME: "x",
    BROKERLINK_LINKS__X__NAME: "x",
    BROKERLINK_LINKS__0: "x",
    BROKERLINK_LINKS__99999__NAME: "x",
    BROKERLINK_local__server: "x",
    BROKERLINK_QWERTYUIOPASDFGH: "x",
    BROKERLINK_: "x",
  };
  assert.deepEqual(problemsOf({ file: BASE, env }), [
    'BROKERLINK_LOCAL_SERVER: is no variable of brokerlink; did you mean "BROKERLINK_LOCAL__SERVER"?',
    'BROKERLINK_LINKS__0__USRNAME: is no variable of brokerlink; did you mean "BROKERLINK_LINKS__0__USERNAME"?',
    'BROKERLINK_LINKS__X__NAME: is no variable of brokerlink; did you mean "BROKERLINK_LINKS__0__NAME"?',
    'BROKERLINK_LINKS__0: is no variable of brokerlink; did you mean "BROKERLINK_LINKS"?',
    'BROKERLINK_LINKS__99999__NAME: is no variable of brokerlink; did you mean "BROKERLINK_LINKS__0__NAME"?',
    'BROKERLINK_local__server: is no variable of brokerlink; did you mean "BROKERLINK_LOCAL__SERVER"?',
    "BROKERLINK_QWERTYUIOPASDFGH: is no variable of brokerlink",
    "BROKERLINK_: is no variable of brokerlink",
  ]);
});

test("keys of later versions are refused by their own words, as variables too", () => {
  const env = { BROKERLINK_LOCAL__PUBLISH_SERVER: "ws://h", BROKERLINK_HTTP__TOKEN: "hush" };
  const problems = problemsOf({ file: BASE, env });
  assert.equal(problems.length, 2);
  assert.equal(problems[0], "BROKERLINK_LOCAL__PUBLISH_SERVER: comes with a later version");
  assert.match(problems[1] ?? "", /^BROKERLINK_HTTP__TOKEN: never stands in the configuration itself/);
  assert.ok(!problems.join().includes("hush"));
});

test("what Kubernetes makes of a Service called brokerlink is no mistake", () => {
  const env = {
    BROKERLINK_SERVICE_HOST: "10.0.0.1",
    BROKERLINK_SERVICE_PORT: "9464",
    BROKERLINK_SERVICE_PORT_HTTP: "9464",
    BROKERLINK_PORT: "tcp://10.0.0.1:9464",
    BROKERLINK_PORT_9464_TCP: "tcp://10.0.0.1:9464",
    BROKERLINK_PORT_9464_TCP_PROTO: "tcp",
    BROKERLINK_PORT_9464_TCP_PORT: "9464",
    BROKERLINK_PORT_9464_TCP_ADDR: "10.0.0.1",
    BROKERLINK_A_METRICS_SERVICE_HOST: "10.0.0.2",
  };
  assert.deepEqual(problemsOf({ file: BASE, env }), []);
});

test("links that are no JSON are a problem that repeats nothing of them", () => {
  for (const text of ['[{"name":"b","password":"hunter2"}', '"hunter2"', '{"password":"hunter2"}', "hunter2"]) {
    const result = load({ file: BASE, env: { BROKERLINK_LINKS: text } });
    assert.ok(!result.ok, text);
    assert.ok(!JSON.stringify(result).includes("hunter2"), text);
    assert.deepEqual(
      result.problems.map(({ path, from }) => [path, from]),
      [["links", "BROKERLINK_LINKS"]],
    );
  }
});

test("a variable for a group or a link that something else stands in place of says where the mistake is", () => {
  const env = { BROKERLINK_HTTP__PORT: "1", BROKERLINK_LINKS__0__NAME: "b" };
  assert.deepEqual(problemsOf({ file: { ...BASE, http: "x", links: ["y"] }, env }), [
    "http: must be a group of keys, and is a text",
    "links[0]: must be a group of keys, and is a text",
  ]);
});
