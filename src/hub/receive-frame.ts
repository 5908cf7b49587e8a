/** A frame as it comes in: expanded if it is compressed, and decoded. */
import type { FrameCodec } from "../wire/compression.ts";
import { decodeFrame } from "../wire/frame.ts";
import type { Decoded, Frame } from "../wire/message.ts";
import { isPacked, unpackFrame } from "../wire/packed-frame.ts";

export interface ReceivedFrame {
  readonly frame: Frame;
  /** What it takes here: its messages are views of so many bytes. */
  readonly plainBytes: number;
}

/** Without a codec a compressed frame is of an unknown type: nobody offered to take one. */
export function receiveFrame(bytes: Uint8Array, codec: FrameCodec | undefined): Decoded<ReceivedFrame> {
  let plain = bytes;
  if (codec !== undefined && isPacked(bytes)) {
    const unpacked = unpackFrame(bytes, codec);
    if (!unpacked.ok) return unpacked;
    plain = unpacked.value;
  }
  const decoded = decodeFrame(plain);
  return decoded.ok ? { ok: true, value: { frame: decoded.value, plainBytes: plain.length } } : decoded;
}
