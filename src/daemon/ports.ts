/** Which port an ordinary user may listen on. */

import { createServer } from "node:net";

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

function bindError(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "EACCES"));
    server.listen({ port, host: "0.0.0.0", exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
