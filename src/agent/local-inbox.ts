/**
 * What the link session subscribes to on the local broker, so that peers reach us there, and whether the broker really
 * delivers it: an access list is not seen in a SUBACK, and may change while everything runs.
 */

import { reasonText } from "../mqtt/reason-code.ts";
import type { MqttSession } from "../mqtt/session.ts";
import type { SubscribeEntry } from "../mqtt/subscribe.ts";
import { inboxFilters, inboxProbeTopics, probeTopic } from "../wire/names.ts";
import { ControlProbe, type ControlProbeEvents } from "./control-probe.ts";

type LinkSession = Pick<MqttSession, "connected" | "subscribe">;
type DataSession = Pick<MqttSession, "connected" | "protocolVersion" | "publish">;

export class LocalInbox {
  readonly #link: LinkSession;
  readonly #entries: readonly SubscribeEntry[];
  readonly #probe: ControlProbe;
  readonly #events: ControlProbeEvents;

  constructor(prefix: string, cluster: string, link: LinkSession, data: DataSession, events: ControlProbeEvents) {
    this.#link = link;
    this.#events = events;
    const probe = probeTopic(prefix, cluster);
    this.#entries = [...inboxFilters(prefix, cluster), probe].map((filter) => ({ filter, qos: 1, noLocal: true }));
    this.#probe = new ControlProbe([probe, ...inboxProbeTopics(prefix, cluster)], data, {
      controlDenied: (topic, why) => {
        events.controlDenied(topic, why);
        // A subscription that was refused, or got lost, comes back when it may: no connection has to end for it.
        this.refresh();
      },
      controlWorks: () => events.controlWorks(),
    });
  }

  /** The link session is connected; calls back when it is subscribed. */
  linkUp(done: () => void): void {
    this.#link.subscribe(this.#entries, (codes) => {
      if (codes === null) return;
      const refused = codes.findIndex((code) => code >= 0x80);
      const { filter = "" } = this.#entries[refused] ?? {};
      if (refused >= 0) this.#events.controlDenied(filter, `SUBSCRIBE refused: ${reasonText(codes[refused] ?? 0x80)}`);
      done();
      this.#probe.listening(true);
    });
  }

  linkDown(): void {
    this.#probe.listening(false);
  }

  dataUp(): void {
    this.#probe.dataUp();
  }

  /** Subscribes again what is subscribed: the broker announces it anew. */
  refresh(): void {
    if (this.#link.connected) this.#link.subscribe(this.#entries, () => {});
  }

  /** There is reason to doubt that the broker (still) passes on what is published for us, or by us. */
  doubt(): void {
    this.#probe.doubt();
  }

  /** Whether the link session's message was a question of our own. */
  message(topic: string): boolean {
    return this.#probe.message(topic);
  }

  stop(): void {
    this.#probe.stop();
  }
}
