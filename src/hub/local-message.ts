/** What the data session hands to the hub. */
import type { MessageProperties } from "../wire/message.ts";

/** A message that the local data session received. */
export interface LocalMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** The broker may have had it stored, and sends it because we subscribed: only then, and on MQTT 3.1.1, is it in doubt. */
  readonly stored?: boolean;
  readonly properties: MessageProperties | null;
  readonly expirySeconds: number | null;
  readonly subscriptionIds: readonly number[];
  /** MQTT packet identifier; 0 or absent at QoS 0. */
  readonly packetId?: number;
  /** The broker sent it before, on this session. */
  readonly dup?: boolean;
  /** The owner's token for its acknowledgement, answered once unless the connection ends first. Null or absent: nobody waits. */
  readonly ack?: number | null;
}
