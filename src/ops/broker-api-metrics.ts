/** Metrics of the local broker's HTTP API. There only where one is configured. */
import type { MetricSource } from "./agent-status.ts";
import type { BrokerApiStatus } from "./broker-api-status.ts";
import { flag, type MetricSet, type Sample, seconds } from "./metric-set.ts";

export function addBrokerApiMetrics(metrics: MetricSet<MetricSource>): void {
  const samples =
    (of: (api: BrokerApiStatus, nowMs: number) => Sample[]) =>
    ({ status, nowMs }: MetricSource): Sample[] =>
      status.brokerApi === null ? [] : of(status.brokerApi, nowMs);
  metrics.gauge(
    "local_api_up",
    "1: the local broker's API gave its list of subscriptions when it was last asked.",
    [],
    samples(({ state }) => [[{}, flag(state === "working")]]),
  );
  metrics.counter(
    "local_api_snapshots_total",
    "Lists of subscriptions asked for, by how that ended.",
    ["outcome"],
    samples(({ snapshots, failures }) => [
      [{ outcome: "complete" }, snapshots],
      [{ outcome: "failed" }, failures],
    ]),
  );
  metrics.gauge(
    "local_api_snapshot_age_seconds",
    "Since the last complete list of subscriptions.",
    [],
    samples(({ last }, nowMs) => (last === null ? [] : [[{}, seconds(nowMs - last.atMs)]])),
  );
  metrics.gauge(
    "local_api_snapshot_seconds",
    "How long the last complete list took.",
    [],
    samples(({ last }) => (last === null ? [] : [[{}, seconds(last.tookMs)]])),
  );
  metrics.gauge(
    "local_api_snapshot_rows",
    "Subscriptions on the last complete list.",
    [],
    samples(({ last }) => (last === null ? [] : [[{}, last.rows]])),
  );
  metrics.counter(
    "interest_mended_total",
    "Subscriptions that no event told of, and that only a list of the local broker's API brought or ended.",
    ["kind"],
    ({ status }) => {
      const { added, removed } = status.hub.interest.mended;
      return [
        [{ kind: "added" }, added],
        [{ kind: "removed" }, removed],
      ];
    },
  );
}
