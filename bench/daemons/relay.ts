/** The floor of the comparison: a program in C that passes every UPDATE on as it came, without a look inside (bench/native). */

import type { Daemon } from "./daemon.ts";

export function relay(program: string): Daemon {
  return {
    name: "relay",
    debianPackage: undefined,
    isInstalled: () => true,
    forgets: true,
    version: () => "of this checkout",
    cannot: ({ kernel }) => (kernel ? "it only relays" : undefined),
    prepare({ address, port, asNumber, routerId, peers }) {
      const where = ["--address", address, "--port", String(port)];
      const who = ["--as", String(asNumber), "--routerid", routerId, "--sessions", String(peers.length)];
      return { command: [program, ...where, ...who] };
    },
  };
}
