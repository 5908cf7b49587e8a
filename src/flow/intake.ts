/** How reliable messages get into a link's spool: at once, after waiting for room, or not at all. Pure. */
import type { Message } from "../wire/message.ts";
import type { Due } from "./ack-ledger.ts";
import type { LinkDues } from "./link-dues.ts";
import type { Spool, SpoolDrop, SpoolOptions } from "./spool.ts";
import { WaitingRoom } from "./waiting-room.ts";

export class Intake {
  readonly #spool: Spool;
  readonly #dues: LinkDues;
  readonly #whenFull: () => SpoolOptions["whenFull"];
  readonly #dropped: (drop: SpoolDrop) => void;
  readonly #waiting = new WaitingRoom();

  /** `whenFull`: what happens to what finds no room. While the log takes nothing it waits in any case: nobody has lost it yet. */
  constructor(
    spool: Spool,
    dues: LinkDues,
    whenFull: () => SpoolOptions["whenFull"],
    dropped: (drop: SpoolDrop) => void,
  ) {
    this.#spool = spool;
    this.#dues = dues;
    this.#whenFull = whenFull;
    this.#dropped = dropped;
  }

  /** Messages that wait for room. */
  get waiting(): number {
    return this.#waiting.length;
  }

  take(message: Message, bytes: number, due: Due | null, nowMs: number): void {
    const room = this.#waiting.length > 0 ? "full" : this.#spool.makeRoom(bytes);
    if (room !== "full") {
      if (room !== null) this.#dropped(room);
      this.#store(message, bytes, due, nowMs);
      return;
    }
    const mayWait = this.#whenFull() === "backpressure" || this.#spool.log.isFull || this.#waiting.length > 0;
    if (mayWait && this.#spool.fits(bytes) && this.#waiting.push({ message, bytes, due })) return;
    this.#dropped({ reason: "spool_full", count: 1 });
    if (due !== null) this.#dues.dropped(due);
  }

  /** Those that waited come in, in order, as far as there is room. Answers whether one did. */
  admit(nowMs: number): boolean {
    let admitted = false;
    for (let first = this.#waiting.peek(); first !== undefined; first = this.#waiting.peek()) {
      if (this.#spool.makeRoom(first.bytes) === "full") break;
      this.#waiting.shift();
      this.#store(first.message, first.bytes, first.due, nowMs);
      admitted = true;
    }
    return admitted;
  }

  /** What waits is given up, and acknowledged: nobody makes room for it any more. Answers how many. */
  giveUp(): number {
    let count = 0;
    for (let first = this.#waiting.peek(); first !== undefined; first = this.#waiting.peek()) {
      this.#waiting.shift();
      if (first.due !== null) this.#dues.dropped(first.due);
      count += 1;
    }
    return count;
  }

  #store(message: Message, bytes: number, due: Due | null, nowMs: number): void {
    const number = this.#spool.append(message, bytes, nowMs);
    if (due !== null) this.#dues.stored(number, due);
  }
}
