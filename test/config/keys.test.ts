import assert from "node:assert/strict";
import { test } from "node:test";
import { BASE, LOCAL, loaded, problemsOf, withLink } from "./loading.ts";

function withLocal(local: object): { readonly file: object } {
  return { file: { ...BASE, local: { ...LOCAL, ...local } } };
}

test("cluster and link names are 1 to 64 letters, digits, - and _, beginning with a letter or digit", () => {
  const rule = "it must be a name of 1 to 64 letters, digits, - and _, beginning with a letter or digit";
  for (const good of ["a", "0", "A-b_c", "x".repeat(64)]) {
    assert.deepEqual(
      problemsOf({
        file: { ...BASE, cluster: good, links: [{ name: good === "a" ? "b" : "a" }, { name: `z${good.slice(1)}` }] },
      }),
      [],
    );
  }
  for (const bad of ["", "-a", "_a", "a b", "a/b", "a.b", "ü", "a\n", "x".repeat(65), "a+", "#"]) {
    const shown = JSON.stringify(bad).replace("\\n", "\\u000a");
    assert.deepEqual(problemsOf({ file: { ...BASE, cluster: bad } }), [
      `cluster: ${shown} is no cluster name: ${rule}`,
    ]);
    assert.deepEqual(problemsOf(withLink({ name: bad })), [`links[0].name: ${shown} is no cluster name: ${rule}`]);
  }
  assert.deepEqual(problemsOf({ file: { ...BASE, cluster: 7 } }), [
    `cluster: ${rule.slice(3)}, and is the number 7: put it in quotes`,
  ]);
});

test("a name belongs to one link, and never to the own cluster", () => {
  const links = [{ name: "b" }, { name: "c" }, { name: "b" }, { name: "a" }, { name: "B" }];
  assert.deepEqual(problemsOf({ file: { ...BASE, links } }), [
    'links[2].name: "b" is already the name of links[0]',
    `links[3].name: "a" is the name of this cluster: a link names the peer's`,
  ]);
  assert.match(problemsOf({ file: { ...BASE, links: [{ topics: [] }] } }).join(), /^links\[0\]\.name: is missing/);
});

test("two links with one client id at one broker would end each other for ever", () => {
  const links = [
    { name: "b", server: "mqtt://h", clientid: "x" },
    { name: "c", server: ["mqtt://i", "MQTT://H"], clientid: "x" },
    { name: "d", server: "mqtt://other", clientid: "x" },
    { name: "e", server: "mqtt://h", clientid: "y" },
  ];
  assert.deepEqual(problemsOf({ file: { ...BASE, links } }), [
    'links[1].clientid: "x" is also that of links[0] at the same broker',
  ]);
});

test("unknown keys are problems wherever they stand, with the key that was probably meant", () => {
  const file = {
    ...BASE,
    clusters: 1,
    local: { ...LOCAL, Server: "x", user_name: "x", qwertyuiop: 1 },
    links: [{ name: "b", topic: [], "to\npics": 1, ssl: { verfy: 1 } }],
    spool: { maxbytes: 1 },
  };
  assert.deepEqual(problemsOf({ file }), [
    'local.Server: is not a known key; did you mean "server"?',
    'local.user_name: is not a known key; did you mean "username"?',
    "local.qwertyuiop: is not a known key",
    'clusters: is not a known key; did you mean "cluster"?',
    'links[0].topic: is not a known key; did you mean "topics"?',
    'links[0]["to\\u000apics"]: is not a known key; did you mean "topics"?',
    'links[0].ssl.verfy: is not a known key; did you mean "verify"?',
    'spool.maxbytes: is not a known key; did you mean "max_bytes"?',
  ]);
});

test("an unknown kind of broker is named with the kinds there are", () => {
  assert.deepEqual(problemsOf(withLocal({ broker: "mosquito" })), [
    'local.broker: "mosquito" is no kind of broker: known are mosquitto, aedes, emqx, events, static; did you mean "mosquitto"?',
  ]);
  assert.deepEqual(problemsOf(withLocal({ broker: ["aedes"] })), [
    "local.broker: must be one of mosquitto, aedes, emqx, events, static, and is a list",
  ]);
});

test("values of wrong types say what they are and what they must be", () => {
  const file = {
    cluster: "a",
    local: { server: "h", broker: "aedes", clientid: 5, username: true, ignore_clients: "x", interest_at_start: 1 },
    links: [{ name: "b", enable: "yes", server: "h", max_routes: "5", ssl: [], max_demand: 1.5 }, 7, null],
    spool: [],
    http: { port: "80" },
    log: "debug",
  };
  assert.deepEqual(problemsOf({ file }), [
    "local.clientid: must be a text, and is the number 5: put it in quotes",
    "local.username: must be a text, and is true: put it in quotes",
    'local.ignore_clients: must be a list of patterns of client ids, and is the text "x"',
    "local.interest_at_start: must be one of unknown, none, and is the number 1",
    'links[0].enable: must be true or false, and is the text "yes"',
    'links[0].max_routes: must be a whole number from 1 to 10,000,000, and is the text "5"',
    "links[0].ssl: must be a group of keys, and is a list",
    "links[0].max_demand: must be a whole number from 1 to 1,000,000, and is the number 1.5",
    "links[1]: must be a group of keys, and is the number 7",
    "links[2]: must be a group of keys, and is nothing",
    "spool: must be a group of keys, and is a list",
    'http.port: must be a whole number from 0 to 65,535, and is the text "80"',
    "log: must be a group of keys, and is a text",
  ]);
});

test("numbers hold at both ends of their range", () => {
  for (const [key, min, max] of [
    ["max_inflight", 1, 2_000],
    ["max_routes", 1, 10_000_000],
    ["max_demand", 1, 1_000_000],
    ["drain_rate", 1, 1_000_000],
  ] as const) {
    for (const value of [min, max]) assert.deepEqual(problemsOf(withLink({ [key]: value })), [], `${key} ${value}`);
    for (const value of [min - 1, max + 1]) {
      assert.match(
        problemsOf(withLink({ [key]: value })).join(),
        new RegExp(`^links\\[0\\]\\.${key}: must be a whole number`),
      );
    }
  }
});

test("durations have units, and hold at both ends of their range", () => {
  const retry = (retry_interval: unknown): number | string => {
    const problems = problemsOf(withLink({ retry_interval }));
    return problems[0] ?? loaded(withLink({ retry_interval })).links[0]?.retryIntervalMs ?? "";
  };
  assert.equal(retry("1s"), 1_000);
  assert.equal(retry("1500ms"), 1_500);
  assert.equal(retry("1m30s"), 90_000);
  assert.equal(retry("0h60m"), 3_600_000);
  assert.equal(retry(15), 'links[0].retry_interval: needs a unit: "15s" are seconds, "15ms" milliseconds');
  assert.equal(retry("15"), 'links[0].retry_interval: needs a unit: "15s" are seconds, "15ms" milliseconds');
  assert.equal(retry("999ms"), "links[0].retry_interval: must be from 1s to 1h, and is 999ms");
  assert.equal(retry("1h1ms"), "links[0].retry_interval: must be from 1s to 1h, and is 1h1ms");
  for (const bad of ["", "s", "1x", "-1s", "1s 2ms", "1s1m", "1.5s", "9999999999999999d", true, []]) {
    assert.match(`${retry(bad)}`, /must be a duration such as 500ms, 15s or 1h30m, and is /, `${bad}`);
  }
  assert.equal(loaded(withLocal({ trust_after: "2d" })).local.trustAfterMs, 172_800_000);
  assert.equal(loaded(withLocal({ trust_after: "never" })).local.trustAfterMs, null);
  assert.match(problemsOf(withLink({ retry_interval: "never" })).join(), /must be a duration/);
  assert.equal(loaded(withLink({ route_retention: "30d" })).links[0]?.routeRetentionMs, 30 * 86_400_000);
  assert.match(
    problemsOf({ file: { ...BASE, spool: { max_age: "31d" } } }).join(),
    /must be from 1s to 30d, and is 31d/,
  );
});

test("sizes count in 1,024 or 1,000 by their unit, and hold at both ends of their range", () => {
  const size = (max_bytes: unknown): number | string => {
    const sources = { file: { ...BASE, spool: { max_bytes } } };
    return problemsOf(sources)[0] ?? loaded(sources).spool.bytesMax;
  };
  assert.equal(size("64KiB"), 65_536);
  assert.equal(size(65_536), 65_536);
  assert.equal(size("65536"), 65_536);
  assert.equal(size("10MB"), 10_000_000);
  assert.equal(size("10 mib"), 10_485_760);
  assert.equal(size("1TiB"), 2 ** 40);
  assert.equal(size(65_535), "spool.max_bytes: must be from 64KiB to 1TiB, and is 65535");
  assert.equal(size("2TiB"), "spool.max_bytes: must be from 64KiB to 1TiB, and is 2TiB");
  assert.equal(size(-1), "spool.max_bytes: must be from 64KiB to 1TiB, and is -1");
  for (const bad of ["", "KiB", "1XB", "1.5MiB", 1.5, "9999999999999999", true, "1e9"]) {
    assert.match(`${size(bad)}`, /must be a size such as 64KiB, 10MB or a whole number of bytes/, `${bad}`);
  }
});

test("what only one kind of broker can use is a problem beside another", () => {
  assert.deepEqual(problemsOf(withLocal({ broker: "events" })), [
    'local.events_topic: is missing: "broker: events" needs it',
  ]);
  assert.deepEqual(problemsOf(withLocal({ broker: "static" })), [
    'local.filters: is missing: "broker: static" needs at least one filter',
  ]);
  assert.deepEqual(problemsOf(withLocal({ events_topic: "x", filters: ["y"] })), [
    'local.events_topic: is only for "broker: events", and the broker is "mosquitto"',
    'local.filters: is only for "broker: static", and the broker is "mosquitto"',
  ]);
  assert.deepEqual(problemsOf(withLocal({ broker: "aedes", untracked_subscriptions: 3 })), [
    'local.untracked_subscriptions: is only for "broker: mosquitto", and the broker is "aedes"',
  ]);
  const useless = { ignore_clients: ["x"], interest_at_start: "none", trust_after: "1s" };
  assert.deepEqual(
    problemsOf(withLocal({ broker: "static", filters: ["y"], ...useless })),
    Object.keys(useless).map((key) => `local.${key}: has no effect with "broker: static", whose filters are fixed`),
  );
  assert.deepEqual(problemsOf(withLocal({ broker: "events", events_topic: "$events/#" })), []);
});

test("the events topic may begin with $ but is not shared; static filters may be shared but not begin with $ else", () => {
  assert.match(
    problemsOf(withLocal({ broker: "events", events_topic: "$share/g/x" })).join(),
    /is shared: the agent would get only a part of the events$/,
  );
  assert.match(
    problemsOf(withLocal({ broker: "events", events_topic: "a/#/b" })).join(),
    /has # before its last level/,
  );
  assert.deepEqual(problemsOf(withLocal({ broker: "static", filters: ["a/#", "$share/g/b/+", "$SYS/#"] })), [
    'local.filters[2]: filter "$SYS/#" begins with "$": such topics never cross a link',
  ]);
});

test("what says how to reach a broker is a problem in a link without server", () => {
  const keys = {
    clientid: "x",
    username: "x",
    password: "hunter2",
    ssl: { verify: false },
    protocol_version: 4,
    control_prefix: "x",
  };
  const problems = problemsOf({ file: { ...BASE, links: [{ name: "b", ...keys }] } });
  assert.deepEqual(
    problems,
    Object.keys(keys).map((key) => `links[0].${key}: is given without server, so there is nowhere to use it`),
  );
  assert.equal(problemsOf(withLink(keys)).length, 1, "only the ssl of a plain address");
});

test("retained: sync needs MQTT 5 at the local broker", () => {
  const { file } = withLink({ retained: "sync" });
  assert.equal(loaded({ file }).links[0]?.retained, "sync");
  const old = { ...file, local: { ...LOCAL, protocol_version: 4 } };
  assert.match(problemsOf({ file: old }).join(), /^links\[0\]\.retained: "sync" needs MQTT 5 at the local broker/);
});

test("what later versions bring is refused by name and never ignored", () => {
  const later: readonly (readonly [object, RegExp])[] = [
    [{ ...BASE, local: { ...LOCAL, publish_server: "ws://h" } }, /^local.publish_server: comes with a later version$/],
  ];
  for (const [file, expected] of later) {
    const problems = problemsOf({ file });
    assert.equal(problems.length, 1, JSON.stringify(problems));
    assert.match(problems[0] ?? "", expected);
  }
});

test("EMQX's keys without a counterpart say so", () => {
  const link = {
    pool_size: 8,
    resource_opts: {},
    tcp_opts: {},
    url: "x",
    ssl: { depth: 1, ciphers: [], password: "hunter2" },
  };
  const problems = problemsOf(withLink(link)).sort();
  assert.equal(problems.length, 7);
  for (const problem of problems) assert.match(problem, /EMQX's|is called server here|is not taken/);
  assert.ok(!problems.join().includes("hunter2"));
});

test("everything that is wrong is said at once", () => {
  const file = {
    cluster: "-",
    local: { server: "ftp://h", broker: "x", password: "" },
    links: [
      { name: "b", topics: ["a/#/b"], max_routes: 0 },
      { name: "c", server: "mqtt://u:p@h" },
    ],
    http: { port: 70_000 },
    nonsense: true,
  };
  const paths = problemsOf({
    file,
    env: { BROKERLINK_LOG__LEVEL: "loud", BROKERLINK_NO: "1" },
    flags: { topics: [{ name: "x", filters: [] }] },
  }).map((problem) => problem.slice(0, problem.indexOf(": ")));
  assert.deepEqual(paths.sort(), [
    "--topics",
    "BROKERLINK_NO",
    "cluster",
    "http.port",
    "links[0].max_routes",
    "links[0].topics[0]",
    "links[1].server",
    "local.broker",
    "local.password",
    "local.server",
    "log.level",
    "nonsense",
  ]);
});

test("protocol_version is auto, 5 or 4", () => {
  const version = (protocol_version: unknown): unknown => {
    const sources = withLocal({ protocol_version });
    return problemsOf(sources)[0] ?? loaded(sources).local.protocolVersion;
  };
  assert.equal(version("auto"), null);
  assert.equal(version(5), 5);
  assert.equal(version(4), 4);
  assert.equal(version("3.1.1"), 'local.protocol_version: is called 4 here: "protocol_version: 4" is MQTT 3.1.1');
  assert.equal(version(3), 'local.protocol_version: must be "auto", 5, or 4 (MQTT 3.1.1)');
});

test("a thousand links are the limit", () => {
  const links = (count: number): object[] => Array.from({ length: count }, (_, index) => ({ name: `n${index}` }));
  assert.equal(loaded({ file: { ...BASE, links: links(1_000) } }).links.length, 1_000);
  assert.deepEqual(problemsOf({ file: { ...BASE, links: links(1_001) } }), [
    "links: has 1,001 entries; at most 1,000 are allowed",
  ]);
  assert.match(
    problemsOf({ file: { ...BASE, links: links(1_000) }, env: { BROKERLINK_LINKS__1000__NAME: "x" } }).join(),
    /is past the limit of 1,000 links/,
  );
});

test("client ids and user names are texts without control characters, of bounded length", () => {
  assert.deepEqual(problemsOf(withLocal({ clientid: "ü".repeat(100) })), []);
  assert.deepEqual(problemsOf(withLocal({ clientid: "ü".repeat(101) })), ["local.clientid: is longer than 200 bytes"]);
  assert.deepEqual(problemsOf(withLocal({ clientid: "" })), ["local.clientid: is empty"]);
  assert.deepEqual(problemsOf(withLocal({ username: "a\u0007" })), [
    'local.username: has a control character: "a\\u0007"',
  ]);
  assert.deepEqual(problemsOf(withLocal({ username: "u".repeat(65_535) })), []);
  assert.deepEqual(problemsOf(withLocal({ username: "u".repeat(65_536) })), [
    "local.username: is longer than 65535 bytes",
  ]);
});
