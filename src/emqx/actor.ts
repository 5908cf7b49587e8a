/**
 * One actor of an EMQX cluster: a node, or all its durable sessions together. What it announced, in which life, and how sure
 * that is. Pure; its owner knows the time, counts the routes of all and draws the conclusions.
 *
 *               init of a new life, or of one that is in doubt (answer: need_bootstrap)
 *   (new) ───────────────────────────────────────────────────────────────────────▶ syncing
 *     │                                                                             ▲    │ 5 s without a route:
 *     │ any other word                                                              │    ▼ what stayed of earlier goes
 *     └──────────▶ doubtful ◀── a word of another life, or we missed some ─────── live, syncing
 *                     │                                                             │
 *                     └──────────── 30 s without a word ──▶ silent ◀────────────────┘
 *                                                              │ any word: as before
 *
 * There is no mark at the end of EMQX's bootstrap, and nothing of ours that a broker could cut: so what an earlier set holds
 * stays in force beside the new one until that has been quiet for a while. More for a moment, never less.
 */
import { PERSISTENT_ACTOR } from "./control.ts";
import type { RemoteRoutes } from "./remote-routes.ts";
import { groupOfId } from "./route-id.ts";

/** EMQX's own: three heartbeats missing. */
export const ACTOR_TTL_MS = 30_000;
/** Batches of a bootstrap follow each other at once, each confirmed by the broker between. */
const QUIET_MS = 5_000;
/** The actor of durable sessions has a connection from each node, of which some send no bootstrap. */
const SHARED_QUIET_MS = 30_000;

const EVERYTHING = "#";

type State =
  | { readonly name: "syncing"; readonly untilMs: number }
  | { readonly name: "live" }
  | { readonly name: "doubtful"; readonly sinceMs: number };

interface Entry {
  readonly topic: string;
  readonly group: string | null;
  generation: number;
}

export class Actor {
  readonly name: string;
  incarnation: number;
  heardAtMs: number;
  readonly #routes: RemoteRoutes;
  readonly #entries = new Map<string, Entry>();
  #generation = 0;
  #state: State;
  /** More than is kept one by one, or not known: everything. */
  #isWide = false;
  #isOverflown = false;

  constructor(name: string, incarnation: number, routes: RemoteRoutes, nowMs: number) {
    this.name = name;
    this.incarnation = incarnation;
    this.heardAtMs = nowMs;
    this.#routes = routes;
    this.#state = { name: "doubtful", sinceMs: nowMs };
  }

  get state(): State["name"] {
    return this.#state.name;
  }

  /** How many identifiers it announced. */
  get size(): number {
    return this.#entries.size;
  }

  /** Since when it is not known what it wants; null: it is known. */
  get doubtfulSinceMs(): number | null {
    return this.#state.name === "doubtful" ? this.#state.sinceMs : null;
  }

  get deadlineMs(): number {
    return this.#state.name === "syncing" ? this.#state.untilMs : Number.POSITIVE_INFINITY;
  }

  isAlive(nowMs: number): boolean {
    return nowMs - this.heardAtMs < ACTOR_TTL_MS;
  }

  /** A greeting of this life, or a later one. Answers whether it has to send everything. */
  init(incarnation: number, nowMs: number): boolean {
    const goesOn = incarnation === this.incarnation && this.#state.name !== "doubtful" && this.isAlive(nowMs);
    this.incarnation = incarnation;
    this.heardAtMs = nowMs;
    if (goesOn && this.#state.name === "live") return false;
    // A bootstrap that is begun again is the same one: another node may speak for the same actor.
    if (!goesOn) this.#generation += 1;
    this.#isOverflown = false;
    this.#state = { name: "syncing", untilMs: nowMs + this.#quietMs };
    return true;
  }

  /** Some of what it said may not have come here. */
  doubt(nowMs: number): void {
    if (this.#state.name !== "doubtful") this.#state = { name: "doubtful", sinceMs: nowMs };
  }

  /** Answers false when the topic is no filter. */
  add(topic: string, id: string, nowMs: number): boolean {
    this.#saysRoutes(nowMs);
    if (this.#isOverflown) return true;
    const key = keyOf(topic, id);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.generation = this.#generation;
      return true;
    }
    const group = groupOfId(id);
    if (!this.#routes.add(topic, group)) return false;
    this.#entries.set(key, { topic, group, generation: this.#generation });
    return true;
  }

  remove(topic: string, id: string, nowMs: number): void {
    this.#saysRoutes(nowMs);
    // Of a set that is not known nothing is taken away: it may have been added again, unheard.
    if (this.#state.name !== "doubtful") this.#drop(keyOf(topic, id));
  }

  /** Its routes are not known, or too many: everything, until it has said them anew. */
  widen(isOverflow: boolean): void {
    if (isOverflow) {
      this.#isOverflown = true;
      for (const key of [...this.#entries.keys()]) this.#drop(key);
    }
    if (this.#isWide) return;
    this.#isWide = true;
    this.#routes.add(EVERYTHING, null);
  }

  /** What an earlier set held goes once the new one has been quiet for a while. Answers whether that is now. */
  tick(nowMs: number): boolean {
    if (this.#state.name !== "syncing" || nowMs < this.#state.untilMs) return false;
    this.#state = { name: "live" };
    for (const [key, { generation }] of this.#entries) if (generation !== this.#generation) this.#drop(key);
    if (this.#isWide && !this.#isOverflown) this.#narrow();
    return true;
  }

  /** It is forgotten. */
  clear(): void {
    for (const key of [...this.#entries.keys()]) this.#drop(key);
    if (this.#isWide) this.#narrow();
  }

  #saysRoutes(nowMs: number): void {
    if (this.#state.name === "syncing") this.#state = { name: "syncing", untilMs: nowMs + this.#quietMs };
  }

  get #quietMs(): number {
    return this.name === PERSISTENT_ACTOR ? SHARED_QUIET_MS : QUIET_MS;
  }

  #narrow(): void {
    this.#isWide = false;
    this.#routes.remove(EVERYTHING, null);
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#routes.remove(entry.topic, entry.group);
  }
}

/** No topic holds U+0000. */
function keyOf(topic: string, id: string): string {
  return `${topic}\0${id}`;
}
