/** The metrics of one link's states: of retained messages as a broker has them stored. */
import type { MetricSource } from "./agent-status.ts";
import { eachLink } from "./link-samples.ts";
import type { MetricSet } from "./metric-set.ts";

export function addStatesMetrics(metrics: MetricSet<MetricSource>): void {
  metrics.counter(
    "retained_readings_total",
    "Readings of what the local broker has retained, for a peer with `retained: sync`.",
    ["link"],
    eachLink(({ states }) => [[{}, states.readings]]),
  );
  metrics.counter(
    "retained_states_total",
    "Retained messages as a broker has them stored: given to the spool (out), published on the local broker (in).",
    ["link", "direction"],
    eachLink(({ states }) => [
      [{ direction: "out" }, states.sent],
      [{ direction: "in" }, states.published],
    ]),
  );
  metrics.counter(
    "retained_states_skipped_total",
    "Those that were not, with the reason.",
    ["link", "direction", "reason"],
    eachLink(({ states }) => states.skipped.map(({ direction, reason, count }) => [{ direction, reason }, count])),
  );
  metrics.gauge(
    "retained_states_waiting",
    "Retained messages that the peer asked for and that did not leave yet; a route that is not read yet counts as one.",
    ["link"],
    eachLink(({ states }) => [[{}, states.waiting]]),
  );
}
