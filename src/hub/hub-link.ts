/**
 * Everything pure that belongs to one link: its announced routes, its conversation, its messages out and in, and what
 * the peer's routes mean for our demand. The hub hands it inputs; it answers through the Outlet and the LinkHost.
 */
import type { Due } from "../flow/ack-ledger.ts";
import { Inbound, type Settlement } from "../flow/inbound.ts";
import { Outbound } from "../flow/outbound.ts";
import { NO_NUMBERS } from "../link/announcer-state.ts";
import { Conversation } from "../link/conversation.ts";
import type { LinkOutput } from "../link/output.ts";
import type { InterestEdge } from "../route/interest-event.ts";
import { RouteSet } from "../route/route-set.ts";
import { matches } from "../topic/algebra.ts";
import { encodeControl } from "../wire/control.ts";
import type { ControlBody, Message } from "../wire/message.ts";
import { conversationOptions } from "./conversation-options.ts";
import { Counters } from "./counters.ts";
import { Forwarding } from "./forwarding.ts";
import { FrameSender } from "./frame-sender.ts";
import type { LinkStatusWord } from "./hub-event.ts";
import { LinkBacklog } from "./link-backlog.ts";
import { LinkHealth } from "./link-health.ts";
import type { HubLinkOptions, LinkHost } from "./link-host.ts";
import { LinkProblems } from "./link-problems.ts";
import { LinkStates } from "./link-states.ts";
import { Passage } from "./passage.ts";
import { PeerDemand } from "./peer-demand.ts";
import { receiveFrame } from "./receive-frame.ts";
import { REFUSAL_REPEAT_MS, RefusedRoutes } from "./refused-routes.ts";
import { type SavedLink, savePeer, saveRecord, saveRoute } from "./saved-state.ts";

export class HubLink {
  readonly name: string;
  /** May change: see `change-link.ts`. */
  options: HubLinkOptions;
  readonly routes: RouteSet;
  readonly conversation: Conversation;
  readonly outbound: Outbound;
  readonly inbound: Inbound;
  readonly counters: Counters;
  readonly passage: Passage;
  readonly states: LinkStates;
  readonly #host: LinkHost;
  readonly backlog: LinkBacklog;
  readonly peerDemand: PeerDemand;
  readonly #health: LinkHealth;
  readonly refused = new RefusedRoutes();
  readonly problems: LinkProblems;
  /** When to tell the peer again which of its routes cannot be served here. */
  #refusalsAtMs = Number.POSITIVE_INFINITY;
  #edges: InterestEdge[] = [];
  readonly frames: FrameSender;
  readonly forwarding: Forwarding;

  /** `after`: what earlier links of this process have said. */
  constructor(options: HubLinkOptions, host: LinkHost, nowMs: number, after = NO_NUMBERS) {
    this.name = options.name;
    this.options = options;
    this.#host = host;
    this.passage = new Passage(options.name);
    this.problems = new LinkProblems(options.name, host.outlet);
    this.counters = new Counters(() => host.considered);
    this.#health = new LinkHealth(this.passage, nowMs);
    this.peerDemand = new PeerDemand(options.exportFilters);
    this.routes = new RouteSet(options.topics, options.routesMax);
    const names = conversationOptions(options, host, after, () => this.states.word);
    this.conversation = new Conversation(names, host.identity, this.routes);
    this.outbound = new Outbound(
      () => host.randomHex16(),
      options,
      (reason, count) => this.#dropped("out", reason, count),
      host.acks,
    );
    this.frames = new FrameSender(this, host);
    this.inbound = new Inbound(
      {
        wants: (topic) => this.options.topics.some((filter) => matches(filter, topic)),
        isControl: (topic) => host.isControl(topic),
      },
      () => host.nextToken(this),
      (reason, count) => this.#dropped("in", reason, count),
      () => this.counters.gateTimedOut(),
      options.drainPerSecond ?? null,
    );
    this.backlog = new LinkBacklog(this.outbound, this.inbound, this.conversation, host.brake);
    this.forwarding = new Forwarding(this.outbound, host.acks, this.counters);
    this.states = new LinkStates(this, host);
  }

  get deadlineMs(): number {
    return Math.min(
      this.conversation.deadlineMs,
      this.outbound.deadlineMs,
      this.inbound.deadlineMs,
      this.forwarding.guard.deadlineMs,
      this.frames.deadlineMs,
      this.refused.deadlineMs,
      this.#refusalsAtMs,
      this.states.deadlineMs,
    );
  }

  get status(): LinkStatusWord {
    return this.#health.word;
  }

  /** What an earlier life knew of the peer is in force before it has spoken. */
  restore(saved: SavedLink, nowMs: number): void {
    for (const output of this.conversation.acceptor.restore(saved.incarnation, saved.routes, nowMs))
      if (output.type === "peer_route") this.#peerRoute(output.filter, output.up);
    for (const { stream, ...record } of saved.records) this.inbound.restore(stream, record);
  }

  /** Told at the end of the turn: ten thousand subscriptions at once are a few messages, not ten thousand. */
  interest(edges: readonly InterestEdge[]): void {
    for (const edge of edges) this.#edges.push(edge);
  }

  /** `hasProperties`: the local broker speaks MQTT 5. */
  localUp(hasProperties: boolean, nowMs: number): void {
    this.inbound.localUp();
    this.states.localUp(hasProperties, nowMs);
  }

  localDown(): void {
    this.inbound.localDown();
    this.states.localDown();
  }

  setWide(wide: boolean, nowMs: number): void {
    // On the way to more, nothing may go before it has come.
    if (!wide) this.announceEdges(nowMs);
    this.perform(this.conversation.announce(this.routes.setWide(wide), nowMs), nowMs);
  }

  transportUp(packetBytesMax: number, nowMs: number): void {
    this.#health.transport(true, nowMs);
    this.#refusalsAtMs = nowMs + REFUSAL_REPEAT_MS;
    this.frames.packetBytesMax = packetBytesMax;
    this.perform(this.conversation.connected(nowMs, packetBytesMax), nowMs);
  }

  transportDown(why: string, nowMs: number): void {
    this.#health.transport(false, nowMs);
    this.#refusalsAtMs = Number.POSITIVE_INFINITY;
    this.frames.close();
    this.perform(this.conversation.disconnected(why), nowMs);
  }

  control(bytes: Uint8Array, nowMs: number): void {
    const before = this.conversation.acceptor.speaker;
    const outputs = this.conversation.receive(bytes, nowMs);
    if (this.conversation.acceptor.speaker !== before) {
      savePeer(this.#host.save, this.name, this.conversation.acceptor.speaker.incarnation);
      this.inbound.speakerChanged();
      this.peerDemand.newSpeaker();
      this.states.newSpeaker();
    }
    this.perform(outputs, nowMs);
  }

  frame(bytes: Uint8Array, stayMs: number, nowMs: number): void {
    const received = receiveFrame(bytes, this.options.codec);
    if (!received.ok) {
      this.perform(this.conversation.undecodable("frame", received.problem, nowMs), nowMs);
      return;
    }
    const { frame, plainBytes } = received.value;
    const { acceptor } = this.conversation;
    if (acceptor.standing(frame.speaker) !== "current" || acceptor.state === "left") {
      this.counters.drop("in", "unknown_speaker", frame.messages.length);
      this.perform(acceptor.stranger(frame.speaker, nowMs), nowMs);
      return;
    }
    this.counters.receivedFrame(frame.messages, bytes.length, plainBytes);
    const outputs: LinkOutput[] = [];
    acceptor.heard(nowMs, outputs);
    this.perform(outputs, nowMs);
    this.inbound.frame(frame, plainBytes, stayMs, nowMs);
  }

  /** A local message that the peer wants. */
  forward(message: Message, due: Due | null, nowMs: number): void {
    this.forwarding.take(this.states.live(message), due, nowMs);
  }

  /** Tells the peer that its route cannot be served here, or can again. */
  refuseRoute(filter: string, reasonCode: number, refused: boolean): void {
    this.#send({ type: "refused", of: this.conversation.acceptor.speaker, filter, reasonCode, refused });
  }

  /** Whether this link may give the topic to its peer; routes were cut to the export list already, this is the second lock. */
  exports(topic: string): boolean {
    return this.peerDemand.exports(topic);
  }

  /** End of a turn: settlements, republishes and frames leave. Control messages have left already. */
  flush(nowMs: number): void {
    this.announceEdges(nowMs);
    this.forwarding.release(nowMs);
    for (const topic of this.forwarding.guard.alarms()) {
      this.#host.outlet.report({ type: "foreign_loop", link: this.name, topic });
      this.problems.found("FOREIGN_LOOP", `another bridge carries "${topic}" in a circle`, nowMs);
    }
    this.backlog.adapt(nowMs);
    for (const arrived of this.inbound.pump(this.peerDemand.readyOp(this.#host.demandSettledRevision), nowMs))
      this.states.arrived(arrived, nowMs);
    for (const stream of this.inbound.forgotten()) saveRecord(this.#host.save, this.name, stream, null);
    for (const settlement of this.inbound.settlements()) {
      saveRecord(this.#host.save, this.name, settlement.stream, settlement);
      this.#send({ type: "settled", of: this.conversation.acceptor.speaker, ...settlement });
    }
    this.states.flush(nowMs);
    this.frames.flush(this.#health.transportUp, nowMs);
    this.problems.flush(nowMs);
    this.#reportStatus(nowMs);
  }

  tick(nowMs: number): void {
    this.perform(this.conversation.tick(nowMs), nowMs);
    this.outbound.tick(nowMs, this.conversation.acceptor.heardAtMs);
    if (this.outbound.takeProofRequest())
      this.perform(this.conversation.announcer.greet(nowMs, "whether frames come through"), nowMs);
    for (const { filter, reasonCode } of this.refused.expired(nowMs))
      this.#host.outlet.report({ type: "route_refused", link: this.name, filter, reasonCode, refused: false });
    if (nowMs < this.#refusalsAtMs) return;
    this.#refusalsAtMs = nowMs + REFUSAL_REPEAT_MS;
    this.#host.peerListens(this);
  }

  /** Carries out what the conversation asks for. */
  perform(outputs: readonly LinkOutput[], nowMs: number): void {
    for (const output of outputs) {
      switch (output.type) {
        case "send":
          this.#send(output.body);
          break;
        case "peer_route":
          saveRoute(this.#host.save, this.name, output.filter, output.up);
          this.#peerRoute(output.filter, output.up);
          break;
        case "settled":
          this.#settled(output, nowMs);
          break;
        case "states":
          this.states.peerSays(output.word, nowMs);
          break;
        case "refused":
          this.#refusedRoute(output.filter, output.reasonCode, output.refused, nowMs);
          break;
        case "state":
          this.#host.outlet.report({ ...output, type: "link_state", link: this.name });
          if (output.half === "in" && output.to === "online") this.#host.peerListens(this);
          break;
        case "problem":
          this.problems.found(output.code, output.reason, nowMs);
          if (output.code === "CLOCK_WENT_BACK") this.#host.identityChanged(nowMs);
          break;
        case "trouble":
          for (const { code, reason } of this.passage.peerSays(output.trouble))
            this.problems.found(code, reason, nowMs);
          break;
        case "peer_greeted":
          this.#host.outlet.peerGreeted(this.name);
          break;
        case "identity_changed":
          this.#host.identityChanged(nowMs);
          break;
        case "peer_restarted":
          // What its earlier life could not serve, this one says anew.
          this.refused.clear();
          this.outbound.restart();
          break;
        case "routes_expired":
          this.counters.count("routes_expired");
          this.#host.outlet.report({ type: "routes_expired", link: this.name, count: output.count });
          break;
        case "count":
          this.counters.count(output.what);
          break;
      }
    }
    this.peerDemand.applied(this.conversation.acceptor.appliedOp, this.#host.demandRevision);
  }

  #peerRoute(route: string, up: boolean): void {
    for (const filter of this.peerDemand.change(route, up)) this.serve(filter, up);
  }

  /** What the peer may get, and has asked for, of what local clients publish. */
  serve(filter: string, up: boolean): void {
    this.#host.peerRoute(this, filter, up);
    this.states.route(filter, up);
  }

  get transportIsUp(): boolean {
    return this.#health.transportUp;
  }

  get works(): LinkHealth["works"] {
    return this.#health.works;
  }

  #dropped(direction: "out" | "in", reason: string, count: number): void {
    this.counters.drop(direction, reason, count);
    this.problems.lost(direction, reason);
  }

  #send(body: ControlBody): void {
    if (!this.#health.transportUp) return;
    this.#host.outlet.sendControl(this.name, encodeControl({ speaker: this.#host.identity.speaker(), body }));
  }

  #settled({ stream, upTo, ranges }: Settlement, nowMs: number): void {
    for (const message of this.outbound.settled(stream, upTo, ranges, nowMs)) {
      this.counters.settled += 1;
      if (message.state !== true) this.forwarding.guard.settled(message.topic, message.payload, nowMs);
    }
  }

  /** Peers say it again, because it may get lost: only what changes is reported, and past the limit it is only counted. */
  #refusedRoute(filter: string, reasonCode: number, refused: boolean, nowMs: number): void {
    const told = this.refused.told(filter, reasonCode, refused, nowMs);
    if (told === "full") this.counters.count("refused_routes_overflow");
    if (told === "news")
      this.#host.outlet.report({ type: "route_refused", link: this.name, filter, reasonCode, refused });
  }

  announceEdges(nowMs: number): void {
    if (this.#edges.length === 0) return;
    const ops = this.routes.apply(this.#edges);
    this.#edges = [];
    this.perform(this.conversation.announce(ops, nowMs), nowMs);
  }

  #reportStatus(nowMs: number): void {
    const { announcer } = this.conversation;
    this.conversation.framesRefused(this.passage.framesRefused, nowMs);
    const from = this.#health.word;
    const halves = { out: announcer.state, in: this.conversation.inState(nowMs), nowMs };
    if (!this.#health.judge(halves)) return;
    const why = this.#health.why(halves);
    this.#host.outlet.report({ type: "link_status", link: this.name, from, to: this.#health.word, why });
    if (this.#health.isUnheard(halves))
      this.problems.found("PEER_SILENT", `the agent of cluster "${this.name}" does not answer`, nowMs);
  }
}
