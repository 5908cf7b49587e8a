/**
 * The messages of one connection that the broker waits for our answer to, by packet identifier. Owns which may still be
 * answered, and how much memory they may stand for.
 */

interface Open {
  readonly qos: 1 | 2;
  readonly bytes: number;
}

export class Deliveries {
  readonly #open = new Map<number, Open>();
  readonly #countMax: number;
  readonly #bytesMax: number;
  #bytes = 0;

  /** `countMax`: the Receive Maximum that we announced. */
  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#open.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Brokers exceed our Receive Maximum (Mosquitto 2.0.11 does), and 3.1.1 has none: that alone is no harm. What is, is a broker
   * that fills the memory; it is told apart from one that fills it with what we allowed.
   */
  get overrun(): boolean {
    return this.#bytes > this.#bytesMax;
  }

  /** Whether a conforming broker would have stopped before. */
  get beyondCount(): boolean {
    return this.#open.size > this.#countMax;
  }

  /** One that comes again on the same connection, under an identifier that is open, takes its place. */
  add(packetId: number, qos: 1 | 2, bytes: number): void {
    this.#bytes += bytes - (this.#open.get(packetId)?.bytes ?? 0);
    this.#open.set(packetId, { qos, bytes });
  }

  /** Answers with which QoS it came, or null when it is not open. */
  close(packetId: number): 1 | 2 | null {
    const open = this.#open.get(packetId);
    if (open === undefined) return null;
    this.#open.delete(packetId);
    this.#bytes -= open.bytes;
    return open.qos;
  }
}
