/** A connection on paper: keeps what it is asked to send, and answers when the test says so. */
import type { Settle } from "../../src/mqtt/ack-table.ts";
import type { PublishPacket } from "../../src/mqtt/publish.ts";
import type { SubscribePacket } from "../../src/mqtt/subscribe.ts";

interface Sent<T> {
  readonly packet: T;
  readonly settle: Settle;
}

export class FakeConnection {
  waitingBytes = 0;
  readonly published: (Omit<Sent<PublishPacket>, "settle"> & { readonly settle: Settle | null })[] = [];
  readonly subscribed: Sent<SubscribePacket>[] = [];
  readonly unsubscribed: Sent<readonly string[]>[] = [];

  publish(packet: PublishPacket, settle: Settle | null): void {
    this.published.push({ packet, settle });
  }

  subscribe(packet: SubscribePacket, settle: Settle): void {
    this.subscribed.push({ packet, settle });
  }

  unsubscribe(packet: readonly string[], settle: Settle): void {
    this.unsubscribed.push({ packet, settle });
  }

  topics(): string[] {
    return this.published.map(({ packet }) => packet.topic);
  }
}
