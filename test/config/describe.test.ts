import assert from "node:assert/strict";
import { test } from "node:test";
import { describeConfig } from "../../src/config/describe.ts";
import { effectiveConfig } from "../../src/config/effective.ts";
import { BASE, LOCAL, loaded, withLink } from "./loading.ts";

function described(sources: Parameters<typeof loaded>[0]): string {
  return describeConfig(loaded(sources)).join("\n");
}

test("a link with a server is told in plain words, with the rights that its users need", () => {
  const sources = withLink({
    server: "mqtts://h",
    username: "u",
    password: "x",
    topics: ["t/#", "c/1"],
    export: ["up/#"],
  });
  const text = described(sources);
  for (const line of [
    "Cluster a",
    "  broker    mosquitto at mqtt://127.0.0.1:1883",
    '  sessions  "brokerlink-a-events", "brokerlink-a-link", "brokerlink-a-data"',
    `  access    this agent's user there needs all topics and "$LINK/#", and to read "$SYS/#"`,
    "  state     in memory: gone when this agent ends",
    "  spool     for each link up to 128MiB, for up to 1d; when full it drops the oldest messages",
    "  http      127.0.0.1:9464",
    "Link b",
    '  path      this agent connects, as "brokerlink-a-to-b", to mqtts://h:8883, user "u" with a password, TLS verified',
    '  receives  what local clients subscribe to within "t/#", "c/1"',
    '  may send  what b asks for within "up/#"',
    "  limits    1,000,000 routes and 50,000 subscriptions for it; 64 frames in flight, sent again after 1s at first and 15s at most",
    "  messages  in memory: what b has not confirmed is lost when this agent ends",
    "  silence   its routes stay in force for 1m",
    `  access    on its broker, this agent's user may publish "$LINK/v1/b/a/#"`,
    '            and, if its link has no server, subscribe to "$LINK/v1/a/b/#"',
    '            on the local broker, the user of b may publish "$LINK/v1/a/b/#", if its link has a server',
  ]) {
    assert.ok(text.split("\n").includes(line), `${line}\nis not in\n${text}`);
  }
});

test("a peer that dials in needs rights under the own prefix, and nothing else", () => {
  const text = described({ file: { ...BASE, control_prefix: "$OWN", links: [{ name: "b", export: [] }] } });
  assert.match(text, /path {6}b dials in: its agent connects to the local broker/);
  assert.match(text, /receives {2}nothing\n {2}may send {2}nothing/);
  assert.match(
    text,
    /the user of b may publish "\$OWN\/v1\/a\/b\/#"\n +and subscribe to "\$OWN\/v1\/b\/a\/#", and nothing else/,
  );
});

test("a cap on the backlog is told, and nothing where there is none", () => {
  assert.match(
    described(withLink({ drain_rate: 2_500 })),
    /15s at most; a backlog goes on at 2,500 messages a second at most\n/,
  );
  assert.doesNotMatch(described(withLink({})), /backlog/);
});

test("a disabled link is one line", () => {
  assert.match(described(withLink({ enable: false })), /\n\nLink b: disabled; b is told so, and nothing crosses$/);
});

test("each kind of broker says where the interest comes from and what the agent must be able to read", () => {
  const of = (local: object): string => described({ file: { ...BASE, local: { ...LOCAL, ...local } } });
  assert.match(of({}), /interest {2}from Mosquitto's log topics \(log_dest topic\); proven complete by its counters/);
  assert.match(of({ broker: "emqx" }), /from EMQX's event messages[\s\S]*to read "\$SYS\/brokers\/\+\/clients\/#"/);
  assert.match(of({ broker: "events", events_topic: "e/#" }), /from events on "e\/#"[\s\S]*to read "e\/#"/);
  assert.match(of({ broker: "static", filters: ["x", "y/#"] }), /interest {2}fixed: "x", "y\/#"/);
  const aedes = of({ broker: "aedes", trust_after: "1h", interest_at_start: "none", ignore_clients: ["br-*"] });
  assert.match(aedes, /trusted after 1h; no client is there before this agent\n +clients "br-\*" do not count/);
});

test("the HTTP line says who may use the API", () => {
  const http = (host: string, token: boolean): string => {
    const file = { ...BASE, http: { host, port: 0, ...(token ? { token_file: "/t" } : {}) } };
    return /http {6}(.*)/.exec(described({ file, files: { "/t": "0123456789abcdef" } }))?.[1] ?? "";
  };
  assert.equal(http("127.0.0.1", false), "127.0.0.1:(any free port)");
  assert.equal(http("::", true), "[::]:(any free port); the API asks for the token");
  assert.match(http("0.0.0.0", false), /health and metrics only, for there is no token for the API$/);
});

test("long lists of filters are cut, and what is printed is escaped", () => {
  const topics = Array.from({ length: 30 }, (_, index) => `t${index}/\u202e`);
  const text = described(withLink({ topics }));
  assert.match(text, /"t19\/\\u202e" and 10 more/);
  assert.ok(!text.includes("\u202e"));
});

test("the effective configuration is itself a configuration, and means the same", () => {
  const sources = {
    file: {
      ...BASE,
      control_prefix: "$OWN",
      data_dir: "state",
      local: { ...LOCAL, trust_after: "36h", ignore_clients: ["x"] },
      links: [
        { name: "b", server: ["mqtts://h"], topics: ["t/#"], ssl: { verify: false } },
        { name: "c", export: [], durability: "end_to_end", retained: "live", drain_rate: 300 },
      ],
      spool: { max_bytes: "100MB", max_age: "90m", when_full: "backpressure" },
    },
  };
  const effective = JSON.parse(JSON.stringify(effectiveConfig(loaded(sources)))) as object;
  const links = (effective as { links: Record<string, unknown>[] }).links;
  assert.deepEqual(loaded({ file: effective }), loaded(sources), JSON.stringify(links));
});

test("what keeps its retain flag is said of the links that keep it", () => {
  const { file } = withLink({ retained: "live" });
  const rows = (sources: Parameters<typeof loaded>[0]): string[] =>
    describeConfig(loaded(sources)).filter((line) => line.includes("retain"));
  assert.deepEqual(rows({ file }), [
    "  retained  what b publishes with the retain flag keeps it, and the local broker stores it",
  ]);
  assert.deepEqual(rows(withLink({})), []);
  assert.equal(loaded({ file }).links[0]?.retained, "live");
  assert.match(
    rows(withLink({ retained: "sync" }))[0] ?? "",
    /stores it; so it does with what is retained at b already$/,
  );
});

test("compression is said of the links where it is not left to the agent", () => {
  const rows = (link: object): string[] =>
    describeConfig(loaded(withLink(link))).filter((line) => line.includes("compressed"));
  assert.deepEqual(rows({}), []);
  assert.deepEqual(rows({ compression: "none" }), ["  frames    never compressed, in either direction"]);
  assert.deepEqual(rows({ compression: "brotli" }), [
    "  frames    compressed with brotli where the agent of b has it and they shrink",
  ]);
});
