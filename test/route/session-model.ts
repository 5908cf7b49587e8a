/**
 * A broker's session as Mosquitto keeps it, naive: one copy of a message for each matching subscription, marked with its
 * identifier, all data in one queue; acknowledgements travel beside that queue and may overtake it.
 */
import type { DemandFilter } from "../../src/route/demand-ids.ts";
import { matches } from "../../src/topic/algebra.ts";

export type ToBroker =
  | {
      readonly kind: "subscribe";
      readonly batch: number;
      readonly at: number;
      readonly of: number;
      readonly filter: DemandFilter;
    }
  | { readonly kind: "unsubscribe"; readonly batch: number; readonly filters: readonly string[] }
  | { readonly kind: "marker"; readonly marker: number };

export type Ack =
  | { readonly kind: "suback"; readonly batch: number; readonly of: number; readonly code: number }
  | { readonly kind: "unsuback"; readonly batch: number };

export type Data =
  | { readonly kind: "copy"; readonly message: number; readonly topic: string; readonly id: number }
  | { readonly kind: "marker"; readonly marker: number };

export class SessionModel {
  /** Filter → identifier. */
  readonly subscriptions = new Map<string, number>();
  readonly toBroker: ToBroker[] = [];
  readonly acks: Ack[] = [];
  readonly data: Data[] = [];
  readonly #refuses: (filter: string) => boolean;

  constructor(refuses: (filter: string) => boolean) {
    this.#refuses = refuses;
  }

  /** The broker takes the next packet of ours; false: there is none. */
  handleOne(): boolean {
    const packet = this.toBroker.shift();
    if (packet === undefined) return false;
    switch (packet.kind) {
      case "subscribe": {
        const { filter, id } = packet.filter;
        const refused = this.#refuses(filter);
        if (!refused) this.subscriptions.set(filter, id);
        this.acks.push({ kind: "suback", batch: packet.batch, of: packet.of, code: refused ? 0x87 : 1 });
        break;
      }
      case "unsubscribe":
        for (const filter of packet.filters) this.subscriptions.delete(filter);
        this.acks.push({ kind: "unsuback", batch: packet.batch });
        break;
      case "marker":
        this.data.push(packet);
        break;
    }
    return true;
  }

  /** A client publishes: one copy for each subscription, in the order that `turn` makes of them. */
  publish(message: number, topic: string, turn: number): void {
    const ids = [...this.subscriptions].filter(([filter]) => matches(filter, topic)).map(([, id]) => id);
    for (let i = 0; i < ids.length; i += 1) {
      const id = ids[(i + turn) % ids.length];
      if (id !== undefined) this.data.push({ kind: "copy", message, topic, id });
    }
  }

  /** The connection breaks: `reached` of our packets were still taken, all acknowledgements are lost. */
  cut(reached: number): void {
    for (let i = 0; i < reached; i += 1) this.handleOne();
    this.toBroker.length = 0;
    this.acks.length = 0;
  }

  /** The broker forgets the session. */
  forget(): void {
    this.subscriptions.clear();
    this.data.length = 0;
  }
}
