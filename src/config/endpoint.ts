/** From the keys of a broker (`server`, login, `ssl`) to how it is reached. What the keys say about one another is checked here. */
import { belongTogether, type FileValues } from "./file-values.ts";
import type { Values } from "./format.ts";
import type { LOGIN } from "./link-keys.ts";
import type { Path, ProblemList } from "./problem.ts";
import type { AGENT_KEYS } from "./schema.ts";
import { isSecure, type Server, serverUrl } from "./server-format.ts";
import type { BrokerApiConfig, EndpointConfig, TlsConfig } from "./types.ts";

type LoginValues = Values<typeof LOGIN>;
type SslValues = LoginValues["ssl"];

export function endpoint(
  servers: readonly Server[],
  clientid: string,
  login: LoginValues,
  at: Path,
  files: FileValues,
  problems: ProblemList,
): EndpointConfig {
  const { ssl, username } = login;
  const urls = servers.map((server) => serverUrl(server, ssl.enable === true));
  const password = files.secret(login.password, login.password_file, at, "password");
  const protocolVersion = login.protocol_version === "auto" ? null : login.protocol_version;
  // MQTT 3.1.1 §3.1.2.9 [MQTT-3.1.2-22].
  if (protocolVersion === 4 && password !== null && username === null) {
    problems.add([...at, "password"], "is given without username, which MQTT 3.1.1 does not allow");
  }
  return {
    urls: [...new Set(urls)],
    clientid,
    username,
    password,
    tls: tlsConfig(ssl, servers, urls, [...at, "ssl"], files, problems),
    protocolVersion,
  };
}

/** Null: it is not asked. */
export function brokerApi(
  api: Values<typeof AGENT_KEYS>["local"]["api"],
  at: Path,
  files: FileValues,
  problems: ProblemList,
): BrokerApiConfig | null {
  const secret = files.secret(api.secret, api.secret_file, at, "secret");
  if (problems.hasBelow(at)) return null;
  const missing = (["server", "key"] as const).filter((key) => api[key] === null);
  if (secret === null && api.secret_file === null) {
    // Nothing of it is given: nothing is missing.
    if (missing.length === 2) return null;
    problems.add([...at, "secret_file"], "is missing: the API takes a key and its secret");
  }
  for (const key of missing) problems.add([...at, key], 'is missing: "local.api" needs server, key and secret_file');
  const { server: urls, key } = api;
  if (urls === null || key === null || secret === null) return null;
  if (key.includes(":"))
    problems.add([...at, "key"], "has a colon, which no API key has: the secret is a key of its own");
  const tls = tlsConfig({ ...api.ssl, enable: null }, [], urls, [...at, "ssl"], files, problems);
  return { urls, key, secret, tls, pollIntervalMs: api.poll_interval, timeoutMs: api.timeout };
}

function tlsConfig(
  ssl: SslValues,
  servers: readonly Server[],
  urls: readonly string[],
  at: Path,
  files: FileValues,
  problems: ProblemList,
): TlsConfig | null {
  const tls: TlsConfig = {
    ca: files.certificates(ssl.cacertfile, [...at, "cacertfile"]),
    cert: files.certificates(ssl.certfile, [...at, "certfile"]),
    key: files.privateKey(ssl.keyfile, [...at, "keyfile"]),
    verify: ssl.verify,
    servername: ssl.servername,
  };
  if (ssl.certfile !== null && ssl.keyfile === null) problems.add([...at, "certfile"], "is given without keyfile");
  if (ssl.keyfile !== null && ssl.certfile === null) problems.add([...at, "keyfile"], "is given without certfile");
  if (tls.cert !== null && tls.key !== null && !belongTogether(tls.cert, tls.key)) {
    problems.add([...at, "keyfile"], "is not the key of the certificate in certfile");
  }
  const plain = urls.find((url) => !isSecure(url));
  const secure = urls.find(isSecure);
  if (ssl.enable === false) {
    if (secure !== undefined) problems.add([...at, "enable"], `is false, and ${secure} is a TLS address`);
    return null;
  }
  const isGiven = ssl.cacertfile !== null || ssl.certfile !== null || ssl.keyfile !== null || ssl.servername !== null;
  if (plain !== undefined && (isGiven || ssl.enable === true || !ssl.verify)) {
    const hint = servers.some(({ scheme }) => scheme === null) && ssl.enable === null ? "; set ssl.enable too" : "";
    problems.add(
      at,
      `is given, and ${plain} is no TLS address: use ${plain.startsWith("http") ? "https://" : "mqtts:// or wss://"}${hint}`,
    );
  }
  return secure === undefined ? null : tls;
}
