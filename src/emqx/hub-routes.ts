/**
 * The routes that the hub's half of the link announces, taken as a peer of our own kind takes them. They come through memory, so
 * what is out of order is a repetition. Pure.
 */
import type { ControlBody, RoutesMark, WireRouteOp } from "../wire/message.ts";

/** `groups` null: the route goes. */
export interface RouteChange {
  readonly filter: string;
  readonly groups: readonly string[] | null;
}

type Groups = readonly string[];

export class HubRoutes {
  readonly #routes = new Map<string, Groups>();
  #staged = new Map<string, Groups>();
  #bootstrap = 0;
  #nextPart = 0;
  #isDone = false;
  #appliedOp = 0;

  get appliedOp(): number {
    return this.#appliedOp;
  }

  get size(): number {
    return this.#routes.size;
  }

  /** Parts of the present bootstrap that are here. */
  get nextPart(): number {
    return this.#nextPart;
  }

  /** A part of a whole set. Answers whether it is of the present one. */
  part({ bootstrap, part, ops }: Extract<ControlBody, { type: "bootstrap" }>): boolean {
    if (!this.#isPresent(bootstrap)) return false;
    if (part !== this.#nextPart || this.#isDone) return true;
    for (const op of ops) if (op.op === "add") this.#staged.set(op.filter, op.groups);
    this.#nextPart += 1;
    return true;
  }

  /** The set is whole: what differs from before, additions first; null: a part is missing, or it was taken already. */
  end(bootstrap: number, parts: number, mark: RoutesMark): RouteChange[] | null {
    if (!this.#isPresent(bootstrap) || this.#isDone || parts !== this.#nextPart) return null;
    this.#isDone = true;
    this.#appliedOp = mark.op;
    const changes: RouteChange[] = [];
    for (const [filter, groups] of this.#staged)
      if (this.#routes.get(filter)?.join("/") !== groups.join("/")) changes.push({ filter, groups });
    for (const filter of this.#routes.keys()) if (!this.#staged.has(filter)) changes.push({ filter, groups: null });
    for (const change of changes) this.#set(change);
    this.#staged = new Map();
    return changes;
  }

  /** Operations that follow each other; what was applied before is passed over. */
  apply(firstOp: number, ops: readonly WireRouteOp[]): RouteChange[] {
    const known = this.#appliedOp + 1 - firstOp;
    if (known < 0 || known >= ops.length) return [];
    const changes = ops
      .slice(known)
      .map((op) => ({ filter: op.filter, groups: op.op === "add" ? op.groups : null }) satisfies RouteChange);
    for (const change of changes) this.#set(change);
    this.#appliedOp += changes.length;
    return changes;
  }

  /** Another life numbers its operations anew; what it announces is compared with what is here. */
  newSpeaker(): void {
    this.#bootstrap = 0;
    this.#nextPart = 0;
    this.#isDone = false;
    this.#appliedOp = 0;
  }

  #isPresent(bootstrap: number): boolean {
    if (bootstrap < this.#bootstrap) return false;
    if (bootstrap > this.#bootstrap) {
      this.#bootstrap = bootstrap;
      this.#nextPart = 0;
      this.#isDone = false;
      this.#staged = new Map();
    }
    return true;
  }

  #set({ filter, groups }: RouteChange): void {
    if (groups === null) this.#routes.delete(filter);
    else this.#routes.set(filter, groups);
  }
}
