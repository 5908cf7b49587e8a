/**
 * What we owe the local broker: an acknowledgement for each QoS 1 message, once, when everybody it was given to is done
 * with it. Pure. A message that is dropped is done with like any other: what is never acknowledged would fill the broker's
 * window until nothing arrives any more.
 *
 * When the connection ends, the broker sends again what was not acknowledged. A message still in our hands then takes the
 * new token in place of the old one (`takeOver`).
 */

/** The acknowledgement owed for one message. */
export interface Due {
  /** Null: its connection is over, and the broker has not sent it again (yet). */
  ack: number | null;
  readonly packetId: number;
  /** How many still need it unacknowledged. */
  holders: number;
}

export class AckLedger {
  readonly #acknowledge: (ack: number) => void;
  /** What was not acknowledged while it was routed, by its packet identifier: no more than the broker's window. */
  readonly #open = new Map<number, Due>();

  constructor(acknowledge: (ack: number) => void) {
    this.#acknowledge = acknowledge;
  }

  /** How many messages wait for their acknowledgement. */
  get open(): number {
    return this.#open.size;
  }

  /** A message comes in; the caller holds it until it calls `routed`. */
  begin(ack: number, packetId: number): Due {
    return { ack, packetId, holders: 1 };
  }

  /** One more needs the message unacknowledged, until it calls `done`. */
  hold(due: Due): void {
    due.holders += 1;
  }

  /** The caller of `begin` has given the message to everybody. */
  routed(due: Due): void {
    due.holders -= 1;
    if (due.holders === 0) this.#pay(due);
    else this.#open.set(due.packetId, due);
  }

  done(due: Due): void {
    due.holders -= 1;
    if (due.holders > 0) return;
    if (this.#open.get(due.packetId) === due) this.#open.delete(due.packetId);
    this.#pay(due);
  }

  /** The broker sent a message again that we have: acknowledged now, or when what is still to be done with it is done. */
  takeOver(packetId: number, ack: number): void {
    const due = this.#open.get(packetId);
    if (due === undefined) this.#acknowledge(ack);
    else due.ack = ack;
  }

  /** The connection is over: nothing of it can be acknowledged. */
  connectionLost(): void {
    for (const due of this.#open.values()) due.ack = null;
  }

  /** The session is over: its broker sends nothing of it again. */
  sessionLost(): void {
    this.connectionLost();
    this.#open.clear();
  }

  #pay(due: Due): void {
    if (due.ack !== null) this.#acknowledge(due.ack);
  }
}
