/**
 * What EMQX has to be told of our routes: those we have, what it knows of them, and what is still to be said. Each identifier of
 * a route stands for itself; the last word on one replaces those before. Pure.
 */
import { utf8Length } from "../topic/filter.ts";
import type { EmqxRouteOp } from "./control.ts";
import { routeIds } from "./route-id.ts";

/** EMQX's own. */
const OPS_MAX = 4_000;
/** Far below what any listener takes, and a few milliseconds of EMQX's time. */
const BYTES_MAX = 256 * 1024;
/** Tuple, two binaries' heads, the mark of a deletion. */
const OP_BYTES = 16;

interface Wanted {
  readonly topic: string;
  readonly id: string;
}

export class RouteBacklog {
  /** Identifiers by filter. */
  readonly #wanted = new Map<string, readonly string[]>();
  /** What has to be said, by topic and identifier. */
  readonly #open = new Map<string, EmqxRouteOp>();
  /** Taken, and not confirmed yet. */
  #underWay: readonly EmqxRouteOp[] = [];
  #revision = 0;

  get revision(): number {
    return this.#revision;
  }

  /** Whether everything was taken. */
  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** `groups` null: the route goes. */
  change(filter: string, groups: readonly string[] | null): void {
    this.#revision += 1;
    const before = this.#wanted.get(filter) ?? [];
    const after = groups === null ? [] : routeIds(filter, groups);
    if (after.length === 0) this.#wanted.delete(filter);
    else this.#wanted.set(filter, after);
    for (const id of after) if (!before.includes(id)) this.#say({ op: "add", topic: filter, id });
    for (const id of before) if (!after.includes(id)) this.#say({ op: "delete", topic: filter, id });
  }

  /** The next batch, adds first. */
  take(bytesMax: number): readonly EmqxRouteOp[] {
    const ops: EmqxRouteOp[] = [];
    const limit = Math.min(bytesMax, BYTES_MAX);
    let bytes = 0;
    for (const wanted of ["add", "delete"] as const) {
      for (const [key, op] of this.#open) {
        if (op.op !== wanted) continue;
        bytes += OP_BYTES + utf8Length(op.topic) + utf8Length(op.id);
        if (ops.length === OPS_MAX || (ops.length > 0 && bytes > limit)) {
          this.#underWay = ops;
          return ops;
        }
        this.#open.delete(key);
        ops.push(op);
      }
    }
    this.#underWay = ops;
    return ops;
  }

  confirmed(): void {
    this.#underWay = [];
  }

  /** What was taken last may not have arrived: again, unless something newer is to be said. */
  unconfirmed(): void {
    for (const op of this.#underWay) {
      const key = keyOf(op);
      if (!this.#open.has(key)) this.#open.set(key, op);
    }
    this.#underWay = [];
  }

  /** EMQX knows nothing (any more): all that we have, and nothing to take away. */
  forgotten(): void {
    this.#open.clear();
    this.#underWay = [];
    this.again();
  }

  /** EMQX may have forgotten: all that we have, and what was to be taken away. */
  again(): void {
    this.unconfirmed();
    this.#revision += 1;
    for (const { topic, id } of this.#all()) this.#say({ op: "add", topic, id });
  }

  /** Everything goes. */
  withdraw(): void {
    for (const filter of [...this.#wanted.keys()]) this.change(filter, null);
  }

  *#all(): Generator<Wanted> {
    for (const [topic, ids] of this.#wanted) for (const id of ids) yield { topic, id };
  }

  #say(op: EmqxRouteOp): void {
    this.#open.set(keyOf(op), op);
  }
}

/** No topic holds U+0000. */
function keyOf({ topic, id }: EmqxRouteOp): string {
  return `${topic}\0${id}`;
}
