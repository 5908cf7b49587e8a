/** An agent for tests of what is shown: made-up values, one link in good health unless a test says otherwise. */
import type { AgentConfig, EndpointConfig, LinkConfig } from "../../src/config/types.ts";
import type { LinkStatus } from "../../src/hub/status.ts";
import { noCounts } from "../../src/mqtt/session-counters.ts";
import type { AgentStatus, AgentView } from "../../src/ops/agent-status.ts";
import { LinkHistory } from "../../src/ops/link-history.ts";
import { pair } from "../hub/world.ts";

/** 2026-11-24T12:00:00.000Z */
export const NOON_MS = Date.UTC(2026, 10, 24, 12);
export const SECRET = "s3cret-password";

export function linkStatus(changes: Partial<LinkStatus> = {}): LinkStatus {
  return {
    name: "east",
    enabled: true,
    dialsIn: false,
    durability: "disk",
    status: "connected",
    topics: ["t/#"],
    transportUp: true,
    out: {
      state: "online",
      works: true,
      blocked: null,
      refusedWith: null,
      routes: 3,
      lastOp: 9,
      ackedOp: 9,
      widened: false,
    },
    in: {
      state: "online",
      works: true,
      blocked: null,
      routes: 2,
      appliedOp: 5,
      complete: true,
      overflow: false,
      heardAtMs: NOON_MS,
      agentVersion: "0.1.0",
    },
    queue: {
      spooled: 4,
      spooledBytes: 400,
      waiting: 0,
      oldestAtMs: NOON_MS,
      inflight: 1,
      bestEffort: 2,
      passed: 12,
      passOverflows: 1,
      inbound: 3,
      roundTripMs: 25,
    },
    drain: { out: { draining: true, perSecond: 150 }, in: { draining: false, perSecond: 100 } },
    compression: { inUse: "brotli", compressMs: 1_500, expandMs: 250 },
    sent: {
      messages: 10,
      bytes: 1_000,
      plainBytes: 4_000,
      frames: 5,
      packed: 4,
      resends: 1,
      byQos: { messages: [4, 6], payloadBytes: [40, 60] },
    },
    received: {
      messages: 20,
      bytes: 2_000,
      plainBytes: 2_500,
      frames: 6,
      packed: 1,
      byQos: { messages: [1, 19], payloadBytes: [10, 190] },
    },
    suppressed: 12,
    roundTrip: { boundsMs: [10, 1_000], counts: [3, 1, 2], sumMs: 4_500 },
    forwardLatency: { boundsMs: [10, 1_000], counts: [0, 5, 1], sumMs: 9_000 },
    states: {
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
    },
    republished: 19,
    settled: 6,
    gateTimeouts: 1,
    guard: { messages: 3, bytes: 700, cutShort: [{ reason: "total_bytes", count: 2 }] },
    dropped: [
      { direction: "out", reason: "spool_full", count: 7 },
      { direction: "in", reason: "expired", count: 8 },
    ],
    conversation: [{ what: "hello_sent", count: 2 }],
    refusedRoutes: [],
    lastProblem: null,
    ...changes,
  };
}

export function agentStatus(changes: Partial<AgentStatus> = {}): AgentStatus {
  const up = { up: true, reason: null };
  return {
    version: "0.1.0",
    startedAtMs: NOON_MS,
    stopping: false,
    sessions: { events: up, link: up, data: up },
    sessionCounters: {
      events: noCounts(),
      link: noCounts(),
      data: { ...noCounts(), connections: 3, reconnects: { ...noCounts().reconnects, lost: 2 } },
    },
    peerCounters: {
      east: {
        ...noCounts(),
        connections: 2,
        reconnects: { ...noCounts().reconnects, dropped: 1 },
        publishesTooLarge: 1,
        requestsRefusedFull: 4,
        receiveOverruns: 2,
      },
    },
    problems: [{ link: "east", code: "PEER_UNREACHABLE", count: 5 }],
    certificates: [
      { link: null, kind: "ca", endsAtMs: NOON_MS + 1_000 },
      { link: "east", kind: "server", endsAtMs: NOON_MS },
    ],
    controlDenied: null,
    reloads: {
      counts: { applied: 2, unchanged: 1, invalid: 3, refused: 4 },
      lastSucceeded: true,
      succeededAtMs: NOON_MS,
    },
    removedLinksMessages: 5,
    store: null,
    eventsAdvice: null,
    oddLines: { ambiguous: 2 },
    brokerDropped: 11,
    brokerApi: null,
    hub: {
      cluster: "west",
      incarnation: NOON_MS,
      instance: "00112233445566ff",
      duplicate: false,
      wide: null,
      interest: {
        clients: 4,
        rows: 10,
        proven: 7,
        ghosts: 1,
        filters: 6,
        refused: 5,
        givenUp: 9,
        lingering: 2,
        lingeringOverflows: 3,
        mended: { added: 5, removed: 4 },
      },
      demand: { filters: 2, pending: 1, refused: 0, markerTimeouts: 0 },
      local: { forwarded: 10, loop_mark: 3, stranger: 1 },
      links: [linkStatus()],
    },
    ...changes,
  };
}

/** With its hub changed. */
export function hubStatus(changes: Partial<AgentStatus["hub"]>): AgentStatus {
  const status = agentStatus();
  return { ...status, hub: { ...status.hub, ...changes } };
}

export function agentView(
  status: AgentStatus = agentStatus(),
  ready = true,
  changes: Partial<Pick<AgentView, "config" | "hub" | "history">> = {},
): AgentView {
  return {
    status: () => status,
    ready,
    config: agentConfig(),
    hub: pair().a.hub,
    history: new LinkHistory(),
    ...changes,
  };
}

const ENDPOINT: EndpointConfig = {
  urls: ["mqtts://east.example:8883"],
  clientid: "brokerlink-west-to-east",
  username: "west",
  password: SECRET,
  tls: { ca: `ca ${SECRET}`, cert: `cert ${SECRET}`, key: `key ${SECRET}`, verify: true, servername: "east" },
  protocolVersion: null,
};

export function linkConfig(changes: Partial<LinkConfig> = {}): LinkConfig {
  return {
    name: "east",
    enable: true,
    topics: ["t/#"],
    exportFilters: ["#"],
    endpoint: ENDPOINT,
    controlPrefix: "$LINK",
    routesMax: 1_000_000,
    demandMax: 50_000,
    routeRetentionMs: 60_000,
    retained: "strip",
    compression: "auto",
    protocol: "brokerlink",
    durability: "memory",
    framesInflightMax: 64,
    retryIntervalMs: 15_000,
    drainPerSecond: null,
    ...changes,
  };
}

export function agentConfig(http: Partial<AgentConfig["http"]> = {}, links = [linkConfig()]): AgentConfig {
  return {
    cluster: "west",
    controlPrefix: "$LINK",
    dataDir: null,
    local: {
      ...ENDPOINT,
      urls: ["mqtt://127.0.0.1:1883"],
      clientid: "brokerlink-west",
      broker: "mosquitto",
      ignoreClients: [],
      untrackedSubscriptions: 0,
      interestAtStart: "unknown",
      trustAfterMs: null,
      eventsTopic: null,
      filters: [],
      api: null,
    },
    links,
    spool: { bytesMax: 1_000_000, ageMaxMs: 60_000, whenFull: "drop_oldest" },
    http: { host: "127.0.0.1", port: 0, token: null, ...http },
    logLevel: "info",
  };
}
