/** Compressed frames as bytes and as values; docs/PROTOCOL.md has the same bytes under the same names. Who compresses may write others. */
import type { Compression } from "../../src/wire/compression.ts";
import type { Frame } from "../../src/wire/message.ts";
import { A, STREAM } from "./control-messages.ts";

export interface PackedFrameCase {
  readonly name: string;
  readonly algorithm: Compression;
  /** Spaces mean nothing. */
  readonly hex: string;
}

/** What all of them hold. */
export const PACKED_FRAME: Frame = {
  speaker: A,
  routeOp: 5,
  stream: STREAM,
  base: 8,
  messages: [8, 9, 10].map((number) => ({
    number,
    message: {
      topic: "t/1",
      payload: new TextEncoder().encode("hello hello hello hello"),
      qos: 1,
      retain: false,
      properties: null,
      expiryMs: null,
    },
    origin: null,
  })),
};

const HEAD = "42 4c 01 00 41 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8";

export const PACKED_FRAME_CASES: readonly PackedFrameCase[] = [
  {
    name: "compressed frame: deflate",
    algorithm: "deflate",
    hex: `${HEAD} 01 5d 63 0d 2c 4a cd 4d cc cc 2b e6 60 66 e5 60 2e d1 37 14 cf 48 cd c9 c9 57 c0 20 79 19 49 97 01 00`,
  },
  {
    name: "compressed frame: brotli",
    algorithm: "brotli",
    hex: `${HEAD} 02 5d 17 5c 00 00 80 aa aa aa ea 1f 04 04 04 40 2e 7a 96 ab 1c 6e 0a 72 3a ca e1 28 07 01 50 05 10 55 05 58 06 e0 60 2c 88 c4 24 31 c0 9d 36 95 3c f9 cd 15 73 3f 46 62 fc dd 64 64 d5 51 dc 1a 37 50 0b`,
  },
  {
    name: "compressed frame: zstd",
    algorithm: "zstd",
    hex: `${HEAD} 03 5d 28 b5 2f fd 20 5d 1d 01 00 d0 05 51 72 65 6d 61 69 6e 73 08 03 05 08 03 74 2f 31 17 68 65 6c 6c 6f 20 0d 01 02 00 f7 8c 30 99 cb 18`,
  },
];
