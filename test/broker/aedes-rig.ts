/** An AedesAdapter with a broker on paper around it, which publishes the events that Aedes would. */
import type { EventsUp } from "../../src/broker/adapter.ts";
import { AedesAdapter } from "../../src/broker/aedes.ts";
import { encoder, FakeSession, Recorder, seeded } from "./recorder.ts";

export class AedesRig {
  readonly sink = new Recorder();
  readonly adapter: AedesAdapter;
  readonly session = new FakeSession("OBSERVER");
  nowMs = 1_000_000;

  constructor(clientsMax = 1_000) {
    this.adapter = new AedesAdapter({
      cluster: "a",
      controlPrefix: "$LINK",
      sink: this.sink,
      random: seeded(1),
      clientsMax,
    });
  }
  up(how: EventsUp = { sessionPresent: false, awayMs: null }): void {
    this.adapter.up(this.session, how, this.nowMs);
  }
  ready(): this {
    this.up();
    this.unsubs("OBSERVER", [this.session.probe()]);
    this.sink.take();
    return this;
  }
  raw(topic: string, text: string, retain = false): void {
    this.adapter.message(topic, encoder.encode(text), retain, this.nowMs);
  }
  client(id: string, node = "n"): void {
    this.raw(`$SYS/${node}/new/clients`, id);
  }
  gone(id: string, node = "n"): void {
    this.raw(`$SYS/${node}/disconnect/clients`, id);
  }
  subs(clientId: string, filters: readonly string[], qos = 1, node = "n"): void {
    this.raw(
      `$SYS/${node}/new/subscribes`,
      JSON.stringify({ clientId, subs: filters.map((topic) => ({ topic, qos })) }),
    );
  }
  unsubs(clientId: string, subs: readonly unknown[], node = "n"): void {
    this.raw(`$SYS/${node}/new/unsubscribes`, JSON.stringify({ clientId, subs }));
  }
}
