/**
 * The conversation with one peer: decodes what arrives, decides who is listened to, and pairs the outgoing half (our
 * routes) with the incoming one (theirs). It treats the network as datagrams: any message may be lost, repeated, late
 * or from an earlier life. Undecodable bytes end the conversation, which starts again cleanly; they are never patched over.
 */
import type { ErrorCode } from "../base/error-codes.ts";
import type { RouteOp } from "../route/route.ts";
import { decodeControl } from "../wire/control.ts";
import { isOfLaterVersion } from "../wire/envelope.ts";
import type { AckResult, BacklogWord, ControlBody, ControlMessage, Speaker, WireProblem } from "../wire/message.ts";
import { Acceptor, type AcceptorState, SILENCE_MS } from "./acceptor.ts";
import { Announcer, type RouteSource } from "./announcer.ts";
import type { AnnouncerNames } from "./announcer-state.ts";
import { Heartbeat, NO_BACKLOG, NO_TROUBLE } from "./heartbeat.ts";
import type { Identity } from "./identity.ts";
import { offer } from "./offer.ts";
import type { LinkOutput } from "./output.ts";
import { protocolReason } from "./refusal.ts";

export const HEARTBEAT_MS = 10_000;
/** Bad bytes are answered at most this often, and start the conversation anew at most this often. */
const BAD_MESSAGE_MS = 1_000;

const ANYBODY: Speaker = { incarnation: 0, instance: "0000000000000000" };

export interface ConversationOptions extends AnnouncerNames {
  readonly routesMax: number;
  readonly routeRetentionMs: number;
}

export class Conversation {
  readonly announcer: Announcer;
  readonly acceptor: Acceptor;
  readonly #options: ConversationOptions;
  readonly #identity: Identity;
  #connected = false;
  #heartbeatAtMs = Number.POSITIVE_INFINITY;
  readonly #heartbeat = new Heartbeat();
  /** What the peer's last heartbeat said of backlogs. */
  #peerBacklog = NO_BACKLOG;
  /** The last control message of the speaker that is listened to. */
  #wordAtMs = Number.NEGATIVE_INFINITY;
  #lastBadMs = Number.NEGATIVE_INFINITY;
  #peerVersion: string | null = null;
  /** The peer's last greeting, when it came while we had no connection to answer on. */
  #owed: { readonly of: Speaker; readonly greeting: number } | null = null;

  constructor(options: ConversationOptions, identity: Identity, source: RouteSource) {
    this.#options = options;
    this.#identity = identity;
    this.announcer = new Announcer(options, identity, source);
    this.acceptor = new Acceptor(options.routesMax, options.routeRetentionMs);
  }

  get peerVersion(): string | null {
    return this.#peerVersion;
  }

  get deadlineMs(): number {
    return Math.min(this.announcer.deadlineMs, this.acceptor.deadlineMs, this.#heartbeatAtMs);
  }

  /** The state of the peer's half. Frames alone do not keep it up: they say nothing of the peer's routes, nor of ours. */
  inState(nowMs: number): AcceptorState {
    const { state } = this.acceptor;
    return state === "online" && nowMs - this.#wordAtMs >= SILENCE_MS ? "silent" : state;
  }

  /** `packetBytesMax`: the largest packet that the broker on the way takes. */
  connected(nowMs: number, packetBytesMax = Number.POSITIVE_INFINITY): LinkOutput[] {
    this.#connected = true;
    this.#heartbeatAtMs = nowMs + HEARTBEAT_MS;
    const outputs = this.announcer.connected(nowMs, packetBytesMax);
    // Where both sides dial, one is up first: its greeting must not have to be repeated, a second later.
    const owed = this.#owed;
    this.#owed = null;
    if (owed !== null && this.acceptor.standing(owed.of) === "current") {
      outputs.push(this.ackOf(owed.of, owed.greeting, "ok"));
    }
    return outputs;
  }

  disconnected(why: string): LinkOutput[] {
    this.#connected = false;
    this.#heartbeatAtMs = Number.POSITIVE_INFINITY;
    return this.announcer.disconnected(why);
  }

  /** The peer cannot know it, and is told: at once when it changes, and with every heartbeat. */
  framesRefused(reasonCode: number, nowMs: number): void {
    this.#heartbeat.framesRefused = reasonCode;
    this.#tellSoon(nowMs);
  }

  /** Told in the same way. */
  backlog(word: BacklogWord, nowMs: number): void {
    this.#heartbeat.backlog = word;
    this.#tellSoon(nowMs);
  }

  get peerBacklog(): BacklogWord {
    return this.#peerBacklog;
  }

  announce(ops: readonly RouteOp[], nowMs: number): LinkOutput[] {
    return this.announcer.announce(ops, nowMs);
  }

  /** Our identity changed (another link learnt of a higher incarnation): greet anew. */
  identityChanged(nowMs: number): LinkOutput[] {
    return this.#connected ? this.announcer.greet(nowMs, "new incarnation") : [];
  }

  receive(bytes: Uint8Array, nowMs: number): LinkOutput[] {
    const decoded = decodeControl(bytes);
    if (!decoded.ok) return this.undecodable("control message", decoded.problem, nowMs);
    const outputs = this.#dispatch(decoded.value, nowMs);
    if (this.acceptor.standing(decoded.value.speaker) === "current") this.#wordAtMs = nowMs;
    // Whoever was told that nothing is heard of it should not have to wait for the next heartbeat.
    this.#tellSoon(nowMs);
    return outputs;
  }

  /** Bytes that could not be understood, of a control message or a frame (`what`). */
  undecodable(what: string, problem: WireProblem, nowMs: number): LinkOutput[] {
    if (problem === "optional_type") return [{ type: "count", what: "optional_skipped" }];
    const code: ErrorCode = isOfLaterVersion(problem) ? "PROTOCOL_MISMATCH" : "BAD_MESSAGE";
    return this.bad(code, `${what}: ${problem}`, nowMs);
  }

  /** Bytes that no agent of this protocol sends: the conversation ends and starts again. */
  bad(code: ErrorCode, reason: string, nowMs: number): LinkOutput[] {
    const outputs: LinkOutput[] = [{ type: "count", what: "bad_message" }];
    if (nowMs - this.#lastBadMs < BAD_MESSAGE_MS) return outputs;
    this.#lastBadMs = nowMs;
    outputs.push({ type: "problem", code, reason });
    if (!this.#connected) return outputs;
    const of = this.acceptor.speaker;
    outputs.push({
      type: "send",
      body: { type: "again", of: of.incarnation === 0 ? ANYBODY : of, what: "hello", reason: "bad_message" },
    });
    outputs.push(...this.announcer.greet(nowMs, "bad bytes"));
    return outputs;
  }

  goodbye(kind: "pause" | "leave"): LinkOutput[] {
    return this.#connected
      ? [{ type: "send", body: { type: "goodbye", kind, greeting: this.announcer.greeting } }]
      : [];
  }

  tick(nowMs: number): LinkOutput[] {
    const outputs = [...this.announcer.tick(nowMs), ...this.acceptor.tick(nowMs)];
    this.#tellSoon(nowMs);
    if (nowMs >= this.#heartbeatAtMs) {
      this.#heartbeatAtMs = nowMs + HEARTBEAT_MS;
      if (this.announcer.state === "online") {
        outputs.push({ type: "send", body: this.#heartbeat.body(this.announcer.mark(), this.#isUnheard(nowMs)) });
      }
    }
    return outputs;
  }

  #isUnheard(nowMs: number): boolean {
    return this.inState(nowMs) === "silent";
  }

  /** Only who is online says heartbeats: until then the trouble waits, and is said with the first. */
  #tellSoon(nowMs: number): void {
    if (this.announcer.state !== "online" || !this.#heartbeat.hasNews(this.#isUnheard(nowMs))) return;
    this.#heartbeatAtMs = Math.min(this.#heartbeatAtMs, nowMs);
  }

  #dispatch(message: ControlMessage, nowMs: number): LinkOutput[] {
    const { speaker, body } = message;
    // Messages about our own half are for whom they name, whoever speaks: their owner checks.
    switch (body.type) {
      case "hello":
        return this.#hello(speaker, body, nowMs);
      case "ack":
        // What an earlier life of the peer held died with it. That we are old is so whoever says it; where both clocks went
        // back behind what the other remembers, nobody else could.
        if (this.acceptor.standing(speaker) === "older" && body.result !== "old_incarnation")
          return [{ type: "count", what: "ack_stale" }];
        return this.#ack(body, nowMs);
      case "again":
        return this.#again(body, nowMs);
      case "settled":
        return [
          ...this.#listen(speaker, nowMs),
          { type: "settled", stream: body.stream, upTo: body.upTo, ranges: body.ranges },
        ];
      case "bootstrap_ack":
        return [
          ...this.#listen(speaker, nowMs),
          ...this.announcer.bootstrapAck(body.of, body.bootstrap, body.nextPart, body.done, nowMs),
        ];
      case "routes_ack":
        return [...this.#listen(speaker, nowMs), ...this.announcer.routesAck(body.of, body.op, nowMs)];
      case "refused":
        if (!this.#identity.isMe(body.of)) return [{ type: "count", what: "late_message" }];
        return [
          ...this.#listen(speaker, nowMs),
          { type: "refused", filter: body.filter, reasonCode: body.reasonCode, refused: body.refused },
        ];
      case "bootstrap":
      case "bootstrap_end":
      case "routes":
      case "heartbeat":
      case "goodbye":
        return this.#peerHalf(speaker, body, nowMs);
    }
  }

  /** Notes that the current speaker lives; answers nothing for others, whose word about our half may still be true. */
  #listen(speaker: Speaker, nowMs: number): LinkOutput[] {
    const outputs: LinkOutput[] = [];
    if (this.acceptor.standing(speaker) === "current" && this.acceptor.state !== "left")
      this.acceptor.heard(nowMs, outputs);
    return outputs;
  }

  #peerHalf(
    speaker: Speaker,
    body: Extract<ControlBody, { type: "bootstrap" | "bootstrap_end" | "routes" | "heartbeat" | "goodbye" }>,
    nowMs: number,
  ): LinkOutput[] {
    if (this.acceptor.standing(speaker) !== "current" || this.acceptor.state === "left") {
      return body.type === "goodbye"
        ? [{ type: "count", what: "late_message" }]
        : this.acceptor.stranger(speaker, nowMs);
    }
    const outputs: LinkOutput[] = [];
    if (body.type === "goodbye") {
      this.acceptor.goodbye(body, nowMs, outputs);
      return outputs;
    }
    this.acceptor.heard(nowMs, outputs);
    switch (body.type) {
      case "bootstrap":
        return this.acceptor.bootstrapPart(body, outputs)
          ? outputs
          : [...outputs, ...this.bad("BAD_MESSAGE", "route of no use", nowMs)];
      case "bootstrap_end":
        this.acceptor.bootstrapEnd(body, nowMs, outputs);
        return outputs;
      case "routes":
        return this.acceptor.routesBatch(body, nowMs, outputs)
          ? outputs
          : [...outputs, ...this.bad("BAD_MESSAGE", "route of no use", nowMs)];
      case "heartbeat":
        this.acceptor.heartbeat(body.mark, nowMs, outputs);
        this.#peerBacklog = body.backlog ?? NO_BACKLOG;
        outputs.push({ type: "trouble", trouble: body.trouble ?? NO_TROUBLE });
        return outputs;
    }
  }

  #hello(speaker: Speaker, body: Extract<ControlBody, { type: "hello" }>, nowMs: number): LinkOutput[] {
    if (body.from !== this.#options.peer || body.to !== this.#options.me) {
      return [this.ackOf(speaker, body.greeting, "wrong_name")];
    }
    const { protocolVersion } = this.#options;
    if (body.protocolMin > protocolVersion || body.protocolMax < protocolVersion) {
      const reason = protocolReason(body.from, body, protocolVersion);
      return [
        { type: "problem", code: "PROTOCOL_MISMATCH", reason },
        this.ackOf(speaker, body.greeting, "protocol_mismatch"),
      ];
    }
    const standing = this.acceptor.standing(speaker);
    if (standing === "older")
      return [{ type: "count", what: "old_incarnation" }, this.ackOf(speaker, body.greeting, "old_incarnation")];
    if (standing === "double") return [this.ackOf(speaker, body.greeting, "duplicate_agent")];
    this.#owed = this.#connected ? null : { of: speaker, greeting: body.greeting };
    this.#peerVersion = body.agentVersion;
    const wasGone = this.acceptor.state === "left";
    const outputs = this.acceptor.hello(speaker, body.greeting, nowMs);
    outputs.push(this.ackOf(speaker, body.greeting, "ok"), { type: "peer_greeted" });
    outputs.push({ type: "states", word: body.states ?? null });
    if (standing === "newer") {
      this.#peerBacklog = NO_BACKLOG;
      outputs.push({ type: "trouble", trouble: NO_TROUBLE });
    }
    // Whoever had no link to us, or had switched it off, and greets now, has one; and knows nothing of our routes.
    const { refusedWith } = this.announcer;
    const hadNoLink = refusedWith === "unknown_link" || refusedWith === "link_disabled";
    if ((standing === "newer" || hadNoLink || wasGone) && this.#connected)
      outputs.push(...this.announcer.peerGreeted(nowMs));
    return outputs;
  }

  #ack(body: Extract<ControlBody, { type: "ack" }>, nowMs: number): LinkOutput[] {
    const before = this.#identity.incarnation;
    const hasNoLink =
      (body.result === "unknown_link" || body.result === "link_disabled") && this.announcer.isAwaited(body);
    const isWelcome = body.result === "ok" && this.announcer.isAwaited(body);
    const outputs = this.announcer.ack(body, nowMs);
    // Before any frame leaves: it may hold a state that this peer must not be sent.
    if (isWelcome) outputs.push({ type: "states", word: body.states ?? null });
    // Whoever has no link to us wants nothing of us: its routes would only fill the spool.
    if (hasNoLink) this.acceptor.leave("the peer has no link to this cluster (any more)", outputs);
    if (this.#identity.incarnation !== before) {
      outputs.push({
        type: "problem",
        code: "CLOCK_WENT_BACK",
        reason: `the peer has seen incarnation ${body.highest} of this cluster`,
      });
    }
    return outputs;
  }

  #again(body: Extract<ControlBody, { type: "again" }>, nowMs: number): LinkOutput[] {
    const forAnybody = body.of.incarnation === 0;
    if (!forAnybody && !this.#identity.isMe(body.of)) return [{ type: "count", what: "late_message" }];
    const outputs: LinkOutput[] = [{ type: "count", what: "again_received" }];
    if (!this.#connected) return outputs;
    if (body.what === "bootstrap")
      outputs.push(...this.announcer.againBootstrap(nowMs, `the peer asks: ${body.reason}`));
    else if (this.announcer.state !== "greeting")
      outputs.push(...this.announcer.greet(nowMs, `the peer asks: ${body.reason}`));
    return outputs;
  }

  ackOf(of: Speaker, greeting: number, result: AckResult): LinkOutput {
    return {
      type: "send",
      body: {
        type: "ack",
        greeting,
        of,
        name: this.#options.me,
        result,
        highest: this.acceptor.highest,
        have: result === "ok" ? this.acceptor.have(of) : null,
        protocolMin: this.#options.protocolVersion,
        protocolMax: this.#options.protocolVersion,
        frameBytesMax: this.#options.frameBytesMax,
        ...offer(this.#options),
      },
    };
  }
}
