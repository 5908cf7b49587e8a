/** Names of control topics, spelled here and nowhere else: `<prefix>/v1/<to-cluster>/<from-cluster>/ctl` and `/msg`. */

/** Cluster and link names: they become topic levels and parts of client ids. */
export const CLUSTER_NAME_PATTERN = /^[0-9A-Za-z][-0-9A-Za-z_]{0,63}$/;

export type TopicKind = "ctl" | "msg";

export interface ControlName {
  readonly to: string;
  readonly from: string;
  readonly kind: TopicKind;
}

export function controlTopic(prefix: string, to: string, from: string): string {
  return `${prefix}/v1/${to}/${from}/ctl`;
}

export function messageTopic(prefix: string, to: string, from: string): string {
  return `${prefix}/v1/${to}/${from}/msg`;
}

/**
 * What an agent listens to on its own broker. Control topics of every `<to>`: a peer that knows this cluster by a wrong
 * name has to be told so.
 */
export function inboxFilters(prefix: string, me: string): string[] {
  return [`${prefix}/v1/+/+/ctl`, `${prefix}/v1/${me}/+/msg`];
}

/** What an agent listens to on a peer's broker, for a peer that cannot dial out. */
export function peerInboxFilters(prefix: string, me: string, peer: string): string[] {
  return [`${prefix}/v1/${me}/${peer}/ctl`, `${prefix}/v1/${me}/${peer}/msg`];
}

/** A topic of our own, for finding out what the local broker lets through. */
export function probeTopic(prefix: string, me: string): string {
  return `${prefix}/v1/${me}/${me}/probe`;
}

/**
 * The same by way of the inbox: topics that its filters match and no peer uses. What does not come back there, no peer's
 * message does.
 */
export function inboxProbeTopics(prefix: string, me: string): string[] {
  return [controlTopic(prefix, me, me), messageTopic(prefix, me, me)];
}

export function parseName(prefix: string, topic: string): ControlName | null {
  if (!topic.startsWith(`${prefix}/v1/`)) return null;
  const levels = topic.slice(prefix.length + 4).split("/");
  const [to, from, kind] = levels;
  if (levels.length !== 3 || to === undefined || from === undefined) return null;
  if (!CLUSTER_NAME_PATTERN.test(to) || !CLUSTER_NAME_PATTERN.test(from)) return null;
  return kind === "ctl" || kind === "msg" ? { to, from, kind } : null;
}

/** Whether a topic, or everything a filter matches, lies under the prefix. */
export function underPrefix(prefix: string, topicOrFilter: string): boolean {
  return topicOrFilter === prefix || topicOrFilter.startsWith(`${prefix}/`);
}
