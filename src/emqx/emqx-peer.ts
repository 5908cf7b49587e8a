/**
 * The other end of a link whose peer is an EMQX cluster that knows nothing of us: a peer of our own kind to the hub, a node of
 * another EMQX cluster to EMQX. So everything that a link is made of (spool, records, demand, retention, allow-lists, the
 * loop mark) works for EMQX as for any peer. Pure: bytes and answers come in, everything that leaves goes through the world.
 *
 *   hub ── hello, routes, frames ──▶ listening voice ──▶ announcer, outgoing ──▶ EMQX
 *   hub ◀── hello, routes, frames ── announcing voice ◀── registrar, incoming ◀── EMQX, by way of the local broker
 */

import type { Inflate } from "../etf/read-term.ts";
import { aged } from "../flow/expiry.ts";
import { markProperties, readMark } from "../flow/mark.ts";
import { decodeControl } from "../wire/control.ts";
import { decodeFrame, FRAME_BYTES_MAX } from "../wire/frame.ts";
import type { ControlMessage, Speaker } from "../wire/message.ts";
import { ACTOR_TTL_MS } from "./actor.ts";
import { type AnnouncerOutput, EmqxAnnouncer } from "./announcer.ts";
import { AnnouncingVoice } from "./announcing-voice.ts";
import { decodeEmqxControl } from "./control.ts";
import { decodeEmqxMessage, encodeEmqxMessage } from "./emqx-message.ts";
import { emqxRefusal } from "./emqx-refusal.ts";
import type { EmqxPeerOptions, EmqxWorld } from "./emqx-world.ts";
import { Incoming } from "./incoming.ts";
import { ListeningVoice } from "./listening-voice.ts";
import { MessageIds } from "./message-ids.ts";
import { messageTopic } from "./names.ts";
import { Outgoing } from "./outgoing.ts";
import { Registrar, type RegistrarOutput, type ReplyTo } from "./registrar.ts";

/** Bytes that nobody can read are said to be so this often. */
const BAD_MS = 10_000;
/** Ours have sixteen. */
const CORRELATION_BYTES = 64;

export class EmqxPeer {
  readonly #options: EmqxPeerOptions;
  readonly #world: EmqxWorld;
  readonly #inflate: Inflate;
  readonly #announcer: EmqxAnnouncer;
  readonly #registrar: Registrar;
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  readonly #announcing: AnnouncingVoice;
  readonly #listening: ListeningVoice;
  /** What the hub said since the last turn. */
  #fromHub: (() => void)[] = [];
  #hasNews = false;
  #isAccepted = false;
  #isConnected = false;
  /** The largest packet that EMQX takes; null: no connection for messages. */
  #packetBytesMax: number | null = null;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  /** EMQX does not want us: that is to be seen until it answers otherwise. */
  #isRefused = false;
  #isUp = false;
  #isLeaving = false;
  #badAtMs = Number.NEGATIVE_INFINITY;

  /** `earlier`: filters of the peer that are in force in the hub already. */
  constructor(options: EmqxPeerOptions, world: EmqxWorld, inflate: Inflate, earlier: Iterable<string>, nowMs: number) {
    const { me, peer, incarnation, peerIncarnation, randomHex16, routesMax, routeRetentionMs } = options;
    this.#options = options;
    this.#world = world;
    this.#inflate = inflate;
    this.#announcer = new EmqxAnnouncer({ me, peer, actor: options.actor, incarnation, randomHex16 });
    this.#registrar = new Registrar({ me, peer, routesMax, routeRetentionMs }, earlier, nowMs);
    const ids = new MessageIds(`${me} ${randomHex16()}`);
    this.#outgoing = new Outgoing(
      (atMs) => ids.next(atMs),
      (reason, count) => world.dropped("out", reason, count),
    );
    const repeats = (): void => world.dropped("in", "duplicate", 1);
    this.#incoming = new Incoming((token) => world.acknowledge(token), repeats);
    const speaker = (): Speaker => ({ incarnation: peerIncarnation, instance: randomHex16() });
    const send = (bytes: Uint8Array): void => world.hubControl(bytes);
    this.#announcing = new AnnouncingVoice({ me, peer }, speaker(), randomHex16(), this.#registrar.routes, send);
    this.#listening = new ListeningVoice(peer, speaker(), send);
  }

  get deadlineMs(): number {
    if (this.#fromHub.length > 0 || this.#hasNews) return Number.NEGATIVE_INFINITY;
    const silentMs =
      this.#isUp && !this.#isConnected && !this.#isRefused ? this.#heardAtMs + ACTOR_TTL_MS : Number.POSITIVE_INFINITY;
    return Math.min(
      this.#announcer.deadlineMs,
      this.#registrar.deadlineMs,
      this.#announcing.deadlineMs,
      this.#outgoing.deadlineMs,
      this.#incoming.deadlineMs,
      silentMs,
    );
  }

  /** Whether EMQX has all of our routes. */
  get isSettled(): boolean {
    return this.#announcer.settledRevision === this.#announcer.revision;
  }

  /** The hub has taken leave: our routes go. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  // ── the hub ──────────────────────────────────────────────────────────────────────────────────────

  hubControl(bytes: Uint8Array, nowMs: number): void {
    const decoded = decodeControl(bytes);
    if (decoded.ok) this.#fromHub.push(() => this.#hubSays(decoded.value, nowMs));
  }

  hubFrame(bytes: Uint8Array, nowMs: number): void {
    const decoded = decodeFrame(bytes);
    if (decoded.ok) this.#fromHub.push(() => this.#outgoing.frame(decoded.value, nowMs));
  }

  // ── EMQX, where we are connected to it ───────────────────────────────────────────────────────────

  connected(packetBytesMax: number, nowMs: number): void {
    this.#isConnected = true;
    this.#hasNews = true;
    this.#perform(this.#announcer.connected(packetBytesMax, nowMs));
  }

  disconnected(why: string, nowMs: number): void {
    this.#announcer.disconnected();
    this.#isConnected = false;
    // The hub has to greet anew, and is answered when EMQX accepts us again. What was refused it greets anew by itself.
    if (this.#isAccepted && this.#isUp) this.#world.linkDown(why);
    this.#isUp &&= !this.#isAccepted;
    this.#isAccepted = false;
    this.#reconcile(nowMs);
  }

  subscribed(reasonCode: number | null, nowMs: number): void {
    this.#perform(this.#announcer.subscribed(reasonCode, nowMs));
  }

  greeted(reasonCode: number | null, nowMs: number): void {
    this.#perform(this.#announcer.greeted(reasonCode, nowMs));
  }

  batchConfirmed(batch: number, reasonCode: number | null, nowMs: number): void {
    this.#perform(this.#announcer.confirmed(batch, reasonCode, nowMs));
    this.#hasNews = true;
  }

  response(bytes: Uint8Array, correlation: Uint8Array | null, nowMs: number): void {
    const decoded = decodeEmqxControl(bytes, this.#inflate);
    const text = String.fromCharCode(...(correlation ?? []).slice(0, CORRELATION_BYTES));
    if (decoded.ok) this.#perform(this.#announcer.response(decoded.value, text, nowMs));
    else this.#bad(`an answer (${decoded.problem})`, nowMs);
    this.#hasNews = true;
  }

  messagesConnected(packetBytesMax: number): void {
    this.#packetBytesMax = packetBytesMax;
    this.#outgoing.connected();
    this.#hasNews = true;
  }

  messagesDisconnected(): void {
    this.#packetBytesMax = null;
    this.#outgoing.disconnected();
  }

  messageAnswered(token: number, reasonCode: number | null, nowMs: number): void {
    if (this.#outgoing.answered(token, reasonCode, nowMs)) this.#world.messagesAnswered(this.#outgoing.refusedWith);
    this.#hasNews = true;
  }

  // ── EMQX, where it speaks to the local broker ────────────────────────────────────────────────────

  /** A word of one of its actors. */
  control(bytes: Uint8Array, reply: ReplyTo, nowMs: number): void {
    const decoded = decodeEmqxControl(bytes, this.#inflate);
    if (decoded.ok) this.#registrarSays(this.#registrar.receive(decoded.value, reply, nowMs));
    else this.#bad(`a word of an actor (${decoded.problem})`, nowMs);
    if (this.#registrar.heardAtMs === nowMs) this.#heard(nowMs);
  }

  /** `token`: acknowledged once the hub has it; null: nobody waits. */
  message(bytes: Uint8Array, token: number | null, nowMs: number): void {
    const decoded = decodeEmqxMessage(bytes, this.#inflate);
    const isLoop =
      decoded.ok && readMark(decoded.value.message.properties, decoded.value.message.topic).kind === "fits";
    if (!decoded.ok) this.#bad(`a message (${decoded.problem})`, nowMs);
    if (!decoded.ok || isLoop) {
      this.#world.dropped("in", isLoop ? "loop_mark" : "bad_message", 1);
      if (token !== null) this.#world.acknowledge(token);
      return;
    }
    this.#heard(nowMs);
    const { message, id } = decoded.value;
    // A copy: the packet is a part of a larger buffer that would live as long.
    this.#incoming.take({ message: { ...message, payload: message.payload.slice() }, id: id.slice(), token });
    this.#hasNews = true;
  }

  /** The broker may not have passed on everything that EMQX's actors said. */
  lostTrack(nowMs: number): void {
    this.#registrarSays(this.#registrar.lostTrack(nowMs));
  }

  // ── turns ────────────────────────────────────────────────────────────────────────────────────────

  run(nowMs: number): void {
    this.#hasNews = false;
    this.#reconcile(nowMs);
    for (const work of this.#fromHub.splice(0)) work();
    this.#registrarSays(this.#registrar.tick(nowMs));
    this.#perform(this.#announcer.tick(nowMs));
    this.#announcing.announce(this.#registrar.takeOps(), nowMs);
    this.#announcing.tick(nowMs);
    this.#perform(this.#announcer.next());
    if (this.#isAccepted && this.#packetBytesMax !== null) this.#listening.answer("ok", this.#packetBytesMax);
    this.#listening.confirmed(this.#announcer.settledRevision);
    this.#sendMessages(nowMs);
    this.#incoming.tick(nowMs);
    while (this.#isUp && this.#incoming.hasNews) {
      const base = this.#incoming.base;
      const messages = this.#incoming.next(nowMs);
      if (messages.length === 0) break;
      this.#world.hubFrame(this.#announcing.frame(messages, base));
    }
  }

  #sendMessages(nowMs: number): void {
    const { me, from } = this.#options;
    for (const { token, message, id, ageMs } of this.#outgoing.pump(this.#listening.readyOp, nowMs)) {
      const fresh = aged(message, ageMs);
      if (fresh === null) {
        this.#outgoing.expired(token);
        continue;
      }
      const properties = markProperties(fresh.properties, me, fresh.topic);
      const bytes = encodeEmqxMessage({ id, from, timestampMs: nowMs, message: { ...fresh, properties } });
      this.#world.message(token, messageTopic(me), bytes, fresh.qos);
    }
    const news = this.#outgoing.news();
    if (news !== null) this.#listening.settled(news);
  }

  #hubSays(message: ControlMessage, nowMs: number): void {
    const { body } = message;
    switch (body.type) {
      case "ack":
      case "bootstrap_ack":
      case "routes_ack":
      case "again":
        this.#announcing.answered(body, nowMs);
        break;
      case "settled":
        if (body.stream === this.#announcing.stream) this.#incoming.settled(body.upTo, body.ranges, nowMs);
        break;
      case "goodbye":
        if (body.kind !== "leave") break;
        this.#isLeaving = true;
        this.#announcer.withdraw();
        break;
      default:
        this.#listening.receive(message, (changes) => {
          for (const { filter, groups } of changes) this.#announcer.change(filter, groups);
          return this.#announcer.revision;
        });
        break;
    }
  }

  #heard(nowMs: number): void {
    this.#heardAtMs = nowMs;
    this.#reconcile(nowMs);
    // A heartbeat speaks of the routes as they are: whatever changed them is said before.
    this.#announcing.announce(this.#registrar.takeOps(), nowMs);
    this.#announcing.heard(nowMs);
    this.#hasNews = true;
  }

  /** A link is up when one way of it is: what comes in needs an answer, be it that nothing goes out. */
  #reconcile(nowMs: number): void {
    const isUp = this.#isConnected || this.#isRefused || nowMs - this.#heardAtMs < ACTOR_TTL_MS;
    if (isUp === this.#isUp) return;
    this.#isUp = isUp;
    if (!isUp) {
      this.#world.linkDown("EMQX is not connected, and silent");
      return;
    }
    this.#world.linkUp(FRAME_BYTES_MAX);
    this.#incoming.again();
  }

  #perform(outputs: readonly AnnouncerOutput[]): void {
    const world = this.#world;
    for (const output of outputs) {
      switch (output.type) {
        case "subscribe":
          world.subscribe(output.filter);
          break;
        case "greet":
          world.greet(output.topic, output.bytes, output.responseTopic, output.correlation);
          break;
        case "batch":
          world.batch(output.batch, output.topic, output.bytes);
          break;
        case "heartbeat":
          world.heartbeat(output.topic, output.bytes);
          break;
        case "reconnect":
          world.reconnect(output.delayMs, output.why);
          break;
        case "accepted":
          this.#isAccepted = true;
          this.#isRefused = false;
          this.#hasNews = true;
          break;
        case "refused":
          this.#refused(output.reason);
          break;
      }
    }
  }

  #refused(reason: string): void {
    const { me, peer } = this.#options;
    const { result, problem } = emqxRefusal(reason, me, peer);
    // What the hub said before belongs to the greeting that is refused.
    for (const work of this.#fromHub.splice(0)) work();
    this.#isRefused = result !== null;
    if (result !== null) this.#listening.answer(result, FRAME_BYTES_MAX);
    if (problem !== null) this.#world.problem(problem.code, problem.reason);
  }

  #registrarSays(outputs: readonly RegistrarOutput[]): void {
    const world = this.#world;
    for (const output of outputs) {
      this.#hasNews = true;
      if (output.type === "answer") world.answer(output.topic, output.correlation, output.bytes);
      else if (output.type === "kick") world.kick(output.actor, output.nodes);
      else if (output.type === "problem") world.problem(output.code, output.reason);
      else world.count(output.what);
    }
  }

  #bad(what: string, nowMs: number): void {
    this.#world.count("bad_message");
    if (Math.abs(nowMs - this.#badAtMs) < BAD_MS) return;
    this.#badAtMs = nowMs;
    this.#world.problem("BAD_MESSAGE", `${what} of the EMQX cluster "${this.#options.peer}" could not be understood`);
  }
}
