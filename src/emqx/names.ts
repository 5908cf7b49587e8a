/** The topics of EMQX's cluster links: whoever publishes names itself. Their prefix is EMQX's, and nobody can change it. */
const PREFIX = "$LINK/cluster";
const ROUTE = `${PREFIX}/route/`;
const MESSAGE = `${PREFIX}/msg/`;
const RESPONSE = `${PREFIX}/resp/`;

/** Route operations of every cluster, also of those that no link is configured with. */
export const ROUTES_FILTER = `${ROUTE}#`;

/** Where cluster `from` publishes its actors' words. */
export function routeTopic(from: string): string {
  return `${ROUTE}${from}`;
}

/** Where cluster `from` publishes its messages. */
export function messageTopic(from: string): string {
  return `${MESSAGE}${from}`;
}

/** Where an actor of cluster `from` listens for the answer to its greeting. */
export function responseTopic(from: string, actor: string): string {
  return `${RESPONSE}${from}/${actor}`;
}

/** The cluster that speaks on a route topic; null: it is none. A name may hold anything, slashes too. */
export function speakerOf(topic: string): string | null {
  return topic.startsWith(ROUTE) && topic.length > ROUTE.length ? topic.slice(ROUTE.length) : null;
}

/**
 * Whether an answer to cluster `from` may be published there. A greeting names its own response topic: on any other we would
 * publish, with our rights, for whoever may greet.
 */
export function isResponseTopic(topic: string, from: string): boolean {
  const prefix = responseTopic(from, "");
  return topic.startsWith(prefix) && topic.length > prefix.length && !/[+#\0]/.test(topic);
}
