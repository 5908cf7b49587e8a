/** Bytes that no agent of version 1 sends, and what each decoder calls them. */
import type { WireProblem } from "../../src/wire/message.ts";

export interface WireErrorCase {
  readonly name: string;
  readonly of: "control" | "frame";
  readonly hex: string;
  readonly problem: WireProblem;
}

const A = "80d0eab6b733 a1a2a3a4a5a6a7a8";
const MARK = "05 03 bb9e29ef93fdb2ad";
const HEARTBEAT = `424c010008 ${A} ${MARK}`;
const STREAM = "5172656d61696e73";
/** Up to and without the number of messages. */
const FRAME = `424c010040 ${A} 05 ${STREAM} 08`;
/** "compressed frame: deflate", three messages in 93 bytes. */
const PACKED = `424c010041 ${A} 01 5d 630d2c4acd4dcccc2be66066e5602ed13714cf48cdc9c957c020791949970100`;
const HELLO = `424c010001 ${A} 8108`;
const ACK = `424c010002 ${A} 8108 ${A}`;

type Row = readonly [name: string, hex: string, problem: WireProblem];

const ENVELOPE: readonly Row[] = [
  ["nothing", "", "truncated"],
  ["half a magic", "42", "truncated"],
  ["text", "7b226100227d", "bad_magic"],
  ["one letter of the magic", "424d010008", "bad_magic"],
  ["version 0", HEARTBEAT.replace("424c01", "424c00"), "unsupported_version"],
  ["version 2", HEARTBEAT.replace("424c01", "424c02"), "unsupported_version"],
  ["version 2, and nothing behind it", "424c02", "unsupported_version"],
  ["a flag of a later version", HEARTBEAT.replace("424c0100", "424c0108"), "unknown_flags"],
  ["the last flag", HEARTBEAT.replace("424c0100", "424c0180"), "unknown_flags"],
  ["an authenticator that nobody would check", `424c010108 0401020304 ${A} ${MARK}`, "authenticator_unexpected"],
  ["an authenticator of 257 bytes", `424c010108 8102 ${"00".repeat(257)} ${A} ${MARK}`, "too_large"],
  ["type 0", HEARTBEAT.replace("010008", "010000"), "unknown_type"],
  ["a type of a later version", HEARTBEAT.replace("010008", "01000d"), "unknown_type"],
  ["the last type that must be known", HEARTBEAT.replace("010008", "01007f"), "unknown_type"],
  ["the first type that may be passed over", HEARTBEAT.replace("010008", "010080"), "optional_type"],
  ["an extension that must not be passed over", `424c010408 03 01 01 ff ${A} ${MARK}`, "unknown_extension"],
  ["an even extension before an odd one", `424c010408 04 02 00 03 00 ${A} ${MARK}`, "unknown_extension"],
  ["extensions that do not ascend", `424c010408 04 04 00 02 00 ${A} ${MARK}`, "bad_value"],
  ["an extension twice", `424c010408 04 02 00 02 00 ${A} ${MARK}`, "bad_value"],
  ["an extension beyond the last tag", `424c010408 04 808004 00 ${A} ${MARK}`, "bad_value"],
  ["an extension longer than its block", `424c010408 02 02 01 ${A} ${MARK}`, "truncated"],
  ["extensions of more than 65,536 bytes", `424c010408 818004 ${"00".repeat(65_537)}`, "too_large"],
  ["extensions longer than the message", `424c010408 7f ${A} ${MARK}`, "truncated"],
  ["a trouble of one byte", `424c010408 03 06 01 87 ${A} ${MARK}`, "bad_value"],
  ["a trouble of three bytes", `424c010408 05 06 03 87 00 00 ${A} ${MARK}`, "bad_value"],
  ["a trouble that neither hears nor does not", `424c010408 04 06 02 00 02 ${A} ${MARK}`, "bad_value"],
  ["a backlog of one byte", `424c010408 03 08 01 01 ${A} ${MARK}`, "bad_value"],
  ["a backlog that neither drains nor does not", `424c010408 04 08 02 02 64 ${A} ${MARK}`, "bad_value"],
  ["a backlog that may not come at all", `424c010408 04 08 02 01 00 ${A} ${MARK}`, "bad_value"],
  ["a backlog at more than its pace", `424c010408 04 08 02 01 65 ${A} ${MARK}`, "bad_value"],
  ["a path of 17 clusters", `424c010208 11 ${"0161".repeat(17)} ${A} ${MARK}`, "too_large"],
  ["a path with an empty name", `424c010208 01 00 ${A} ${MARK}`, "bad_name"],
  ["a path of clusters that are not there", "424c010208 10 0161", "truncated"],
  ["incarnation 0", `424c010008 00 a1a2a3a4a5a6a7a8 ${MARK}`, "bad_value"],
  ["an incarnation of nine bytes", `424c010008 ffffffffffffffff01 a1a2a3a4a5a6a7a8 ${MARK}`, "bad_value"],
  ["an incarnation of 2^53", `424c010008 8080808080808010 a1a2a3a4a5a6a7a8 ${MARK}`, "bad_value"],
  ["a number longer than it must be", `424c010008 ${A} 8500 03 bb9e29ef93fdb2ad`, "bad_value"],
  ["a zero of two bytes", `424c010008 ${A} 8000 03 bb9e29ef93fdb2ad`, "bad_value"],
  ["one byte too few", HEARTBEAT.slice(0, -2), "truncated"],
  ["one byte too many", `${HEARTBEAT}00`, "trailing_bytes"],
];

const CONTROL: readonly Row[] = [
  ...ENVELOPE,
  ["a frame on the control topic", `${FRAME} 00`, "unknown_type"],
  [
    "a hello whose word on states is empty",
    `${HELLO.replace("424c0100", "424c0104").replace(A, `02 0c 00 ${A}`)} 0162 0161 00 01 01 8020`,
    "bad_value",
  ],
  ["a hello to nobody", `${HELLO} 00 0161 00 01 01 8020`, "bad_name"],
  ["a hello to a name with a slash", `${HELLO} 03612f62 0161 00 01 01 8020`, "bad_name"],
  ["a hello from a name of 65 bytes", `${HELLO} 0162 41 ${"61".repeat(65)} 00 01 01 8020`, "too_large"],
  ["an agent version that rings the bell", `${HELLO} 0162 0161 0107 01 01 8020`, "bad_value"],
  ["an agent version of 65 bytes", `${HELLO} 0162 0161 41 ${"61".repeat(65)} 01 01 8020`, "too_large"],
  ["protocol version 0", `${HELLO} 0162 0161 00 00 01 8020`, "bad_value"],
  ["protocol versions the wrong way round", `${HELLO} 0162 0161 00 02 01 8020`, "bad_value"],
  ["frames of 4,095 bytes", `${HELLO} 0162 0161 00 01 01 ff1f`, "bad_value"],
  ["an ack of a name that is none", `${ACK} 012b 00 00 00 01 01 8020`, "bad_name"],
  ["an ack after whose incarnation there is none", `${ACK} 0162 05 ffffffffffffff0f 00 01 01 8020`, "bad_value"],
  ["an ack with half a flag", `${ACK} 0162 00 00 02 01 01 8020`, "bad_value"],
  ["an operation that is neither", `424c010003 ${A} 01 00 01 03 01 74 00`, "bad_value"],
  ["a route without a filter", `424c010003 ${A} 01 00 01 01 00 00`, "bad_filter"],
  ["a filter that is no UTF-8", `424c010003 ${A} 01 00 01 01 02c328 00`, "bad_utf8"],
  ["a filter with an overlong slash", `424c010003 ${A} 01 00 01 01 02c0af 00`, "bad_utf8"],
  ["a filter with half a surrogate pair", `424c010003 ${A} 01 00 01 01 03eda080 00`, "bad_utf8"],
  ["a filter with U+0000", `424c010003 ${A} 01 00 01 01 03740075 00`, "bad_utf8"],
  ["a filter of 65,536 bytes", `424c010003 ${A} 01 00 01 01 808004 ${"61".repeat(65_536)} 00`, "too_large"],
  ["a route with 17 groups", `424c010003 ${A} 01 00 01 01 0174 11 ${"0167".repeat(17)}`, "too_large"],
  ["more operations than a message can have", `424c010003 ${A} 01 00 818010`, "too_large"],
  ["more operations than are there", `424c010003 ${A} 01 00 e807 0301740003017500`, "truncated"],
  ["operation 0", `424c010006 ${A} 00 00`, "bad_value"],
  ["a bootstrap that is neither done nor not", `424c010005 ${A} ${A} 01 01 02`, "bad_value"],
  ["again, but what", `424c010009 ${A} ${A} 02 00`, "bad_value"],
  ["refused, but what", `424c01000a ${A} ${A} 00 87 01`, "bad_filter"],
  ["a goodbye of a later version", `424c01000b ${A} 03 00`, "bad_value"],
  ["a range that ends before it begins", `424c01000c ${A} ${A} ${STREAM} 07 01 0a 09`, "bad_value"],
  ["a range from 0", `424c01000c ${A} ${A} ${STREAM} 07 01 00 09`, "bad_value"],
  ["ranges that overlap", `424c01000c ${A} ${A} ${STREAM} 07 02 09 0c 0c 0d`, "bad_value"],
  ["ranges that descend", `424c01000c ${A} ${A} ${STREAM} 07 02 0c 0d 09 0a`, "bad_value"],
  ["4,097 ranges", `424c01000c ${A} ${A} ${STREAM} 07 8120 ${"0909".repeat(4_097)}`, "too_large"],
  ["more ranges than are there", `424c01000c ${A} ${A} ${STREAM} 07 8020 0909`, "truncated"],
];

const FRAMES: readonly Row[] = [
  ["a control message on the message topic", HEARTBEAT, "unknown_type"],
  ["a frame form that may be passed over", `424c0100c0 ${A}`, "optional_type"],
  ["a base of 0", `424c010040 ${A} 05 ${STREAM} 00 00`, "bad_value"],
  ["65,536 messages", `${FRAME} 808004 ${"0800".repeat(65_536)}`, "too_large"],
  ["more messages than are there", `${FRAME} e807 05080023000800`, "truncated"],
  ["the topic before the first", `${FRAME} 01 0d 08 00`, "bad_topic"],
  ["an empty topic", `${FRAME} 01 05 08 00 00`, "bad_topic"],
  ["a topic with +", `${FRAME} 01 05 08 03 742f2b 00`, "bad_topic"],
  ["a topic with #", `${FRAME} 01 05 08 02 7423 00`, "bad_topic"],
  ["a topic with U+0000", `${FRAME} 01 05 08 02 7400 00`, "bad_utf8"],
  ["a topic that is no UTF-8", `${FRAME} 01 05 08 02 74ff 00`, "bad_utf8"],
  ["a topic of 65,536 bytes", `${FRAME} 01 05 08 808004 ${"74".repeat(65_536)} 00`, "too_large"],
  ["a number twice", `${FRAME} 02 05 08 0174 00 0d 00 00`, "bad_value"],
  ["a number beyond 2^53 - 1", `${FRAME} 02 05 ffffffffffffff0f 0174 00 0d 01 00`, "bad_value"],
  ["an expiry that MQTT cannot say", `${FRAME} 01 15 08 0174 99f8ffffff7c 00`, "bad_value"],
  ["an origin that is no cluster's name", `${FRAME} 01 25 08 0174 01 2a 00`, "bad_name"],
  ["a payload of text and of bytes", `${FRAME} 01 45 08 0174 03 00`, "bad_value"],
  ["a property of a later version", `${FRAME} 01 45 08 0174 40 00`, "unknown_flags"],
  ["a response topic with a wildcard", `${FRAME} 01 45 08 0174 08 03 722f2b 00`, "bad_topic"],
  ["an empty response topic", `${FRAME} 01 45 08 0174 08 00 00`, "bad_topic"],
  ["a content type with U+0000", `${FRAME} 01 45 08 0174 04 01 00 00`, "bad_utf8"],
  ["a user property that is no UTF-8", `${FRAME} 01 45 08 0174 20 01 01 ff 00 00`, "bad_utf8"],
  ["more user properties than are there", `${FRAME} 01 45 08 0174 20 e807 0000 00`, "truncated"],
  ["65,536 user properties", `${FRAME} 01 45 08 0174 20 808004 ${"0000".repeat(65_536)} 00`, "too_large"],
  [
    "65,536 user properties, in two messages",
    `${FRAME} 02 45 08 0174 20 ffff03 ${"0000".repeat(65_535)} 00 4d 01 20 01 0000 00`,
    "too_large",
  ],
  ["an extension of a message that must not be passed over", `${FRAME} 01 85 08 0174 02 03 00 00`, "unknown_extension"],
  ["a state with a value", `${FRAME} 01 85 08 0174 03 01 01 ff 00`, "bad_value"],
  ["a state with the retain flag", `${FRAME} 01 87 08 0174 02 01 00 00`, "bad_value"],
  ["a state that is not reliable", `${FRAME} 01 80 0174 02 01 00 00`, "bad_value"],
  ["a payload longer than the frame", `${FRAME} 01 05 08 0174 05 00`, "truncated"],
  ["a payload of more than 16 MiB", `${FRAME} 01 05 08 0174 81808008 00`, "too_large"],
  ["a compressed frame without an algorithm", `424c010041 ${A}`, "truncated"],
  ["a compressed frame of an algorithm of a later version", `424c010041 ${A} 04 01 00`, "bad_value"],
  ["a compressed frame of algorithm 0", `424c010041 ${A} 00 01 00`, "bad_value"],
  ["a compressed frame of 1 MiB and a byte", `424c010041 ${A} 01 818040 030000`, "too_large"],
  ["a compressed frame of nothing", `424c010041 ${A} 01 00 0300`, "bad_compression"],
  ["a compressed frame of no deflate at all", `424c010041 ${A} 01 05 ffffffffff`, "bad_compression"],
  ["a compressed frame that is cut short", `${PACKED.slice(0, -2)}`, "bad_compression"],
  [
    "a compressed frame that holds a byte less than it says",
    PACKED.replace(`${A} 01 5d`, `${A} 01 5e`),
    "bad_compression",
  ],
  [
    "a compressed frame that holds a byte more than it says",
    PACKED.replace(`${A} 01 5d`, `${A} 01 5c`),
    "bad_compression",
  ],
  ["a compressed frame of ten bytes of rubbish", `424c010041 ${A} 01 0a 010a00f5ff ffffffffffffffffffff`, "bad_value"],
  [
    "a compressed frame with a byte too many in it",
    `424c010041 ${A} 01 0c 010c00f3ff 05 ${STREAM} 08 00 00`,
    "trailing_bytes",
  ],
  ["one byte too many behind the last message", `${FRAME} 01 05 08 0174 00 00`, "trailing_bytes"],
];

function rows(of: "control" | "frame", list: readonly Row[]): WireErrorCase[] {
  return list.map(([name, hex, problem]) => ({ name, of, hex, problem }));
}

export const WIRE_ERROR_CASES: readonly WireErrorCase[] = [...rows("control", CONTROL), ...rows("frame", FRAMES)];
