/** The embedded default: what `starling run` does without a file, as an ordinary user too. */

import { openValue } from "./load.ts";
import type { Config } from "./model.ts";
import { ConfigError } from "./problem.ts";
import type { Surroundings } from "./surroundings.ts";

/** What the daemon found out about this process. */
export interface DefaultFindings {
  /** 179 where it may be bound, 1790 otherwise. */
  readonly port: number;
  /** The kernel may be written (CAP_NET_ADMIN) and the user asked for it (`--kernel`). */
  readonly kernel: boolean;
}

/** Loopback, the private ranges (RFC 1918, RFC 4193) and the shared one (RFC 6598). */
const RANGES = [
  ["loopback", "127.0.0.0/8"],
  ["private-10", "10.0.0.0/8"],
  ["private-172", "172.16.0.0/12"],
  ["private-192", "192.168.0.0/16"],
  ["shared", "100.64.0.0/10"],
  ["loopback6", "::1/128"],
  ["private6", "fc00::/7"],
] as const;

/** The same in the words of the file. */
function embeddedFile(findings: DefaultFindings): object {
  return {
    asNumber: 64512,
    listen: { port: findings.port },
    peerDefaults: { asNumber: "internal", routeReflectorClient: true, families: { ipv4: {}, ipv6: {} } },
    peers: RANGES.map(([name, range]) => ({ name, range })),
    kernel: { enabled: findings.kernel },
  };
}

/**
 * AS 64512, a reflector for internal peers from near addresses. Its router id is the machine's, or 127.0.0.1 where the machine has
 * no IPv4 address: it must start anywhere.
 */
export function embeddedDefault(findings: DefaultFindings, surroundings: Surroundings): Config {
  const routerId = surroundings.routerId() === undefined ? { routerId: "127.0.0.1" } : {};
  const value = { ...embeddedFile(findings), ...routerId };
  const { config, problems } = openValue(value, "embedded default", surroundings).validate();
  if (config === undefined) throw new ConfigError(problems);
  return {
    ...config,
    peers: config.peers.map((peer) => ({ ...peer, source: "default" })),
  };
}
