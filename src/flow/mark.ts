/**
 * The loop mark: two MQTT 5 user properties on everything we republish, so that no agent forwards it again.
 *
 *   brokerlink-origin: <cluster of first publication>
 *   brokerlink-check:  <8 hex digits of a hash of the topic>
 *
 * An application that answers with the properties it received copies the mark to another topic: there the check does not
 * fit, and the mark is taken off instead of believed. A client that forges a fitting mark only keeps its own message from
 * crossing.
 */
import { topicCheck } from "../base/hash.ts";
import type { MessageProperties } from "../wire/message.ts";

const ORIGIN = "brokerlink-origin";
const CHECK = "brokerlink-check";

export type Mark =
  | { readonly kind: "none" }
  | { readonly kind: "fits"; readonly origin: string }
  | { readonly kind: "foreign" };

const NO_MARK: Mark = { kind: "none" };
const FOREIGN_MARK: Mark = { kind: "foreign" };

/** The properties with our mark in place of whatever mark they carried. */
export function markProperties(properties: MessageProperties | null, origin: string, topic: string): MessageProperties {
  const rest = stripMark(properties);
  return {
    ...rest,
    userProperties: [...(rest?.userProperties ?? []), [ORIGIN, origin], [CHECK, topicCheck(topic)]],
  };
}

/** A mark fits when any of its checks is that of the topic: copied properties may hold several. */
export function readMark(properties: MessageProperties | null, topic: string): Mark {
  const pairs = properties?.userProperties;
  if (pairs === undefined) return NO_MARK;
  let origin: string | null = null;
  let marked = false;
  let fits = false;
  for (const [key, value] of pairs) {
    if (key === ORIGIN) {
      marked = true;
      origin = value;
    } else if (key === CHECK) {
      marked = true;
      if (value === topicCheck(topic)) fits = true;
    }
  }
  if (!marked) return NO_MARK;
  return fits && origin !== null ? { kind: "fits", origin } : FOREIGN_MARK;
}

export function stripMark(properties: MessageProperties | null): MessageProperties | null {
  if (properties?.userProperties === undefined) return properties;
  const { userProperties, ...others } = properties;
  const rest = userProperties.filter(([key]) => key !== ORIGIN && key !== CHECK);
  return rest.length === 0 ? others : { ...others, userProperties: rest };
}

/** What strips our mark strips user properties: a message that still has some, or is a request of MQTT 5, is no return. */
export function couldHaveLostMark(properties: MessageProperties | null): boolean {
  return properties?.userProperties === undefined && properties?.correlationData === undefined;
}
