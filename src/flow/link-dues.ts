/** The acknowledgements that wait for one lane of a link: for its disk, or for the peer. */
import type { AckLedger, Due } from "./ack-ledger.ts";
import type { Durability } from "./durability.ts";
import type { OutboundOptions } from "./outbound-options.ts";
import type { SpoolLog } from "./spool-log.ts";

export class LinkDues {
  /** Whether an acknowledgement may have to wait for this link. */
  withholds = false;
  #durability: Durability = "memory";
  readonly #log: SpoolLog;
  readonly #ledger: AckLedger;
  /** By the message's number, ascending: no more than the local broker's window. */
  readonly #waiting = new Map<number, Due>();

  constructor(options: OutboundOptions, log: SpoolLog, ledger: AckLedger) {
    this.#log = log;
    this.#ledger = ledger;
    this.reconfigure(options);
  }

  /** What waits for more than is asked now is acknowledged. The log stays what it is. */
  reconfigure(options: Pick<OutboundOptions, "durability" | "spool">): void {
    this.#durability = options.durability ?? "memory";
    this.withholds = this.#durability !== "memory" || options.spool.whenFull === "backpressure";
    if (this.#durability === "memory") this.release();
    else this.synced();
  }

  /** Nothing waits any more. */
  release(): void {
    this.settledUpTo(Number.POSITIVE_INFINITY);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** The message is in the spool. */
  stored(number: number, due: Due): void {
    const isSafe = this.#durability === "memory" || (this.#durability === "disk" && number <= this.#log.durableNumber);
    if (isSafe) this.#ledger.done(due);
    else this.#waiting.set(number, due);
  }

  /** The peer has confirmed the message, or it was given up. */
  settled(number: number): void {
    if (this.#waiting.size === 0) return;
    const due = this.#waiting.get(number);
    if (due === undefined) return;
    this.#waiting.delete(number);
    this.#ledger.done(due);
  }

  /** All up to this number are settled. */
  settledUpTo(number: number): void {
    for (const [waiting, due] of this.#waiting) {
      if (waiting > number) return;
      this.#waiting.delete(waiting);
      this.#ledger.done(due);
    }
  }

  /** More is on the disk than before. */
  synced(): void {
    if (this.#durability === "disk") this.settledUpTo(this.#log.durableNumber);
  }
}
