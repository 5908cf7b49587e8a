/** The metrics of one link, read off its status. */
import type { LinkStatusWord } from "../hub/hub-event.ts";
import type { CountedWhat } from "../link/output.ts";
import type { MetricSource } from "./agent-status.ts";
import { addGuardMetrics } from "./guard-metrics.ts";
import { eachLink, type Words } from "./link-samples.ts";
import { flag, type MetricSet, type Sample, seconds } from "./metric-set.ts";
import { addStatesMetrics } from "./states-metrics.ts";
import { addTrafficMetrics } from "./traffic-metrics.ts";

const STATUS_WORDS: Words<LinkStatusWord> = {
  connected: true,
  connecting: true,
  disconnected: true,
  inconsistent: true,
};
const CONVERSATION: Words<CountedWhat | "routes_expired" | "refused_routes_overflow"> = {
  hello_sent: true,
  ack_stale: true,
  bootstrap_sent: true,
  bootstrap_done: true,
  bootstrap_received: true,
  digest_mismatch: true,
  resend: true,
  late_message: true,
  old_incarnation: true,
  bad_message: true,
  optional_skipped: true,
  again_received: true,
  heartbeat_missed: true,
  routes_overflow: true,
  routes_expired: true,
  refused_routes_overflow: true,
};

export function addLinkMetrics(metrics: MetricSet<MetricSource>): void {
  addStateMetrics(metrics);
  addTrafficMetrics(metrics);
  addQueueMetrics(metrics);
  addStatesMetrics(metrics);
  addGuardMetrics(metrics);
}

function addStateMetrics(metrics: MetricSet<MetricSource>): void {
  metrics.gauge(
    "link_up",
    "1: both halves of the link work.",
    ["link"],
    eachLink((link) => [[{}, flag(link.status === "connected")]]),
  );
  metrics.gauge(
    "link_status",
    "1 for the word that describes the link now.",
    ["link", "status"],
    eachLink((link) => Object.keys(STATUS_WORDS).map((status): Sample => [{ status }, flag(link.status === status)])),
  );
  metrics.gauge(
    "link_half_up",
    "1: this half works: our routes at the peer (out), the peer's routes here (in).",
    ["link", "half"],
    eachLink((link) => [
      [{ half: "out" }, flag(link.out.works)],
      [{ half: "in" }, flag(link.in.works)],
    ]),
  );
  metrics.gauge(
    "link_transport_up",
    "1: the connection that carries the link stands.",
    ["link"],
    eachLink((link) => [[{}, flag(link.transportUp)]]),
  );
  metrics.gauge(
    "link_silent_seconds",
    "Time since the peer's agent was last heard; absent: never.",
    ["link"],
    eachLink((link, { nowMs }) => (link.in.heardAtMs === null ? [] : [[{}, seconds(nowMs - link.in.heardAtMs)]])),
  );
  metrics.gauge(
    "link_durable",
    "1: unconfirmed messages survive this process; 0: they are kept in memory.",
    ["link"],
    eachLink(({ durability }) => [[{}, flag(durability !== "memory")]]),
  );
  metrics.gauge(
    "routes",
    "Routes announced to the peer (out) and held from it (in).",
    ["link", "direction"],
    eachLink((link) => [
      [{ direction: "out" }, link.out.routes],
      [{ direction: "in" }, link.in.routes],
    ]),
  );
  metrics.gauge(
    "routes_widened",
    "1: a limit made the routes wider than the interest.",
    ["link", "direction"],
    eachLink((link) => [
      [{ direction: "out" }, flag(link.out.widened)],
      [{ direction: "in" }, flag(link.in.overflow)],
    ]),
  );
  metrics.gauge(
    "routes_refused",
    "Our routes that the peer's broker refuses; the first 100 are counted.",
    ["link"],
    eachLink((link) => [[{}, link.refusedRoutes.length]]),
  );
  metrics.counter(
    "conversation_total",
    "Events of the conversation with the peer.",
    ["link", "what"],
    eachLink((link) => {
      const counts = new Map(link.conversation.map(({ what, count }) => [what, count]));
      return Object.keys(CONVERSATION).map((what): Sample => [{ what }, counts.get(what) ?? 0]);
    }),
  );
}

function addQueueMetrics(metrics: MetricSet<MetricSource>): void {
  metrics.gauge(
    "spool_waiting_messages",
    "Messages without room in the spool, unacknowledged: they stay with the local broker.",
    ["link"],
    eachLink((link) => [[{}, link.queue.waiting]]),
  );
  metrics.gauge(
    "spool_messages",
    "Reliable messages that the peer has not confirmed.",
    ["link"],
    eachLink((link) => [[{}, link.queue.spooled]]),
  );
  metrics.gauge(
    "spool_bytes",
    "Bytes of the messages in the spool.",
    ["link"],
    eachLink((link) => [[{}, link.queue.spooledBytes]]),
  );
  metrics.gauge(
    "spool_oldest_age_seconds",
    "Age of the oldest message in the spool; 0: it is empty.",
    ["link"],
    eachLink((link, { nowMs }) => {
      const { oldestAtMs } = link.queue;
      return [[{}, oldestAtMs === null ? 0 : seconds(nowMs - oldestAtMs)]];
    }),
  );
  metrics.gauge(
    "best_effort_messages",
    "QoS 0 messages that wait to be sent.",
    ["link"],
    eachLink((link) => [[{}, link.queue.bestEffort]]),
  );
  metrics.gauge(
    "inflight_messages",
    "Reliable messages sent and not yet confirmed by the peer's agent.",
    ["link"],
    eachLink((link) => [[{}, link.queue.inflight]]),
  );
  metrics.gauge(
    "inbound_messages",
    "Messages of the peer that wait for the local broker or its acknowledgement.",
    ["link"],
    eachLink((link) => [[{}, link.queue.inbound]]),
  );
  metrics.gauge(
    "link_draining",
    "1: a backlog goes on, to the peer (out) or to the local broker (in).",
    ["link", "direction"],
    eachLink(({ drain }) => [
      [{ direction: "out" }, flag(drain.out.draining)],
      [{ direction: "in" }, flag(drain.in.draining)],
    ]),
  );
  metrics.gauge(
    "link_drain_rate",
    "Messages per second that a backlog may take now; 0: none goes on.",
    ["link", "direction"],
    eachLink(({ drain }) => [
      [{ direction: "out" }, drain.out.draining ? drain.out.perSecond : 0],
      [{ direction: "in" }, drain.in.draining ? drain.in.perSecond : 0],
    ]),
  );
  metrics.counter(
    "passed_messages_total",
    "Messages that went past a backlog in which their topic had nothing.",
    ["link"],
    eachLink((link) => [[{}, link.queue.passed]]),
  );
  metrics.counter(
    "pass_overflows_total",
    "Times that no message could pass a backlog any more, for too many topics were under way.",
    ["link"],
    eachLink((link) => [[{}, link.queue.passOverflows]]),
  );
  metrics.gauge(
    "link_round_trip_seconds",
    "Time from a frame to its confirmation, smoothed; 0: none was confirmed yet.",
    ["link"],
    eachLink((link) => [[{}, link.queue.roundTripMs / 1000]]),
  );
}
