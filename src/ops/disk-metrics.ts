/** What metrics say of the disk. Without a data directory there are none of these. */
import type { MetricSource, StoreStatus } from "./agent-status.ts";
import { flag, type MetricSet, type Sample } from "./metric-set.ts";

export function addDiskMetrics(metrics: MetricSet<MetricSource>): void {
  const one =
    (read: (store: StoreStatus) => number) =>
    ({ status: { store } }: MetricSource): readonly Sample[] =>
      store === null ? [] : [[{}, read(store)]];
  metrics.gauge(
    "disk_problem",
    "1: the disk does not take what has to be kept; nothing new is acknowledged to the local broker.",
    [],
    one(({ problem }) => flag(problem !== null)),
  );
  metrics.gauge(
    "disk_waiting_bytes",
    "Messages in memory because the disk has not taken them yet.",
    [],
    one(({ waitingBytes }) => waitingBytes),
  );
  metrics.gauge(
    "journal_bytes",
    "Size of the agent's own state on disk.",
    [],
    one(({ journalBytes }) => journalBytes),
  );
  metrics.counter(
    "disk_failures_total",
    "Writes and syncs that the disk refused; each is tried again.",
    ["kind"],
    ({ status: { store } }) =>
      store === null
        ? []
        : [
            [{ kind: "write" }, store.writeFailures],
            [{ kind: "sync" }, store.syncFailures],
          ],
  );
  metrics.counter(
    "spool_lost_total",
    "Messages on disk that could not be read (any more).",
    [],
    one(({ lost }) => lost),
  );
}
