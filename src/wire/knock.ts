/**
 * A message that means nothing: of a type that readers of every version pass over, and count. It shows, by the broker's answer to the
 * one who publishes it, whether anybody is subscribed to a control topic; whoever receives it is left as he was.
 */
import { ByteWriter } from "./bytes.ts";
import { beginEnvelope } from "./envelope.ts";

/** Never to be given to a message that means something. */
const KNOCK_TYPE = 0xff;
/** Nobody: a knock begins and ends no conversation. */
const NOBODY = { incarnation: 1, instance: "0000000000000000" };

export function encodeKnock(): Uint8Array {
  const writer = new ByteWriter();
  beginEnvelope(writer, KNOCK_TYPE, NOBODY);
  return writer.finish();
}
