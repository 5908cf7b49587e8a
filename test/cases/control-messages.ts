/**
 * Control messages as bytes and as values. The bytes of every one are also in docs/PROTOCOL.md, under the same name, and
 * a test compares them: a change of either is a change of the protocol.
 */
import type { ControlMessage, Speaker } from "../../src/wire/message.ts";

export interface ControlCase {
  readonly name: string;
  /** Spaces mean nothing. */
  readonly hex: string;
  readonly value: ControlMessage;
  /** False: a later version's bytes, which this one reads and does not write. */
  readonly written: boolean;
}

/** Speaks for cluster "a" since 2026-01-01T00:00:00Z. */
export const A: Speaker = { incarnation: 1_767_225_600_000, instance: "a1a2a3a4a5a6a7a8" };
/** Speaks for cluster "b", half a second younger. */
const B: Speaker = { incarnation: 1_767_225_600_500, instance: "b1b2b3b4b5b6b7b8" };

/** Of the routes t/1, c/# with the groups g1 and g2, and ü/+. */
const THREE = { op: 3, count: 3, digest: { high: 0x429d65ab, low: 0xc3af0f2f } };
/** The same with t/# in the place of t/1. */
const WIDER = { op: 5, count: 3, digest: { high: 0xbb9e29ef, low: 0x93fdb2ad } };
const NOTHING = { op: 0, count: 0, digest: { high: 0, low: 0 } };

export const STREAM = "5172656d61696e73";

export const CONTROL_CASES: readonly ControlCase[] = [
  {
    name: "hello",
    hex: "42 4c 01 00 01 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 81 08 01 62 01 61 10 62 72 6f 6b 65 72 6c 69 6e 6b 2f 30 2e 31 2e 30 01 01 80 80 80 08",
    written: true,
    value: {
      speaker: A,
      body: {
        type: "hello",
        greeting: 1025,
        to: "b",
        from: "a",
        agentVersion: "brokerlink/0.1.0",
        protocolMin: 1,
        protocolMax: 1,
        frameBytesMax: 16_777_216,
      },
    },
  },
  {
    name: "hello: compressed frames are taken",
    hex: "42 4c 01 04 01 05 0a 03 03 02 01 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 81 08 01 62 01 61 10 62 72 6f 6b 65 72 6c 69 6e 6b 2f 30 2e 31 2e 30 01 01 80 80 80 08",
    written: true,
    value: {
      speaker: A,
      body: {
        type: "hello",
        greeting: 1025,
        to: "b",
        from: "a",
        agentVersion: "brokerlink/0.1.0",
        protocolMin: 1,
        protocolMax: 1,
        frameBytesMax: 16_777_216,
        expands: ["zstd", "brotli", "deflate"],
      },
    },
  },
  {
    name: "hello: states are wanted, and served",
    hex: "42 4c 01 04 01 03 0c 01 03 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 81 08 01 62 01 61 10 62 72 6f 6b 65 72 6c 69 6e 6b 2f 30 2e 31 2e 30 01 01 80 80 80 08",
    written: true,
    value: {
      speaker: A,
      body: {
        type: "hello",
        greeting: 1025,
        to: "b",
        from: "a",
        agentVersion: "brokerlink/0.1.0",
        protocolMin: 1,
        protocolMax: 1,
        frameBytesMax: 16_777_216,
        states: { wanted: true, served: true },
      },
    },
  },
  {
    name: "hello: compressed frames, and states with what a later version says of them",
    hex: "42 4c 01 04 01 07 0a 01 01 0c 02 05 ff 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 81 08 01 62 01 61 10 62 72 6f 6b 65 72 6c 69 6e 6b 2f 30 2e 31 2e 30 01 01 80 80 80 08",
    written: false,
    value: {
      speaker: A,
      body: {
        type: "hello",
        greeting: 1025,
        to: "b",
        from: "a",
        agentVersion: "brokerlink/0.1.0",
        protocolMin: 1,
        protocolMax: 1,
        frameBytesMax: 16_777_216,
        expands: ["deflate"],
        states: { wanted: true, served: false },
      },
    },
  },
  {
    name: "ack: welcome, send a bootstrap",
    hex: "42 4c 01 00 02 f4 d3 ea b6 b7 33 b1 b2 b3 b4 b5 b6 b7 b8 81 08 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 01 62 00 80 d0 ea b6 b7 33 00 01 01 80 80 80 08",
    written: true,
    value: {
      speaker: B,
      body: {
        type: "ack",
        greeting: 1025,
        of: A,
        name: "b",
        result: "ok",
        highest: A.incarnation,
        have: null,
        protocolMin: 1,
        protocolMax: 1,
        frameBytesMax: 16_777_216,
      },
    },
  },
  {
    name: "ack: welcome, and states are served",
    hex: "42 4c 01 04 02 03 0c 01 02 f4 d3 ea b6 b7 33 b1 b2 b3 b4 b5 b6 b7 b8 81 08 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 01 62 00 80 d0 ea b6 b7 33 00 01 01 80 80 80 08",
    written: true,
    value: {
      speaker: B,
      body: {
        type: "ack",
        greeting: 1025,
        of: A,
        name: "b",
        result: "ok",
        highest: A.incarnation,
        have: null,
        protocolMin: 1,
        protocolMax: 1,
        frameBytesMax: 16_777_216,
        states: { wanted: false, served: true },
      },
    },
  },
  {
    name: "ack: welcome back, your routes are still here",
    hex: "42 4c 01 00 02 f4 d3 ea b6 b7 33 b1 b2 b3 b4 b5 b6 b7 b8 81 10 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 01 62 00 80 d0 ea b6 b7 33 01 03 03 42 9d 65 ab c3 af 0f 2f 01 01 80 80 80 08",
    written: true,
    value: {
      speaker: B,
      body: {
        type: "ack",
        greeting: 2049,
        of: A,
        name: "b",
        result: "ok",
        highest: A.incarnation,
        have: THREE,
        protocolMin: 1,
        protocolMax: 1,
        frameBytesMax: 16_777_216,
      },
    },
  },
  {
    name: "ack: compressed frames are taken, of a later version too",
    hex: "42 4c 01 04 02 04 0a 02 04 01 f4 d3 ea b6 b7 33 b1 b2 b3 b4 b5 b6 b7 b8 81 08 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 01 62 00 80 d0 ea b6 b7 33 00 01 01 80 80 80 08",
    written: false,
    value: {
      speaker: B,
      body: {
        type: "ack",
        greeting: 1025,
        of: A,
        name: "b",
        result: "ok",
        highest: A.incarnation,
        have: null,
        protocolMin: 1,
        protocolMax: 1,
        frameBytesMax: 16_777_216,
        expands: ["deflate"],
      },
    },
  },
  {
    name: "ack: a higher incarnation was here",
    hex: "42 4c 01 00 02 f4 d3 ea b6 b7 33 b1 b2 b3 b4 b5 b6 b7 b8 81 08 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 01 62 05 a0 dd f0 b6 b7 33 00 01 01 80 80 80 08",
    written: true,
    value: {
      speaker: B,
      body: {
        type: "ack",
        greeting: 1025,
        of: A,
        name: "b",
        result: "old_incarnation",
        highest: A.incarnation + 100_000,
        have: null,
        protocolMin: 1,
        protocolMax: 1,
        frameBytesMax: 16_777_216,
      },
    },
  },
  {
    name: "ack: refused for a reason of a later version",
    hex: "42 4c 01 00 02 f4 d3 ea b6 b7 33 b1 b2 b3 b4 b5 b6 b7 b8 81 08 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 01 62 ff 00 00 01 02 80 20",
    written: true,
    value: {
      speaker: B,
      body: {
        type: "ack",
        greeting: 1025,
        of: A,
        name: "b",
        result: "unknown",
        highest: 0,
        have: null,
        protocolMin: 1,
        protocolMax: 2,
        frameBytesMax: 4_096,
      },
    },
  },
  {
    name: "bootstrap",
    hex: "42 4c 01 00 03 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 01 00 03 01 03 74 2f 31 00 01 03 63 2f 23 02 02 67 31 02 67 32 01 04 c3 bc 2f 2b 00",
    written: true,
    value: {
      speaker: A,
      body: {
        type: "bootstrap",
        bootstrap: 1,
        part: 0,
        ops: [
          { op: "add", filter: "t/1", groups: [] },
          { op: "add", filter: "c/#", groups: ["g1", "g2"] },
          { op: "add", filter: "ü/+", groups: [] },
        ],
      },
    },
  },
  {
    name: "bootstrap_end",
    hex: "42 4c 01 00 04 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 01 01 03 03 42 9d 65 ab c3 af 0f 2f",
    written: true,
    value: { speaker: A, body: { type: "bootstrap_end", bootstrap: 1, parts: 1, mark: THREE } },
  },
  {
    name: "bootstrap_end: nothing to announce",
    hex: "42 4c 01 00 04 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 02 00 00 00 00 00 00 00 00 00 00 00",
    written: true,
    value: { speaker: A, body: { type: "bootstrap_end", bootstrap: 2, parts: 0, mark: NOTHING } },
  },
  {
    name: "bootstrap_ack: part 0 is here",
    hex: "42 4c 01 00 05 f4 d3 ea b6 b7 33 b1 b2 b3 b4 b5 b6 b7 b8 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 01 01 00",
    written: true,
    value: { speaker: B, body: { type: "bootstrap_ack", of: A, bootstrap: 1, nextPart: 1, done: false } },
  },
  {
    name: "bootstrap_ack: in force",
    hex: "42 4c 01 00 05 f4 d3 ea b6 b7 33 b1 b2 b3 b4 b5 b6 b7 b8 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 01 01 01",
    written: true,
    value: { speaker: B, body: { type: "bootstrap_ack", of: A, bootstrap: 1, nextPart: 1, done: true } },
  },
  {
    name: "routes",
    hex: "42 4c 01 00 06 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 04 02 01 03 74 2f 23 00 02 03 74 2f 31",
    written: true,
    value: {
      speaker: A,
      body: {
        type: "routes",
        firstOp: 4,
        ops: [
          { op: "add", filter: "t/#", groups: [] },
          { op: "delete", filter: "t/1" },
        ],
      },
    },
  },
  {
    name: "routes_ack",
    hex: "42 4c 01 00 07 f4 d3 ea b6 b7 33 b1 b2 b3 b4 b5 b6 b7 b8 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 05",
    written: true,
    value: { speaker: B, body: { type: "routes_ack", of: A, op: 5 } },
  },
  {
    name: "heartbeat",
    hex: "42 4c 01 00 08 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 05 03 bb 9e 29 ef 93 fd b2 ad",
    written: true,
    value: { speaker: A, body: { type: "heartbeat", mark: WIDER } },
  },
  {
    name: "heartbeat: frames refused",
    hex: "42 4c 01 04 08 04 06 02 87 00 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 05 03 bb 9e 29 ef 93 fd b2 ad",
    written: true,
    value: {
      speaker: A,
      body: { type: "heartbeat", mark: WIDER, trouble: { framesRefused: 0x87, unheard: false } },
    },
  },
  {
    name: "heartbeat: you are not heard",
    hex: "42 4c 01 04 08 04 06 02 00 01 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 05 03 bb 9e 29 ef 93 fd b2 ad",
    written: true,
    value: {
      speaker: A,
      body: { type: "heartbeat", mark: WIDER, trouble: { framesRefused: 0, unheard: true } },
    },
  },
  {
    name: "heartbeat: a backlog",
    hex: "42 4c 01 04 08 04 08 02 01 32 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 05 03 bb 9e 29 ef 93 fd b2 ad",
    written: true,
    value: { speaker: A, body: { type: "heartbeat", mark: WIDER, backlog: { draining: true, percent: 50 } } },
  },
  {
    name: "heartbeat: a trouble and a backlog",
    hex: "42 4c 01 04 08 08 06 02 00 01 08 02 00 01 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 05 03 bb 9e 29 ef 93 fd b2 ad",
    written: true,
    value: {
      speaker: A,
      body: {
        type: "heartbeat",
        mark: WIDER,
        trouble: { framesRefused: 0, unheard: true },
        backlog: { draining: false, percent: 1 },
      },
    },
  },
  {
    name: "heartbeat with a path and an extension of a later version",
    hex: "42 4c 01 06 08 02 01 61 01 62 06 02 01 ff 04 01 00 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 05 03 bb 9e 29 ef 93 fd b2 ad",
    written: false,
    value: { speaker: A, body: { type: "heartbeat", mark: WIDER } },
  },
  {
    name: "again: your routes differ",
    hex: "42 4c 01 00 09 f4 d3 ea b6 b7 33 b1 b2 b3 b4 b5 b6 b7 b8 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 01 01",
    written: true,
    value: { speaker: B, body: { type: "again", of: A, what: "bootstrap", reason: "digest_mismatch" } },
  },
  {
    name: "again: greet me, whoever you are",
    hex: "42 4c 01 00 09 f4 d3 ea b6 b7 33 b1 b2 b3 b4 b5 b6 b7 b8 00 00 00 00 00 00 00 00 00 00 02",
    written: true,
    value: {
      speaker: B,
      body: {
        type: "again",
        of: { incarnation: 0, instance: "0000000000000000" },
        what: "hello",
        reason: "bad_message",
      },
    },
  },
  {
    name: "refused: not authorized",
    hex: "42 4c 01 00 0a f4 d3 ea b6 b7 33 b1 b2 b3 b4 b5 b6 b7 b8 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 03 74 2f 23 87 01",
    written: true,
    value: { speaker: B, body: { type: "refused", of: A, filter: "t/#", reasonCode: 0x87, refused: true } },
  },
  {
    name: "refused: works again",
    hex: "42 4c 01 00 0a f4 d3 ea b6 b7 33 b1 b2 b3 b4 b5 b6 b7 b8 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 03 74 2f 23 00 00",
    written: true,
    value: { speaker: B, body: { type: "refused", of: A, filter: "t/#", reasonCode: 0, refused: false } },
  },
  {
    name: "goodbye: pause",
    hex: "42 4c 01 00 0b 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 00 82 08",
    written: true,
    value: { speaker: A, body: { type: "goodbye", kind: "pause", greeting: 1026 } },
  },
  {
    name: "goodbye: leave",
    hex: "42 4c 01 00 0b 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 01 82 08",
    written: true,
    value: { speaker: A, body: { type: "goodbye", kind: "leave", greeting: 1026 } },
  },
  {
    name: "goodbye: lost, the Will of connection 1",
    hex: "42 4c 01 00 0b 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 02 80 08",
    written: true,
    value: { speaker: A, body: { type: "goodbye", kind: "lost", greeting: 1024 } },
  },
  {
    name: "settled",
    hex: "42 4c 01 00 0c f4 d3 ea b6 b7 33 b1 b2 b3 b4 b5 b6 b7 b8 80 d0 ea b6 b7 33 a1 a2 a3 a4 a5 a6 a7 a8 51 72 65 6d 61 69 6e 73 07 02 09 09 0c ac 02",
    written: true,
    value: {
      speaker: B,
      body: {
        type: "settled",
        of: A,
        stream: STREAM,
        upTo: 7,
        ranges: [
          [9, 9],
          [12, 300],
        ],
      },
    },
  },
];
