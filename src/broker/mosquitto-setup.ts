/**
 * What Mosquitto must be told so that it announces its clients' subscriptions: topics to read and lines to add.
 * Texts and names only.
 */

export const LOG_SUBSCRIBE = "$SYS/broker/log/M/subscribe";
export const LOG_UNSUBSCRIBE = "$SYS/broker/log/M/unsubscribe";
export const LOG_NOTICE = "$SYS/broker/log/N";
export const LOG_ERROR = "$SYS/broker/log/E";
export const LOG_INFORMATION = "$SYS/broker/log/I";
export const COUNT_PLAIN = "$SYS/broker/subscriptions/count";
export const COUNT_SHARED = "$SYS/broker/shared_subscriptions/count";
export const DROPPED = "$SYS/broker/publish/messages/dropped";
export const UPTIME = "$SYS/broker/uptime";

/** The subscribe log comes first: then the broker announces every row of this list, itself included. */
export const MOSQUITTO_TOPICS = [
  LOG_SUBSCRIBE,
  LOG_UNSUBSCRIBE,
  LOG_NOTICE,
  LOG_ERROR,
  LOG_INFORMATION,
  COUNT_PLAIN,
  COUNT_SHARED,
  DROPPED,
  UPTIME,
] as const;

/**
 * Exactly what belongs into mosquitto.conf. Not `max_queued_messages 0`, which means without limit: Mosquitto 2.0.11 then closes
 * the connection of an MQTT 5 client behind every PUBLISH that it refuses.
 */
export const MOSQUITTO_LINES = [
  "log_dest topic",
  "log_type error",
  "log_type warning",
  "log_type notice",
  "log_type information",
  "log_type subscribe",
  "log_type unsubscribe",
  "connection_messages true",
  "log_timestamp false",
  "sys_interval 1",
  "max_queued_messages 1000000",
] as const;

export function mosquittoAdvice(missing: "all" | "subscribe" | "refused"): string {
  const what = {
    all: "The broker does not announce subscriptions to this agent, so everything in each link's topics is asked for.",
    subscribe:
      "The broker announces unsubscribes but no subscribes (log_type subscribe is missing), so everything in each link's topics is asked for.",
    refused:
      "The broker refuses to let this agent read its log topics, so everything in each link's topics is asked for.",
  }[missing];
  return [
    what,
    "Add these lines to mosquitto.conf and restart or reload it:",
    ...MOSQUITTO_LINES.map((line) => `    ${line}`),
    'With an acl_file the agent\'s user also needs "topic read $SYS/#": without it the broker accepts the subscription and stays silent, which looks the same.',
  ].join("\n");
}
