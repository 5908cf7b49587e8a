/** Route operations as bytes, and their division into batches that fit one message. */
import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { WireRouteOp } from "./message.ts";

const OP_ADD = 1;
const OP_DELETE = 2;
const FILTER_BYTES_MAX = 65_535;
const GROUPS_MAX = 16;
/** An operation byte, a length and one character. */
const OP_BYTES_MIN = 3;
const OPS_MAX = 262_144;

export function writeOps(writer: ByteWriter, ops: readonly WireRouteOp[]): void {
  writer.varint(ops.length);
  for (const op of ops) {
    writer.u8(op.op === "add" ? OP_ADD : OP_DELETE);
    writer.text(op.filter);
    if (op.op === "delete") continue;
    writer.varint(op.groups.length);
    for (const group of op.groups) writer.text(group);
  }
}

export function readOps(reader: ByteReader): WireRouteOp[] {
  const ops: WireRouteOp[] = [];
  const count = reader.count(OPS_MAX, OP_BYTES_MIN);
  for (let i = 0; i < count && reader.problem === null; i += 1) {
    const kind = reader.u8();
    const filter = reader.text(FILTER_BYTES_MAX);
    if (filter === "") reader.fail("bad_filter");
    if (kind === OP_ADD) {
      const groups: string[] = [];
      const groupCount = reader.count(GROUPS_MAX, 1);
      for (let g = 0; g < groupCount && reader.problem === null; g += 1) groups.push(reader.text(FILTER_BYTES_MAX));
      ops.push({ op: "add", filter, groups });
    } else if (kind === OP_DELETE) {
      ops.push({ op: "delete", filter });
    } else {
      reader.fail("bad_value");
    }
  }
  return ops;
}

/** Cuts a list of operations, in order, into batches of at most `bytesMax` (one operation alone may be larger). */
export function batchOps(ops: readonly WireRouteOp[], bytesMax: number): WireRouteOp[][] {
  const batches: WireRouteOp[][] = [];
  let batch: WireRouteOp[] = [];
  let bytes = 0;
  for (const op of ops) {
    // Upper bound without encoding: three bytes for each UTF-16 unit.
    let size = 5 + 3 * op.filter.length;
    if (op.op === "add") for (const group of op.groups) size += 3 + 3 * group.length;
    if (batch.length > 0 && bytes + size > bytesMax) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(op);
    bytes += size;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
