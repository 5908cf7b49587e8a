/**
 * A frame whose body is compressed: the same envelope, another type, and how long the body is, so that it can be refused
 * before it is expanded. Only a peer that offered the algorithm gets one. Layout: docs/PROTOCOL.md.
 */
import { ByteReader, ByteWriter } from "./bytes.ts";
import { COMPRESSION_IDS, type Compression, compressionOf, type FrameCodec } from "./compression.ts";
import { beginEnvelope, readMessage } from "./envelope.ts";
import { FRAME_BYTES_MAX, FRAME_TYPE } from "./frame.ts";
import type { Decoded, Speaker } from "./message.ts";

const PACKED_FRAME_TYPE = 65;
/** Where an envelope has its type. */
const TYPE_AT = 4;
/** Bodies are no longer: neither side's loop stands still for more than some ten milliseconds, whoever made the bytes. */
export const PACKED_BODY_BYTES_MAX = 1024 * 1024;
const HEADER_BYTES_MAX = 32;

/** A frame that this version wrote, compressed; null: it is too large for that, or the codec cannot. */
export function packFrame(frame: Uint8Array, algorithm: Compression, codec: FrameCodec): Uint8Array | null {
  const { body, speaker } = parts(frame);
  if (body.length > PACKED_BODY_BYTES_MAX) return null;
  const packed = codec.compress(algorithm, body);
  if (packed === null) return null;
  const writer = new ByteWriter(HEADER_BYTES_MAX + packed.length);
  beginEnvelope(writer, PACKED_FRAME_TYPE, speaker);
  writer.u8(COMPRESSION_IDS[algorithm]);
  writer.varint(body.length);
  writer.raw(packed);
  return writer.finish();
}

export function isPacked(frame: Uint8Array): boolean {
  return frame[TYPE_AT] === PACKED_FRAME_TYPE;
}

/** The frame as it was before it was compressed: for decodeFrame(). */
export function unpackFrame(bytes: Uint8Array, codec: FrameCodec): Decoded<Uint8Array> {
  return readMessage(bytes, FRAME_BYTES_MAX, (reader, type, speaker) =>
    type === PACKED_FRAME_TYPE ? readPacked(reader, speaker, codec) : null,
  );
}

function readPacked(reader: ByteReader, speaker: Speaker, codec: FrameCodec): Uint8Array {
  const algorithm = compressionOf(reader.u8());
  const length = reader.varint();
  const packed = reader.raw(reader.remaining);
  if (length > PACKED_BODY_BYTES_MAX) reader.fail("too_large");
  if (algorithm === null || !codec.algorithms.includes(algorithm)) reader.fail("bad_value");
  if (algorithm === null || reader.problem !== null) return packed;
  const body = codec.expand(algorithm, packed, length);
  if (body?.length !== length) {
    reader.fail("bad_compression");
    return packed;
  }
  const writer = new ByteWriter(HEADER_BYTES_MAX + length);
  beginEnvelope(writer, FRAME_TYPE, speaker);
  writer.raw(body);
  return writer.finish();
}

/** Our own frames have no optional sections, and were made a moment ago: nothing is checked. */
function parts(frame: Uint8Array): { readonly speaker: Speaker; readonly body: Uint8Array } {
  const reader = new ByteReader(frame);
  reader.raw(TYPE_AT + 1);
  const speaker = { incarnation: reader.varint(), instance: reader.hex(8) };
  return { speaker, body: reader.raw(reader.remaining) };
}
