/** Which ports can be listened on here: by whom, and whether somebody else does. */

import { createServer } from "node:net";
import { formatAddress, type IpAddress } from "../bgp/model/address.ts";

/** The first of the ports that can be bound here, and why not an earlier one. The last is taken untried. */
export async function bindablePort(
  ports: readonly [number, ...number[]],
): Promise<{ readonly port: number; readonly reason: string | undefined }> {
  let reason: string | undefined;
  for (const port of ports.slice(0, -1)) {
    const code = await bindError(port);
    if (code === undefined) return { port, reason };
    reason ??= `port ${port} ${code === "EADDRINUSE" ? "is in use" : "needs root or CAP_NET_BIND_SERVICE"}`;
  }
  return { port: ports.at(-1) ?? ports[0], reason };
}

/** Whether another program listens at one of these places. Whatever else may be wrong with them is not asked. */
export async function isPortTaken(addresses: readonly IpAddress[], port: number): Promise<boolean> {
  const codes = await Promise.all(addresses.map((address) => bindError(port, formatAddress(address))));
  return codes.includes("EADDRINUSE");
}

function bindError(port: number, host = "0.0.0.0"): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "EACCES"));
    server.listen({ port, host, exclusive: true, ipv6Only: true }, () => server.close(() => resolve(undefined)));
  });
}
