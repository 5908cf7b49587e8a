/** What crosses each link, what does not, and how long it takes. */
import type { InboundDropReason } from "../flow/inbound-checks.ts";
import type { OutboundDropReason } from "../flow/outbound-options.ts";
import { COMPRESSIONS } from "../wire/compression.ts";
import type { MetricSource } from "./agent-status.ts";
import { eachLink, type Words } from "./link-samples.ts";
import { type DelaySample, flag, type MetricSet, type Sample, seconds } from "./metric-set.ts";

const OUT_DROPS: Words<OutboundDropReason | "foreign_loop"> = {
  spool_full: true,
  spool_age: true,
  expired: true,
  stale_state: true,
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
export function addTrafficMetrics(metrics: MetricSet<MetricSource>): void {
  metrics.counter(
    "messages_total",
    "Messages that crossed the link; repeats count when they arrive, not when they are sent.",
    ["link", "direction", "qos"],
    eachLink(({ sent, received }) => byQos(sent.byQos.messages, received.byQos.messages)),
  );
  metrics.counter(
    "message_bytes_total",
    "Bytes of the payloads of messages that crossed the link.",
    ["link", "direction", "qos"],
    eachLink(({ sent, received }) => byQos(sent.byQos.payloadBytes, received.byQos.payloadBytes)),
  );
  metrics.counter(
    "messages_suppressed_total",
    "Local messages that came to this agent for another peer, and did not cross this link since this peer does not want them.",
    ["link"],
    eachLink(({ suppressed }) => [[{}, suppressed]]),
  );
  metrics.counter(
    "frames_total",
    "Frames that crossed the link.",
    ["link", "direction"],
    eachLink((link) => [
      [{ direction: "out" }, link.sent.frames],
      [{ direction: "in" }, link.received.frames],
    ]),
  );
  metrics.counter(
    "frame_bytes_total",
    "Bytes of frames that crossed the link.",
    ["link", "direction"],
    eachLink((link) => [
      [{ direction: "out" }, link.sent.bytes],
      [{ direction: "in" }, link.received.bytes],
    ]),
  );
  metrics.counter(
    "frame_plain_bytes_total",
    "The same before compression.",
    ["link", "direction"],
    eachLink((link) => [
      [{ direction: "out" }, link.sent.plainBytes],
      [{ direction: "in" }, link.received.plainBytes],
    ]),
  );
  metrics.counter(
    "frames_compressed_total",
    "Frames that crossed the link compressed.",
    ["link", "direction"],
    eachLink((link) => [
      [{ direction: "out" }, link.sent.packed],
      [{ direction: "in" }, link.received.packed],
    ]),
  );
  metrics.counter(
    "compress_seconds_total",
    "Time spent on compressing frames (out) and on expanding them (in).",
    ["link", "direction"],
    eachLink(({ compression }) => [
      [{ direction: "out" }, seconds(compression.compressMs)],
      [{ direction: "in" }, seconds(compression.expandMs)],
    ]),
  );
  metrics.gauge(
    "link_compression",
    "1: frames to the peer leave compressed with this algorithm.",
    ["link", "algorithm"],
    eachLink(({ compression }) =>
      COMPRESSIONS.map((algorithm) => [{ algorithm }, flag(compression.inUse === algorithm)]),
    ),
  );
  metrics.counter(
    "frames_resent_total",
    "Frames that repeat messages the peer had not confirmed.",
    ["link"],
    eachLink((link) => [[{}, link.sent.resends]]),
  );
  metrics.counter(
    "messages_settled_total",
    "Reliable messages that the peer has confirmed.",
    ["link"],
    eachLink((link) => [[{}, link.settled]]),
  );
  metrics.counter(
    "messages_republished_total",
    "Messages of the peer handed to the local broker; a repeat after a lost connection counts again.",
    ["link"],
    eachLink((link) => [[{}, link.republished]]),
  );
  metrics.counter(
    "messages_dropped_total",
    "Messages given up, with the reason.",
    ["link", "direction", "reason"],
    eachLink((link) => {
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
    eachLink((link) => [[{}, link.gateTimeouts]]),
  );
  metrics.histogram(
    "forward_latency_seconds",
    "Time from the local broker's delivery of a reliable message until the peer has confirmed it.",
    ({ status }) => status.hub.links.map(({ name, forwardLatency }): DelaySample => [{ link: name }, forwardLatency]),
  );
  metrics.histogram(
    "link_rtt_seconds",
    "Time from the frame with a reliable message until the peer has confirmed it.",
    ({ status }) => status.hub.links.map(({ name, roundTrip }): DelaySample => [{ link: name }, roundTrip]),
  );
}

function byQos(out: readonly [number, number], into: readonly [number, number]): Sample[] {
  return [
    [{ direction: "out", qos: "0" }, out[0]],
    [{ direction: "out", qos: "1" }, out[1]],
    [{ direction: "in", qos: "0" }, into[0]],
    [{ direction: "in", qos: "1" }, into[1]],
  ];
}
