/** `brokerlink demo`: the story of two linked brokers, told by two embedded ones. */
import { EXIT } from "./exit-codes.ts";

export async function demo(): Promise<number> {
  return EXIT.failed;
}
