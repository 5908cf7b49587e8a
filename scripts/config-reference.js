/**
 * The text of docs/CONFIG.md, made from the schema: `npm run docs` writes it, a house test compares. Takes the compiled
 * modules of src/config, wherever they were compiled to, and the text of examples/brokerlink.yaml.
 */

/** `schema`: schema.js; `linkKeys`: link-keys.js; `environment`: environment.js. */
export function configReference({ schema, linkKeys, environment, example }) {
  const { AGENT_KEYS } = schema;
  const { LINK_KEYS } = linkKeys;
  const { variableOf } = environment;
  const groups = Object.entries(AGENT_KEYS).filter(([, node]) => node.kind === "group");
  const top = Object.fromEntries(Object.entries(AGENT_KEYS).filter(([, node]) => node.kind === "leaf"));
  return `${[
    INTRODUCTION,
    section("Top level", "", top),
    ...groups.map(([key, node]) => section(`\`${key}\``, node.doc, node.keys)),
    section("`links[]`", AGENT_KEYS.links.doc, LINK_KEYS),
    sources(variableOf),
    variables([...leaves(AGENT_KEYS, []), ...leaves(LINK_KEYS, ["links", 0])], variableOf),
    PROBLEMS,
    DURABILITY,
    `## A complete example\n\n\`examples/brokerlink.yaml\`:\n\n\`\`\`yaml\n${example.trimEnd()}\n\`\`\``,
  ].join("\n\n")}\n`;
}

function section(title, doc, keys) {
  return [
    `## ${title}`,
    ...(doc === "" ? [] : ["", doc]),
    "",
    "| key | default | takes | meaning |",
    "|---|---|---|---|",
    ...leaves(keys, []).map(
      ({ path, leaf }) =>
        `| \`${path.join(".")}\` | ${fallback(leaf)} | ${cell(leaf.format.expects)} | ${cell(leaf.doc)} |`,
    ),
  ].join("\n");
}

function variables(all, variableOf) {
  return [
    "### All variables",
    "",
    "| variable | key | written as |",
    "|---|---|---|",
    ...all.map(({ path, leaf }) => {
      const key = path.map((segment) => (typeof segment === "number" ? `[${segment}]` : `.${segment}`)).join("");
      return `| \`${variableOf(path)}\` | \`${key.slice(1)}\` | ${WRITTEN[leaf.format.text]} |`;
    }),
  ].join("\n");
}

/** How the text of a variable is read: the kinds of text-value.ts. */
const WRITTEN = {
  text: "the text itself",
  scalar: "number, switch or word",
  list: "with commas, or a JSON list",
  one_or_list: "one, several with commas, or a JSON list",
  json: "JSON",
};

/** Every key below `keys`, groups taken apart. */
function leaves(keys, base) {
  return Object.entries(keys).flatMap(([key, node]) =>
    node.kind === "group" ? leaves(node.keys, [...base, key]) : [{ path: [...base, key], leaf: node }],
  );
}

function fallback({ required, fallback: value, fallbackDoc }) {
  if (required) return "**required**";
  if (fallbackDoc !== null) return cell(fallbackDoc);
  if (value === null) return "–";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function cell(text) {
  return text.replaceAll("|", "\\|");
}

const INTRODUCTION = `# Configuration

<!-- Made from src/config by \`npm run docs\`. Change it there. -->

One file, YAML or JSON, given with \`--config\`. The smallest useful one:

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
type: numbers that are meant as texts need quotes. A key with nothing behind it counts as absent.

The configuration is read at the start, on SIGHUP, and when its files change; [what that does](OPERATING.md#changing-the-configuration).`;

function sources(variableOf) {
  return `## Where values come from

Later ones win: default, file, environment, flags of \`brokerlink run\` and \`forget\`.

- **Environment**: the path in capitals, with two underscores between its parts: \`${variableOf(["local", "server"])}\`,
  \`${variableOf(["links", 0, "server"])}\`. \`${variableOf(["links"])}\` holds all links as JSON; variables of single keys then change
  those. An index one past the end begins a new link. Lists are separated by commas, or JSON. An empty variable counts as
  absent; \`[]\` is the empty list. Any other variable that begins with \`BROKERLINK_\` is a mistake, but for those that
  Kubernetes makes of a Service of that name.
- **Flags**: \`--cluster\`, \`--local\` (\`local.server\`), \`--broker\` (\`local.broker\`), \`--http\` (\`http.host\` and \`http.port\`),
  \`--data-dir\` (\`data_dir\`), \`--log-level\` (\`log.level\`), \`--link NAME=URL\` (a link and its \`server\`; without URL its peer dials in, whatever the file
  says), \`--topics NAME=F1,F2\` (the \`topics\` of a link; repeated, they add up). Links are found by name.
- **Secrets**: every \`password\` may stand in a file instead, named by \`password_file\`; the token of the API always does.
  A line end at the end of the file does not count. No secret is taken on the command line, and a URL with a user name or
  password in it is refused everywhere.
- **File names** in the file are relative to its folder, those in the environment to the working directory. \`data_dir\` is
  always relative to the working directory: it says where this process keeps things, not where things of the file are.
- **Durations** have units, from days to milliseconds, the largest first: \`1h30m\`, \`500ms\`. **Sizes** are plain bytes,
  or have units: \`KiB\`, \`MiB\`, \`GiB\` count in 1,024, \`kB\`, \`MB\`, \`GB\` in 1,000. (EMQX's \`MB\` is \`MiB\` here.)
- **Filters** of \`topics\` and \`export\` never begin with \`$\`. Within \`topics\` none may be covered by another: the problem
  names both.`;
}

const PROBLEMS = `## Problems

All of them are reported at once, each with its path, the value, what was allowed, and where the value comes from: a line of
the file, a variable, or a flag. Values of \`password\` are never repeated, nor what stands before an \`@\` in an address.

    CONFIG_INVALID: 2 problems in "config.yaml"
      links[0].topics[1]: filter "t/1" is redundant: "t/#" [0] covers it (line 9)
      links[0].usernmae: is not a known key; did you mean "username"? (line 10)

A key that has no effect is a problem too, such as \`username\` in a link without \`server\`, or \`filters\` beside \`broker:
mosquitto\`. A file is at most 4 MiB long, in UTF-8; a key may stand in it only once.`;

const DURABILITY = `## What happens to messages

\`data_dir\` and \`durability\` decide what becomes of a QoS 1 or 2 message that the peer has not confirmed. \`brokerlink check\`
says it for each link.

| \`durability\` | the local broker may forget the message once it is | the agent ends | needs |
|---|---|---|---|
| \`disk\` | on disk, in \`data_dir\` | kept there; the next one sends it | \`data_dir\` |
| \`memory\` | in the agent's memory | lost | |
| \`end_to_end\` | with the peer | the local broker still has it and delivers it again | a queue there that holds it: \`max_queued_messages\` |

Defaults depend on \`data_dir\`: with it, links are \`disk\`, spools hold 1 GiB each, and routes of a silent peer stay in force for
\`spool.max_age\`. Without it, links are \`memory\`, spools hold 128 MiB each, for that is heap, and routes stay for 60 seconds, because
what they would gather does not outlive the agent. A warning says so once. \`durability: disk\` without \`data_dir\` is a problem.

One directory is for one agent; a second one that starts with it ends with \`DATA_DIR_LOCKED\`. \`brokerlink forget\` empties it.

## What becomes of retained messages

Each side decides for its own broker: \`retained\` says what this one stores of what the peer's clients publish with the retain flag.

| \`retained\` | the local broker | who subscribes here later |
|---|---|---|
| \`strip\` | publishes the message and stores nothing | gets nothing until the next message |
| \`live\` | publishes and stores it; an empty payload removes what is stored | gets the last value that crossed |
| \`sync\` | as \`live\`; and stores what is retained over there already | gets the value that is retained over there |

\`live\` follows what crosses, and only what somebody here subscribes to crosses. A value that was retained on the other side before that, or that is changed
or removed there while nobody here subscribes to it, does not come: what is stored here stays until the next message. Where that matters, keep a
subscription (a durable one, or a second filter of a client that is always there). With \`live\` on both sides the last writer wins on each of them. If both
write one topic within the time that a message takes to cross, each may end with the other's value.

\`sync\` also brings over what is already retained on the other side: once for each route, when a subscription here first asks for it (one within another brings
nothing new), when it comes again, and whenever one of the two agents starts. Subscribers here get such a value as a message, and the
local broker stores it. It is published only where nothing is stored here, or another value of the same cluster; never over a value that a client of this side or a
third cluster set, and never over a message that was published since. (The agent looks first and then publishes: a value that a client of
this side sets in those milliseconds is replaced. MQTT has no way to do both at once.) What is gone over there is not removed here: an empty retained message crosses while somebody
subscribes, not afterwards. Values that the peer itself has from a link stay where they are. Both local brokers must speak MQTT 5
(\`RETAINED_UNSUPPORTED\` else, and \`sync\` is as \`live\`), and the peer needs no setting for it. As long as an agent does not know its clients' subscriptions
(\`starting\`), it asks for all of its \`topics\`, and all that is retained there comes. On one route 50,000 messages or 32 MiB are read at a time.

MQTT 5 and 3.1.1 brokers that know the bridge bit (Mosquitto, Aedes) tell an agent which messages were published with the flag. Others say on 3.1.1 only
what they had stored: \`live\` at the peer of such a broker stores nothing. On 3.1.1 a broker also sends what it had stored when the agent
subscribes: it crosses as a message without the flag, and so does what is published with the flag, on topics that were subscribed just then, in that moment; what the agent itself had it
store for a peer does not (until the agent restarts: then once). A local broker that says that it retains nothing gets the messages without the flag.

## What this version does not have

\`local.publish_server\` is refused.`;
