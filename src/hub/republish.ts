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

/** What the receiving side makes of a message. */
export interface RepublishManner {
  /** The local broker speaks MQTT 5. */
  readonly withProperties: boolean;
  /** `retained: live`: this cluster's broker stores what the other side's clients had theirs store. */
  readonly keepRetain: boolean;
}

/** `origin`: the cluster of first publication. */
export function republishOf(
  message: Message,
  origin: string,
  { withProperties, keepRetain }: RepublishManner,
): Republish {
  const { topic, payload, qos, properties, expiryMs } = message;
  return {
    topic,
    payload,
    qos,
    retain: keepRetain && message.retain,
    properties: withProperties ? markProperties(properties, origin, topic) : null,
    expirySeconds: expiryMs === null ? null : Math.max(1, Math.ceil(expiryMs / 1000)),
  };
}
