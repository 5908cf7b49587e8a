/** What metrics say of changes of the configuration while the agent runs. */
import type { MetricSource } from "./agent-status.ts";
import { flag, type MetricSet, type Sample, seconds } from "./metric-set.ts";
import { RELOAD_RESULTS } from "./reloads.ts";

export function addReloadMetrics(metrics: MetricSet<MetricSource>): void {
  metrics.gauge(
    "config_last_reload_successful",
    "1: the configuration that was read last is in force; 0: it was not taken.",
    [],
    ({ status }) => [[{}, flag(status.reloads.lastSucceeded)]],
  );
  metrics.gauge(
    "config_reload_success_timestamp_seconds",
    "When a configuration was last read that is in force; at first, the start.",
    [],
    ({ status }) => [[{}, seconds(status.reloads.succeededAtMs)]],
  );
  metrics.counter(
    "config_reloads_total",
    "Readings of the configuration after the start, and changes through the API, by what became of them.",
    ["result"],
    ({ status }) => RELOAD_RESULTS.map((result): Sample => [{ result }, status.reloads.counts[result]]),
  );
  metrics.counter(
    "removed_links_messages_total",
    "Messages given up with links that were removed, or for which one that was switched off had no room.",
    [],
    ({ status }) => [[{}, status.removedLinksMessages]],
  );
}
