/** docs/CONFIG.md, made from the schema: `npm run docs` writes it, a house test compares. */
import { variableOf } from "./environment.ts";
import type { Keys, Leaf } from "./format.ts";
import { LINK_KEYS } from "./link-keys.ts";
import type { Path } from "./problem.ts";
import { AGENT_KEYS } from "./schema.ts";

export function configReference(): string {
  const sections = Object.entries(AGENT_KEYS).flatMap(([key, node]) =>
    node.kind === "group" ? [section(`\`${key}\``, node.doc, node.keys, [key])] : [],
  );
  const top: Keys = Object.fromEntries(Object.entries(AGENT_KEYS).filter(([, node]) => node.kind === "leaf"));
  return `${[
    INTRODUCTION,
    section("Top level", "", top, []),
    ...sections,
    section("`links[]`", AGENT_KEYS.links.doc, LINK_KEYS, ["links", 0]),
    SOURCES,
    MEMORY,
  ].join("\n\n")}\n`;
}

function section(title: string, doc: string, keys: Keys, base: Path): string {
  const rows = rowsOf(keys, base, "");
  return [
    `## ${title}`,
    ...(doc === "" ? [] : ["", doc]),
    "",
    "| key | default | takes | meaning |",
    "|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function rowsOf(keys: Keys, base: Path, prefix: string): string[] {
  return Object.entries(keys).flatMap(([key, node]) =>
    node.kind === "group"
      ? rowsOf(node.keys, [...base, key], `${prefix}${key}.`)
      : [`| \`${prefix}${key}\` | ${fallback(node)} | ${cell(node.format.expects)} | ${cell(node.doc)} |`],
  );
}

function fallback({ required, fallback: value, fallbackDoc }: Leaf<unknown>): string {
  if (required) return "**required**";
  if (fallbackDoc !== null) return cell(fallbackDoc);
  if (value === null) return "–";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

const INTRODUCTION = `# Configuration

<!-- Made from src/config by \`npm run docs\`. Change it there. -->

One file, YAML or JSON (told apart by content), given with \`--config\`. The smallest useful one:

\`\`\`yaml
cluster: a
local:
  server: mqtt://127.0.0.1:1883
  broker: mosquitto
links:
  - name: b
    server: mqtts://b.example.org:8883
    username: cluster-a
    password_file: /run/secrets/b-password
    ssl:
      cacertfile: /etc/brokerlink/ca.pem
    topics: ["t/#", "c/1"]
\`\`\`

\`brokerlink check FILE\` says what a configuration means, or everything that is wrong with it. A bad configuration ends
\`run\` and \`check\` with exit code 78, before anything is opened. Unknown keys are mistakes, and so are values of the wrong
type: numbers that are meant as texts need quotes. A key with nothing behind it counts as absent.`;

const SOURCES = `## Where values come from

Later ones win: default, file, environment, flags of \`brokerlink run\`.

- **Environment**: the path in capitals, with two underscores between its parts: \`${variableOf(["local", "server"])}\`,
  \`${variableOf(["links", 0, "server"])}\`. \`${variableOf(["links"])}\` holds all links as JSON; variables of single keys then change
  those. An index one past the end begins a new link. Lists are separated by commas, or JSON. An empty variable counts as
  absent. Any other variable that begins with \`BROKERLINK_\` is a mistake, but for those that Kubernetes makes of a
  Service of that name.
- **Secrets**: every \`password\` may stand in a file instead, named by \`password_file\`; the token of the API always does.
  A line end at the end of the file does not count. No secret is taken on the command line, and a URL with a user name or
  password in it is refused everywhere.
- **File names** in the file are relative to its folder, those in the environment to the working directory.
- **Durations** have units, from days to milliseconds, the largest first: \`1h30m\`, \`500ms\`. **Sizes** are plain bytes,
  or have units: \`KiB\`, \`MiB\`, \`GiB\` count in 1,024, \`kB\`, \`MB\`, \`GB\` in 1,000. (EMQX's \`MB\` is \`MiB\` here.)
- **Filters** of \`topics\` and \`export\` never begin with \`$\`. Within \`topics\` none may be covered by another: the problem
  names both.`;

const MEMORY = `## What this version does not have

\`durability\`, \`retained\` and \`protocol\` have one value each, \`when_full\` has no \`backpressure\`, and there is no
\`data_dir\`: messages that a peer has not confirmed wait in memory and are lost when the agent ends. That is also why
\`spool.max_bytes\` is 128 MiB for each link and not more: it is heap. \`route_retention\` is 60 seconds for the same reason:
routes kept for longer would fill a spool that does not outlive the agent anyway.`;
