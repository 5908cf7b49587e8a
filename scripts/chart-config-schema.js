/**
 * The part of the chart's values.schema.json below `config`, made from the schema in src/config. Takes the compiled modules,
 * wherever they were compiled to. A format that is not known here is an error: it must be described before it is shipped.
 */

/** `schema`: schema.js; `linkKeys`: link-keys.js; `names`: names.js of wire/. */
export function chartConfigSchema({ schema, linkKeys, names }) {
  const cluster = { type: "string", pattern: names.CLUSTER_NAME_PATTERN.source };
  const link = groupSchema(linkKeys.LINK_KEYS, cluster, null);
  const config = groupSchema(schema.AGENT_KEYS, cluster, link);
  // The chart fills in `local` in some modes, and asks for it in the others.
  delete config.properties.local.required;
  config.required = ["cluster"];
  return { config: { description: "brokerlink.yaml: docs/CONFIG.md has every key.", ...config }, cluster };
}

function groupSchema(keys, cluster, link) {
  const properties = {};
  const required = [];
  for (const [key, node] of Object.entries(keys)) {
    // A secret in the values would end up in a ConfigMap.
    if (node.kind === "leaf" && node.sensitive) continue;
    const described =
      node.kind === "group" ? groupSchema(node.keys, cluster, link) : leafSchema(key, node.format, cluster, link);
    properties[key] = { description: plain(node.doc), ...described };
    if (node.kind === "leaf" && node.required) required.push(key);
  }
  return { type: "object", additionalProperties: false, ...(required.length > 0 ? { required } : {}), properties };
}

function leafSchema(key, format, cluster, link) {
  const { expects } = format;
  const found = SHAPES.map(([pattern, shape]) => [pattern.exec(expects), shape]).find(([match]) => match !== null);
  if (found === undefined) throw new Error(`the chart's schema does not know the format of "${key}": ${expects}`);
  const [match, shape] = found;
  return shape(match, { format, cluster, link });
}

/** Longest with one decimal place per unit, as formats.ts reads it. */
const DURATION = "(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?";
const DURATION_SCHEMA = { type: "string", pattern: `^${DURATION.replace("(?=.)", "")}$`, minLength: 2 };
const BYTES_SCHEMA = { type: ["string", "integer"], pattern: "^[0-9]+ ?([kKmMgGtT][iI]?)?[bB]?$", minimum: 1 };
const URL = "^(([mM][qQ][tT][tT]|[wW][sS])[sS]?://)?[^/?#@\\s]+(/[^?#@\\s]*)?$";
const SERVER = {
  type: "string",
  pattern: URL,
  description: "mqtt://, mqtts://, ws:// or wss://, without user name or password",
};
const TEXT = { type: "string", minLength: 1 };
const FILTER = { type: "string", minLength: 1 };
const PLAIN_FILTER = { type: "string", minLength: 1, pattern: "^[^$]" };

/** What a format's own words say, and the schema that says it too; the first that fits counts. */
const SHAPES = [
  [/^a name of 1 to 64 letters/, (_, { cluster }) => cluster],
  [/^one of (.+)$/, ([, words]) => ({ enum: words.split(", ").map((word) => word.replaceAll("`", "")) })],
  [
    /^a whole number from ([\d,]+) to ([\d,]+)$/,
    ([, min, max]) => ({ type: "integer", minimum: number(min), maximum: number(max) }),
  ],
  [/^`true` or `false`$/, (_, { format }) => switchSchema(format)],
  [/^`never`, or a duration/, () => ({ anyOf: [{ const: "never" }, DURATION_SCHEMA] })],
  [/^a duration/, () => DURATION_SCHEMA],
  [/^bytes:/, () => BYTES_SCHEMA],
  [
    /^one URL or a list of them/,
    () => ({ oneOf: [SERVER, { type: "array", minItems: 1, maxItems: 16, items: SERVER }] }),
  ],
  [
    /^a list of links, at most ([\d,]+)$/,
    ([, max], { link }) => ({ type: "array", maxItems: number(max), items: link }),
  ],
  [/^a list of filters, at most ([\d,]+); none may begin/, ([, max]) => listSchema(max, PLAIN_FILTER)],
  [/^a list of filters, at most ([\d,]+)/, ([, max]) => listSchema(max, FILTER)],
  [/^a list of .*, at most ([\d,]+)$/, ([, max]) => listSchema(max, TEXT)],
  [/^`auto` \(5, then 4\), `5`, or `4`/, () => ({ enum: ["auto", 4, 5] })],
  [/^an IP address|^a host name$/, () => ({ type: "string", pattern: "^[0-9A-Za-z_.:-]+$" })],
  [/^a topic of 1 to/, () => ({ type: "string", minLength: 1, pattern: "^[^+#]+$" })],
  [/^a filter$|^a text$|^a file name$|^the name of a directory$|^a client id of/, () => TEXT],
];

function listSchema(max, items) {
  return { type: "array", maxItems: number(max), items };
}

/** The other words for yes and no that this switch takes are asked of its format. */
function switchSchema(format) {
  const words = ["verify_peer", "verify_none"].filter((word) => format.parse(word, () => {}) !== undefined);
  return words.length === 0 ? { type: "boolean" } : { enum: [true, false, ...words] };
}

function number(text) {
  return Number(text.replaceAll(",", ""));
}

function plain(markdown) {
  return markdown.replaceAll("`", "");
}
