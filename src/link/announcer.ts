/**
 * The outgoing half of one conversation: our routes on their way to the peer. Pure: time comes in as nowMs, work goes
 * out as LinkOutput values, and nothing is believed that the peer did not confirm of exactly this life and greeting.
 *
 *            connected            ack ok, set not held            done
 *   idle ────────────▶ greeting ─────────────────▶ bootstrapping ──────▶ online
 *    ▲                  │  ▲  ack ok, set held at a known op ─────────────▲ │
 *    │                  │  └──────── again(hello), new life, adopted ──────┼─┤
 *    │     ack refused  ▼                          again(bootstrap), gap   │ │
 *    │               refused ──▶ greeting (retry)  bootstrapping ◀─────────┘ │
 *    └──────────────────────────── disconnected (from any state) ◀───────────┘
 */
import { digestEquals } from "../base/digest.ts";
import type { RouteOp } from "../route/route.ts";
import { batchOps } from "../wire/control.ts";
import type { AckResult, ControlBody, RoutesMark, Speaker, WireRouteOp } from "../wire/message.ts";
import type { AnnouncerNames, AnnouncerState, RouteSource, SpokenNumbers, State } from "./announcer-state.ts";
import { BootstrapParts } from "./bootstrap-parts.ts";
import type { Identity } from "./identity.ts";
import { offer } from "./offer.ts";
import type { LinkOutput } from "./output.ts";
import { PeerTerms } from "./peer-terms.ts";
import { refusalOf } from "./refusal.ts";
import { ResendTimer } from "./resend-timer.ts";
import { RouteLog } from "./route-log.ts";

/** A greeting is numbered connection × this + n, so that the Will, written before the first hello, knows its connection. */
export const GREETINGS_PER_CONNECTION = 1024;
/** Small enough for any broker's packet limit, large enough that 100,000 routes take some fifty messages. */
const PART_BYTES_MAX = 64 * 1024;
/** What a PUBLISH adds to its operations: headers, the control topic with two names, the envelope; and the least left for them. */
const PACKET_OVERHEAD_BYTES = 512;
const PART_BYTES_MIN = 256;
/** Route operations under way before the first is confirmed. */
const OPS_INFLIGHT_MAX = 10_000;
const HELLO_RETRY_MS = 1_000;
const HELLO_RETRY_CAP_MS = 10_000;
/** The peer said no: an operator has to change something, there is no hurry. */
const REFUSED_RETRY_MS = 10_000;

export type { AnnouncerNames, AnnouncerState, RouteSource } from "./announcer-state.ts";

export class Announcer {
  readonly #names: AnnouncerNames;
  readonly #identity: Identity;
  readonly #source: RouteSource;
  readonly #log: RouteLog;
  #state: State = { name: "idle" };
  #connection = 0;
  #partBytesMax = PART_BYTES_MAX;
  #greeting = 0;
  #bootstrap = 0;
  #ackedOp = 0;
  #sentOp = 0;
  readonly #resend = new ResendTimer();
  /** Of the peer's last answer to a greeting. */
  readonly terms = new PeerTerms();
  /** The peer has accepted a greeting of this process. */
  #wasAccepted = false;

  constructor(names: AnnouncerNames, identity: Identity, source: RouteSource) {
    this.#names = names;
    this.#identity = identity;
    this.#source = source;
    this.#greeting = names.after?.greeting ?? 0;
    this.#bootstrap = names.after?.bootstrap ?? 0;
    this.#log = new RouteLog(names.after?.op);
  }

  get state(): AnnouncerState {
    return this.#state.name;
  }

  /** Number of the last operation produced: every frame names it. */
  get lastOp(): number {
    return this.#log.lastOp;
  }

  /** Number of the last operation that the peer confirmed. */
  get ackedOp(): number {
    return this.#ackedOp;
  }

  get refusedWith(): AckResult | null {
    return this.#state.name === "refused" ? this.#state.result : null;
  }

  mark(): RoutesMark {
    return { op: this.#log.lastOp, count: this.#source.size, digest: this.#source.digest };
  }

  get deadlineMs(): number {
    switch (this.#state.name) {
      case "idle":
        return Number.POSITIVE_INFINITY;
      case "greeting":
      case "refused":
        return this.#state.retryAtMs;
      case "bootstrapping":
      case "online":
        return this.#resend.deadlineMs;
    }
  }

  /** Number of the last greeting; 0 before the first. */
  get greeting(): number {
    return this.#greeting;
  }

  /** The last ones used. */
  get numbers(): SpokenNumbers {
    return { greeting: this.#greeting, bootstrap: this.#bootstrap, op: this.#log.lastOp };
  }

  /** What the Will of the next connection says: the connection's number, so that a late Will is known as such. */
  nextWill(): ControlBody {
    return { type: "goodbye", kind: "lost", greeting: this.#nextConnection() * GREETINGS_PER_CONNECTION };
  }

  /** `packetBytesMax`: the largest packet that the broker on the way takes. */
  connected(nowMs: number, packetBytesMax = Number.POSITIVE_INFINITY): LinkOutput[] {
    this.#connection = this.#nextConnection();
    this.#partBytesMax = Math.max(PART_BYTES_MIN, Math.min(PART_BYTES_MAX, packetBytesMax - PACKET_OVERHEAD_BYTES));
    this.#greeting = this.#connection * GREETINGS_PER_CONNECTION;
    return this.greet(nowMs, "connected");
  }

  disconnected(why: string): LinkOutput[] {
    this.#resend.stop();
    return this.#enter({ name: "idle" }, why);
  }

  /** The route set changed: numbers the operations and sends what may be sent. The source holds them already. */
  announce(ops: readonly RouteOp[], nowMs: number): LinkOutput[] {
    if (ops.length === 0) return [];
    this.#log.append(ops, this.#source.digest, this.#source.size);
    return this.#state.name === "online" ? this.#sendOps(nowMs) : [];
  }

  /** Opens the conversation (again), with a greeting that no earlier acknowledgement fits. */
  greet(nowMs: number, why: string): LinkOutput[] {
    if (this.#connection === 0) return [];
    this.#greeting += 1;
    this.#resend.stop();
    if (this.#identity.isDuplicate(nowMs)) {
      const reason = `another running agent speaks as cluster "${this.#names.me}"`;
      const retryAtMs = this.#identity.duplicateUntilMs;
      const outputs = this.#enter({ name: "refused", result: "duplicate_agent", retryAtMs }, reason);
      if (outputs.length > 0) outputs.push({ type: "problem", code: "DUPLICATE_AGENT", reason });
      return outputs;
    }
    const outputs = this.#enter({ name: "greeting", retryAtMs: nowMs + HELLO_RETRY_MS, retryMs: HELLO_RETRY_MS }, why);
    outputs.push(...this.#hello(nowMs));
    return outputs;
  }

  /** The peer greets in a new life: it knows nothing of ours, and now it listens. */
  peerGreeted(nowMs: number): LinkOutput[] {
    if (this.#state.name !== "greeting") return this.greet(nowMs, "the peer greets in a new life");
    // The same greeting again: an answer to either will do.
    this.#state = { name: "greeting", retryAtMs: nowMs + HELLO_RETRY_MS, retryMs: HELLO_RETRY_MS };
    return this.#hello(nowMs);
  }

  ack(body: Extract<ControlBody, { type: "ack" }>, nowMs: number): LinkOutput[] {
    if (!this.isAwaited(body)) return [{ type: "count", what: "ack_stale" }];
    this.terms.answered(body, nowMs);
    if (body.result === "ok") return this.#accepted(body.have, nowMs);
    if (body.result === "old_incarnation") {
      // Too often, or no number that one could pass: the greeting is repeated when its time comes.
      if (!this.#identity.adopt(body.highest, this.#wasAccepted, nowMs)) return [{ type: "count", what: "ack_stale" }];
      return this.greet(nowMs, `the peer has seen incarnation ${body.highest}`);
    }
    if (body.result === "duplicate_agent") this.#identity.declareDuplicate(body.highest, nowMs);
    const { code, reason } = refusalOf(body.result, this.#names, body, this.#names.protocolVersion);
    const refused: State = { name: "refused", result: body.result, retryAtMs: nowMs + REFUSED_RETRY_MS };
    return [...this.#enter(refused, reason), { type: "problem", code, reason }];
  }

  /** An acknowledgement counts only for this life and this greeting: anything else is late, or somebody else's. */
  isAwaited(body: Extract<ControlBody, { type: "ack" }>): boolean {
    return this.#state.name === "greeting" && body.greeting === this.#greeting && this.#identity.isMe(body.of);
  }

  bootstrapAck(of: Speaker, bootstrap: number, nextPart: number, done: boolean, nowMs: number): LinkOutput[] {
    const state = this.#state;
    if (state.name !== "bootstrapping" || !this.#identity.isMe(of) || state.parts.number !== bootstrap) {
      return [{ type: "count", what: "ack_stale" }];
    }
    const { parts } = state;
    if (done) {
      this.#ackedOp = parts.mark.op;
      this.#sentOp = parts.mark.op;
      this.#calm();
      const outputs = this.#enter({ name: "online" }, `bootstrap of ${parts.mark.count} routes confirmed`);
      outputs.push({ type: "count", what: "bootstrap_done" });
      outputs.push(
        ...(this.#log.holds(this.#ackedOp + 1) ? this.#sendOps(nowMs) : this.bootstrap(nowMs, "log overflow")),
      );
      return outputs;
    }
    if (nextPart > parts.length) return [{ type: "count", what: "bad_message" }];
    // Only news is answered: an answer to each word that says nothing new would be answered in its turn, for ever.
    if (parts.confirm(nextPart)) this.#resend.calm();
    else if (parts.misses(nextPart) && this.#resend.mayAnswer(nowMs)) parts.rewind(nextPart);
    else return [];
    return this.#sendParts(parts, nowMs);
  }

  routesAck(of: Speaker, op: number, nowMs: number): LinkOutput[] {
    if (this.#state.name !== "online" || !this.#identity.isMe(of) || op > this.#log.lastOp) {
      return [{ type: "count", what: "ack_stale" }];
    }
    if (op > this.#ackedOp) {
      this.#ackedOp = op;
      this.#sentOp = Math.max(this.#sentOp, op);
      this.#calm();
      return this.#sendOps(nowMs);
    }
    // Confirming the same operation again means that a later one did not arrive.
    if (op === this.#ackedOp && this.#sentOp > op && this.#resend.mayAnswer(nowMs)) {
      this.#sentOp = op;
      return [{ type: "count", what: "resend" }, ...this.#sendOps(nowMs)];
    }
    return [];
  }

  /** Sends the whole set anew; what changes meanwhile follows as operations. */
  bootstrap(nowMs: number, why: string): LinkOutput[] {
    const routes: WireRouteOp[] = [];
    for (const route of this.#source.routes()) routes.push({ op: "add", filter: route.filter, groups: route.groups });
    this.#bootstrap += 1;
    this.#resend.calm();
    const parts = new BootstrapParts(this.#bootstrap, batchOps(routes, this.#partBytesMax), this.mark());
    const outputs = this.#enter({ name: "bootstrapping", parts }, why);
    outputs.push({ type: "count", what: "bootstrap_sent" });
    outputs.push(...this.#sendParts(parts, nowMs));
    return outputs;
  }

  /** The peer asks for a new bootstrap of what we believed it held. */
  againBootstrap(nowMs: number, why: string): LinkOutput[] {
    return this.#state.name === "online" || this.#state.name === "bootstrapping" ? this.bootstrap(nowMs, why) : [];
  }

  tick(nowMs: number): LinkOutput[] {
    const state = this.#state;
    switch (state.name) {
      case "idle":
        return [];
      case "greeting": {
        if (nowMs < state.retryAtMs) return [];
        const retryMs = Math.min(state.retryMs * 2, HELLO_RETRY_CAP_MS);
        this.#state = { name: "greeting", retryAtMs: nowMs + retryMs, retryMs };
        return this.#hello(nowMs);
      }
      case "refused":
        return nowMs < state.retryAtMs ? [] : this.#tryAgain(nowMs);
      case "bootstrapping":
        if (!this.#resend.isDue(nowMs)) return [];
        state.parts.rewind();
        return [{ type: "count", what: "resend" }, ...this.#sendParts(state.parts, nowMs)];
      case "online":
        if (!this.#resend.isDue(nowMs)) return [];
        this.#sentOp = this.#ackedOp;
        return [{ type: "count", what: "resend" }, ...this.#sendOps(nowMs)];
    }
  }

  #tryAgain(nowMs: number): LinkOutput[] {
    const changed = this.#identity.resume(nowMs);
    const outputs = this.greet(nowMs, "trying again");
    return changed ? [...outputs, { type: "identity_changed" }] : outputs;
  }

  #accepted(have: RoutesMark | null, nowMs: number): LinkOutput[] {
    this.#wasAccepted = true;
    if (have !== null && this.#log.agrees(have, this.mark(), digestEquals)) {
      this.#ackedOp = have.op;
      this.#sentOp = have.op;
      this.#calm();
      return [...this.#enter({ name: "online" }, "the peer still holds our routes"), ...this.#sendOps(nowMs)];
    }
    return this.bootstrap(nowMs, have === null ? "the peer holds no routes of this life" : "the peer's routes differ");
  }

  /** A connection with more greetings than its share takes those of the next: no number is ever used twice. */
  #nextConnection(): number {
    return Math.max(this.#connection, Math.floor(this.#greeting / GREETINGS_PER_CONNECTION)) + 1;
  }

  #hello(nowMs: number): LinkOutput[] {
    this.terms.greets(nowMs);
    const body: ControlBody = {
      type: "hello",
      greeting: this.#greeting,
      to: this.#names.peer,
      from: this.#names.me,
      agentVersion: this.#names.agentVersion,
      protocolMin: this.#names.protocolVersion,
      protocolMax: this.#names.protocolVersion,
      frameBytesMax: this.#names.frameBytesMax,
      ...offer(this.#names),
    };
    return [
      { type: "count", what: "hello_sent" },
      { type: "send", body },
    ];
  }

  #sendParts(parts: BootstrapParts, nowMs: number): LinkOutput[] {
    this.#resend.start(nowMs);
    return parts.next().map((body) => ({ type: "send", body }));
  }

  #sendOps(nowMs: number): LinkOutput[] {
    if (!this.#log.holds(this.#ackedOp + 1))
      return this.bootstrap(nowMs, "the operations to repeat are no longer kept");
    const outputs: LinkOutput[] = [];
    const last = Math.min(this.#log.lastOp, this.#ackedOp + OPS_INFLIGHT_MAX);
    if (this.#sentOp < last) {
      let firstOp = this.#sentOp + 1;
      for (const ops of batchOps(this.#log.slice(firstOp, last), this.#partBytesMax)) {
        outputs.push({ type: "send", body: { type: "routes", firstOp, ops } });
        firstOp += ops.length;
      }
      this.#sentOp = last;
    }
    if (this.#sentOp > this.#ackedOp) this.#resend.start(nowMs);
    else this.#resend.stop();
    return outputs;
  }

  #calm(): void {
    this.#resend.calm();
    this.#log.forget(this.#ackedOp);
  }

  #enter(state: State, why: string): LinkOutput[] {
    const from = this.#state.name;
    this.#state = state;
    return from === state.name ? [] : [{ type: "state", half: "out", from, to: state.name, why }];
  }
}
