/** What becomes of retained messages on one link, in a few words. */
import { formatCount } from "./format.ts";
import type { LinkAnswer } from "./overview.ts";

export function retainedText({ retained: choice, brokerlink: { retained } }: LinkAnswer): string {
  if (retained === null) return choice;
  const { blocked, published, sent, waiting } = retained;
  const facts = [
    blocked === null ? choice : `${choice}, but ${blocked}`,
    ...(published > 0 ? [`${formatCount(published)} brought here`] : []),
    ...(sent > 0 ? [`${formatCount(sent)} given to the peer`] : []),
    ...(waiting > 0 ? [`${formatCount(waiting)} waiting`] : []),
  ];
  return facts.join(", ");
}
