/** Another bridge between two brokers, beside the link: it carries `t/#` both ways and, as MQTT 3.1.1 does, strips our mark. */
import { matches } from "../../src/topic/algebra.ts";
import type { Prng } from "./prng.ts";
import type { SimBroker, SimMessage } from "./sim-broker.ts";
import type { Timeline } from "./timeline.ts";

const CLIENT = "foreign-bridge";

export class ForeignBridge {
  active = false;
  carried = 0;

  constructor(a: SimBroker, b: SimBroker, time: Timeline, random: Prng) {
    const carry =
      (to: SimBroker) =>
      (from: string, message: SimMessage): void => {
        // It uses the bridge bit: a broker does not send it what it published itself.
        if (!this.active || from === CLIENT || !matches("t/#", message.topic)) return;
        this.carried += 1;
        time.after(1 + random.next() * 20, () => to.publish(CLIENT, { ...message, properties: null }));
      };
    a.watch(carry(b));
    b.watch(carry(a));
  }
}
