/**
 * Every metric of an agent, with its help text. Labels are bounded: links, directions, reasons, never topics or client ids.
 * Label values that are known beforehand are there from the start with 0, or `increase()` would miss the first event.
 */
import { ERROR_CODES } from "../base/error-codes.ts";
import type { LocalFate } from "../hub/local-routing.ts";
import type { WideReason } from "../route/interest-event.ts";
import type { AgentHealth, MetricSource } from "./agent-status.ts";
import { addBrokerApiMetrics } from "./broker-api-metrics.ts";
import { clockMs } from "./clock.ts";
import { addDiskMetrics } from "./disk-metrics.ts";
import { addLinkMetrics } from "./link-metrics.ts";
import type { Words } from "./link-samples.ts";
import { flag, MetricSet, type Sample, seconds } from "./metric-set.ts";
import { addReloadMetrics } from "./reload-metrics.ts";
import { addSessionMetrics } from "./session-metrics.ts";

export interface Metrics {
  readonly contentType: string;
  render(): Promise<string>;
}

const WIDE_REASONS: Words<WideReason> = {
  starting: true,
  events_disabled: true,
  no_counter: true,
  count_mismatch: true,
  adapter_disconnected: true,
  table_full: true,
  ghosts_given_up: true,
  session_lost: true,
  away_too_long: true,
  events_dropped: true,
  events_unparsable: true,
  broker_restarted: true,
  api_unavailable: true,
};
const LOCAL_OUTCOMES: Words<LocalFate | "redelivered" | "mark_stripped"> = {
  forwarded: true,
  redelivered: true,
  unrouted: true,
  not_exported: true,
  copy: true,
  loop_mark: true,
  mark_stripped: true,
  echo: true,
  own_retained: true,
  reserved: true,
  held: true,
  held_full: true,
};
const ODD_LINES = ["unparsable", "ambiguous", "cut"] as const;
/** Kept with the fates of local messages, but no messages of local clients. */
const STRANGERS = { stranger: "control", frame_of_stranger: "frame" } as const;

/** `addMore`: what is known beside the agent. */
export function createMetrics(
  agent: AgentHealth,
  addMore: (metrics: MetricSet<MetricSource>) => void = () => {},
): Metrics {
  const source = (): MetricSource => ({ status: agent.status(), ready: agent.ready, nowMs: clockMs() });
  const metrics = new MetricSet(source());
  addAgentMetrics(metrics);
  addSessionMetrics(metrics);
  addInterestMetrics(metrics);
  addBrokerApiMetrics(metrics);
  addLinkMetrics(metrics);
  addDiskMetrics(metrics);
  addReloadMetrics(metrics);
  addMore(metrics);
  return { contentType: metrics.contentType, render: () => metrics.render(source()) };
}

function addAgentMetrics(metrics: MetricSet<MetricSource>): void {
  metrics.gauge("build_info", "The version of this agent; always 1.", ["version", "cluster"], ({ status }) => [
    [{ version: status.version, cluster: status.hub.cluster }, 1],
  ]);
  metrics.gauge(
    "ready",
    "1: all sessions on the local broker stand, and no other agent has this name.",
    [],
    (source) => [[{}, flag(source.ready)]],
  );
  metrics.gauge("duplicate_agent", "1: another agent speaks in the name of this cluster.", [], ({ status }) => [
    [{}, flag(status.hub.duplicate)],
  ]);
  metrics.gauge("control_denied", "1: the local broker keeps our control topics from us.", [], ({ status }) => [
    [{}, flag(status.controlDenied !== null)],
  ]);
  metrics.counter(
    "problems_total",
    "Problems by code, logged or not; docs/OPERATING.md lists the codes.",
    ["link", "code"],
    ({ status }) => {
      const counts = new Map(status.problems.map(({ link, code, count }) => [`${link ?? ""} ${code}`, count]));
      const owners = ["", ...status.hub.links.map(({ name }) => name)];
      return owners.flatMap((link) =>
        Object.keys(ERROR_CODES).map((code): Sample => [{ link, code }, counts.get(`${link} ${code}`) ?? 0]),
      );
    },
  );
  metrics.counter(
    "local_messages_total",
    "Messages received from the local broker, by what became of them.",
    ["outcome"],
    ({ status }) => Object.keys(LOCAL_OUTCOMES).map((outcome): Sample => [{ outcome }, status.hub.local[outcome] ?? 0]),
  );
  metrics.counter(
    "stranger_messages_total",
    "Messages under the control prefix from clusters that have no link here.",
    ["kind"],
    ({ status }) => Object.entries(STRANGERS).map(([name, kind]): Sample => [{ kind }, status.hub.local[name] ?? 0]),
  );
  metrics.counter(
    "local_broker_dropped_total",
    "Messages that the local broker says it dropped for its clients, this agent among them, since it started.",
    [],
    ({ status }) => (status.brokerDropped === null ? [] : [[{}, status.brokerDropped]]),
  );
}

function addInterestMetrics(metrics: MetricSet<MetricSource>): void {
  metrics.gauge(
    "interest_exact",
    "1: links announce exactly what local clients want; 0: all of their topics (wide).",
    [],
    ({ status }) => [[{}, flag(status.hub.wide === null)]],
  );
  metrics.gauge("interest_wide", "1 for the reason why links announce all of their topics.", ["reason"], ({ status }) =>
    Object.keys(WIDE_REASONS).map((reason): Sample => [{ reason }, flag(status.hub.wide?.reason === reason)]),
  );
  metrics.gauge("interest_wide_seconds", "For how long the interest has been wide; 0: it is exact.", [], (source) => {
    const { wide } = source.status.hub;
    return [[{}, wide === null ? 0 : seconds(source.nowMs - wide.sinceMs)]];
  });
  metrics.gauge(
    "interest_rows",
    "Subscriptions known on the local broker, this agent's own included, by how sure they are.",
    ["kind"],
    ({ status }) => {
      const { rows, proven, ghosts } = status.hub.interest;
      return [
        [{ kind: "proven" }, proven],
        [{ kind: "ghost" }, ghosts],
        [{ kind: "unproven" }, Math.max(0, rows - proven - ghosts)],
      ];
    },
  );
  metrics.counter(
    "interest_rows_left_out_total",
    "Subscriptions not in the table for want of room: held for certain (full), or perhaps, of clients long gone (ghost).",
    ["reason"],
    ({ status }) => [
      [{ reason: "full" }, status.hub.interest.refused],
      [{ reason: "ghost" }, status.hub.interest.givenUp],
    ],
  );
  metrics.gauge("interest_filters", "Different filters among the subscriptions known.", [], ({ status }) => [
    [{}, status.hub.interest.filters],
  ]);
  metrics.gauge(
    "interest_clients",
    "Clients of the local broker with subscriptions, this agent's own included.",
    [],
    ({ status }) => [[{}, status.hub.interest.clients]],
  );
  metrics.gauge(
    "interest_lingering",
    "Filters whose last client left, kept for a moment in case it comes back.",
    [],
    ({ status }) => [[{}, status.hub.interest.lingering]],
  );
  metrics.counter(
    "interest_lingering_overflows_total",
    "Filters that went with their last client because too many lingered.",
    [],
    ({ status }) => [[{}, status.hub.interest.lingeringOverflows]],
  );
  metrics.counter(
    "event_lines_odd_total",
    "Event lines of the local broker that could not be used, or only in part.",
    ["kind"],
    ({ status }) => ODD_LINES.map((kind): Sample => [{ kind }, status.oddLines[kind] ?? 0]),
  );
  metrics.gauge(
    "demand_filters",
    "Filters that this agent holds on the local broker for its peers.",
    [],
    ({ status }) => [[{}, status.hub.demand.filters]],
  );
  metrics.gauge("demand_pending", "Filters still to be subscribed or unsubscribed.", [], ({ status }) => [
    [{}, status.hub.demand.pending],
  ]);
  metrics.gauge("demand_refused", "Filters that the local broker refuses to this agent.", [], ({ status }) => [
    [{}, status.hub.demand.refused],
  ]);
  metrics.counter(
    "demand_marker_timeouts_total",
    "Filter changes that went on without their marker.",
    [],
    ({ status }) => [[{}, status.hub.demand.markerTimeouts]],
  );
}
