/**
 * What outlives the process, as keys and small values: the peers' routes and the filters asked of the local broker, so
 * that the first message after a restart finds its way, and what was settled of the peers' streams, so that nothing comes
 * twice; and what local clients were seen to hold. Written before the act it describes. Pure.
 *
 *   peer/<link>              incarnation                 record/<link>/<stream>   up to, ranges
 *   route/<link>/<filter>    nothing                     demand/<filter>          identifier, retiring
 *   row/<length>/<client>/<filter>   nothing             demand_id                highest identifier given
 *
 * What comes back from a disk may be rubbish: each entry stands for itself, and a bad one is left out with its reason.
 */
import type { SavedRecord } from "../flow/stream-record.ts";
import { type DemandIds, ID_MAX } from "../route/demand-ids.ts";
import type { SavedDemand, SavedFilter } from "../route/saved-demand.ts";
import { canonical, filterProblem, isReserved } from "../topic/filter.ts";
import { ByteReader, ByteWriter } from "../wire/bytes.ts";
import { decodeRow } from "./saved-rows.ts";

/** Keys that begin so belong to whoever owns the hub. */
const SHELL_PREFIX = "agent/";
/** Far more than a receiver ever has. */
const RANGES_MAX = 65_536;
const NOTHING = new Uint8Array(0);
const STREAM = /^[0-9a-f]{16}$/;

export interface SavedStream extends SavedRecord {
  readonly stream: string;
}

export interface SavedLink {
  /** Of the peer's life that was listened to last; 0: of none. */
  readonly incarnation: number;
  readonly routes: readonly string[];
  readonly records: readonly SavedStream[];
}

export interface HubState {
  readonly links: ReadonlyMap<string, SavedLink>;
  readonly demand: SavedDemand;
  /** Filters that local clients were seen to hold, by client. */
  readonly rows: ReadonlyMap<string, readonly string[]>;
}

export interface RefusedEntry {
  readonly key: string;
  readonly reason: string;
}

/** Takes what is to be kept; null: forgotten. */
export type Save = (key: string, value: Uint8Array | null) => void;

/** A key with its value; null: nothing, so that whoever takes a little at a time need not wait for the next. */
export type SavedEntry = readonly [string, Uint8Array] | null;

/** Null: the peer is not remembered any more. */
export function savePeer(save: Save, link: string, incarnation: number | null): void {
  if (incarnation === null) {
    save(`peer/${link}`, null);
    return;
  }
  const writer = new ByteWriter(8);
  writer.varint(incarnation);
  save(`peer/${link}`, writer.finish());
}

export function saveRoute(save: Save, link: string, filter: string, isUp: boolean): void {
  save(`route/${link}/${filter}`, isUp ? NOTHING : null);
}

export function* savedRoutes(link: string, filters: Iterable<string>): Generator<SavedEntry> {
  for (const filter of filters) yield [`route/${link}/${filter}`, NOTHING];
}

/** Null: the stream is not remembered any more. */
export function saveRecord(save: Save, link: string, stream: string, record: SavedRecord | null): void {
  if (record === null) {
    save(`record/${link}/${stream}`, null);
    return;
  }
  const writer = new ByteWriter(16);
  writer.varint(record.upTo);
  writer.varint(record.ranges.length);
  for (const [first, last] of record.ranges) {
    writer.varint(first);
    writer.varint(last);
  }
  save(`record/${link}/${stream}`, writer.finish());
}

/** What changed since the last call. */
export function saveDemandChanges(save: Save, memory: DemandIds): void {
  for (const { filter, id, retiring } of memory.changes()) {
    const value = id === null ? null : encodedFilter(id, retiring);
    save(demandKey(filter), value);
    if (id !== null && id === memory.lastId) save("demand_id", encodedId(id));
  }
}

export function* savedDemand(memory: DemandIds): Generator<SavedEntry> {
  yield ["demand_id", encodedId(memory.lastId)];
  for (const { filter, id, retiring } of memory.saved()) yield [demandKey(filter), encodedFilter(id, retiring)];
}

function demandKey(filter: string): string {
  return `demand/${filter}`;
}

function encodedFilter(id: number, retiring: boolean): Uint8Array {
  const writer = new ByteWriter(8);
  writer.varint(id);
  writer.u8(retiring ? 1 : 0);
  return writer.finish();
}

function encodedId(lastId: number): Uint8Array {
  const writer = new ByteWriter(8);
  writer.varint(lastId);
  return writer.finish();
}

export function decodeState(entries: Iterable<readonly [string, Uint8Array]>): {
  readonly state: HubState;
  readonly refused: readonly RefusedEntry[];
} {
  const decoder = new StateDecoder();
  const refused: RefusedEntry[] = [];
  for (const [key, value] of entries) {
    if (key.startsWith(SHELL_PREFIX)) continue;
    const reason = decoder.take(key, new ByteReader(value));
    if (reason !== null) refused.push({ key, reason });
  }
  return { state: decoder.state(), refused };
}

interface LinkBuilder {
  incarnation: number;
  readonly routes: string[];
  readonly records: SavedStream[];
}

class StateDecoder {
  readonly #links = new Map<string, LinkBuilder>();
  readonly #filters: SavedFilter[] = [];
  readonly #ids = new Set<number>();
  readonly #rows = new Map<string, string[]>();
  #lastId = 0;

  state(): HubState {
    return { links: this.#links, demand: { lastId: this.#lastId, filters: this.#filters }, rows: this.#rows };
  }

  /** Answers why the entry is of no use; null: it was taken. */
  take(key: string, reader: ByteReader): string | null {
    const [kind = "", rest = ""] = cut(key);
    switch (kind) {
      case "peer":
        return this.#peer(rest, reader);
      case "route":
        return this.#route(rest, reader);
      case "record":
        return this.#record(rest, reader);
      case "demand":
        return this.#demand(rest, reader);
      case "demand_id":
        return this.#demandId(reader);
      case "row":
        return this.#row(rest, reader);
      default:
        return "unknown key";
    }
  }

  #peer(link: string, reader: ByteReader): string | null {
    const incarnation = reader.varint();
    const problem = unread(reader) ?? (incarnation === 0 ? "no incarnation" : null);
    if (problem === null) this.#link(link).incarnation = incarnation;
    return problem;
  }

  #route(rest: string, reader: ByteReader): string | null {
    const [link = "", filter = ""] = cut(rest);
    const problem = unread(reader) ?? filterReason(filter);
    if (problem === null) this.#link(link).routes.push(filter);
    return problem;
  }

  #record(rest: string, reader: ByteReader): string | null {
    const [link = "", stream = ""] = cut(rest);
    const upTo = reader.varint();
    const ranges: [number, number][] = [];
    let before = upTo + 1;
    for (let count = reader.count(RANGES_MAX, 2); count > 0; count -= 1) {
      const [first, last] = [reader.varint(), reader.varint()];
      if (first <= before || last < first) reader.fail("bad_value");
      before = last + 1;
      ranges.push([first, last]);
    }
    const problem = unread(reader) ?? (STREAM.test(stream) ? null : "no stream");
    if (problem === null) this.#link(link).records.push({ stream, upTo, ranges });
    return problem;
  }

  #demand(filter: string, reader: ByteReader): string | null {
    const id = reader.varint();
    const retiring = reader.u8();
    const problem = unread(reader) ?? filterReason(filter);
    if (problem !== null) return problem;
    if (id === 0 || id > ID_MAX || this.#ids.has(id) || retiring > 1) return "no identifier of its own";
    this.#ids.add(id);
    this.#lastId = Math.max(this.#lastId, id);
    this.#filters.push({ filter, id, retiring: retiring === 1 });
    return null;
  }

  #demandId(reader: ByteReader): string | null {
    const lastId = reader.varint();
    const problem = unread(reader) ?? (lastId > ID_MAX ? "no identifier" : null);
    if (problem === null) this.#lastId = Math.max(this.#lastId, lastId);
    return problem;
  }

  #row(rest: string, reader: ByteReader): string | null {
    const row = decodeRow(rest);
    const problem = unread(reader) ?? (row === null ? "no row" : null);
    if (problem !== null || row === null) return problem;
    const filters = this.#rows.get(row.client);
    if (filters === undefined) this.#rows.set(row.client, [row.filter]);
    else filters.push(row.filter);
    return null;
  }

  #link(name: string): LinkBuilder {
    let link = this.#links.get(name);
    if (link === undefined) {
      link = { incarnation: 0, routes: [], records: [] };
      this.#links.set(name, link);
    }
    return link;
  }
}

/** The parts before and behind the first slash. */
function cut(key: string): [string, string] {
  const at = key.indexOf("/");
  return at < 0 ? [key, ""] : [key.slice(0, at), key.slice(at + 1)];
}

function unread(reader: ByteReader): string | null {
  return reader.problem ?? (reader.remaining > 0 ? "bytes left over" : null);
}

function filterReason(filter: string): string | null {
  if (isReserved(filter) || canonical(filter) !== filter) return "no filter of a route";
  return filterProblem(filter);
}
