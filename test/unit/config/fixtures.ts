/** What the configuration's tests share: a machine of their own, and short ways from YAML to what it comes to. */

import { routerId } from "../../../src/bgp/model/ids.ts";
import { accept, loadText } from "../../../src/config/load.ts";
import type { Config, PeerConfig } from "../../../src/config/model.ts";
import { formatProblem } from "../../../src/config/problem.ts";
import type { Surroundings } from "../../../src/config/surroundings.ts";

const FILES: Readonly<Record<string, string>> = { "tor.key": "from a file\n", "empty.key": "\n" };

export const machine: Surroundings = {
  routerId: () => routerId(0x0a000001),
  readText: (path) => {
    const text = FILES[path];
    return text === undefined
      ? { kind: "error", message: "there is no such file" }
      : { kind: "text", text, worldReadable: false };
  },
  resolvePath: (path) => path,
  addresses: () => ["192.0.2.1"],
  environment: (name) => (name === "TOR_KEY" ? "from the environment" : undefined),
  routingTable: (name) => (name === "red" ? 100 : undefined),
};

/** All problems as lines without the file's name. */
export function problemsOf(yaml: string, worldReadable = false): readonly string[] {
  const { problems } = loadText(yaml, "f", machine, worldReadable);
  return problems.map((problem) => formatProblem(problem).slice(2));
}

export function configOf(yaml: string): Config {
  return accept(loadText(yaml, "f", machine));
}

/** `asNumber: 64512` and one peer of these keys in flow style. */
export function peerOf(keys: string, more = ""): PeerConfig {
  const [peer] = configOf(`asNumber: 64512\npeers: [{${keys}}]\n${more}`).peers;
  if (peer === undefined) throw new RangeError("no peer");
  return peer;
}
