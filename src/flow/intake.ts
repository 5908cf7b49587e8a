/** How reliable messages get into a link's lanes: at once, after waiting for room, or not at all. Pure. */
import type { Message } from "../wire/message.ts";
import type { AckLedger, Due } from "./ack-ledger.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import type { SpoolDrop, SpoolOptions } from "./spool.ts";
import { WaitingRoom } from "./waiting-room.ts";

export class Intake {
  readonly #lanes: Lanes;
  readonly #ledger: AckLedger;
  readonly #whenFull: () => SpoolOptions["whenFull"];
  readonly #dropped: (drop: SpoolDrop) => void;
  readonly #waiting = new WaitingRoom();

  /** `whenFull`: what happens to what finds no room. While a log takes nothing it waits in any case: nobody has lost it yet. */
  constructor(
    lanes: Lanes,
    ledger: AckLedger,
    whenFull: () => SpoolOptions["whenFull"],
    dropped: (drop: SpoolDrop) => void,
  ) {
    this.#lanes = lanes;
    this.#ledger = ledger;
    this.#whenFull = whenFull;
    this.#dropped = dropped;
  }

  /** Messages that wait for room. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Answers the lane that has it as its last number; null: it waits, or is lost. */
  take(message: Message, bytes: number, due: Due | null, nowMs: number): Lane | null {
    const room = this.#waiting.length > 0 ? "full" : this.#lanes.makeRoom(bytes, nowMs);
    if (room !== "full") {
      if (room !== null) this.#dropped(room);
      return this.#lanes.append(message, bytes, due, nowMs);
    }
    const mayWait = this.#whenFull() === "backpressure" || this.#lanes.isStalled || this.#waiting.length > 0;
    if (mayWait && this.#lanes.fits(bytes) && this.#waiting.push({ message, bytes, due })) return null;
    this.#dropped({ reason: "spool_full", count: 1 });
    if (due !== null) this.#ledger.done(due);
    return null;
  }

  /** Those that waited come in, in order, as far as there is room. Answers whether one did. */
  admit(nowMs: number): boolean {
    let admitted = false;
    for (let first = this.#waiting.peek(); first !== undefined; first = this.#waiting.peek()) {
      const room = this.#lanes.makeRoom(first.bytes, nowMs);
      if (room === "full") break;
      if (room !== null) this.#dropped(room);
      this.#waiting.shift();
      this.#lanes.append(first.message, first.bytes, first.due, nowMs);
      admitted = true;
    }
    return admitted;
  }

  /** What waits is given up, and acknowledged: nobody makes room for it any more. Answers how many. */
  giveUp(): number {
    let count = 0;
    for (let first = this.#waiting.peek(); first !== undefined; first = this.#waiting.peek()) {
      this.#waiting.shift();
      if (first.due !== null) this.#ledger.done(first.due);
      count += 1;
    }
    return count;
  }
}
