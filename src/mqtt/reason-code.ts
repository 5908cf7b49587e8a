/** MQTT's reason codes in words (MQTT5 2.4; MQTT 3.1.1 3.2.2.3). */

const CONNACK_3: Readonly<Record<number, string>> = {
  1: "unacceptable protocol version",
  2: "client identifier rejected",
  3: "server unavailable",
  4: "bad user name or password",
  5: "not authorized",
};

const REASONS: Readonly<Record<number, string>> = {
  0: "normal disconnection",
  128: "unspecified error",
  129: "malformed packet",
  130: "protocol error",
  131: "implementation specific error",
  132: "unsupported protocol version",
  133: "client identifier not valid",
  134: "bad user name or password",
  135: "not authorized",
  136: "server unavailable",
  137: "server busy",
  138: "banned",
  139: "server shutting down",
  140: "bad authentication method",
  141: "keep alive timeout",
  142: "session taken over",
  143: "topic filter invalid",
  144: "topic name invalid",
  147: "receive maximum exceeded",
  148: "topic alias invalid",
  149: "packet too large",
  150: "message rate too high",
  151: "quota exceeded",
  152: "administrative action",
  153: "payload format invalid",
  154: "retain not supported",
  155: "QoS not supported",
  156: "use another server",
  157: "server moved",
  159: "connection rate exceeded",
  160: "maximum connect time",
};

/** `not authorized (0x87)`. */
export function reasonText(code: number): string {
  const hex = `0x${code.toString(16).padStart(2, "0")}`;
  const words = CONNACK_3[code] ?? REASONS[code];
  return words === undefined ? `reason ${hex}` : `${words} (${hex})`;
}

/** The broker does not speak this version: CONNACK 1 from one that knows 3.1.1 only, 0x84 from one that knows 5. */
export function refusesVersion(code: number): boolean {
  return code === 0x01 || code === 0x84;
}

/** Someone has to change something before another try can work. */
export function refusesForGood(code: number): boolean {
  return [0x02, 0x04, 0x05, 0x85, 0x86, 0x87, 0x8a, 0x8c].includes(code);
}

export const SESSION_TAKEN_OVER = 0x8e;
