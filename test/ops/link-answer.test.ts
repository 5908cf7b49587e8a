import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AgentConfig } from "../../src/config/types.ts";
import type { AgentStatus } from "../../src/ops/agent-status.ts";
import { type LinkAnswer, linkAnswers } from "../../src/ops/link-answer.ts";
import { LinkHistory } from "../../src/ops/link-history.ts";
import { agentConfig, agentStatus, hubStatus, linkConfig, linkStatus, NOON_MS, SECRET } from "./agent-fixture.ts";

const NOON = "2026-11-24T12:00:00.000Z";

function answers(config: AgentConfig, status: AgentStatus): LinkAnswer[] {
  return linkAnswers(config, status, new LinkHistory());
}

function only(all: readonly LinkAnswer[]): LinkAnswer {
  const [answer] = all;
  assert.ok(answer !== undefined && all.length === 1);
  return answer;
}

function keysOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) => [key, ...keysOf(below)]);
}

describe("a link in EMQX's shape", () => {
  test("has the settings outside, EMQX's and ours, and everything else under brokerlink", () => {
    const answer = only(answers(agentConfig(), agentStatus()));
    assert.deepEqual(Object.keys(answer).sort(), [
      "brokerlink",
      "clientid",
      "compression",
      "control_prefix",
      "durability",
      "enable",
      "export",
      "max_demand",
      "max_inflight",
      "max_routes",
      "name",
      "node_status",
      "password",
      "protocol",
      "protocol_version",
      "retained",
      "retry_interval",
      "route_retention",
      "server",
      "ssl",
      "status",
      "topics",
      "username",
    ]);
    assert.equal(answer.server, "mqtts://east.example:8883");
    assert.equal(answer.retry_interval, "15s");
    assert.deepEqual(answer.node_status, [{ node: "west", status: "connected" }]);
  });

  test("uses snake_case throughout", () => {
    const status = hubStatus({
      wide: { reason: "starting", sinceMs: NOON_MS },
      links: [
        linkStatus({
          refusedRoutes: [{ filter: "a/b", reasonCode: 0x87 }],
          lastProblem: { code: "PEER_TLS", reason: "no", atMs: NOON_MS },
        }),
      ],
    });
    const keys = keysOf(answers(agentConfig(), status));
    assert.ok(keys.length > 60);
    assert.deepEqual(
      keys.filter((key) => !/^[a-z][a-z0-9_]*$/.test(key)),
      [],
    );
  });

  test("shows no secret, whatever it is part of", () => {
    const text = JSON.stringify(answers(agentConfig(), agentStatus()));
    assert.ok(!text.includes(SECRET));
    const { password, ssl } = only(answers(agentConfig(), agentStatus()));
    assert.equal(password, "******");
    assert.deepEqual(ssl, {
      enable: true,
      verify: "verify_peer",
      servername: "east",
      cacertfile: "******",
      certfile: "******",
      keyfile: "******",
    });
  });

  test("says what EMQX's protocol cannot do, and nothing of ours", () => {
    const [ours, emqx] = [linkConfig(), linkConfig({ name: "e", protocol: "emqx" })].map((link) =>
      only(answers(agentConfig({}, [link]), agentStatus())),
    );
    assert.deepEqual([ours?.protocol, ours?.brokerlink.shortcomings], ["brokerlink", []]);
    assert.equal(emqx?.protocol, "emqx");
    assert.ok(emqx?.brokerlink.shortcomings.includes("no_digest"));
    assert.ok(emqx?.brokerlink.shortcomings.includes("no_durable_acknowledgement"));
  });

  test("leaves out how to reach a peer that dials in", () => {
    const answer = only(answers(agentConfig({}, [linkConfig({ endpoint: null })]), agentStatus({ peerCounters: {} })));
    for (const key of ["server", "clientid", "username", "password"]) assert.ok(!(key in answer), key);
    assert.deepEqual(answer.ssl, { enable: false });
    assert.equal(answer.brokerlink.peer_dials_in, true);
    assert.equal(answer.brokerlink.connections, null);
  });
});

describe("the status of a link", () => {
  test("of a disabled link is disconnected, and nothing runs behind it", () => {
    const config = agentConfig({}, [linkConfig({ enable: false })]);
    const answer = only(answers(config, hubStatus({ links: [] })));
    assert.equal(answer.enable, false);
    assert.equal(answer.status, "disconnected");
    const { out, in: incoming, queue, counters, last_problem } = answer.brokerlink;
    assert.deepEqual([out, incoming, queue, counters, last_problem], [null, null, null, null, null]);
  });

  test("carries the reason in node_status while it is not connected", () => {
    const lastProblem = { code: "PEER_UNREACHABLE", reason: "connection refused by east:1", atMs: NOON_MS } as const;
    const down = only(
      answers(agentConfig(), hubStatus({ links: [linkStatus({ status: "disconnected", lastProblem })] })),
    );
    assert.deepEqual(down.node_status, [
      { node: "west", status: "disconnected", reason: "PEER_UNREACHABLE: connection refused by east:1" },
    ]);
    const up = only(answers(agentConfig(), hubStatus({ links: [linkStatus({ lastProblem })] })));
    assert.deepEqual(up.node_status, [{ node: "west", status: "connected" }]);
    assert.deepEqual(up.brokerlink.last_problem, {
      code: "PEER_UNREACHABLE",
      reason: "connection refused by east:1",
      at: NOON,
    });
  });

  test("shows both halves, their routes, and what is under way", () => {
    const { brokerlink } = only(answers(agentConfig(), agentStatus()));
    assert.deepEqual(brokerlink.out, {
      state: "online",
      refused_with: null,
      blocked: null,
      routes: 3,
      last_op: 9,
      acked_op: 9,
      widened: false,
    });
    assert.deepEqual(brokerlink.in, {
      state: "online",
      blocked: null,
      routes: 2,
      applied_op: 5,
      complete: true,
      widened: false,
      heard_at: NOON,
      agent_version: "0.1.0",
    });
    assert.equal(brokerlink.compression, "brotli");
    assert.deepEqual(brokerlink.counters?.sent, {
      messages: 10,
      frames: 5,
      bytes: 1_000,
      plain_bytes: 4_000,
      frames_compressed: 4,
    });
    assert.deepEqual(brokerlink.queue, {
      spool_messages: 4,
      spool_bytes: 400,
      spool_oldest_at: NOON,
      messages_inflight: 1,
      best_effort_messages: 2,
      inbound_messages: 3,
      held_messages: 3,
      held_bytes: 700,
      round_trip_ms: 25,
    });
    assert.deepEqual(brokerlink.retained, {
      wanted: true,
      blocked: null,
      waiting: 5,
      readings: 2,
      sent: 12,
      published: 9,
      skipped: [
        { direction: "out", reason: "live", count: 4 },
        { direction: "in", reason: "same", count: 6 },
      ],
    });
    assert.equal(brokerlink.connections, 2);
    assert.equal(brokerlink.transport_up, true);
  });

  test("says whether the interest is exact, and if not why and since when", () => {
    const exact = only(answers(agentConfig(), agentStatus())).brokerlink.interest;
    assert.deepEqual(exact, { exact: true, reason: null, since: null });
    const wide = hubStatus({ wide: { reason: "events_disabled", sinceMs: NOON_MS } });
    assert.deepEqual(only(answers(agentConfig(), wide)).brokerlink.interest, {
      exact: false,
      reason: "events_disabled",
      since: NOON,
    });
  });
});
