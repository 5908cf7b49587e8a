/** The connections: those of the agent's sessions on the local broker, and those to the peers' brokers, with their certificates. */
import type { SessionCounters } from "../mqtt/session-counters.ts";
import type { MetricSource } from "./agent-status.ts";
import { flag, type Labels, type MetricSet, type Sample } from "./metric-set.ts";

type Counted = readonly [labels: Labels, counters: SessionCounters];

export function addSessionMetrics(metrics: MetricSet<MetricSource>): void {
  metrics.gauge("local_session_up", "1: this session on the local broker stands.", ["session"], ({ status }) =>
    Object.entries(status.sessions).map(([session, { up }]): Sample => [{ session }, flag(up)]),
  );
  addCounters(metrics, "local_session", "of this session on the local broker", "session", ({ status }) =>
    Object.entries(status.sessionCounters).map(([session, counters]): Counted => [{ session }, counters]),
  );
  addCounters(metrics, "link", "to the peer's broker; absent when the peer dials in", "link", ({ status }) =>
    status.hub.links.flatMap(({ name }): Counted[] => {
      const counters = status.peerCounters[name];
      return counters === undefined ? [] : [[{ link: name }, counters]];
    }),
  );
  metrics.gauge(
    "tls_cert_expiry_timestamp_seconds",
    "When a certificate ends: of those configured, and of the one that a broker showed last; link empty: the local broker.",
    ["link", "kind"],
    ({ status }) =>
      status.certificates.map(({ link, kind, endsAtMs }): Sample => [{ link: link ?? "", kind }, endsAtMs / 1000]),
  );
}

function addCounters(
  metrics: MetricSet<MetricSource>,
  prefix: "local_session" | "link",
  whose: string,
  label: string,
  sessions: (source: MetricSource) => readonly Counted[],
): void {
  const each = (read: (counters: SessionCounters) => readonly Sample[]) => (source: MetricSource) =>
    sessions(source).flatMap(([own, counters]) =>
      read(counters).map(([labels, n]): Sample => [{ ...own, ...labels }, n]),
    );
  metrics.counter(
    `${prefix}_reconnects_total`,
    `Connections after the first, by how the one before was lost, ${whose}.`,
    [label, "reason"],
    each(({ reconnects }) => Object.entries(reconnects).map(([reason, count]) => [{ reason }, count])),
  );
  metrics.counter(
    `${prefix}_publishes_refused_total`,
    `Publishes not sent since too many waited, or too large for the broker, ${whose}.`,
    [label, "reason"],
    each((counters) => [
      [{ reason: "queue_full" }, counters.publishesRefusedFull],
      [{ reason: "too_large" }, counters.publishesTooLarge],
    ]),
  );
  metrics.counter(
    `${prefix}_requests_refused_total`,
    `Subscribe and unsubscribe packets not sent since too many waited, ${whose}.`,
    [label],
    each(({ requestsRefusedFull }) => [[{}, requestsRefusedFull]]),
  );
  metrics.counter(
    `${prefix}_receive_overruns_total`,
    `Connections ended because messages without an acknowledgement held too much memory, ${whose}.`,
    [label],
    each(({ receiveOverruns }) => [[{}, receiveOverruns]]),
  );
}
