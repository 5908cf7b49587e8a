/**
 * Where the actors of one EMQX cluster are heard: greetings answered as EMQX answers them, routes and heartbeats taken, and
 * what went wrong mended. Pure.
 *
 * EMQX speaks to an EMQX it is connected to, which ends the connection of whoever breaks the rules, or of whom it has lost
 * track. Here a broker lies between, which has confirmed every word already: the one way to make an actor begin again is to
 * take its session over for a moment (`kick`). Until it has, what it wants is not known, and after two vain attempts it is
 * everything.
 *
 * An actor that falls silent while others of its cluster speak was a node that is gone: its routes go after a minute, as in
 * EMQX. When all are silent, the peer is away, and its routes stay for the retention time.
 */
import type { ErrorCode } from "../base/error-codes.ts";
import type { RouteOp } from "../route/route.ts";
import { ACTOR_TTL_MS, Actor } from "./actor.ts";
import { EMQX_PROTOCOL, type EmqxControl, encodeEmqxControl } from "./control.ts";
import { isResponseTopic } from "./names.ts";
import { RemoteRoutes } from "./remote-routes.ts";

/** Nodes of one cluster, and their durable sessions. */
const ACTORS_MAX = 64;
const ACTOR_NAME_UNITS_MAX = 512;
/** A node that is gone, by the word of the others. */
const GONE_MS = 2 * ACTOR_TTL_MS;
/** EMQX connects again after five seconds, at the latest; sooner again would only end that connection too. */
const KICK_MS = 15_000;
const KICKS_BEFORE_WIDE = 2;
/** What an earlier life of ours knew is not asked after until every node had time to say it anew. */
const SEED_MS = 30_000;
const SEED = "";

export interface RegistrarOptions {
  /** This cluster. */
  readonly me: string;
  /** The link's name: the other one. */
  readonly peer: string;
  readonly routesMax: number;
  readonly routeRetentionMs: number;
}

/** What the publisher of a control message wants its answer to go by. */
export interface ReplyTo {
  readonly topic: string | null;
  readonly correlation: Uint8Array | null;
}

export type RegistrarOutput =
  | {
      readonly type: "answer";
      readonly topic: string;
      readonly correlation: Uint8Array;
      readonly bytes: Uint8Array;
    }
  | { readonly type: "kick"; readonly actor: string; readonly nodes: readonly string[] }
  | { readonly type: "problem"; readonly code: ErrorCode; readonly reason: string }
  | { readonly type: "count"; readonly what: "old_incarnation" | "bad_message" | "routes_overflow" };

export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #actors = new Map<string, Actor>();
  readonly #kicks = new Map<string, { count: number; atMs: number }>();
  readonly routes = new RemoteRoutes();
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #firstInitMs: number | null = null;
  #tickedAtMs = Number.NEGATIVE_INFINITY;

  /** `earlier`: filters in force from an earlier life; they stay until the actors have said theirs. */
  constructor(options: RegistrarOptions, earlier: Iterable<string>, nowMs: number) {
    this.#options = options;
    const seed = new Actor(SEED, 0, this.routes, nowMs);
    for (const filter of earlier) seed.add(filter, filter, nowMs);
    if (seed.size > 0) this.#actors.set(SEED, seed);
  }

  /** When any actor was heard last. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  get deadlineMs(): number {
    let deadlineMs = Number.POSITIVE_INFINITY;
    for (const actor of this.#actors.values()) deadlineMs = Math.min(deadlineMs, this.#deadlineOf(actor));
    return deadlineMs;
  }

  takeOps(): RouteOp[] {
    return this.routes.takeOps();
  }

  receive(message: EmqxControl, reply: ReplyTo, nowMs: number): RegistrarOutput[] {
    if (message.op === "actor_init_ack" || message.actor === SEED || message.actor.length > ACTOR_NAME_UNITS_MAX)
      return [{ type: "count", what: "bad_message" }];
    if (message.op === "actor_init") return this.#init(message, reply, nowMs);
    this.#heardAtMs = nowMs;
    const actor = this.#actors.get(message.actor) ?? this.#create(message.actor, message.incarnation, nowMs);
    if (actor === null) return [{ type: "count", what: "routes_overflow" }];
    // Of a connection that has ended: its actor has another one by now.
    if (message.incarnation < actor.incarnation && actor.state !== "doubtful")
      return [{ type: "count", what: "old_incarnation" }];
    actor.heardAtMs = nowMs;
    if (message.incarnation !== actor.incarnation) actor.doubt(nowMs);
    const outputs: RegistrarOutput[] = [];
    if (message.op === "route") this.#apply(actor, message, nowMs, outputs);
    if (actor.state === "doubtful") this.#kick(actor, nowMs, outputs);
    return outputs;
  }

  /** What actors said may have got lost between the broker and us. */
  lostTrack(nowMs: number): RegistrarOutput[] {
    const outputs: RegistrarOutput[] = [];
    for (const actor of this.#actors.values()) {
      if (actor.name === SEED) continue;
      actor.doubt(nowMs);
      if (actor.isAlive(nowMs)) this.#kick(actor, nowMs, outputs);
    }
    return outputs;
  }

  tick(nowMs: number): RegistrarOutput[] {
    const outputs: RegistrarOutput[] = [];
    this.#tickedAtMs = nowMs;
    const somebodySpeaks = nowMs - this.#heardAtMs < ACTOR_TTL_MS;
    for (const actor of [...this.#actors.values()]) {
      actor.tick(nowMs);
      const since = actor.doubtfulSinceMs;
      const isSpoken = actor.name === SEED && this.#firstInitMs !== null && nowMs - this.#firstInitMs >= SEED_MS;
      if (isSpoken || this.#isGone(actor, somebodySpeaks, nowMs)) this.#forget(actor);
      else if (actor.name !== SEED && since !== null && actor.isAlive(nowMs) && nowMs >= this.#kickAtMs(actor))
        this.#kick(actor, nowMs, outputs);
    }
    return outputs;
  }

  /** What has passed without consequence does not come again: whoever speaks makes a turn of its own. */
  #deadlineOf(actor: Actor): number {
    const goneMs = actor.heardAtMs + Math.min(GONE_MS, this.#options.routeRetentionMs);
    const laterMs = actor.heardAtMs + Math.max(GONE_MS, this.#options.routeRetentionMs);
    const seedMs = actor.name === SEED && this.#firstInitMs !== null ? this.#firstInitMs + SEED_MS : laterMs;
    const kickMs = this.#kickAtMs(actor);
    const isDue = actor.state === "doubtful" && actor.name !== SEED && kickMs < actor.heardAtMs + ACTOR_TTL_MS;
    const all = [goneMs, laterMs, seedMs, actor.deadlineMs, isDue ? kickMs : laterMs];
    return Math.min(...all.filter((atMs) => atMs > this.#tickedAtMs));
  }

  #isGone(actor: Actor, somebodySpeaks: boolean, nowMs: number): boolean {
    const silentMs = nowMs - actor.heardAtMs;
    if (silentMs >= Math.max(GONE_MS, this.#options.routeRetentionMs)) return true;
    return somebodySpeaks && silentMs >= GONE_MS && actor.name !== SEED;
  }

  #init(message: Extract<EmqxControl, { op: "actor_init" }>, reply: ReplyTo, nowMs: number): RegistrarOutput[] {
    const { me, peer } = this.#options;
    const { actor: name, incarnation, target } = message;
    // EMQX ends the connection of who names no way to answer.
    if (reply.topic === null || reply.correlation === null || !isResponseTopic(reply.topic, peer))
      return [{ type: "count", what: "bad_message" }];
    const { topic, correlation } = reply;
    const answer = (error: string | null, needBootstrap: boolean): RegistrarOutput => ({
      type: "answer",
      topic,
      correlation,
      bytes: encodeEmqxControl({ op: "actor_init_ack", actor: name, protocol: EMQX_PROTOCOL, error, needBootstrap }),
    });
    if (target !== me) {
      const reason = `cluster "${peer}" (EMQX) has this cluster's link under the name "${target}"`;
      return [answer("bad_remote_cluster_link_name", false), { type: "problem", code: "WRONG_NAME", reason }];
    }
    const known = this.#actors.get(name);
    // Two that speak in one name: the later one is right, for as long as it speaks.
    if (known !== undefined && incarnation < known.incarnation && known.isAlive(nowMs) && known.state !== "doubtful")
      return [{ type: "count", what: "old_incarnation" }];
    const actor = known ?? this.#create(name, incarnation, nowMs);
    if (actor === null) return [answer("too_many_actors", false), { type: "count", what: "routes_overflow" }];
    this.#heardAtMs = nowMs;
    this.#firstInitMs ??= nowMs;
    this.#kicks.delete(name);
    return [answer(null, actor.init(incarnation, nowMs))];
  }

  #apply(
    actor: Actor,
    { ops }: Extract<EmqxControl, { op: "route" }>,
    nowMs: number,
    outputs: RegistrarOutput[],
  ): void {
    let bad = 0;
    for (const { op, topic, id } of ops) {
      if (op === "delete") actor.remove(topic, id, nowMs);
      else if (!actor.add(topic, id, nowMs)) bad += 1;
    }
    if (bad > 0) outputs.push({ type: "count", what: "bad_message" });
    if (this.#size <= this.#options.routesMax) return;
    actor.widen(true);
    outputs.push({ type: "count", what: "routes_overflow" });
  }

  get #size(): number {
    let size = 0;
    for (const actor of this.#actors.values()) size += actor.size;
    return size;
  }

  #create(name: string, incarnation: number, nowMs: number): Actor | null {
    if (this.#actors.size >= ACTORS_MAX) return null;
    const actor = new Actor(name, incarnation, this.routes, nowMs);
    this.#actors.set(name, actor);
    return actor;
  }

  #forget(actor: Actor): void {
    actor.clear();
    this.#actors.delete(actor.name);
    this.#kicks.delete(actor.name);
  }

  #kickAtMs(actor: Actor): number {
    const last = this.#kicks.get(actor.name);
    return last === undefined ? actor.heardAtMs : last.atMs + KICK_MS;
  }

  #kick(actor: Actor, nowMs: number, outputs: RegistrarOutput[]): void {
    const last = this.#kicks.get(actor.name) ?? { count: 0, atMs: Number.NEGATIVE_INFINITY };
    if (nowMs - last.atMs < KICK_MS) return;
    this.#kicks.set(actor.name, { count: last.count + 1, atMs: nowMs });
    const nodes = [...this.#actors.keys()].filter((name) => name !== SEED);
    outputs.push({ type: "kick", actor: actor.name, nodes });
    if (last.count === 0) {
      const reason = `EMQX's actor "${actor.name}" speaks of routes that were not heard here: it is made to send them all`;
      outputs.push({ type: "problem", code: "DIGEST_MISMATCH", reason });
    }
    if (last.count === KICKS_BEFORE_WIDE) {
      actor.widen(false);
      const reason = `EMQX's actor "${actor.name}" does not send its routes again: everything that may leave is sent to its cluster until it does`;
      outputs.push({ type: "problem", code: "DIGEST_MISMATCH", reason });
    }
  }
}
