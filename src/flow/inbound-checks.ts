/** What may be republished of a peer's messages, and why something may not. */
import { isReserved, topicProblem } from "../topic/filter.ts";
import { isPlainText } from "../topic/plain-text.ts";
import type { Message, MessageProperties } from "../wire/message.ts";

/** Mosquitto closes the connection of who publishes deeper. */
const TOPIC_LEVELS_MAX = 201;

export type InboundDropReason =
  | "not_in_topics"
  | "reserved_topic"
  | "bad_topic"
  | "bad_text"
  | "expired"
  | "duplicate"
  | "beyond_window"
  | "gate_full"
  | "speaker_changed"
  | "refused_by_broker"
  | "local_away";

export interface InboundChecks {
  /** Whether the link's own `topics` take this topic. */
  wants(topic: string): boolean;
  /** Whether the topic lies under a control prefix. */
  isControl(topic: string): boolean;
}

/**
 * A peer may only give what this link asked for, never a topic that steers a broker or an agent, and nothing that makes
 * the local broker close the connection: the message would come again with the next one, and again.
 */
export function problemOf({ topic, properties }: Message, checks: InboundChecks): InboundDropReason | null {
  if (isReserved(topic) || checks.isControl(topic)) return "reserved_topic";
  if (topicProblem(topic) !== null || isTooDeep(topic)) return "bad_topic";
  if (!isPlainText(topic) || (properties !== null && !arePlain(properties))) return "bad_text";
  return checks.wants(topic) ? null : "not_in_topics";
}

function isTooDeep(topic: string): boolean {
  return topic.length > TOPIC_LEVELS_MAX && topic.split("/", TOPIC_LEVELS_MAX + 1).length > TOPIC_LEVELS_MAX;
}

function arePlain({ contentType = "", responseTopic = "", userProperties = [] }: MessageProperties): boolean {
  return (
    isPlainText(contentType) &&
    isPlainText(responseTopic) &&
    userProperties.every(([key, value]) => isPlainText(key) && isPlainText(value))
  );
}
