import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AgentStatus } from "../../src/ops/agent-status.ts";
import { addHttpMetrics, HttpCounters } from "../../src/ops/http-counters.ts";
import { createMetrics } from "../../src/ops/metrics.ts";
import { readText } from "../house/repository.ts";
import { agentStatus, agentView, hubStatus, linkStatus, NOON_MS } from "./agent-fixture.ts";

/** Labels whose values come from the configuration or from a list in the code. `kind` and `type` too: Node's own metrics. */
const BOUNDED_LABELS = new Set([
  "algorithm",
  "cluster",
  "code",
  "direction",
  "half",
  "kind",
  "link",
  "outcome",
  "quantile",
  "reason",
  "result",
  "session",
  "space",
  "status",
  "type",
  "version",
  "what",
  "major",
  "minor",
  "patch",
  "le",
  "qos",
]);

interface Family {
  readonly help: string;
  readonly type: string;
  readonly samples: { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

/** Prometheus's text format, version 0.0.4, as far as prom-client writes it. */
function parse(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let help = "";
  for (const line of text.split("\n")) {
    const helpMatch = /^# HELP (\S+) ?(.*)$/.exec(line);
    if (helpMatch !== null) {
      help = helpMatch[2] ?? "";
      continue;
    }
    const typeMatch = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (typeMatch !== null) {
      families.set(typeMatch[1] ?? "", { help, type: typeMatch[2] ?? "", samples: [] });
      continue;
    }
    if (line === "") continue;
    const sample = /^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$/i.exec(line);
    assert.ok(sample !== null, `unparsable line: ${line}`);
    const [, name = "", labelText = "", value = ""] = sample;
    const family = families.get(name) ?? families.get(name.replace(/_(?:bucket|sum|count)$/, ""));
    assert.ok(family !== undefined, `${name} has no HELP and TYPE`);
    const labels = Object.fromEntries(
      [...labelText.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((match) => [match[1] ?? "", match[2] ?? ""]),
    );
    family.samples.push({ labels, value: Number(value) });
  }
  return families;
}

async function scrape(status: AgentStatus = agentStatus(), ready = true): Promise<Map<string, Family>> {
  const metrics = createMetrics(agentView(status, ready), (set) => addHttpMetrics(set, new HttpCounters(), () => 0));
  return parse(await metrics.render());
}

function value(families: Map<string, Family>, name: string, labels: Record<string, string> = {}): number | undefined {
  const family = families.get(`brokerlink_${name}`);
  assert.ok(family !== undefined, `no metric brokerlink_${name}`);
  const wanted = JSON.stringify(Object.entries(labels).sort());
  return family.samples.find((sample) => JSON.stringify(Object.entries(sample.labels).sort()) === wanted)?.value;
}

describe("the conventions of metrics", () => {
  test("every metric has a help text and a name of ours", async () => {
    const families = await scrape();
    assert.ok(families.size > 50);
    for (const [name, { help }] of families) {
      assert.match(name, /^brokerlink_[a-z][a-z0-9_]*$/);
      assert.ok(help.length > 10, `${name} has no help`);
    }
  });

  test("counters end with _total and nothing else does", async () => {
    for (const [name, { type }] of await scrape()) {
      // prom-client has named some gauges of Node itself otherwise.
      if (!name.startsWith("brokerlink_nodejs_")) assert.equal(name.endsWith("_total"), type === "counter", name);
    }
  });

  test("names use base units", async () => {
    for (const name of (await scrape()).keys())
      assert.doesNotMatch(name, /_(ms|milliseconds|kb|mb|minutes|percent)(_|$)/);
  });

  test("every one that we add is in docs/OPERATING.md under its name, and so are drops, outcomes and reasons", async () => {
    const operating = readText("docs/OPERATING.md") ?? "";
    const families = await scrape();
    const ours = [...families.keys()].filter((name) => !/^brokerlink_(process|nodejs)_/.test(name));
    const missing = ours.filter((name) => !operating.includes(`\`${name}\``));
    assert.deepEqual(missing, []);
    const reasons = [...(families.get("brokerlink_messages_dropped_total")?.samples ?? [])].map(
      ({ labels }) => labels["reason"] ?? "",
    );
    const outcomes = [...(families.get("brokerlink_local_messages_total")?.samples ?? [])].map(
      ({ labels }) => labels["outcome"] ?? "",
    );
    const wide = [...(families.get("brokerlink_interest_wide")?.samples ?? [])].map(
      ({ labels }) => labels["reason"] ?? "",
    );
    assert.deepEqual(
      [...reasons, ...outcomes, ...wide].filter((word) => !operating.includes(`\`${word}\``)),
      [],
    );
    const known = new Set(ours);
    const documented = [...operating.matchAll(/`(brokerlink_[a-z_]+)`/g)].map((match) => match[1] ?? "");
    assert.deepEqual(
      documented.filter((name) => !known.has(name)),
      [],
    );
  });

  test("no topic, client id, address or text becomes a label", async () => {
    const odd = "plant/7/secret-topic";
    const status = agentStatus({
      controlDenied: `${odd}: why`,
      eventsAdvice: odd,
      sessions: {
        events: { up: false, reason: odd },
        link: { up: false, reason: odd },
        data: { up: false, reason: odd },
      },
      hub: hubStatus({
        links: [
          linkStatus({
            topics: [odd],
            refusedRoutes: [{ filter: odd, reasonCode: 0x87 }],
            lastProblem: { code: "FOREIGN_LOOP", reason: odd, atMs: NOON_MS },
          }),
        ],
      }).hub,
    });
    const text = await createMetrics(agentView(status)).render();
    assert.ok(!text.includes(odd));
    const labels = new Set(
      [...parse(text).values()].flatMap(({ samples }) => samples.flatMap((s) => Object.keys(s.labels))),
    );
    assert.deepEqual(
      [...labels].filter((label) => !BOUNDED_LABELS.has(label)),
      [],
    );
  });

  test("label values that can be foreseen are there with 0 before anything happened", async () => {
    const families = await scrape(hubStatus({ local: {}, links: [linkStatus({ dropped: [], conversation: [] })] }));
    assert.equal(
      value(families, "messages_dropped_total", { link: "east", direction: "out", reason: "spool_full" }),
      0,
    );
    assert.equal(value(families, "messages_dropped_total", { link: "east", direction: "in", reason: "duplicate" }), 0);
    assert.equal(value(families, "conversation_total", { link: "east", what: "bad_message" }), 0);
    assert.equal(value(families, "local_messages_total", { outcome: "forwarded" }), 0);
    assert.equal(value(families, "event_lines_odd_total", { kind: "unparsable" }), 0);
  });
});

describe("what metrics say", () => {
  test("of the agent and its sessions", async () => {
    const families = await scrape();
    assert.equal(value(families, "build_info", { version: "0.1.0", cluster: "west" }), 1);
    assert.equal(value(families, "ready"), 1);
    assert.equal(value(families, "local_session_up", { session: "data" }), 1);
    assert.equal(value(families, "local_session_reconnects_total", { session: "data", reason: "lost" }), 2);
    assert.equal(value(families, "local_session_reconnects_total", { session: "events", reason: "lost" }), 0);
    assert.equal(value(families, "local_session_receive_overruns_total", { session: "data" }), 0);
    assert.equal(value(families, "tls_cert_expiry_timestamp_seconds", { link: "", kind: "ca" }), NOON_MS / 1_000 + 1);
    assert.equal(
      value(families, "tls_cert_expiry_timestamp_seconds", { link: "east", kind: "server" }),
      NOON_MS / 1_000,
    );
    assert.equal(value(families, "local_broker_dropped_total"), 11);
    assert.equal(value(families, "event_lines_odd_total", { kind: "ambiguous" }), 2);
    assert.equal(value(families, "problems_total", { link: "east", code: "PEER_UNREACHABLE" }), 5);
    assert.equal(value(families, "local_messages_total", { outcome: "loop_mark" }), 3);
    assert.equal(value(families, "stranger_messages_total", { kind: "control" }), 1);
    assert.equal(value(await scrape(agentStatus(), false), "ready"), 0);
  });

  test("of the interest: proven, ghosts and the rest; wide with its reason", async () => {
    const exact = await scrape();
    assert.equal(value(exact, "interest_exact"), 1);
    assert.equal(value(exact, "interest_wide", { reason: "starting" }), 0);
    assert.equal(value(exact, "interest_wide_seconds"), 0);
    assert.equal(value(exact, "interest_rows", { kind: "proven" }), 7);
    assert.equal(value(exact, "interest_rows", { kind: "ghost" }), 1);
    assert.equal(value(exact, "interest_rows", { kind: "unproven" }), 2);
    assert.equal(value(exact, "interest_lingering"), 2);
    assert.equal(value(exact, "interest_lingering_overflows_total"), 3);
    const wide = await scrape(hubStatus({ wide: { reason: "events_disabled", sinceMs: Date.now() - 60_000 } }));
    assert.equal(value(wide, "interest_exact"), 0);
    assert.equal(value(wide, "interest_wide", { reason: "events_disabled" }), 1);
    assert.equal(value(wide, "interest_wide", { reason: "starting" }), 0);
    const seconds = value(wide, "interest_wide_seconds") ?? 0;
    assert.ok(seconds >= 60 && seconds < 120, String(seconds));
  });

  test("of a link: one status word at a time, both halves, and its numbers", async () => {
    const link = linkStatus({
      status: "inconsistent",
      in: { ...linkStatus().in, state: "silent", works: false, heardAtMs: Date.now() - 40_000 },
      queue: { ...linkStatus().queue, oldestAtMs: Date.now() - 5_000 },
    });
    const families = await scrape(hubStatus({ links: [link] }));
    const east = { link: "east" };
    assert.equal(value(families, "link_up", east), 0);
    assert.deepEqual(
      ["connected", "connecting", "disconnected", "inconsistent"].map((status) =>
        value(families, "link_status", { ...east, status }),
      ),
      [0, 0, 0, 1],
    );
    assert.equal(value(families, "link_half_up", { ...east, half: "out" }), 1);
    assert.equal(value(families, "link_half_up", { ...east, half: "in" }), 0);
    assert.equal(value(families, "link_reconnects_total", { ...east, reason: "dropped" }), 1);
    assert.equal(value(families, "link_reconnects_total", { ...east, reason: "taken_over" }), 0);
    assert.equal(value(families, "link_requests_refused_total", east), 4);
    assert.equal(value(families, "link_receive_overruns_total", east), 2);
    assert.equal(value(families, "link_publishes_refused_total", { ...east, reason: "too_large" }), 1);
    assert.equal(value(families, "routes", { ...east, direction: "out" }), 3);
    assert.equal(value(families, "routes", { ...east, direction: "in" }), 2);
    assert.equal(value(families, "messages_total", { ...east, direction: "out", qos: "0" }), 4);
    assert.equal(value(families, "messages_total", { ...east, direction: "in", qos: "1" }), 19);
    assert.equal(value(families, "message_bytes_total", { ...east, direction: "out", qos: "1" }), 60);
    assert.equal(value(families, "message_bytes_total", { ...east, direction: "in", qos: "0" }), 10);
    assert.equal(value(families, "messages_suppressed_total", east), 12);
    assert.equal(value(families, "frame_bytes_total", { ...east, direction: "in" }), 2_000);
    assert.equal(value(families, "frame_plain_bytes_total", { ...east, direction: "out" }), 4_000);
    assert.equal(value(families, "frames_compressed_total", { ...east, direction: "in" }), 1);
    assert.equal(value(families, "compress_seconds_total", { ...east, direction: "out" }), 1.5);
    assert.equal(value(families, "link_compression", { ...east, algorithm: "brotli" }), 1);
    assert.equal(value(families, "link_compression", { ...east, algorithm: "zstd" }), 0);
    assert.equal(value(families, "messages_dropped_total", { ...east, direction: "out", reason: "spool_full" }), 7);
    assert.equal(value(families, "messages_dropped_total", { ...east, direction: "in", reason: "expired" }), 8);
    assert.equal(value(families, "spool_messages", east), 4);
    assert.equal(value(families, "spool_bytes", east), 400);
    assert.equal(value(families, "inflight_messages", east), 1);
    assert.equal(value(families, "inbound_messages", east), 3);
    assert.equal(value(families, "interest_rows_left_out_total", { reason: "full" }), 5);
    assert.equal(value(families, "interest_rows_left_out_total", { reason: "ghost" }), 9);
    assert.equal(value(families, "guard_held_messages", east), 3);
    assert.equal(value(families, "guard_held_bytes", east), 700);
    assert.equal(value(families, "guard_holds_cut_short_total", { ...east, reason: "total_bytes" }), 2);
    assert.equal(value(families, "guard_holds_cut_short_total", { ...east, reason: "topics" }), 0);
    assert.equal(value(families, "link_round_trip_seconds", east), 0.025);
    assert.deepEqual(
      ["link_draining", "link_drain_rate"].map((name) =>
        ["out", "in"].map((direction) => value(families, name, { ...east, direction })),
      ),
      [
        [1, 0],
        [150, 0],
      ],
    );
    assert.equal(value(families, "retained_readings_total", east), 2);
    assert.equal(value(families, "retained_states_total", { ...east, direction: "out" }), 12);
    assert.equal(value(families, "retained_states_total", { ...east, direction: "in" }), 9);
    assert.equal(value(families, "retained_states_skipped_total", { ...east, direction: "in", reason: "same" }), 6);
    assert.equal(value(families, "retained_states_waiting", east), 5);
    const age = value(families, "spool_oldest_age_seconds", east) ?? 0;
    assert.ok(age >= 5 && age < 60, String(age));
    const silent = value(families, "link_silent_seconds", east) ?? 0;
    assert.ok(silent >= 40 && silent < 100, String(silent));
  });

  test("of delays, as Prometheus adds them up: each bucket has all below it, and the last one all", async () => {
    const text = await createMetrics(agentView()).render();
    const lines = text.split("\n").filter((line) => line.startsWith("brokerlink_link_rtt_seconds"));
    assert.deepEqual(lines, [
      'brokerlink_link_rtt_seconds_bucket{link="east",le="0.01"} 3',
      'brokerlink_link_rtt_seconds_bucket{link="east",le="1"} 4',
      'brokerlink_link_rtt_seconds_bucket{link="east",le="+Inf"} 6',
      'brokerlink_link_rtt_seconds_sum{link="east"} 4.5',
      'brokerlink_link_rtt_seconds_count{link="east"} 6',
    ]);
    assert.ok(text.includes('brokerlink_forward_latency_seconds_count{link="east"} 6'));
  });

  test("nothing of what is not known: no count of the broker's, a peer that was never heard or dials in", async () => {
    const link = linkStatus({ in: { ...linkStatus().in, heardAtMs: null } });
    const status = { ...hubStatus({ links: [link] }), brokerDropped: null, peerCounters: {} };
    const families = await scrape(status);
    assert.equal(value(families, "local_broker_dropped_total"), undefined);
    assert.equal(value(families, "link_silent_seconds", { link: "east" }), undefined);
    assert.equal(value(families, "link_reconnects_total", { link: "east", reason: "lost" }), undefined);
  });

  test("the local broker's API, where there is one", async () => {
    const without = await scrape(agentStatus());
    assert.equal(value(without, "local_api_up"), undefined);
    assert.equal(value(without, "interest_mended_total", { kind: "added" }), 5);
    assert.equal(value(without, "interest_mended_total", { kind: "removed" }), 4);
    const last = { rows: 12, atMs: Date.now() - 60_000, tookMs: 1_500, calm: true };
    const brokerApi = { state: "working", problem: null, snapshots: 7, failures: 2, last } as const;
    const families = await scrape({ ...agentStatus(), brokerApi });
    assert.equal(value(families, "local_api_up"), 1);
    assert.equal(value(families, "local_api_snapshots_total", { outcome: "complete" }), 7);
    assert.equal(value(families, "local_api_snapshots_total", { outcome: "failed" }), 2);
    assert.equal(value(families, "local_api_snapshot_rows"), 12);
    assert.equal(value(families, "local_api_snapshot_seconds"), 1.5);
    const ageSeconds = value(families, "local_api_snapshot_age_seconds") ?? 0;
    assert.ok(ageSeconds >= 60 && ageSeconds < 90, `${ageSeconds}`);
    const failing = await scrape({ ...agentStatus(), brokerApi: { ...brokerApi, state: "failing", last: null } });
    assert.equal(value(failing, "local_api_up"), 0);
    assert.equal(value(failing, "local_api_snapshot_rows"), undefined);
  });

  test("the present, at every scrape: nothing of the last one stays", async () => {
    let status = agentStatus();
    const metrics = createMetrics({ status: () => status, ready: true });
    const first = parse(await metrics.render());
    assert.equal(value(first, "messages_settled_total", { link: "east" }), 6);
    const second = parse(await metrics.render());
    assert.equal(value(second, "messages_settled_total", { link: "east" }), 6, "a total is not added twice");
    status = hubStatus({ links: [linkStatus({ name: "north", settled: 9 })] });
    const third = parse(await metrics.render());
    assert.equal(value(third, "messages_settled_total", { link: "north" }), 9);
    assert.equal(value(third, "messages_settled_total", { link: "east" }), undefined);
  });
});
