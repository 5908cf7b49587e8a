/**
 * Every metric of an agent, with its help text, in one registry. Values are read from the status when somebody scrapes;
 * nothing in the data path knows that metrics exist. Labels are bounded: links, directions, reasons, never topics or ids.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { LinkStatus } from "../hub/status.ts";
import type { AgentStatus, AgentView } from "./agent-status.ts";
import { steadyNowMs } from "./steady-clock.ts";

type Labels = Record<string, string>;
type Sample = readonly [labels: Labels, value: number];

const STATUS_WORDS = ["connected", "connecting", "disconnected", "inconsistent"] as const;

export function createMetrics(agent: AgentView): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "brokerlink_" });
  let status: AgentStatus = agent.status();
  const each = (pick: (link: LinkStatus) => readonly Sample[]): readonly Sample[] =>
    status.hub.links.flatMap((link) =>
      pick(link).map(([labels, value]): Sample => [{ link: link.name, ...labels }, value]),
    );

  const gauge = (name: string, help: string, labelNames: string[], read: () => readonly Sample[]): void => {
    new Gauge({
      name: `brokerlink_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.set(labels, value);
      },
    });
  };
  // Totals are kept by the agent; a prom-client counter is set to them by its difference.
  const counter = (name: string, help: string, labelNames: string[], read: () => readonly Sample[]): void => {
    new Counter({
      name: `brokerlink_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc(labels, value);
      },
    });
  };

  gauge("build_info", "The version of this agent; always 1.", ["version", "cluster"], () => {
    // The first metric of the registry: everything below shows the same moment.
    status = agent.status();
    return [[{ version: status.version, cluster: status.hub.cluster }, 1]];
  });
  gauge("ready", "1: connected to the local broker on all sessions, and the only agent of this name.", [], () => [
    [{}, agent.ready ? 1 : 0],
  ]);
  gauge("local_session_up", "1: this session on the local broker is connected.", ["session"], () =>
    Object.entries(status.sessions).map(([session, { up }]): Sample => [{ session }, up ? 1 : 0]),
  );
  gauge("control_denied", "1: the local broker keeps our control topics from us.", [], () => [
    [{}, status.controlDenied === null ? 0 : 1],
  ]);
  gauge("duplicate_agent", "1: another agent speaks in the name of this cluster.", [], () => [
    [{}, status.hub.duplicate ? 1 : 0],
  ]);
  gauge(
    "interest_wide",
    "1: links announce their topics instead of the exact interest, for this reason.",
    ["reason"],
    () => (status.hub.wide === null ? [[{ reason: "none" }, 0]] : [[{ reason: status.hub.wide.reason }, 1]]),
  );
  gauge("interest_rows", "Subscriptions of local clients known, by how sure they are.", ["kind"], () => [
    [{ kind: "proven" }, status.hub.interest.proven],
    [{ kind: "ghost" }, status.hub.interest.ghosts],
  ]);
  gauge("interest_clients", "Local clients with subscriptions.", [], () => [[{}, status.hub.interest.clients]]);
  counter(
    "event_lines_odd_total",
    "Event lines of the local broker that could not be used, or only in part.",
    ["kind"],
    () => Object.entries(status.oddLines).map(([kind, value]): Sample => [{ kind }, value]),
  );
  gauge(
    "broker_messages_dropped",
    "Messages that the local broker says it dropped for its clients since it started.",
    [],
    () => (status.brokerDropped === null ? [] : [[{}, status.brokerDropped]]),
  );
  gauge("demand_filters", "Filters that this agent is subscribed to on the local broker for its peers.", [], () => [
    [{}, status.hub.demand.filters],
  ]);
  gauge("demand_refused", "Filters that the local broker refuses to this agent.", [], () => [
    [{}, status.hub.demand.refused],
  ]);
  counter("demand_marker_timeouts_total", "Filter changes that went on without their marker.", [], () => [
    [{}, status.hub.demand.markerTimeouts],
  ]);
  counter("local_messages_total", "Messages received from the local broker, by what became of them.", ["outcome"], () =>
    Object.entries(status.hub.local).map(([outcome, value]): Sample => [{ outcome }, value]),
  );

  gauge("link_up", "1: both halves of the link work.", ["link"], () =>
    each((link) => [[{}, link.status === "connected" ? 1 : 0]]),
  );
  gauge("link_status", "1 for the word that describes the link now.", ["link", "status"], () =>
    each((link) => STATUS_WORDS.map((status): Sample => [{ status }, link.status === status ? 1 : 0])),
  );
  gauge("link_durable", "1: unconfirmed messages survive this process; 0: they are kept in memory.", ["link"], () =>
    each(() => [[{}, 0]]),
  );
  gauge("routes", "Routes announced to the peer (out) and held from it (in).", ["link", "direction"], () =>
    each((link) => [
      [{ direction: "out" }, link.out.routes],
      [{ direction: "in" }, link.in.routes],
    ]),
  );
  gauge("routes_widened", "1: a limit made the routes wider than the interest.", ["link", "direction"], () =>
    each((link) => [
      [{ direction: "out" }, link.out.widened ? 1 : 0],
      [{ direction: "in" }, link.in.overflow ? 1 : 0],
    ]),
  );
  gauge("routes_refused", "Our routes that the peer's broker refuses.", ["link"], () =>
    each((link) => [[{}, link.refusedRoutes.length]]),
  );
  counter("messages_total", "Messages that crossed the link.", ["link", "direction"], () =>
    each((link) => [
      [{ direction: "out" }, link.sent.messages],
      [{ direction: "in" }, link.received.messages],
    ]),
  );
  counter("frames_total", "Frames that crossed the link.", ["link", "direction"], () =>
    each((link) => [
      [{ direction: "out" }, link.sent.frames],
      [{ direction: "in" }, link.received.frames],
    ]),
  );
  counter("frame_bytes_total", "Bytes of frames that crossed the link.", ["link", "direction"], () =>
    each((link) => [
      [{ direction: "out" }, link.sent.bytes],
      [{ direction: "in" }, link.received.bytes],
    ]),
  );
  counter("frames_resent_total", "Frames that repeat messages the peer had not confirmed.", ["link"], () =>
    each((link) => [[{}, link.sent.resends]]),
  );
  counter("messages_settled_total", "Reliable messages that the peer has confirmed.", ["link"], () =>
    each((link) => [[{}, link.settled]]),
  );
  counter("messages_republished_total", "Messages of the peer handed to the local broker.", ["link"], () =>
    each((link) => [[{}, link.republished]]),
  );
  counter("messages_dropped_total", "Messages given up, with the reason.", ["link", "direction", "reason"], () =>
    each((link) => link.dropped.map(({ direction, reason, count }): Sample => [{ direction, reason }, count])),
  );
  counter("causality_timeouts_total", "Frames that went on before the route operation they named.", ["link"], () =>
    each((link) => [[{}, link.gateTimeouts]]),
  );
  counter("conversation_total", "Events of the conversation with the peer.", ["link", "what"], () =>
    each((link) => link.conversation.map(({ what, count }): Sample => [{ what }, count])),
  );
  gauge("spool_messages", "Reliable messages that the peer has not confirmed.", ["link"], () =>
    each((link) => [[{}, link.queue.spooled]]),
  );
  gauge("spool_bytes", "Their bytes.", ["link"], () => each((link) => [[{}, link.queue.spooledBytes]]));
  gauge("spool_oldest_seconds", "Age of the oldest of them.", ["link"], () =>
    each((link) => [[{}, link.queue.oldestAtMs === null ? 0 : (steadyNowMs() - link.queue.oldestAtMs) / 1000]]),
  );
  gauge("link_round_trip_seconds", "Time from a frame to its confirmation, smoothed.", ["link"], () =>
    each((link) => [[{}, link.queue.roundTripMs / 1000]]),
  );
  return registry;
}
