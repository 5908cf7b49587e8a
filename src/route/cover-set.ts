/**
 * A multiset of filters and the part of it worth naming: a filter is *up* when no other covers it. Incremental: one
 * filter more or less costs its own levels; only a covering filter that comes or goes costs what it covers.
 * A blocked filter (a broker refuses it) counts as absent until unblocked, so that what it covered comes forward.
 */
import { canonical } from "../topic/filter.ts";
import { FilterTrie } from "../topic/trie.ts";

export interface CoverChange {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

interface Member {
  readonly filter: string;
  count: number;
  blocked: boolean;
  up: boolean;
}

const NOTHING: CoverChange = { up: [], down: [] };

export class CoverSet {
  readonly #members = new FilterTrie<Member>();
  #upCount = 0;

  /** How many filters are up. */
  get size(): number {
    return this.#upCount;
  }

  has(filter: string): boolean {
    return this.#members.get(canonical(filter)) !== undefined;
  }

  isUp(filter: string): boolean {
    return this.#members.get(canonical(filter))?.up === true;
  }

  add(raw: string): CoverChange {
    const filter = canonical(raw);
    const known = this.#members.get(filter);
    if (known !== undefined) {
      known.count += 1;
      return NOTHING;
    }
    const member: Member = { filter, count: 1, blocked: false, up: false };
    this.#members.set(filter, member);
    return this.#raise(member);
  }

  remove(raw: string): CoverChange {
    const filter = canonical(raw);
    const member = this.#members.get(filter);
    if (member === undefined) return NOTHING;
    member.count -= 1;
    if (member.count > 0) return NOTHING;
    this.#members.delete(filter);
    return this.#lower(member);
  }

  block(raw: string): CoverChange {
    const member = this.#members.get(canonical(raw));
    if (member === undefined || member.blocked) return NOTHING;
    member.blocked = true;
    return this.#lower(member);
  }

  unblock(raw: string): CoverChange {
    const member = this.#members.get(canonical(raw));
    if (member === undefined || !member.blocked) return NOTHING;
    member.blocked = false;
    return this.#raise(member);
  }

  isBlocked(filter: string): boolean {
    return this.#members.get(canonical(filter))?.blocked === true;
  }

  *announced(): Iterable<string> {
    const up: string[] = [];
    this.#members.coveredBy("#", (member) => {
      if (member.up) up.push(member.filter);
    });
    yield* up;
  }

  /** The filter that is up and covers this one (perhaps itself), if any. */
  upCovering(raw: string): string | null {
    let found: string | null = null;
    this.#members.covering(canonical(raw), (member) => {
      if (member.up) found = member.filter;
      return member.up;
    });
    return found;
  }

  #raise(member: Member): CoverChange {
    if (this.#isCovered(member)) return NOTHING;
    const down: string[] = [];
    this.#members.coveredBy(member.filter, (covered) => {
      if (covered === member || !covered.up) return;
      covered.up = false;
      down.push(covered.filter);
    });
    member.up = true;
    this.#upCount += 1 - down.length;
    return { up: [member.filter], down };
  }

  /** A member that is gone or blocked: what it alone covered comes up. */
  #lower(member: Member): CoverChange {
    if (!member.up) return NOTHING;
    member.up = false;
    const up: string[] = [];
    this.#members.coveredBy(member.filter, (candidate) => {
      if (candidate === member || candidate.blocked || this.#isCovered(candidate)) return;
      candidate.up = true;
      up.push(candidate.filter);
    });
    this.#upCount += up.length - 1;
    return { up, down: [member.filter] };
  }

  #isCovered(member: Member): boolean {
    let covered = false;
    this.#members.covering(member.filter, (other) => {
      if (other !== member && !other.blocked) covered = true;
      return covered;
    });
    return covered;
  }
}
