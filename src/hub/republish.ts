/** A message of a peer as it is published on the local broker. */
import { markProperties } from "../flow/mark.ts";
import type { Message, MessageProperties } from "../wire/message.ts";

export interface Republish {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly properties: MessageProperties | null;
  readonly expirySeconds: number | null;
}

/** `origin`: the cluster of first publication. `withProperties`: whether the local broker speaks MQTT 5. */
export function republishOf(message: Message, origin: string, withProperties: boolean): Republish {
  const { topic, payload, qos, properties, expiryMs } = message;
  return {
    topic,
    payload,
    qos,
    // `retained: strip`: the far side's broker stores nothing.
    retain: false,
    properties: withProperties ? markProperties(properties, origin, topic) : null,
    expirySeconds: expiryMs === null ? null : Math.max(1, Math.ceil(expiryMs / 1000)),
  };
}
