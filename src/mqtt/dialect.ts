/**
 * Which MQTT a broker is spoken to in: 5, then 3.1.1 with the bridge bit, then plain 3.1.1.
 *
 * A broker that refuses a dialect says so, or just hangs up. But what hangs up may also be a proxy whose broker is not up
 * yet, so two such ends only suggest a lower dialect: when that is accepted, what was skipped is tried once more, against a
 * broker that now is known to answer.
 */
import { assert } from "../base/assert.ts";

export type Dialect =
  | { readonly version: 5; readonly bridge: false }
  | { readonly version: 4; readonly bridge: boolean };

/** One hang-up may be chance. */
const SILENCES_MAX = 2;

export function dialects(protocolVersion: 4 | 5 | null, bridge: boolean): readonly Dialect[] {
  const four: readonly Dialect[] = bridge
    ? [
        { version: 4, bridge: true },
        { version: 4, bridge: false },
      ]
    : [{ version: 4, bridge: false }];
  if (protocolVersion === 4) return four;
  const five: Dialect = { version: 5, bridge: false };
  return protocolVersion === 5 ? [five] : [five, ...four];
}

export class DialectChoice {
  readonly #candidates: readonly Dialect[];
  /** Index → known to be refused, or only skipped because of silence. */
  readonly #skipped = new Map<number, "refused" | "silent">();
  #at = 0;
  #silences = 0;
  #settled = false;
  /** The accepted dialect to return to while a skipped one has its second chance. */
  #fallback: number | null = null;

  constructor(candidates: readonly Dialect[]) {
    assert(candidates.length > 0, "no dialect to speak");
    this.#candidates = candidates;
  }

  get current(): Dialect {
    const dialect = this.#candidates[this.#at];
    assert(dialect !== undefined, "a dialect is chosen");
    return dialect;
  }

  /** The broker answered in the present dialect. False: leave at once and connect again, a better one may work too. */
  accepted(): boolean {
    this.#silences = 0;
    if (this.#settled || this.#fallback !== null) return this.#settle();
    const doubtful = this.#doubtful();
    if (doubtful === null) return this.#settle();
    this.#fallback = this.#at;
    this.#at = doubtful;
    return false;
  }

  /** The broker said that it does not speak this. True: connect again at once; false: nothing is left, begin again later. */
  refused(): boolean {
    this.#settled = false;
    return this.#skip("refused");
  }

  /** The broker hung up, or said nothing, before any answer. True: connect again at once in another dialect. */
  silent(): boolean {
    if (this.#fallback !== null) return this.#skip("refused");
    if (this.#settled || this.#candidates.length === 1) return false;
    this.#silences += 1;
    return this.#silences >= SILENCES_MAX && this.#skip("silent");
  }

  #settle(): true {
    this.#settled = true;
    this.#fallback = null;
    return true;
  }

  #skip(why: "refused" | "silent"): boolean {
    this.#silences = 0;
    this.#skipped.set(this.#at, why);
    if (this.#fallback !== null) {
      this.#at = this.#doubtful() ?? this.#fallback;
      return true;
    }
    if (this.#at + 1 < this.#candidates.length) {
      this.#at += 1;
      return true;
    }
    this.#skipped.clear();
    this.#at = 0;
    return false;
  }

  /** The best dialect that only silence spoke against, and that is better than the accepted one. */
  #doubtful(): number | null {
    const below = this.#fallback ?? this.#at;
    for (let index = 0; index < below; index += 1) if (this.#skipped.get(index) === "silent") return index;
    return null;
  }
}
