/** How a connection was made, or why not, and which key of the configuration says otherwise. */
import { printable } from "../config/printable.ts";
import type { EndpointConfig } from "../config/types.ts";
import type { SessionProblem } from "../mqtt/session.ts";
import { DoctorClient } from "./doctor-client.ts";
import { CONFIGURATION, type Finding, type Fix, finding } from "./finding.ts";

/** `at`: where the broker stands in the configuration, such as `links[0]`. */
export function connectFinding(client: DoctorClient | SessionProblem, endpoint: EndpointConfig, at: string): Finding {
  if (client instanceof DoctorClient) {
    const { limits, version } = client;
    const window =
      version === 5 && limits !== null ? `, ${limits.receiveMaximum} publishes may wait for its acknowledgement` : "";
    return finding("connect", "ok", `connected with MQTT ${version === 5 ? "5" : "3.1.1"}${window}`);
  }
  return finding("connect", "fault", `${client.code}: ${client.reason}`, fixFor(client, endpoint, at));
}

function fixFor({ code }: SessionProblem, { urls, username }: EndpointConfig, at: string): Fix {
  const lines = (...own: string[]): Fix => ({ file: CONFIGURATION, lines: [`# ${at}`, ...own] });
  switch (code) {
    case "LOCAL_REFUSED":
    case "PEER_LOGIN_REFUSED":
      return lines(
        username === null ? "username: NAME" : `username: ${printable(username)} # or another one`,
        "password_file: FILE",
      );
    case "LOCAL_TLS":
    case "PEER_TLS":
      return lines("ssl:", "  cacertfile: FILE");
    default:
      return lines(`server: ${urls.map(printable).join(",")} # is this right, and does the broker run?`);
  }
}
