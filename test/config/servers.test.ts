import assert from "node:assert/strict";
import { test } from "node:test";
import { load, loaded, problemsOf, withLink } from "./loading.ts";

function serverProblem(server: unknown): string {
  return problemsOf(withLink({ server }))
    .join(" | ")
    .replace(/^links\[0\]\./, "");
}

function urls(server: unknown, ssl: object = {}): readonly string[] | undefined {
  return loaded(withLink({ server, ssl })).links[0]?.endpoint?.urls;
}

test("URLs are brought into one form, with the port of their scheme", () => {
  for (const [written, meant] of [
    ["mqtt://h", "mqtt://h:1883"],
    ["mqtts://h", "mqtts://h:8883"],
    ["ws://h/mqtt", "ws://h:80/mqtt"],
    ["wss://h:1/a/b", "wss://h:1/a/b"],
    ["MQTT://Host.Example:1/", "mqtt://host.example:1"],
    ["mqtt://[::1]:1", "mqtt://[::1]:1"],
    ["mqtt://10.0.0.1", "mqtt://10.0.0.1:1883"],
    ["h:1884", "mqtt://h:1884"],
    ["h", "mqtt://h:1883"],
    ["under_score-name:1", "mqtt://under_score-name:1"],
  ] as const) {
    assert.deepEqual(urls(written), [meant], written);
  }
});

test("host:port alone is TLS when ssl.enable says so", () => {
  assert.deepEqual(urls("h:1", { enable: true }), ["mqtts://h:1"]);
  assert.deepEqual(urls("h", { enable: true }), ["mqtts://h:8883"]);
  assert.deepEqual(urls("h", { enable: false }), ["mqtt://h:1883"]);
});

test("a list is tried in its order, and an address twice is one", () => {
  assert.deepEqual(urls(["mqtt://h", "mqtt://i:2", "h:1883"]), ["mqtt://h:1883", "mqtt://i:2"]);
});

test("what is no URL of a broker is refused with its text and the reason", () => {
  for (const [server, problem] of [
    ["", "server: is empty"],
    ["http://h", 'server: "http://h" has an unknown scheme; known are mqtt, mqtts, ws, wss; here it is called ws://'],
    ["ssl://h", 'server: "ssl://h" has an unknown scheme; known are mqtt, mqtts, ws, wss; here it is called mqtts://'],
    ["ftp://h", 'server: "ftp://h" has an unknown scheme; known are mqtt, mqtts, ws, wss'],
    ["mqtt://", 'server: "mqtt://" has no host'],
    ["mqtt://:1", 'server: "mqtt://:1" has no host'],
    ["mqtt://h:x", 'server: "mqtt://h:x" has a bad port'],
    ["mqtt://h:0", 'server: "mqtt://h:0" has port 0; ports go from 1 to 65535'],
    ["mqtt://h:65536", 'server: "mqtt://h:65536" has port 65536; ports go from 1 to 65535'],
    ["mqtt://h:", 'server: "mqtt://h:" has a bad port'],
    ["mqtt://h/x", 'server: "mqtt://h/x" has a path; only ws and wss take one'],
    ["mqtt://h?x=1", 'server: "mqtt://h?…" has a query; none is needed'],
    ["ws://h/x#y", 'server: "ws://h/x#y" has a fragment; none is needed'],
    ["mqtt://[::1", 'server: "mqtt://[::1" is no URL'],
    ["mqtt://[1.2.3.4]", 'server: "mqtt://[1.2.3.4]" has a bad host'],
    ["mqtt://10.0.0.256", 'server: "mqtt://10.0.0.256" has a bad host'],
    ["mqtt://-h", 'server: "mqtt://-h" has a bad host'],
    ["mqtt://a b", 'server: "mqtt://a b" has a character that no URL has'],
    ["mqtt://h\\x", 'server: "mqtt://h\\\\x" has a character that no URL has'],
    [7, "server: must be a URL or a list of URLs, and is the number 7"],
    [[], "server: is an empty list: it must name at least one URL"],
    [["mqtt://h", 7], "server[1]: must be a URL, and is the number 7"],
    [Array(17).fill("h"), "server: has 17 entries; at most 16 are allowed"],
    [`mqtt://${"h".repeat(2_050)}`, "server: is longer than 2048 characters"],
  ] as const) {
    assert.equal(serverProblem(server), problem);
  }
});

test("userinfo in a URL is refused, and none of it is ever repeated", () => {
  const urlsWithSecrets = [
    "mqtt://user:hunter2@h",
    "mqtt://hunter2@h",
    "user:hunter2@h:1883",
    "mqtt://u:p@hunter2@h",
    "mqtt://h/hunter2@x",
    "mqtt://u:hunter2 @h",
    "mqtt://u:hunter2@",
    "bad://u:hunter2@h",
    "mqtt://u:hunt?er2@h",
    "mqtt://h?password=hunter2",
    "mqtt:// u:hunter2@h\n",
  ];
  for (const server of urlsWithSecrets) {
    for (const sources of [
      withLink({ server }),
      withLink({ server: ["mqtt://ok", server] }),
      { file: { cluster: "a", local: { server, broker: "aedes" } } },
      { env: { BROKERLINK_LOCAL__SERVER: server } },
      { flags: { cluster: "a", local: server, links: [{ name: "b", server }] } },
      // In a wrong place.
      withLink({ name: server }),
      { file: { cluster: server, http: { host: server, port: server }, log: { level: server } } },
      { flags: { broker: server, topics: [{ name: server, filters: [] }] } },
    ]) {
      const result = load(sources);
      assert.ok(!result.ok, server);
      assert.ok(!/hunter2|hunt\?er2/.test(JSON.stringify(result)), `${server}: ${JSON.stringify(result)}`);
    }
  }
  assert.equal(
    serverProblem("mqtt://user:hunter2@h:1"),
    'server: "mqtt://******@h:1" has a user name or password in it: use username and password_file instead',
  );
});

test("http.host is an address or a name", () => {
  const hostProblem = (host: unknown): string =>
    problemsOf({ file: { cluster: "a", local: { server: "h", broker: "aedes" }, http: { host } } }).join();
  for (const good of ["0.0.0.0", "::", "::1", "fe80::1%eth0", "localhost", "a.b-c"])
    assert.equal(hostProblem(good), "", good);
  assert.equal(hostProblem("[::1]"), 'http.host: "[::1]" is no address or host name: leave out the brackets');
  assert.equal(hostProblem("127.0.0.1:80"), 'http.host: "127.0.0.1:80" is no address or host name');
  assert.equal(hostProblem("1.2.3"), 'http.host: "1.2.3" is no address or host name');
  assert.equal(hostProblem("a b"), 'http.host: "a b" is no address or host name');
  assert.equal(hostProblem(5), "http.host: must be an address or host name, and is the number 5");
});
