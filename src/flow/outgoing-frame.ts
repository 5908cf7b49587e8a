/** A frame that may leave now, as a value. */
import type { FramedMessage } from "../wire/message.ts";

export interface OutgoingFrame {
  readonly id: number;
  /** That its numbers are of. */
  readonly stream: string;
  readonly messages: readonly FramedMessage[];
  readonly base: number;
  /** Publish at QoS 1, so that a broker's refusal is told: the first frame after a connect, every resend, and one a second. */
  readonly confirm: boolean;
  readonly resend: boolean;
}
