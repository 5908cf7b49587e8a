/** Identifiers of messages in the form of EMQX's own: microseconds in 64 bits, who made it in 48, a number in 16. Pure. */
import { hashText } from "../base/hash.ts";

const ID_BYTES = 16;
const NUMBER_END = 0x1_0000;

export class MessageIds {
  readonly #high: number;
  readonly #low: number;
  #number = 0;

  /** `maker`: told from all others by this text. */
  constructor(maker: string) {
    this.#high = hashText(maker, 1) & 0xffff;
    this.#low = hashText(maker, 2);
  }

  next(nowMs: number): Uint8Array {
    this.#number = (this.#number + 1) % NUMBER_END;
    const bytes = new Uint8Array(ID_BYTES);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(Math.floor(nowMs)) * 1_000n + BigInt(this.#number % 1_000));
    view.setUint16(8, this.#high);
    view.setUint32(10, this.#low);
    view.setUint16(14, this.#number);
    return bytes;
  }
}
