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
import { BatchSize } from "./batch-size.ts";
import type { BudgetChange } from "./budget.ts";
import { type CoverChange, CoverSet } from "./cover-set.ts";
import { type DemandFilter, DemandIds } from "./demand-ids.ts";
import { DemandPeers } from "./demand-peers.ts";
import type { DemandOptions, DemandRefusal, DemandStats, DemandStep } from "./demand-step.ts";
import { PendingDrops } from "./pending-drops.ts";
import { RefusalNews } from "./refusal-news.ts";
import { RefusedFilters } from "./refused-filters.ts";
import { RevisionHolds } from "./revision-holds.ts";
import type { SavedDemand } from "./saved-demand.ts";
import { StepUnderWay } from "./step-under-way.ts";

const REFUSED_FROM = 0x80; // MQTT-3.9.3

export class Demand {
  readonly #peers: DemandPeers;
  readonly #cover = new CoverSet();
  readonly #ids = new DemandIds();
  /** Filters to subscribe, with the revision that asked for them: ascending. */
  #toAdd = new Map<string, number>();
  readonly #toDrop = new PendingDrops();
  /** Retired by a marker, UNSUBSCRIBE to be sent. */
  #retired: string[] = [];
  readonly #refused = new RefusedFilters();
  readonly #refusals: RefusalNews;
  readonly #holds = new RevisionHolds();
  readonly #underWay = new StepUnderWay();
  #connected = false;
  #markers = false;
  readonly #batchSize = new BatchSize();
  #revision = 0;
  #markerTimeouts = 0;
  #dropsTurn = false;

  constructor(options: DemandOptions) {
    this.#peers = new DemandPeers(options);
    this.#refusals = new RefusalNews(this.#peers, this.#refused);
  }

  /** What an earlier life asked of the broker, before anything is wanted: it may be held still, and its copies count. */
  restore(saved: SavedDemand): void {
    this.#ids.restore(saved);
    for (const filter of this.#ids.ascending()) {
      if (this.#ids.stateOf(filter) !== "pending") continue;
      this.#revision += 1;
      this.#toAdd.set(filter, this.#revision);
    }
  }

  /** What was wanted in the earlier life is wanted again: the rest of what it asked for goes. */
  restored(): void {
    for (const filter of this.#ids.ascending()) {
      if (this.#cover.isUp(filter)) continue;
      if (this.#ids.stateOf(filter) === "retiring") this.#toDrop.set(filter, this.#revision);
      else this.#down(filter);
    }
  }

  /** What has to outlive the process. */
  get memory(): DemandIds {
    return this.#ids;
  }

  /** Grows with every want that needs a SUBSCRIBE. */
  get revision(): number {
    return this.#revision;
  }

  /** Every SUBSCRIBE due to wants up to this revision was answered. */
  get settledRevision(): number {
    return this.#holds.limit(this.#answeredRevision());
  }

  get deadlineMs(): number {
    if (!this.#connected) return Number.POSITIVE_INFINITY;
    return Math.min(this.#underWay.deadlineMs, this.#refused.deadlineMs);
  }

  get stats(): DemandStats {
    return {
      filters: this.#ids.size,
      pending: this.#toAdd.size + this.#toDrop.size,
      refused: this.#refused.size,
      markerTimeouts: this.#markerTimeouts,
      widened: this.#peers.widened,
    };
  }

  want(peer: string, filter: string): void {
    const change = this.#peers.add(peer, filter);
    if (change === null) return;
    this.#budgetChange(change);
    this.#refusals.tellPeer(peer, filter, true);
  }

  unwant(peer: string, filter: string): void {
    const change = this.#peers.remove(peer, filter);
    if (change === null) return;
    this.#refusals.tellPeer(peer, filter, false);
    this.#budgetChange(change);
  }

  /** Another limit for this peer; null: as for all. */
  limit(peer: string, filtersMax: number | null): void {
    this.#budgetChange(this.#peers.limit(peer, filtersMax));
  }

  /** `markers`: the broker marks copies with subscription identifiers and the session is one FIFO (MQTT 5). */
  connected(sessionPresent: boolean, markers: boolean, _nowMs: number): void {
    this.#connected = true;
    this.#markers = markers;
    if (sessionPresent) return;
    // The broker knows nothing: what was to go is gone, all else is subscribed again, in the order of identifiers.
    for (const filter of this.#toDrop.filters()) this.#ids.remove(filter);
    this.#toDrop.clear();
    for (const filter of this.#retired) this.#ids.remove(filter);
    this.#retired = [];
    // Nothing that was wanted before counts as subscribed until all of it is again.
    const revision = this.settledRevision + 1;
    this.#revision = Math.max(this.#revision, revision);
    const again = new Map<string, number>();
    for (const filter of this.#ids.ascending()) again.set(filter, revision);
    for (const filter of this.#toAdd.keys()) if (this.#cover.isUp(filter)) again.set(filter, revision);
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
    const step = this.#underWay.abandoned();
    if (step?.kind === "subscribe") {
      // Those that went meanwhile too: the broker may hold them, and they may come back before that is known.
      const again = new Map<string, number>();
      for (const filter of step.filters) again.set(filter, step.firstRevision);
      for (const [filter, revision] of this.#toAdd) again.set(filter, revision);
      this.#toAdd = again;
    } else if (step?.kind === "unsubscribe") {
      this.#retired = [...step.filters, ...this.#retired];
    }
  }

  /** The next thing to ask of the broker, or null while a step is under way or nothing is to be done. */
  next(nowMs: number): DemandStep | null {
    if (!this.#connected) return null;
    this.#retryRefused(nowMs);
    const late = this.#underWay.late(nowMs);
    if (late !== null) {
      this.#markerTimeouts += 1;
      this.#retire(late.drops, false);
    }
    if (!this.#underWay.isNone) return null;
    if (this.#retired.length > 0) return this.#underWay.unsubscribe(this.#retired.splice(0, this.#batchSize.filters));
    const isDropsTurn = this.#toAdd.size === 0 || this.#dropsTurn;
    const drops = this.#toDrop.ready(this.settledRevision, isDropsTurn ? this.#batchSize.filters : 0);
    if (drops.size > 0) {
      this.#dropsTurn = false;
      if (!this.#markers) {
        this.#retire(drops, true);
        return this.#underWay.unsubscribe(this.#retired.splice(0));
      }
      return this.#underWay.mark(drops, nowMs);
    }
    return this.#toAdd.size === 0 ? null : this.#subscribe(nowMs);
  }

  subscribed(batch: number, codes: readonly number[], nowMs: number): void {
    const step = this.#underWay.answered("subscribe", batch);
    if (step === null) return;
    this.#dropsTurn = true;
    this.#batchSize.took(step.filters.length, nowMs - step.sentAtMs);
    step.filters.forEach((filter, at) => {
      const code = codes[at] ?? REFUSED_FROM;
      if (code >= REFUSED_FROM) {
        this.#refuse(filter, code, step.firstRevision, nowMs);
        return;
      }
      this.#ids.live(filter);
      this.#serves(filter);
    });
    this.#holds.forget(this.#answeredRevision());
  }

  unsubscribed(batch: number, _codes: readonly number[], _nowMs: number): void {
    for (const filter of this.#underWay.answered("unsubscribe", batch)?.filters ?? []) this.#ids.remove(filter);
  }

  /** Everything queued before the marker has been received: the new filters' copies count from now on. */
  markerArrived(marker: number, _nowMs: number): void {
    const step = this.#underWay.answered("marker", marker);
    if (step !== null) this.#retire(step.drops, true);
  }

  /** Whether this copy of a message counts. `ids`: its subscription identifiers; empty from a broker without them. */
  accepts(topic: string, ids: readonly number[]): boolean {
    return ids.length === 0 || this.#ids.accepts(topic, ids);
  }

  /** Whether a filter that the broker holds, or may hold, matches. */
  isSubscribed(topic: string): boolean {
    return this.#ids.chosen(topic) !== null;
  }

  /** The broker's reason code; null: it does not refuse the filter. */
  refusedWith(filter: string): number | null {
    return this.#refused.reasonCode(filter) ?? null;
  }

  /** What peers have to be told since the last call. */
  refusals(): DemandRefusal[] {
    return this.#refusals.take();
  }

  /** The peer may not know what was said before: says it again. */
  repeatRefusals(peer: string): void {
    this.#refusals.repeat(peer);
  }

  #answeredRevision(): number {
    const { firstRevision } = this.#underWay;
    if (firstRevision !== null) return firstRevision - 1;
    const first = this.#toAdd.values().next();
    return first.done === true ? this.#revision : first.value - 1;
  }

  #subscribe(nowMs: number): DemandStep {
    const filters: DemandFilter[] = [];
    let firstRevision = this.#revision;
    for (const [filter, revision] of this.#toAdd) {
      if (filters.length === this.#batchSize.filters) break;
      if (filters.length === 0) firstRevision = revision;
      filters.push({ filter, id: this.#ids.pending(filter) });
      this.#toAdd.delete(filter);
    }
    return this.#underWay.subscribe(filters, firstRevision, nowMs);
  }

  /** Those that came back since, or came back and went again for another replacement, stay. */
  #retire(drops: ReadonlyMap<string, number>, proven: boolean): void {
    for (const [filter, after] of drops) {
      if (this.#toDrop.after(filter) !== after) continue;
      this.#toDrop.delete(filter);
      this.#toAdd.delete(filter); // in doubt since a connection was lost; nobody wants it subscribed again
      this.#ids.retire(filter, proven);
      this.#retired.push(filter);
    }
  }

  #budgetChange(change: BudgetChange): void {
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
    if (this.#ids.isAskedFor(filter)) return;
    this.#revision += 1;
    this.#toAdd.set(filter, this.#revision);
    this.#toDrop.postpone(filter, this.#revision);
  }

  #down(filter: string): void {
    const state = this.#ids.stateOf(filter);
    const waiting = this.#toAdd.get(filter);
    // In doubt since a connection was lost: the broker may hold it, so it is subscribed for certain before it goes.
    if (waiting !== undefined && state !== "pending") this.#toAdd.delete(filter);
    if (state === "pending" || state === "live") this.#toDrop.set(filter, this.#revision);
    // Never sent: what stands in for it is not subscribed yet either.
    else if (waiting !== undefined) this.#holds.add(waiting, this.#revision);
  }

  #refuse(filter: string, reasonCode: number, firstRevision: number, nowMs: number): void {
    // A refusal leaves in place what the session held before: that goes when its replacements are there.
    if (!this.#ids.refuse(filter)) this.#toDrop.delete(filter);
    this.#coverChange(this.#cover.block(filter));
    // What it would have covered has still to be subscribed: its revision is as little settled as theirs.
    this.#holds.add(firstRevision, this.#revision);
    if (!this.#cover.has(filter)) return;
    this.#refusals.refuses(filter, reasonCode, this.#refused.add(filter, reasonCode, nowMs));
  }

  #retryRefused(nowMs: number): void {
    for (const filter of this.#refused.due(nowMs)) {
      this.#coverChange(this.#cover.unblock(filter));
      // Another filter covers it meanwhile, and the broker takes that one.
      if (!this.#cover.isUp(filter)) this.#serves(filter);
    }
  }

  #serves(filter: string): void {
    const reasonCode = this.#refused.delete(filter);
    if (reasonCode !== undefined) this.#refusals.serves(filter, reasonCode);
  }
}
