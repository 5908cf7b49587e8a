/** A MosquittoAdapter with a broker on paper around it, which prints the lines that Mosquitto would. */

import type { EventsUp } from "../../src/broker/adapter.ts";
import { MosquittoAdapter } from "../../src/broker/mosquitto.ts";
import { encoder, FakeSession, Recorder, seeded } from "./recorder.ts";

const SUB = "$SYS/broker/log/M/subscribe";
const UNSUB = "$SYS/broker/log/M/unsubscribe";

export class MosquittoRig {
  readonly sink = new Recorder();
  readonly adapter: MosquittoAdapter;
  session: FakeSession;
  nowMs = 1_000_000;
  prefix: string;

  constructor(options: { prefix?: string; own?: string; clientsMax?: number } = {}) {
    this.prefix = options.prefix ?? "";
    this.session = new FakeSession(options.own ?? "OBSERVER");
    this.adapter = new MosquittoAdapter({
      cluster: "a",
      controlPrefix: "$LINK",
      sink: this.sink,
      random: seeded(1),
      clientsMax: options.clientsMax ?? 1_000,
    });
  }

  up(how: EventsUp = { sessionPresent: false, awayMs: null }): void {
    this.session = new FakeSession(this.session.clientId);
    this.adapter.up(this.session, how, this.nowMs);
  }

  down(): void {
    this.adapter.down(this.nowMs);
  }

  /** The broker announces our rows and the probe. */
  announce(): void {
    for (const filter of this.session.subscribed.flat()) this.sub(`${this.session.clientId} 1 ${filter}`);
    this.unsub(`${this.session.clientId} ${this.session.probe()}`);
  }

  /** Connected and answered, with what that emitted forgotten. */
  ready(): this {
    this.up();
    this.announce();
    this.sink.take();
    return this;
  }

  raw(topic: string, payload: Uint8Array, retain = false): void {
    this.adapter.message(topic, payload, retain, this.nowMs);
  }

  text(topic: string, text: string, retain = false): void {
    this.raw(topic, encoder.encode(text), retain);
  }

  sub(line: string): void {
    this.text(SUB, this.prefix + line);
  }
  unsub(line: string): void {
    this.text(UNSUB, this.prefix + line);
  }
  notice(line: string): void {
    this.text("$SYS/broker/log/N", this.prefix + line);
  }
  error(line: string): void {
    this.text("$SYS/broker/log/E", this.prefix + line);
  }

  /** A client comes by TCP, as 2.0 prints it. */
  connect(client: string, flags = "p2, c1, k60", port = 40_000): void {
    this.notice(`New connection from 127.0.0.1:${port} on port 1883.`);
    this.notice(`New client connected from 127.0.0.1:${port} as ${client} (${flags}).`);
  }
}
