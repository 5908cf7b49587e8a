/** The rights on a broker as the text of its access rules: Mosquitto's `acl_file`, EMQX's `acl.conf`. */
import { printable } from "../config/printable.ts";
import type { BrokerRights, Right, UserRights } from "./broker-rights.ts";

export const ACL_FORMATS = ["mosquitto", "emqx"] as const;
export type AclFormat = (typeof ACL_FORMATS)[number];

export function aclText(rights: BrokerRights, format: AclFormat): string[] {
  return format === "mosquitto" ? mosquittoText(rights) : emqxText(rights);
}

function mosquittoText({ link, cluster, urls, controlPrefix, users }: BrokerRights): string[] {
  return [
    `# Mosquitto acl_file: ${link === null ? "" : "what to add on "}the broker of cluster ${cluster} (${where(urls)})`,
    ...(link === null ? clientsComment(controlPrefix).map((line) => `# ${line}`) : []),
    ...users.flatMap((user) => [
      "",
      `# the agent of cluster ${user.cluster}${guessText(user)}`,
      `user ${user.user}`,
      ...user.rights.map(mosquittoLine),
    ]),
  ];
}

function mosquittoLine({ access, filter }: Right): string {
  return `topic ${access} ${filter}`;
}

function clientsComment(controlPrefix: string): string[] {
  if (controlPrefix.startsWith("$"))
    return [
      "The lines of all other users stay beside these. None of them may name",
      `${controlPrefix}; their "topic readwrite #" does not cover it.`,
    ];
  return [
    "The lines of all other users stay beside these. Each of them needs",
    `"topic deny ${controlPrefix}/#" where it has "topic readwrite #".`,
  ];
}

/** Rules are tried from the first to the last, and the first that fits decides. */
function emqxText({ link, cluster, urls, controlPrefix, users }: BrokerRights): string[] {
  const isLocal = link === null;
  return [
    `%% EMQX acl.conf: what to put before all other rules on the broker of cluster ${cluster} (${where(urls)})`,
    ...users.flatMap((user, index) => [
      "",
      `%% the agent of cluster ${user.cluster}${guessText(user)}`,
      ...user.rights.map((right) => emqxLine(user.user, right)),
      // What the rules behind these allow to everybody is not meant for a peer's agent.
      ...(isLocal && index === 0 ? [] : [`{deny, {username, ${erlang(user.user)}}, all, ["#", "$SYS/#"]}.`]),
    ]),
    ...(isLocal ? ["", "%% everybody else", `{deny, all, all, [${erlang(`${controlPrefix}/#`)}]}.`] : []),
  ];
}

function emqxLine(user: string, { access, filter }: Right): string {
  const action = { read: "subscribe", write: "publish", readwrite: "all" }[access];
  return `{allow, {username, ${erlang(user)}}, ${action}, [${erlang(filter)}]}.`;
}

function erlang(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

function guessText({ isGuess, cluster }: UserRights): string {
  return isGuess ? `; its user name is a guess (--user ${cluster}=NAME)` : "";
}

function where(urls: readonly string[]): string {
  return urls.map(printable).join(" or ");
}
