/**
 * The text of the chart's README.md, made from the comments of values.yaml: `npm run docs` writes it, a test compares. Refuses values
 * without a comment.
 */
import { isMap, isScalar, parseDocument } from "yaml";

/** Their inner keys are Kubernetes' own, or what is measured: the comment of the whole says it. */
const WHOLE = new Set(["podSecurityContext", "securityContext", "requests", "limits", "labels"]);

/** `values`: text of values.yaml; `chart`: of Chart.yaml. */
export function chartReadme({ values, chart }) {
  const document = parseDocument(values);
  if (document.errors.length > 0) throw document.errors[0];
  const about = parseDocument(chart).toJS();
  const rows = valueRows(document.contents, []);
  return `${HEAD(about)}\n## Values\n\n| value | default | meaning |\n|---|---|---|\n${rows.join("\n")}\n`;
}

function valueRows(map, path) {
  return map.items.flatMap((pair, index) => {
    const key = String(pair.key.value ?? pair.key);
    const at = [...path, key];
    // The first key's comment belongs to its map, and to the document before the first blank line.
    const comment = commentOf(pair.key.commentBefore ?? (index === 0 ? map.commentBefore : null));
    const goesOn = isMap(pair.value) && pair.value.items.length > 0 && !WHOLE.has(key);
    if (comment === "" && !goesOn) {
      if (WHOLE.has(key)) return [row(at, pair.value, parentComment(map))];
      throw new Error(`values.yaml: ${at.join(".")} has no comment`);
    }
    if (!goesOn) return [row(at, pair.value, comment)];
    return [...(comment === "" ? [] : [`| \`${at.join(".")}\` | | ${cell(comment)} |`]), ...valueRows(pair.value, at)];
  });
}

function parentComment(map) {
  return commentOf(map.commentBefore);
}

/** Its last paragraph. */
function commentOf(text) {
  const paragraphs = (text ?? "").split(/\n\s*\n/).map((part) =>
    part
      .split("\n")
      .map((line) => line.trim())
      .join(" "),
  );
  return (paragraphs.at(-1) ?? "").trim();
}

function row(path, value, comment) {
  const plain = isScalar(value) ? value.value : value.toJSON();
  return `| \`${path.join(".")}\` | \`${JSON.stringify(plain)}\` | ${cell(comment)} |`;
}

function cell(text) {
  return text.replaceAll("|", "\\|");
}

const HEAD = ({ version, appVersion, description, kubeVersion }) => `# brokerlink

<!-- Made from values.yaml and scripts/chart-readme.js by \`npm run docs\`. Change it there. -->

${description}

Version ${version} of the chart, ${appVersion} of the agent. Helm 3 or 4, Kubernetes ${kubeVersion.replace(/-0$/, "")}. How it fits beside a broker, with examples for the charts
of EMQX, Mosquitto and HiveMQ: docs/KUBERNETES.md of brokerlink.

\`\`\`sh
helm install a oci://ghcr.io/brokerlink/charts/brokerlink --values my-values.yaml
helm test a
\`\`\`

The smallest useful \`my-values.yaml\`, for an agent beside the Service of a broker that is there:

\`\`\`yaml
config:
  cluster: a
  local:
    server: mqtt://mosquitto.mqtt.svc:1883
    broker: mosquitto
    username: brokerlink
    password_file: /run/brokerlink/secrets/local
  links:
    - name: b
      server: mqtts://mqtt.b.example.org:8883
      username: link-a
      password_file: /run/brokerlink/secrets/link-b
      topics: ["t/#", "c/1"]
secrets:
  existingSecret: brokerlink-a # kubectl create secret generic brokerlink-a --from-literal=local=… --from-literal=link-b=…
\`\`\`

| \`mode\` | what is installed | what outlives the pod |
|---|---|---|
| \`deployment\` | an agent beside a broker's Service | nothing; the spool outlives the container |
| \`statefulset\` | the same, with a volume | the spool |
| \`mosquitto\` | Mosquitto, with the agent as native sidecar | the broker's sessions and queues, and the spool |
| \`sidecar\` | configuration, Service and monitors, for pods of another chart | as that chart decides |
`;
