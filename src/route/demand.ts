/**
 * What this agent itself subscribes to, because peers announced routes: the minimal cover of all peers' filters, brought
 * to the broker in steps, one under way at a time, SUBSCRIBE before UNSUBSCRIBE. Pure.
 *
 * Exactly one copy while filters change. A broker may send one copy of a message for each matching subscription, marked
 * with its subscription identifier; the copy with the lowest identifier counts. Identifiers are subscribed in ascending
 * order, so the lowest is in place whenever a higher one is. A filter that goes is not given up at its UNSUBACK, which
 * may overtake queued copies, but when a *marker* comes back that was published after its replacements' SUBACK: the
 * session is one FIFO, so both copies of any message lie on the same side of the marker. Before it the old filter's copy
 * counts, after it the new one's: never none, never two.
 */
import { assert } from "../base/assert.ts";
import { FilterBudget } from "./budget.ts";
import { type CoverChange, CoverSet } from "./cover-set.ts";
import { type DemandFilter, DemandIds } from "./demand-ids.ts";
import type { DemandOptions, DemandRefusal, DemandStats, DemandStep, UnderWay } from "./demand-step.ts";

/** A marker that takes longer will not come: the broker keeps the topic from us. Duplicates are then possible, losses not. */
const MARKER_WAIT_MS = 5_000;
/** A refused filter is tried again: access lists are mended. */
const REFUSED_RETRY_MS = 60_000;
const BATCH_FIRST = 100;
const BATCH_MIN = 10;
const BATCH_MAX = 2_000;
/** A step that takes longer stalls the broker's other clients: take smaller ones; a much shorter one allows larger ones. */
const STALL_MS = 20;
const SWIFT_MS = 10;
/** MQTT 5, 3.9.3: reason codes from here on are refusals. */
const REFUSED_FROM = 0x80;

interface PeerWants {
  readonly wanted: Set<string>;
  readonly budget: FilterBudget;
}

export class Demand {
  readonly #options: DemandOptions;
  readonly #peers = new Map<string, PeerWants>();
  readonly #cover = new CoverSet();
  readonly #ids = new DemandIds();
  /** Filters to subscribe, with the revision that asked for them: ascending. */
  #toAdd = new Map<string, number>();
  /** Filters to unsubscribe, with the revision whose subscriptions must be in place first. */
  readonly #toDrop = new Map<string, number>();
  /** Retired by a marker, UNSUBSCRIBE to be sent. */
  #retired: string[] = [];
  readonly #refused = new Map<string, { reasonCode: number; retryAtMs: number }>();
  #underWay: UnderWay = { kind: "none" };
  #connected = false;
  #markers = false;
  #batch = 0;
  #batchSize = BATCH_FIRST;
  #revision = 0;
  #markerTimeouts = 0;
  #dropsTurn = false;

  constructor(options: DemandOptions) {
    this.#options = options;
  }

  /** Grows with every want that needs a SUBSCRIBE. */
  get revision(): number {
    return this.#revision;
  }

  /** Every SUBSCRIBE due to wants up to this revision was answered. */
  get settledRevision(): number {
    if (this.#underWay.kind === "subscribe") return this.#underWay.firstRevision - 1;
    const first = this.#toAdd.values().next();
    return first.done === true ? this.#revision : first.value - 1;
  }

  get deadlineMs(): number {
    let deadlineMs = Number.POSITIVE_INFINITY;
    if (this.#underWay.kind === "marker") deadlineMs = this.#underWay.sentAtMs + MARKER_WAIT_MS;
    for (const { retryAtMs } of this.#refused.values()) deadlineMs = Math.min(deadlineMs, retryAtMs);
    return this.#connected ? deadlineMs : Number.POSITIVE_INFINITY;
  }

  get stats(): DemandStats {
    let widened = 0;
    for (const { budget } of this.#peers.values()) if (budget.widened) widened += 1;
    return {
      filters: this.#ids.size,
      pending: this.#toAdd.size + this.#toDrop.size,
      refused: this.#refused.size,
      markerTimeouts: this.#markerTimeouts,
      widened,
    };
  }

  want(peer: string, filter: string): void {
    let wants = this.#peers.get(peer);
    if (wants === undefined) {
      wants = { wanted: new Set(), budget: new FilterBudget(this.#options.filtersMaxPerPeer) };
      this.#peers.set(peer, wants);
    }
    if (wants.wanted.has(filter)) return;
    wants.wanted.add(filter);
    this.#budgetChange(wants.budget.add(filter));
  }

  unwant(peer: string, filter: string): void {
    const wants = this.#peers.get(peer);
    if (wants === undefined || !wants.wanted.delete(filter)) return;
    this.#budgetChange(wants.budget.remove(filter));
    if (wants.wanted.size === 0) this.#peers.delete(peer);
  }

  dropPeer(peer: string): void {
    for (const filter of [...(this.#peers.get(peer)?.wanted ?? [])]) this.unwant(peer, filter);
  }

  /** `markers`: the broker marks copies with subscription identifiers and the session is one FIFO (MQTT 5). */
  connected(sessionPresent: boolean, markers: boolean, _nowMs: number): void {
    this.#connected = true;
    this.#markers = markers;
    if (sessionPresent) return;
    // The broker knows nothing: what was to go is gone, all else is subscribed again, in the order of identifiers.
    for (const filter of this.#toDrop.keys()) this.#ids.remove(filter);
    this.#toDrop.clear();
    for (const filter of this.#retired) this.#ids.remove(filter);
    this.#retired = [];
    this.#revision += 1;
    const again = new Map<string, number>();
    for (const filter of this.#ids.ascending()) again.set(filter, this.#revision);
    for (const filter of this.#toAdd.keys()) again.set(filter, this.#revision);
    this.#toAdd = again;
    this.#ids.allPending();
  }

  /** Subscribes again what is subscribed already (same identifiers, no retained messages): the broker announces it anew. */
  resubscribe(): void {
    const again = new Map<string, number>();
    const revision = this.settledRevision + 1;
    for (const filter of this.#ids.ascending()) {
      if (this.#ids.stateOf(filter) === "live" && !this.#toDrop.has(filter)) again.set(filter, revision);
    }
    for (const [filter, revision] of this.#toAdd) again.set(filter, revision);
    this.#toAdd = again;
  }

  /** What was under way is in doubt: it is done again after the next connect. */
  disconnected(): void {
    this.#connected = false;
    const step = this.#underWay;
    this.#underWay = { kind: "none" };
    if (step.kind === "subscribe") {
      const again = new Map<string, number>();
      for (const filter of step.filters) if (this.#cover.isUp(filter)) again.set(filter, step.firstRevision);
      for (const [filter, revision] of this.#toAdd) again.set(filter, revision);
      this.#toAdd = again;
      for (const filter of step.filters) if (!this.#cover.isUp(filter)) this.#toDrop.set(filter, this.#revision);
    } else if (step.kind === "unsubscribe") {
      this.#retired = [...step.filters, ...this.#retired];
    }
  }

  /** The next thing to ask of the broker, or null while a step is under way or nothing is to be done. */
  next(nowMs: number): DemandStep | null {
    if (!this.#connected) return null;
    this.#retryRefused(nowMs);
    if (this.#underWay.kind === "marker" && nowMs >= this.#underWay.sentAtMs + MARKER_WAIT_MS) {
      this.#markerTimeouts += 1;
      this.markerArrived(this.#underWay.marker, nowMs);
    }
    if (this.#underWay.kind !== "none") return null;
    if (this.#retired.length > 0) return this.#unsubscribe(this.#retired.splice(0, this.#batchSize));
    const drops = this.#toAdd.size === 0 || this.#dropsTurn ? this.#dropsReady() : [];
    if (drops.length > 0) {
      this.#dropsTurn = false;
      if (!this.#markers) return this.#retire(drops);
      this.#batch += 1;
      this.#underWay = { kind: "marker", marker: this.#batch, drops, sentAtMs: nowMs };
      return { kind: "marker", marker: this.#batch };
    }
    return this.#toAdd.size === 0 ? null : this.#subscribe(nowMs);
  }

  subscribed(batch: number, codes: readonly number[], nowMs: number): DemandRefusal[] {
    const step = this.#underWay;
    if (step.kind !== "subscribe" || step.batch !== batch) return [];
    this.#underWay = { kind: "none" };
    this.#dropsTurn = true;
    this.#adapt(nowMs - step.sentAtMs);
    const refusals: DemandRefusal[] = [];
    step.filters.forEach((filter, at) => {
      const code = codes[at] ?? REFUSED_FROM;
      if (code < REFUSED_FROM) {
        this.#ids.live(filter);
        const before = this.#refused.get(filter);
        if (before === undefined) return;
        this.#refused.delete(filter);
        refusals.push(...this.#refusals(filter, before.reasonCode, false));
        return;
      }
      // It leaves in place what the session held before: that goes when its replacements are there.
      if (!this.#ids.mayBeHeld(filter)) {
        this.#ids.remove(filter);
        this.#toDrop.delete(filter);
      }
      const known = this.#refused.has(filter);
      this.#refused.set(filter, { reasonCode: code, retryAtMs: nowMs + REFUSED_RETRY_MS });
      this.#coverChange(this.#cover.block(filter));
      if (!known) refusals.push(...this.#refusals(filter, code, true));
    });
    return refusals;
  }

  unsubscribed(batch: number, _codes: readonly number[], _nowMs: number): void {
    const step = this.#underWay;
    if (step.kind !== "unsubscribe" || step.batch !== batch) return;
    this.#underWay = { kind: "none" };
    for (const filter of step.filters) this.#ids.remove(filter);
  }

  /** Everything queued before the marker has been received: the new filters' copies count from now on. */
  markerArrived(marker: number, _nowMs: number): void {
    const step = this.#underWay;
    if (step.kind !== "marker" || step.marker !== marker) return;
    this.#underWay = { kind: "none" };
    this.#retire(step.drops.filter((filter) => this.#toDrop.has(filter)));
  }

  /** Filters of this peer that the broker refuses, at most `limit`. */
  refusedOf(peer: string, limit: number): { readonly filter: string; readonly reasonCode: number }[] {
    const found: { filter: string; reasonCode: number }[] = [];
    for (const [filter, { reasonCode }] of this.#refused) {
      if (found.length === limit) break;
      if (this.#refusals(filter, reasonCode, true).some((refusal) => refusal.peer === peer))
        found.push({ filter, reasonCode });
    }
    return found;
  }

  /** Whether this copy of a message counts. `ids`: its subscription identifiers; empty from a broker without them. */
  accepts(topic: string, ids: readonly number[]): boolean {
    if (ids.length === 0) return true;
    const chosen = this.#ids.chosen(topic);
    // Of a filter that is gone: whoever wants the topic again has a filter of its own on its way.
    return chosen !== null && ids.includes(chosen);
  }

  #subscribe(nowMs: number): DemandStep {
    const filters: DemandFilter[] = [];
    let firstRevision = this.#revision;
    for (const [filter, revision] of this.#toAdd) {
      if (filters.length === this.#batchSize) break;
      if (filters.length === 0) firstRevision = revision;
      filters.push({ filter, id: this.#ids.pending(filter) });
      this.#toAdd.delete(filter);
    }
    this.#batch += 1;
    this.#underWay = {
      kind: "subscribe",
      batch: this.#batch,
      filters: filters.map(({ filter }) => filter),
      firstRevision,
      sentAtMs: nowMs,
    };
    return { kind: "subscribe", batch: this.#batch, filters };
  }

  /** Only what everything that replaces it is subscribed for. */
  #dropsReady(): string[] {
    const settled = this.settledRevision;
    const drops: string[] = [];
    for (const [filter, after] of this.#toDrop) {
      if (drops.length === this.#batchSize) break;
      if (after <= settled) drops.push(filter);
    }
    return drops;
  }

  #retire(drops: readonly string[]): DemandStep | null {
    for (const filter of drops) {
      this.#toDrop.delete(filter);
      this.#ids.retire(filter);
    }
    if (this.#markers) {
      this.#retired.push(...drops);
      return null;
    }
    return drops.length === 0 ? null : this.#unsubscribe(drops);
  }

  #unsubscribe(filters: readonly string[]): DemandStep {
    this.#batch += 1;
    this.#underWay = { kind: "unsubscribe", batch: this.#batch, filters };
    return { kind: "unsubscribe", batch: this.#batch, filters };
  }

  #budgetChange(change: CoverChange): void {
    for (const filter of change.up) this.#coverChange(this.#cover.add(filter));
    for (const filter of change.down) {
      this.#coverChange(this.#cover.remove(filter));
      if (!this.#cover.has(filter)) this.#refused.delete(filter);
    }
  }

  #coverChange(change: CoverChange): void {
    for (const filter of change.up) this.#up(filter);
    for (const filter of change.down) this.#down(filter);
  }

  #up(filter: string): void {
    this.#toDrop.delete(filter);
    const state = this.#ids.stateOf(filter);
    const held = state === "live" && !this.#refused.has(filter);
    if (held || (state === "pending" && this.#isBeingSubscribed(filter))) return;
    this.#revision += 1;
    this.#toAdd.set(filter, this.#revision);
  }

  /** Not so when its SUBSCRIBE was lost with the connection. */
  #isBeingSubscribed(filter: string): boolean {
    const step = this.#underWay;
    return this.#toAdd.has(filter) || (step.kind === "subscribe" && step.filters.includes(filter));
  }

  #down(filter: string): void {
    this.#toAdd.delete(filter);
    const state = this.#ids.stateOf(filter);
    // Otherwise there is nothing to take back.
    if (state === "live" || state === "pending") this.#toDrop.set(filter, this.#revision);
  }

  #retryRefused(nowMs: number): void {
    for (const [filter, refused] of this.#refused) {
      if (nowMs < refused.retryAtMs) continue;
      refused.retryAtMs = nowMs + REFUSED_RETRY_MS;
      this.#coverChange(this.#cover.unblock(filter));
      // Another filter has come to serve it meanwhile.
      if (!this.#cover.isUp(filter)) this.#refused.delete(filter);
    }
  }

  #refusals(filter: string, reasonCode: number, refused: boolean): DemandRefusal[] {
    const refusals: DemandRefusal[] = [];
    for (const [peer, { wanted, budget }] of this.#peers) {
      if (wanted.has(filter) || budget.widened) refusals.push({ peer, filter, reasonCode, refused });
    }
    return refusals;
  }

  #adapt(tookMs: number): void {
    if (tookMs > STALL_MS) this.#batchSize = Math.max(BATCH_MIN, this.#batchSize >> 1);
    else if (tookMs < SWIFT_MS) this.#batchSize = Math.min(BATCH_MAX, this.#batchSize * 2);
    assert(this.#batchSize >= BATCH_MIN && this.#batchSize <= BATCH_MAX, "batch size within its bounds");
  }
}
