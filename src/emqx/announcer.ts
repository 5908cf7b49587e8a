/**
 * Our routes on their way to EMQX: one actor, as one of its own peers has for each node. Pure: the owner connects, publishes and
 * listens, and says how that went.
 *
 *             connected           SUBACK             ack ok             nothing left to send
 *   offline ────────────▶ subscribing ────▶ greeting ───────▶ bootstrapping ───────────────▶ online
 *      ▲                      │ refused        │ error, 5 s without an answer     │ broken      │ a batch refused
 *      └─── connection lost ──┴────────────────┴───────── leaving ◀───────────────┴─────────────┘
 *           (from any state)                         (asks for another connection)
 *
 * One greeting for each connection: EMQX ends one that greets twice. Operations go in batches, one at a time, and count as
 * known there once EMQX has confirmed the publish, which it does behind applying them. What was not confirmed goes again:
 * adding twice is adding once. A later operation on a route replaces an earlier one, adds go before deletes.
 */
import { EMQX_PROTOCOL, type EmqxControl, encodeEmqxControl } from "./control.ts";
import { responseTopic, routeTopic } from "./names.ts";
import { RouteBacklog } from "./route-backlog.ts";

/** EMQX's own. */
const HEARTBEAT_MS = 10_000;
/** EMQX forgets an actor 30 s after its last word, and some versions deny it afterwards. */
const FORGOTTEN_MS = 30_000;
const ANSWER_MS = 5_000;
/** Between two connections, from the beginning of the one to that of the other; EMQX's own. */
const PACE_MS = 5_000;
/** The peer said no: a person has to change something. */
const REFUSED_MS = 10_000;
/** What a PUBLISH adds to a batch, by far; and the least left for its operations. */
const PACKET_OVERHEAD_BYTES = 1_024;
const BATCH_BYTES_MIN = 4_096;
const REFUSED_CODE = 0x80;

type State =
  | { readonly name: "offline" }
  | { readonly name: "subscribing" }
  | { readonly name: "greeting"; readonly correlation: string; readonly untilMs: number }
  | { readonly name: "bootstrapping" }
  | { readonly name: "online" }
  | { readonly name: "leaving" };

export type EmqxAnnouncerState = State["name"];

export type AnnouncerOutput =
  | { readonly type: "subscribe"; readonly filter: string }
  | {
      readonly type: "greet";
      readonly topic: string;
      readonly bytes: Uint8Array;
      readonly responseTopic: string;
      readonly correlation: string;
    }
  /** QoS 1; answered by `confirmed`. */
  | { readonly type: "batch"; readonly batch: number; readonly topic: string; readonly bytes: Uint8Array }
  | { readonly type: "heartbeat"; readonly topic: string; readonly bytes: Uint8Array }
  /** End this connection, and make another one after so long. */
  | { readonly type: "reconnect"; readonly delayMs: number; readonly why: string }
  /** The peer took our greeting, or refused it with the reason. */
  | { readonly type: "accepted" }
  | { readonly type: "refused"; readonly reason: string };

export interface EmqxAnnouncerOptions {
  readonly me: string;
  readonly peer: string;
  readonly actor: string;
  readonly incarnation: number;
  readonly randomHex16: () => string;
}

export class EmqxAnnouncer {
  readonly #options: EmqxAnnouncerOptions;
  readonly #backlog = new RouteBacklog();
  readonly #topic: string;
  readonly #responses: string;
  #state: State = { name: "offline" };
  #connectedAtMs = Number.NEGATIVE_INFINITY;
  /** When EMQX last heard that this actor lives: routes do not say it. Before the first time: never. */
  #knownAtMs = Number.NEGATIVE_INFINITY;
  #bytesMax = BATCH_BYTES_MIN;
  #heartbeatAtMs = Number.POSITIVE_INFINITY;
  #batch: { readonly number: number; readonly revision: number | null } | null = null;
  #batches = 0;
  #settledRevision = 0;

  constructor(options: EmqxAnnouncerOptions) {
    this.#options = options;
    this.#topic = routeTopic(options.me);
    this.#responses = responseTopic(options.me, options.actor);
  }

  get state(): EmqxAnnouncerState {
    return this.#state.name;
  }

  /** Grows with every change that was asked for. */
  get revision(): number {
    return this.#backlog.revision;
  }

  /** The last revision that EMQX has all of. */
  get settledRevision(): number {
    return this.#settledRevision;
  }

  get deadlineMs(): number {
    switch (this.#state.name) {
      case "offline":
      case "subscribing":
      case "leaving":
        return Number.POSITIVE_INFINITY;
      case "greeting":
        return this.#state.untilMs;
      case "bootstrapping":
      case "online":
        return this.#heartbeatAtMs;
    }
  }

  /** A route of ours comes, with its groups, or goes (null). */
  change(filter: string, groups: readonly string[] | null): void {
    this.#backlog.change(filter, groups);
  }

  /** `packetBytesMax`: the largest packet that EMQX takes. */
  connected(packetBytesMax: number, nowMs: number): AnnouncerOutput[] {
    this.#connectedAtMs = nowMs;
    this.#bytesMax = Math.max(BATCH_BYTES_MIN, packetBytesMax - PACKET_OVERHEAD_BYTES);
    this.#state = { name: "subscribing" };
    return [{ type: "subscribe", filter: this.#responses }];
  }

  /** The answer to the subscription; null: the connection was lost first. */
  subscribed(reasonCode: number | null, nowMs: number): AnnouncerOutput[] {
    if (this.#state.name !== "subscribing" || reasonCode === null) return [];
    if (reasonCode >= REFUSED_CODE) {
      const why = `EMQX refuses the subscription to ${this.#responses} with 0x${reasonCode.toString(16)}`;
      return [{ type: "refused", reason: "subscription_refused" }, this.#leave(why, REFUSED_MS, nowMs)];
    }
    const { peer, actor, incarnation, randomHex16 } = this.#options;
    const correlation = randomHex16();
    this.#state = { name: "greeting", correlation, untilMs: nowMs + ANSWER_MS };
    const bytes = encodeEmqxControl({ op: "actor_init", actor, incarnation, target: peer, protocol: EMQX_PROTOCOL });
    return [{ type: "greet", topic: this.#topic, bytes, responseTopic: this.#responses, correlation }];
  }

  /** EMQX confirmed the publish of the greeting, or not; its answer is another thing. */
  greeted(reasonCode: number | null, nowMs: number): AnnouncerOutput[] {
    if (this.#state.name !== "greeting" || reasonCode === null || reasonCode < REFUSED_CODE) return [];
    const why = `EMQX refuses a publish to ${this.#topic} with 0x${reasonCode.toString(16)}`;
    return [{ type: "refused", reason: "publish_refused" }, this.#leave(why, REFUSED_MS, nowMs)];
  }

  /** What came on our response topic. */
  response(message: EmqxControl, correlation: string, nowMs: number): AnnouncerOutput[] {
    if (this.#state.name !== "greeting" || message.op !== "actor_init_ack") return [];
    if (this.#state.correlation !== correlation) return [];
    if (message.error !== null)
      return [{ type: "refused", reason: message.error }, this.#leave(`refused: ${message.error}`, REFUSED_MS, nowMs)];
    const wasForgotten = nowMs - this.#knownAtMs >= FORGOTTEN_MS;
    // Some versions say that they know us when they have forgotten our routes.
    if (message.needBootstrap) this.#backlog.forgotten();
    else if (wasForgotten) this.#backlog.again();
    else this.#backlog.unconfirmed();
    this.#knownAtMs = nowMs;
    this.#heartbeatAtMs = nowMs + HEARTBEAT_MS;
    this.#state = { name: "bootstrapping" };
    return [{ type: "accepted" }, ...this.next()];
  }

  /** What may be sent now. */
  next(): AnnouncerOutput[] {
    if ((this.#state.name !== "bootstrapping" && this.#state.name !== "online") || this.#batch !== null) return [];
    const ops = this.#backlog.take(this.#bytesMax);
    if (ops.length === 0) {
      this.#settledRevision = this.#backlog.revision;
      this.#state = { name: "online" };
      return [];
    }
    this.#batches += 1;
    this.#batch = { number: this.#batches, revision: this.#backlog.isEmpty ? this.#backlog.revision : null };
    const { actor, incarnation } = this.#options;
    const bytes = encodeEmqxControl({ op: "route", actor, incarnation, ops });
    return [{ type: "batch", batch: this.#batches, topic: this.#topic, bytes }];
  }

  /** The answer to a batch; null: the connection was lost first. */
  confirmed(batch: number, reasonCode: number | null, nowMs: number): AnnouncerOutput[] {
    if (this.#batch?.number !== batch || reasonCode === null) return [];
    const { revision } = this.#batch;
    this.#batch = null;
    if (reasonCode >= REFUSED_CODE) {
      this.#backlog.unconfirmed();
      const why = `EMQX refuses a publish to ${this.#topic} with 0x${reasonCode.toString(16)}`;
      return [{ type: "refused", reason: "publish_refused" }, this.#leave(why, REFUSED_MS, nowMs)];
    }
    this.#backlog.confirmed();
    this.#settledRevision = revision ?? this.#settledRevision;
    return this.next();
  }

  disconnected(): void {
    this.#state = { name: "offline" };
    this.#batch = null;
    this.#heartbeatAtMs = Number.POSITIVE_INFINITY;
  }

  /** The link goes: EMQX has no word for that, but what it does not have it does not send. */
  withdraw(): void {
    this.#backlog.withdraw();
  }

  tick(nowMs: number): AnnouncerOutput[] {
    if (nowMs < this.deadlineMs) return [];
    switch (this.#state.name) {
      case "offline":
      case "subscribing":
      case "leaving":
        return [];
      case "greeting":
        return [this.#leave("EMQX does not answer the greeting", 0, nowMs)];
      case "bootstrapping":
      case "online": {
        // A process that was stopped, or a host that slept: EMQX ends the connection of an actor that it has forgotten.
        if (nowMs - this.#knownAtMs >= FORGOTTEN_MS)
          return [this.#leave("EMQX may have forgotten this agent: nothing was said for half a minute", 0, nowMs)];
        this.#heartbeatAtMs = nowMs + HEARTBEAT_MS;
        this.#knownAtMs = nowMs;
        const { actor, incarnation } = this.#options;
        const bytes = encodeEmqxControl({ op: "heartbeat", actor, incarnation });
        return [{ type: "heartbeat", topic: this.#topic, bytes }];
      }
    }
  }

  #leave(why: string, delayMs: number, nowMs: number): AnnouncerOutput {
    this.#state = { name: "leaving" };
    const pacedMs = Math.max(0, this.#connectedAtMs + PACE_MS - nowMs);
    return { type: "reconnect", delayMs: Math.max(delayMs, pacedMs), why };
  }
}
