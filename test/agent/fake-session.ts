/** A session on paper: what is asked of it waits until the test answers. */
import type { PublishPacket, PublishResult } from "../../src/mqtt/publish.ts";
import type { SubscribeEntry } from "../../src/mqtt/subscribe.ts";

export class FakeSession {
  connected = true;
  protocolVersion: 4 | 5 | null = 5;
  readonly published: {
    readonly topic: string;
    readonly text: string;
    readonly done: (result: PublishResult) => void;
  }[] = [];
  readonly subscribed: {
    readonly filters: readonly string[];
    readonly done: (codes: readonly number[] | null) => void;
  }[] = [];

  publish(packet: PublishPacket, done: (result: PublishResult) => void = () => {}): void {
    this.published.push({ topic: packet.topic, text: Buffer.from(packet.payload).toString(), done });
  }

  subscribe(entries: readonly SubscribeEntry[], done: (codes: readonly number[] | null) => void): void {
    this.subscribed.push({ filters: entries.map(({ filter }) => filter), done });
  }

  get texts(): string[] {
    return this.published.map(({ text }) => text);
  }
}
