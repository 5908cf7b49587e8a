/** Frames as bytes and as values; docs/PROTOCOL.md has the same bytes under the same names. */
import type { Frame } from "../../src/wire/message.ts";
import { A, STREAM } from "./control-messages.ts";

export interface FrameCase {
  readonly name: string;
  /** Spaces mean nothing. */
  readonly hex: string;
  readonly value: Frame;
  /** False: a later version's bytes, which this one reads and does not write. */
  readonly written: boolean;
}

const HELLO = new TextEncoder().encode("hello");

export const FRAME_CASES: readonly FrameCase[] = [
  {
    name: "frame: two reliable messages on one topic, one on another",
    hex: "42 4c 01 00 40 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 05 51 72 65 6d 61 69 6e 73 08 03 05 08 03 74 2f 31 05 68 65 6c 6c 6f 0d 02 05 68 65 6c 6c 6f 05 02 04 63 2f c3 bc 05 68 65 6c 6c 6f",
    written: true,
    value: {
      speaker: A,
      routeOp: 5,
      stream: STREAM,
      base: 8,
      messages: ["t/1", "t/1", "c/ü"].map((topic, at) => ({
        number: 8 + 2 * at,
        message: { topic, payload: HELLO, qos: 1, retain: false, properties: null, expiryMs: null },
        origin: null,
      })),
    },
  },
  {
    name: "frame: best effort",
    hex: "42 4c 01 00 40 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 05 51 72 65 6d 61 69 6e 73 01 01 00 03 74 2f 31 00",
    written: true,
    value: {
      speaker: A,
      routeOp: 5,
      stream: STREAM,
      base: 1,
      messages: [
        {
          number: null,
          message: {
            topic: "t/1",
            payload: new Uint8Array(0),
            qos: 0,
            retain: false,
            properties: null,
            expiryMs: null,
          },
          origin: null,
        },
      ],
    },
  },
  {
    name: "frame: every field",
    hex: "42 4c 01 00 40 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 ac 02 51 72 65 6d 61 69 6e 73 08 01 77 09 03 74 2f 31 e0 d4 03 01 63 3d 0a 74 65 78 74 2f 70 6c 61 69 6e 03 72 2f 31 02 00 ff 02 01 6b 01 76 01 6b 00 05 68 65 6c 6c 6f",
    written: true,
    value: {
      speaker: A,
      routeOp: 300,
      stream: STREAM,
      base: 8,
      messages: [
        {
          number: 9,
          message: {
            topic: "t/1",
            payload: HELLO,
            qos: 1,
            retain: true,
            properties: {
              payloadFormatIndicator: true,
              contentType: "text/plain",
              responseTopic: "r/1",
              correlationData: Uint8Array.of(0, 255),
              userProperties: [
                ["k", "v"],
                ["k", ""],
              ],
            },
            expiryMs: 60_000,
          },
          origin: "c",
        },
      ],
    },
  },
  {
    name: "frame: a message with an extension of a later version",
    hex: "42 4c 01 00 40 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 05 51 72 65 6d 61 69 6e 73 08 01 85 08 03 74 2f 31 03 02 01 ff 05 68 65 6c 6c 6f",
    written: false,
    value: {
      speaker: A,
      routeOp: 5,
      stream: STREAM,
      base: 8,
      messages: [
        {
          number: 8,
          message: { topic: "t/1", payload: HELLO, qos: 1, retain: false, properties: null, expiryMs: null },
          origin: null,
        },
      ],
    },
  },
  {
    name: "frame: a state, and a message that was published since",
    hex: "42 4c 01 00 40 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 05 51 72 65 6d 61 69 6e 73 08 02 85 08 03 74 2f 31 02 01 00 05 68 65 6c 6c 6f 0f 01 05 68 65 6c 6c 6f",
    written: true,
    value: {
      speaker: A,
      routeOp: 5,
      stream: STREAM,
      base: 8,
      messages: [
        {
          number: 8,
          message: {
            topic: "t/1",
            payload: HELLO,
            qos: 1,
            retain: false,
            properties: null,
            expiryMs: null,
            state: true,
          },
          origin: null,
        },
        {
          number: 9,
          message: { topic: "t/1", payload: HELLO, qos: 1, retain: true, properties: null, expiryMs: null },
          origin: null,
        },
      ],
    },
  },
  {
    name: "frame: nothing but the base",
    hex: "42 4c 01 00 40 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 05 51 72 65 6d 61 69 6e 73 ad 02 00",
    written: true,
    value: { speaker: A, routeOp: 5, stream: STREAM, base: 301, messages: [] },
  },
];
