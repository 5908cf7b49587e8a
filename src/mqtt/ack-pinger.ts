/**
 * Answers a small read that nobody answers with a PINGREQ: a broker that leaves Nagle's algorithm on holds its next packet
 * back until our kernel acknowledges the last one, which the kernel delays by 40 ms unless it has something to send. The
 * PINGRESP is such a packet too, so a few more PINGREQs follow, ever further apart, until those 40 ms are over.
 *
 * Decides when; writes nothing.
 */

/**
 * The answer to one PINGREQ may itself wait behind a packet that came after we wrote it, so that packet needs another. A
 * third is not needed: an acknowledgement releases all that waits.
 */
const PINGS_OUT_MAX = 2;
/**
 * From each PINGRESP to the next PINGREQ. What the broker writes t ms after a packet waits about t ms more instead of the
 * rest of the 40; together they last almost as long.
 */
const FOLLOW_UP_MS = [2, 4, 8, 16] as const;
/**
 * The kernel delays its acknowledgements for a connection on which we write too; where we only read it sends them at once,
 * and a PINGREQ would make it stop that. So without a write of anything else for this long there is none.
 */
const QUIET_MS = 100;
/** A full segment is sent at once in spite of Nagle; 1460 bytes is Ethernet's, and no link's is much smaller. */
const SMALL_READ_BYTES = 1460;

export class AckPinger {
  readonly #enabled: boolean;
  /** Answers false when it cannot be written now. */
  readonly #ping: () => boolean;
  #writes = 0;
  #writesAtPing = 0;
  #wroteAtMs = performance.now();
  /** PINGREQs without an answer, the library's own included. */
  #out = 0;
  #asked = false;
  /** How many of the follow-ups to the last small read were begun. */
  #followUps = 0;
  #timer: NodeJS.Timeout | null = null;
  #over = false;
  #count = 0;

  constructor(enabled: boolean, ping: () => boolean) {
    this.#enabled = enabled;
    this.#ping = ping;
  }

  /** PINGREQs that this has asked for. */
  get count(): number {
    return this.#count;
  }

  /** When anything but these PINGREQs was written last. */
  get wroteAtMs(): number {
    return this.#wroteAtMs;
  }

  /** Something else was written. */
  wrote(): void {
    this.#writes += 1;
    this.#wroteAtMs = performance.now();
  }

  /** The library wrote a PINGREQ. */
  pinged(): void {
    this.#out += 1;
  }

  /** A PINGRESP arrived. */
  answered(): void {
    this.#out = Math.max(0, this.#out - 1);
  }

  /** So many bytes were read at once; before they are handled. */
  read(bytes: number): void {
    if (this.#enabled && bytes < SMALL_READ_BYTES) this.#askForAck();
  }

  /** A PINGRESP was all that was read; behind `answered`. */
  readOnlyAnswer(): void {
    if (!this.#enabled) return;
    // The broker's answer to what we wrote behind the PINGREQ waits until this one is acknowledged.
    if (this.#writes !== this.#writesAtPing) {
      this.#askForAck();
      return;
    }
    const waitMs = FOLLOW_UP_MS[this.#followUps];
    if (waitMs === undefined || this.#timer !== null) return;
    this.#followUps += 1;
    const writesBefore = this.#writes;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      // What was written meanwhile carried the acknowledgement; if it is answered, that is another read.
      if (this.#writes === writesBefore) this.#send();
    }, waitMs);
  }

  stop(): void {
    this.#over = true;
    this.#stopFollowUp();
  }

  /** At the end of this turn, if nothing was written until then. */
  #askForAck(): void {
    if (performance.now() - this.#wroteAtMs > QUIET_MS) return;
    this.#followUps = 0;
    this.#stopFollowUp();
    if (this.#asked || this.#out >= PINGS_OUT_MAX) return;
    this.#asked = true;
    const writesBefore = this.#writes;
    setImmediate(() => {
      this.#asked = false;
      if (this.#writes === writesBefore) this.#send();
    });
  }

  #stopFollowUp(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #send(): void {
    if (this.#over || this.#out >= PINGS_OUT_MAX || !this.#ping()) return;
    this.#writesAtPing = this.#writes;
    this.#out += 1;
    this.#count += 1;
  }
}
