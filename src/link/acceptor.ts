/**
 * The incoming half of one conversation: what the peer announced, and whether it still speaks. Pure.
 *
 *   none ──hello──▶ greeted ──bootstrap complete──▶ online
 *                    ▲  ▲                            │ 30 s of silence, Will, goodbye(pause)
 *                    │  └── hello of a new life ─────┤                  ▼
 *                    │      (old routes stay, stale) │◀── any word ── silent | paused ──route_retention──▶ none
 *                    └──────── hello ─── left ◀── goodbye(leave), or "no such link": routes dropped
 *
 * Neither a hello nor silence erases anything: old routes go in one step when the new bootstrap is complete, when the
 * peer takes leave, or when the retention time ends (an event, counted and reported).
 */
import { digestEquals } from "../base/digest.ts";
import { type PeerRouteEdge, PeerRoutes } from "../route/peer-routes.ts";
import type { ControlBody, RoutesMark, Speaker } from "../wire/message.ts";
import { AgainRequests } from "./again-requests.ts";
import { GREETINGS_PER_CONNECTION } from "./announcer.ts";
import { MissingOps } from "./missing-ops.ts";
import type { LinkOutput } from "./output.ts";

/** Heartbeats come every 10 s: three missing ones in a row are no accident. */
export const SILENCE_MS = 30_000;
export type AcceptorState = "none" | "greeted" | "online" | "silent" | "paused" | "left";

/** How a message's speaker relates to the one we listen to. */
export type Standing = "current" | "newer" | "older" | "double";

const NOBODY: Speaker = { incarnation: 0, instance: "0000000000000000" };

export class Acceptor {
  readonly #routes: PeerRoutes;
  /** May change. */
  routeRetentionMs: number;
  #state: AcceptorState = "none";
  #speaker: Speaker = NOBODY;
  #greeting = 0;
  #appliedOp = 0;
  #bootstrap = 0;
  #nextPart = 0;
  #doneBootstrap = 0;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  /** Since when the peer counts as away: its routes' retention begins when that is noticed, not when it was last heard. */
  #awaySinceMs = Number.NEGATIVE_INFINITY;
  readonly #requests = new AgainRequests();
  /** Lives before this one are known to be over, though we never listened to it. */
  #leastIncarnation = 0;
  readonly #missing = new MissingOps();

  constructor(routesMax: number, routeRetentionMs: number) {
    this.#routes = new PeerRoutes(routesMax);
    this.routeRetentionMs = routeRetentionMs;
  }

  get state(): AcceptorState {
    return this.#state;
  }

  get speaker(): Speaker {
    return this.#speaker;
  }

  get appliedOp(): number {
    return this.#appliedOp;
  }

  get routes(): PeerRoutes {
    return this.#routes;
  }

  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Whether frames and route operations of this speaker can be placed: its set is complete. */
  get complete(): boolean {
    return this.#routes.complete;
  }

  get deadlineMs(): number {
    switch (this.#state) {
      case "none":
      case "left":
        return Number.POSITIVE_INFINITY;
      case "greeted":
      case "online":
        return this.#heardAtMs + SILENCE_MS;
      case "silent":
      case "paused":
        return this.#awaySinceMs + this.routeRetentionMs;
    }
  }

  /** Highest incarnation of the peer that we know of. */
  get highest(): number {
    return Math.max(this.#speaker.incarnation, this.#leastIncarnation);
  }

  standing(speaker: Speaker): Standing {
    if (speaker.incarnation < this.#leastIncarnation) return "older";
    if (speaker.incarnation > this.#speaker.incarnation) return "newer";
    if (speaker.incarnation < this.#speaker.incarnation) return "older";
    return speaker.instance === this.#speaker.instance ? "current" : "double";
  }

  /**
   * What the peer announced in our earlier life is in force until its new set is complete, or the retention ends. Its life
   * of then (`incarnation`) may go on; earlier ones are over.
   */
  restore(incarnation: number, filters: readonly string[], nowMs: number): LinkOutput[] {
    const outputs: LinkOutput[] = [];
    this.#leastIncarnation = incarnation;
    if (filters.length === 0) return outputs;
    pushEdges(outputs, this.#routes.restore(filters));
    this.#awaySinceMs = nowMs;
    this.#enter("silent", "not heard since the start", outputs);
    return outputs;
  }

  /** A hello whose names were checked already. The acknowledgement itself is the conversation's. */
  hello(speaker: Speaker, greeting: number, nowMs: number): LinkOutput[] {
    const outputs: LinkOutput[] = [];
    const standing = this.standing(speaker);
    if (standing === "older" || standing === "double") return outputs;
    if (standing === "newer") {
      const first = this.#speaker === NOBODY;
      this.#speaker = speaker;
      this.#greeting = greeting;
      this.#appliedOp = 0;
      this.#bootstrap = 0;
      this.#doneBootstrap = 0;
      this.#nextPart = 0;
      // A new incarnation does not erase: what its earlier life announced stays in force until the new set is complete.
      pushEdges(outputs, this.#routes.newSpeaker());
      if (!first) outputs.push({ type: "peer_restarted" });
      this.#heardAtMs = nowMs;
      this.#enter("greeted", first ? "first hello" : "hello of a new life", outputs);
      return outputs;
    }
    this.#greeting = Math.max(this.#greeting, greeting);
    this.#heardAtMs = nowMs;
    this.#enter(this.complete ? "online" : "greeted", "hello", outputs);
    return outputs;
  }

  /** What is held from exactly this speaker: null unless a whole set is. */
  have(speaker: Speaker): RoutesMark | null {
    return this.standing(speaker) === "current" && this.#routes.complete && !this.#routes.overflow
      ? this.#mark()
      : null;
  }

  /** A message of somebody we do not listen to: asks it to greet, so that it learns where it stands. */
  stranger(speaker: Speaker, nowMs: number): LinkOutput[] {
    const outputs: LinkOutput[] =
      this.standing(speaker) === "newer" ? [] : [{ type: "count", what: "old_incarnation" }];
    this.#requests.ask(speaker, "hello", "unknown_incarnation", nowMs, outputs);
    return outputs;
  }

  /** Any message of the current speaker shows that it lives. */
  heard(nowMs: number, outputs: LinkOutput[]): void {
    this.#heardAtMs = nowMs;
    if (this.#state !== "online" && this.#state !== "greeted") {
      this.#enter(this.complete ? "online" : "greeted", "heard again", outputs);
    }
  }

  bootstrapPart(body: Extract<ControlBody, { type: "bootstrap" }>, outputs: LinkOutput[]): boolean {
    if (!this.#sameBootstrap(body.bootstrap)) return true;
    if (body.part === this.#nextPart && body.bootstrap !== this.#doneBootstrap) {
      if (!this.#routes.stage(body.ops)) return false;
      this.#nextPart += 1;
    }
    this.#bootstrapAck(outputs);
    return true;
  }

  bootstrapEnd(body: Extract<ControlBody, { type: "bootstrap_end" }>, nowMs: number, outputs: LinkOutput[]): void {
    if (!this.#sameBootstrap(body.bootstrap)) return;
    // The peer went on without it: taken over now, it would undo operations that are confirmed.
    if (this.#routes.complete && body.mark.op < this.#appliedOp) {
      outputs.push({ type: "count", what: "late_message" });
      return;
    }
    if (body.bootstrap !== this.#doneBootstrap && this.#nextPart === body.parts) {
      const result = this.#routes.commit(body.mark);
      if (!result.ok) {
        outputs.push({ type: "count", what: "digest_mismatch" });
        this.#bootstrap = 0;
        this.#requests.repair(this.#speaker, "digest_mismatch", nowMs, outputs);
        return;
      }
      this.#doneBootstrap = body.bootstrap;
      this.#appliedOp = body.mark.op;
      pushEdges(outputs, result.edges);
      outputs.push({ type: "count", what: "bootstrap_received" });
      if (this.#routes.overflow) outputs.push({ type: "count", what: "routes_overflow" });
      this.#enter("online", `bootstrap of ${body.mark.count} routes complete`, outputs);
    }
    this.#bootstrapAck(outputs);
  }

  /** Operations in order; false: one of them is no valid route, the conversation has to end. */
  routesBatch(body: Extract<ControlBody, { type: "routes" }>, nowMs: number, outputs: LinkOutput[]): boolean {
    if (!this.#routes.complete) {
      this.#requests.ask(this.#speaker, "bootstrap", "no_bootstrap", nowMs, outputs);
      return true;
    }
    const skip = this.#appliedOp + 1 - body.firstOp;
    if (skip >= 0) {
      for (const op of body.ops.slice(skip)) {
        const result = this.#routes.apply(op);
        if (!result.ok) return false;
        this.#appliedOp += 1;
        pushEdges(outputs, result.edges);
      }
    } else {
      outputs.push({ type: "count", what: "late_message" });
    }
    outputs.push({ type: "send", body: { type: "routes_ack", of: this.#speaker, op: this.#appliedOp } });
    return true;
  }

  heartbeat(mark: RoutesMark, nowMs: number, outputs: LinkOutput[]): void {
    if (!this.#routes.complete) {
      this.#requests.ask(this.#speaker, "bootstrap", "no_bootstrap", nowMs, outputs);
      return;
    }
    if (mark.op > this.#appliedOp) {
      outputs.push({ type: "send", body: { type: "routes_ack", of: this.#speaker, op: this.#appliedOp } });
      if (this.#missing.behind(this.#appliedOp, nowMs)) this.#requests.repair(this.#speaker, "log_gap", nowMs, outputs);
      return;
    }
    this.#missing.none();
    // Digests are compared at equal operation numbers only: an older mark is a late heartbeat, not a difference.
    if (mark.op < this.#appliedOp) {
      outputs.push({ type: "count", what: "late_message" });
      return;
    }
    if (this.#routes.overflow) {
      if (this.#routes.fits(mark.count)) this.#requests.repair(this.#speaker, "digest_mismatch", nowMs, outputs);
      return;
    }
    const mine = this.#mark();
    if (mine.count !== mark.count || !digestEquals(mine.digest, mark.digest)) {
      outputs.push({ type: "count", what: "digest_mismatch" });
      this.#requests.repair(this.#speaker, "digest_mismatch", nowMs, outputs);
    }
  }

  goodbye(body: Extract<ControlBody, { type: "goodbye" }>, nowMs: number, outputs: LinkOutput[]): void {
    // Said before a greeting that was heard already: the peer is back, and its routes must not go.
    if (body.kind !== "lost" && body.greeting < this.#greeting) {
      outputs.push({ type: "count", what: "late_message" });
      return;
    }
    switch (body.kind) {
      case "pause":
        this.#down("paused", "the peer pauses", nowMs, outputs);
        break;
      case "lost": {
        // A Will is published by a broker, at any time after its connection: only that of the connection heard last counts.
        const ofConnection = Math.floor(this.#greeting / GREETINGS_PER_CONNECTION) * GREETINGS_PER_CONNECTION;
        if (body.greeting === ofConnection) this.#down("silent", "the peer's connection was lost", nowMs, outputs);
        else outputs.push({ type: "count", what: "late_message" });
        break;
      }
      case "leave":
        this.leave("the peer has taken leave", outputs);
        break;
    }
  }

  /** The peer wants nothing any more: it says so, or has no such link (any more). */
  leave(why: string, outputs: LinkOutput[]): void {
    if (this.#state === "none") return;
    this.#forgetRoutes(outputs);
    this.#enter("left", why, outputs);
  }

  tick(nowMs: number): LinkOutput[] {
    const outputs: LinkOutput[] = [];
    if (nowMs < this.deadlineMs) return outputs;
    if (this.#state === "greeted" || this.#state === "online") {
      outputs.push({ type: "count", what: "heartbeat_missed" });
      this.fallSilent(nowMs, outputs);
    } else if (this.#state === "silent" || this.#state === "paused") {
      const count = this.#routes.effectiveSize;
      this.#forgetRoutes(outputs);
      if (count > 0) outputs.push({ type: "routes_expired", count });
      this.#enter("none", "silent for longer than the route retention", outputs);
    }
    return outputs;
  }

  /**
   * Silence does not erase: the routes stay in force, so that what is published meanwhile reaches the spool. A process that
   * was stopped, or a host that slept, finds the silence of its own absence first; the peer's words are read after that.
   */
  fallSilent(nowMs: number, outputs: LinkOutput[]): void {
    this.#awaySinceMs = nowMs;
    this.#enter("silent", `nothing heard for ${SILENCE_MS / 1000} s`, outputs);
  }

  #down(state: "paused" | "silent", why: string, nowMs: number, outputs: LinkOutput[]): void {
    if (this.#state === "none" || this.#state === "left") return;
    this.#awaySinceMs = nowMs;
    this.#enter(state, why, outputs);
  }

  #forgetRoutes(outputs: LinkOutput[]): void {
    pushEdges(outputs, this.#routes.clear());
    this.#bootstrap = 0;
    this.#doneBootstrap = 0;
    this.#appliedOp = 0;
  }

  #sameBootstrap(bootstrap: number): boolean {
    if (bootstrap < this.#bootstrap) return false;
    if (bootstrap > this.#bootstrap) {
      this.#bootstrap = bootstrap;
      this.#nextPart = 0;
      this.#routes.beginBootstrap();
    }
    return true;
  }

  #bootstrapAck(outputs: LinkOutput[]): void {
    const [bootstrap, nextPart] = [this.#bootstrap, this.#nextPart];
    const done = bootstrap === this.#doneBootstrap;
    outputs.push({ type: "send", body: { type: "bootstrap_ack", of: this.#speaker, bootstrap, nextPart, done } });
  }

  #mark(): RoutesMark {
    return { op: this.#appliedOp, count: this.#routes.size, digest: this.#routes.digest };
  }

  #enter(state: AcceptorState, why: string, outputs: LinkOutput[]): void {
    if (state === this.#state) return;
    outputs.push({ type: "state", half: "in", from: this.#state, to: state, why });
    this.#state = state;
  }
}

function pushEdges(outputs: LinkOutput[], edges: readonly PeerRouteEdge[]): void {
  for (const edge of edges) outputs.push({ type: "peer_route", filter: edge.filter, up: edge.up });
}
