/** What a broker allows one connection, from its CONNACK (MQTT5 3.2.2.3); a broker that says nothing allows the protocol's own limits. */

export interface SessionLimits {
  /** QoS 1 publishes that may wait for their PUBACK. */
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number;
  readonly maximumQoS: 0 | 1 | 2;
  readonly retainAvailable: boolean;
  readonly subscriptionIdsAvailable: boolean;
  /** Null: the broker took ours. */
  readonly serverKeepAlive: number | null;
  readonly topicAliasMaximum: number;
  /** How long the broker keeps the session when the connection is gone; null: 3.1.1 cannot say. */
  readonly sessionExpirySeconds: number | null;
}

/** The part of a CONNACK's properties that is read here. */
export interface ConnackProperties {
  readonly receiveMaximum?: number;
  readonly maximumPacketSize?: number;
  readonly maximumQoS?: number;
  readonly retainAvailable?: boolean;
  readonly subscriptionIdentifiersAvailable?: boolean;
  readonly serverKeepAlive?: number;
  readonly topicAliasMaximum?: number;
  readonly sessionExpiryInterval?: number;
}

const RECEIVE_MAXIMUM = 65_535;
/** The largest remaining length with its five bytes of fixed header. */
export const PACKET_BYTES_MAX = 268_435_455 + 5;

/** `askedSeconds`: the session expiry that CONNECT asked for; null on 3.1.1. */
export function limitsOf(properties: ConnackProperties, askedSeconds: number | null): SessionLimits {
  const { maximumQoS } = properties;
  return {
    receiveMaximum: properties.receiveMaximum ?? RECEIVE_MAXIMUM,
    maximumPacketSize: properties.maximumPacketSize ?? PACKET_BYTES_MAX,
    maximumQoS: maximumQoS === 0 || maximumQoS === 1 ? maximumQoS : 2,
    retainAvailable: properties.retainAvailable ?? true,
    subscriptionIdsAvailable: properties.subscriptionIdentifiersAvailable ?? true,
    serverKeepAlive: properties.serverKeepAlive ?? null,
    topicAliasMaximum: properties.topicAliasMaximum ?? 0,
    sessionExpirySeconds: properties.sessionExpiryInterval ?? askedSeconds,
  };
}
