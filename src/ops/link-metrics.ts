/** The metrics of one link, read off its status. */
import type { InboundDropReason } from "../flow/inbound-checks.ts";
import type { OutboundDropReason } from "../flow/outbound-options.ts";
import type { LinkStatusWord } from "../hub/hub-event.ts";
import type { LinkStatus } from "../hub/status.ts";
import type { CountedWhat } from "../link/output.ts";
import type { MetricSource } from "./agent-status.ts";
import { flag, type MetricSet, type Sample, seconds } from "./metric-set.ts";

type Words<Word extends string> = Readonly<Record<Word, true>>;

const STATUS_WORDS: Words<LinkStatusWord> = {
  connected: true,
  connecting: true,
  disconnected: true,
  inconsistent: true,
};
const OUT_DROPS: Words<OutboundDropReason | "foreign_loop"> = {
  spool_full: true,
  spool_age: true,
  expired: true,
  too_large: true,
  malformed: true,
  best_effort_full: true,
  peer_away: true,
  refused_by_broker: true,
  foreign_loop: true,
};
const IN_DROPS: Words<InboundDropReason | "unknown_speaker"> = {
  not_in_topics: true,
  reserved_topic: true,
  bad_topic: true,
  bad_text: true,
  expired: true,
  duplicate: true,
  beyond_window: true,
  gate_full: true,
  speaker_changed: true,
  refused_by_broker: true,
  local_away: true,
  unknown_speaker: true,
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

type Read = (link: LinkStatus, source: MetricSource) => readonly Sample[];

export function addLinkMetrics(metrics: MetricSet<MetricSource>): void {
  const each = (read: Read) => (source: MetricSource) =>
    source.status.hub.links.flatMap((link) =>
      read(link, source).map(([labels, value]): Sample => [{ link: link.name, ...labels }, value]),
    );
  addStateMetrics(metrics, each);
  addTrafficMetrics(metrics, each);
  addQueueMetrics(metrics, each);
}

type Each = (read: Read) => (source: MetricSource) => readonly Sample[];

function addStateMetrics(metrics: MetricSet<MetricSource>, each: Each): void {
  metrics.gauge(
    "link_up",
    "1: both halves of the link work.",
    ["link"],
    each((link) => [[{}, flag(link.status === "connected")]]),
  );
  metrics.gauge(
    "link_status",
    "1 for the word that describes the link now.",
    ["link", "status"],
    each((link) => Object.keys(STATUS_WORDS).map((status): Sample => [{ status }, flag(link.status === status)])),
  );
  metrics.gauge(
    "link_half_up",
    "1: this half works: our routes at the peer (out), the peer's routes here (in).",
    ["link", "half"],
    each((link) => [
      [{ half: "out" }, flag(link.out.works)],
      [{ half: "in" }, flag(link.in.works)],
    ]),
  );
  metrics.gauge(
    "link_transport_up",
    "1: the connection that carries the link stands.",
    ["link"],
    each((link) => [[{}, flag(link.transportUp)]]),
  );
  metrics.counter(
    "link_reconnects_total",
    "Connections to the peer's broker after the first; absent when the peer dials in.",
    ["link"],
    each((link, { status }) => {
      const counters = status.peerCounters[link.name];
      return counters === undefined ? [] : [[{}, Math.max(0, counters.connections - 1)]];
    }),
  );
  metrics.counter(
    "link_publishes_refused_total",
    "Publishes to the peer's broker that were not sent: too many waited, or larger than that broker takes.",
    ["link", "reason"],
    each((link, { status }) => {
      const counters = status.peerCounters[link.name];
      if (counters === undefined) return [];
      return [
        [{ reason: "queue_full" }, counters.publishesRefusedFull],
        [{ reason: "too_large" }, counters.publishesTooLarge],
      ];
    }),
  );
  metrics.gauge(
    "link_silent_seconds",
    "Time since the peer's agent was last heard; absent: never.",
    ["link"],
    each((link, { nowMs }) => (link.in.heardAtMs === null ? [] : [[{}, seconds(nowMs - link.in.heardAtMs)]])),
  );
  metrics.gauge(
    "link_durable",
    "1: unconfirmed messages survive this process; 0: they are kept in memory.",
    ["link"],
    each(({ durability }) => [[{}, flag(durability !== "memory")]]),
  );
  metrics.gauge(
    "routes",
    "Routes announced to the peer (out) and held from it (in).",
    ["link", "direction"],
    each((link) => [
      [{ direction: "out" }, link.out.routes],
      [{ direction: "in" }, link.in.routes],
    ]),
  );
  metrics.gauge(
    "routes_widened",
    "1: a limit made the routes wider than the interest.",
    ["link", "direction"],
    each((link) => [
      [{ direction: "out" }, flag(link.out.widened)],
      [{ direction: "in" }, flag(link.in.overflow)],
    ]),
  );
  metrics.gauge(
    "routes_refused",
    "Our routes that the peer's broker refuses; the first 100 are counted.",
    ["link"],
    each((link) => [[{}, link.refusedRoutes.length]]),
  );
  metrics.counter(
    "conversation_total",
    "Events of the conversation with the peer.",
    ["link", "what"],
    each((link) => {
      const counts = new Map(link.conversation.map(({ what, count }) => [what, count]));
      return Object.keys(CONVERSATION).map((what): Sample => [{ what }, counts.get(what) ?? 0]);
    }),
  );
}

function addTrafficMetrics(metrics: MetricSet<MetricSource>, each: Each): void {
  metrics.counter(
    "messages_total",
    "Messages that crossed the link; repeats count when they arrive, not when they are sent.",
    ["link", "direction"],
    each((link) => [
      [{ direction: "out" }, link.sent.messages],
      [{ direction: "in" }, link.received.messages],
    ]),
  );
  metrics.counter(
    "frames_total",
    "Frames that crossed the link.",
    ["link", "direction"],
    each((link) => [
      [{ direction: "out" }, link.sent.frames],
      [{ direction: "in" }, link.received.frames],
    ]),
  );
  metrics.counter(
    "frame_bytes_total",
    "Bytes of frames that crossed the link.",
    ["link", "direction"],
    each((link) => [
      [{ direction: "out" }, link.sent.bytes],
      [{ direction: "in" }, link.received.bytes],
    ]),
  );
  metrics.counter(
    "frames_resent_total",
    "Frames that repeat messages the peer had not confirmed.",
    ["link"],
    each((link) => [[{}, link.sent.resends]]),
  );
  metrics.counter(
    "messages_settled_total",
    "Reliable messages that the peer has confirmed.",
    ["link"],
    each((link) => [[{}, link.settled]]),
  );
  metrics.counter(
    "messages_republished_total",
    "Messages of the peer handed to the local broker; a repeat after a lost connection counts again.",
    ["link"],
    each((link) => [[{}, link.republished]]),
  );
  metrics.counter(
    "messages_dropped_total",
    "Messages given up, with the reason.",
    ["link", "direction", "reason"],
    each((link) => {
      const counts = new Map(
        link.dropped.map(({ direction, reason, count }): [string, number] => [`${direction} ${reason}`, count]),
      );
      const samples = (direction: string, reasons: Words<string>): Sample[] =>
        Object.keys(reasons).map((reason) => [{ direction, reason }, counts.get(`${direction} ${reason}`) ?? 0]);
      return [...samples("out", OUT_DROPS), ...samples("in", IN_DROPS)];
    }),
  );
  metrics.counter(
    "causality_timeouts_total",
    "Frames that went on before the route operation they named.",
    ["link"],
    each((link) => [[{}, link.gateTimeouts]]),
  );
}

function addQueueMetrics(metrics: MetricSet<MetricSource>, each: Each): void {
  metrics.gauge(
    "spool_waiting_messages",
    "Messages without room in the spool, unacknowledged: they stay with the local broker.",
    ["link"],
    each((link) => [[{}, link.queue.waiting]]),
  );
  metrics.gauge(
    "spool_messages",
    "Reliable messages that the peer has not confirmed.",
    ["link"],
    each((link) => [[{}, link.queue.spooled]]),
  );
  metrics.gauge(
    "spool_bytes",
    "Bytes of the messages in the spool.",
    ["link"],
    each((link) => [[{}, link.queue.spooledBytes]]),
  );
  metrics.gauge(
    "spool_oldest_age_seconds",
    "Age of the oldest message in the spool; 0: it is empty.",
    ["link"],
    each((link, { nowMs }) => {
      const { oldestAtMs } = link.queue;
      return [[{}, oldestAtMs === null ? 0 : seconds(nowMs - oldestAtMs)]];
    }),
  );
  metrics.gauge(
    "best_effort_messages",
    "QoS 0 messages that wait to be sent.",
    ["link"],
    each((link) => [[{}, link.queue.bestEffort]]),
  );
  metrics.gauge(
    "inflight_messages",
    "Reliable messages sent and not yet confirmed by the peer's agent.",
    ["link"],
    each((link) => [[{}, link.queue.inflight]]),
  );
  metrics.gauge(
    "inbound_messages",
    "Messages of the peer that wait for the local broker or its acknowledgement.",
    ["link"],
    each((link) => [[{}, link.queue.inbound]]),
  );
  metrics.gauge(
    "link_draining",
    "1: a backlog goes on, to the peer (out) or to the local broker (in).",
    ["link", "direction"],
    each(({ drain }) => [
      [{ direction: "out" }, flag(drain.out.draining)],
      [{ direction: "in" }, flag(drain.in.draining)],
    ]),
  );
  metrics.gauge(
    "link_drain_rate",
    "Messages per second that a backlog may take now; 0: none goes on.",
    ["link", "direction"],
    each(({ drain }) => [
      [{ direction: "out" }, drain.out.draining ? drain.out.perSecond : 0],
      [{ direction: "in" }, drain.in.draining ? drain.in.perSecond : 0],
    ]),
  );
  metrics.counter(
    "passed_messages_total",
    "Messages that went past a backlog in which their topic had nothing.",
    ["link"],
    each((link) => [[{}, link.queue.passed]]),
  );
  metrics.counter(
    "pass_overflows_total",
    "Times that no message could pass a backlog any more, for too many topics were under way.",
    ["link"],
    each((link) => [[{}, link.queue.passOverflows]]),
  );
  metrics.gauge(
    "link_round_trip_seconds",
    "Time from a frame to its confirmation, smoothed; 0: none was confirmed yet.",
    ["link"],
    each((link) => [[{}, link.queue.roundTripMs / 1000]]),
  );
}
