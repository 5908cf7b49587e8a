/** The MQTT 5 properties of a PUBLISH as the packet carries them: a message's own, and what belongs to the packet alone. */
import type { MessageProperties } from "../wire/message.ts";

export interface PacketProperties extends MessageProperties {
  /** Seconds that are left. */
  readonly messageExpiryInterval?: number;
}

/** Null: the message has none. What belongs to the packet stays behind: expiry is told apart. */
export function toMessageProperties(properties: PacketProperties | null): MessageProperties | null {
  if (properties?.messageExpiryInterval === undefined) return properties;
  const { messageExpiryInterval: _, ...message } = properties;
  return Object.keys(message).length === 0 ? null : message;
}
