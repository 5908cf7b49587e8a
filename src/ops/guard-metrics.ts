/** The metrics of the guard against circles: what it holds, and which limits ended holds before their time. */
import type { HoldLimit } from "../flow/guard-holds.ts";
import type { MetricSource } from "./agent-status.ts";
import { eachLink, type Words } from "./link-samples.ts";
import type { MetricSet, Sample } from "./metric-set.ts";

const LIMITS: Words<HoldLimit> = {
  topic_messages: true,
  topic_bytes: true,
  topics: true,
  total_messages: true,
  total_bytes: true,
};

export function addGuardMetrics(metrics: MetricSet<MetricSource>): void {
  metrics.gauge(
    "guard_held_messages",
    "Messages held back for a moment, to see whether another bridge carries them in a circle.",
    ["link"],
    eachLink(({ guard }) => [[{}, guard.messages]]),
  );
  metrics.gauge(
    "guard_held_bytes",
    "Memory that they take, about.",
    ["link"],
    eachLink(({ guard }) => [[{}, guard.bytes]]),
  );
  metrics.counter(
    "guard_holds_cut_short_total",
    "Holds of a topic that ended before their time at a limit; their messages went on.",
    ["link", "reason"],
    eachLink(({ guard }) => {
      const counts = new Map(guard.cutShort.map(({ reason, count }) => [reason, count]));
      return Object.keys(LIMITS).map((reason): Sample => [{ reason }, counts.get(reason as HoldLimit) ?? 0]);
    }),
  );
}
