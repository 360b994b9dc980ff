/**
 * The programs that read BIRD's control socket in a Calico cluster, each written anew from what it is known to look at: what they
 * make of an answer is what users see. Each throws where the program would report an error.
 */

class OracleError extends Error {
  override readonly name = "OracleError";
}

/** Asks on one connection. */
export type Ask = (command: string) => Promise<readonly string[]>;

const COLUMNS = ["name", "proto", "table", "state", "since", "info"];

/** Rows of `show protocols`, after the checks that calico's programs make of the heading. */
function rowsOf(lines: readonly string[]): string[][] {
  const [heading = "", ...rest] = lines;
  if (!heading.startsWith("2002-")) throw new OracleError(`no heading: ${heading}`);
  const names = heading.slice(5).split(/\s+/).filter(Boolean);
  if (names.join() !== COLUMNS.join()) throw new OracleError(`unknown columns: ${names.join(" ")}`);
  if (!rest.at(-1)?.startsWith("0000")) throw new OracleError(`no end: ${rest.at(-1)}`);
  return rest.slice(0, -1).map((line) => {
    if (!line.startsWith("1002-") && !line.startsWith(" ")) throw new OracleError(`unknown line: ${line}`);
    return line
      .replace(/^(1002-| )/, "")
      .split(/\s+/)
      .filter(Boolean);
  });
}

const CALICO_PEER = /^(Global|Node|Mesh)_(.+)$/;

const calicoPeers = (lines: readonly string[]) =>
  rowsOf(lines).filter((columns) => columns[1] === "BGP" && CALICO_PEER.test(columns[0] ?? ""));

/** calico-node's readiness check: undefined when ready, else why not. `isFresh`: in the first seconds of a node's life. */
export async function readiness(ask: Ask, isFresh: boolean): Promise<string | undefined> {
  const peers = calicoPeers(await ask("show protocols"));
  const established = peers.filter((columns) => columns[5] === "Established");
  const missing = peers.filter((columns) => columns[5] !== "Established").map((columns) => columns[0]);
  if (isFresh) {
    if (await isRestarting(ask)) return "graceful restart in progress";
    return missing.length === 0 ? undefined : `not established: ${missing.join(" ")}`;
  }
  return peers.length === 0 || established.length > 0 ? undefined : `none established of ${missing.join(" ")}`;
}

/** The same program's look at `show status`. */
async function isRestarting(ask: Ask): Promise<boolean> {
  for (const line of await ask("show status")) {
    if (line.startsWith("0024")) return true;
    if (line.startsWith("0013")) return false;
    if (!/^(0001|1000|1011| )/.test(line)) throw new OracleError(`unexpected line of status: ${line}`);
  }
  throw new OracleError("status has no end");
}

export interface AgentStatus {
  readonly version: string;
  readonly routerId: string;
  readonly state: "Ready" | "NotReady";
  readonly lastBootTime: string;
  readonly lastReconfigurationTime: string;
}

/** CalicoNodeStatus, class Agent. */
export async function agentStatus(ask: Ask): Promise<AgentStatus> {
  const facts = { version: "", routerId: "", serverTime: "", lastBootTime: "", lastReconfigurationTime: "" };
  let state: AgentStatus["state"] = "Ready";
  for (const line of await ask("show status")) {
    if (line.startsWith("0024")) state = "NotReady";
    if (line.startsWith("0024") || line.startsWith("0013")) break;
    const text = line.replace(/^(\d{4}-| )/, "");
    const take = (key: keyof typeof facts, pattern: RegExp) => {
      const match = pattern.exec(text);
      if (match !== null) facts[key] = match[1] ?? "";
    };
    take("version", /^BIRD (v.+)$/);
    take("routerId", /^Router ID is (\d+\.\d+\.\d+\.\d+)$/);
    take("serverTime", /^Current server time is (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)$/);
    take("lastBootTime", /^Last reboot on (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)$/);
    take("lastReconfigurationTime", /^Last reconfiguration on (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)$/);
  }
  const { serverTime, ...rest } = facts;
  for (const [key, value] of Object.entries({ serverTime, ...rest }))
    if (value === "") throw new OracleError(`status says no ${key}`);
  return { ...rest, state };
}

export interface BgpStatus {
  readonly established: number;
  readonly notEstablished: number;
  readonly peers: readonly {
    readonly name: string;
    readonly peerIp: string;
    readonly state: string;
    readonly since: string;
  }[];
}

/** CalicoNodeStatus, class BGP: the list, then each peer on the same connection. */
export async function bgpStatus(ask: Ask): Promise<BgpStatus> {
  const peers: BgpStatus["peers"][number][] = [];
  let established = 0;
  let notEstablished = 0;
  for (const [name = "", , , state, since = ""] of calicoPeers(await ask("show protocols"))) {
    const lines = await ask(`show protocols all ${name}`);
    const value = (key: string) =>
      lines.map((line) => new RegExp(`^\\s+${key}:\\s+(\\S+)$`).exec(line)?.[1]).find((found) => found !== undefined);
    const peerIp = value("Neighbor address");
    const bgpState = value("BGP state");
    if (peerIp === undefined || bgpState === undefined) throw new OracleError(`nothing of ${name}: ${lines.join("|")}`);
    if (state === "up") established++;
    else notEstablished++;
    peers.push({ name, peerIp, state: bgpState, since });
  }
  return { established, notEstablished, peers };
}

export interface RouteStatus {
  readonly type: "FIB" | "RIB";
  readonly destination: string;
  readonly gateway: string;
  readonly interface: string;
  readonly learntFrom: string;
}

const ROUTE =
  /^(\S+)?\s+(?:via (\S+) on (\S+)|dev (\S+)|(blackhole)|(unreachable)) \[(\S+) \S+(?: from (\S+))?\](?: (\*))? \(/;

/** CalicoNodeStatus, class Routes. What it cannot place makes the whole class fail. */
export async function routeStatus(ask: Ask): Promise<RouteStatus[]> {
  const routes: RouteStatus[] = [];
  let destination = "";
  for (const line of await ask("show route")) {
    if (line.startsWith("0000")) break;
    const match = ROUTE.exec(line.replace(/^(1007-| )/, ""));
    if (match === null) throw new OracleError(`no route: ${line}`);
    const [, prefix, gateway, on, device, blackhole, unreachable, protocol = "", , star] = match;
    destination = prefix ?? destination;
    const own = /^(kernel|static|direct)/.exec(protocol)?.[1];
    if (own === undefined && !CALICO_PEER.test(protocol)) throw new OracleError(`whose route: ${line}`);
    routes.push({
      type: star === undefined ? "RIB" : "FIB",
      destination,
      gateway: gateway ?? blackhole ?? unreachable ?? "N/A",
      interface: on ?? device ?? "N/A",
      learntFrom: own ?? protocol,
    });
  }
  return routes;
}

/** `calicoctl node status`: the table, a line each. */
export async function calicoctlTable(ask: Ask, family: 4 | 6): Promise<string[]> {
  const types: Record<string, string> = { Mesh: "node-to-node mesh", Node: "node specific", Global: "global" };
  return calicoPeers(await ask("show protocols")).map(([name = "", , , state, since, ...info]) => {
    const [, type = "", address = ""] = CALICO_PEER.exec(name) ?? [];
    const ip = address.replaceAll("_", family === 4 ? "." : ":");
    return [ip, types[type], state, since, info.join(" ")].join(" | ");
  });
}

export interface ExporterMetrics {
  readonly name: string;
  readonly proto: string;
  readonly up: boolean;
  readonly imported: number;
  readonly filtered: number;
  readonly exported: number;
  readonly preferred: number;
  readonly importUpdates: readonly number[];
}

/** bird_exporter over `show protocols all`. */
export async function birdExporter(ask: Ask): Promise<ExporterMetrics[]> {
  const row =
    /^(?:1002-)?([^\s]+)\s+(BGP|OSPF|Direct|Device|Kernel|Static)\s+([^\s]+)\s+([^\s]+)\s+(\d{4}-\d{2}-\d{2}\s[^\s]+|[^\s]+)(?:\s+(.*?))?$/;
  const counts = /^\s+Routes:\s+(\d+) imported, (?:(\d+) filtered, )?(\d+) exported(?:, (\d+) preferred)?$/;
  const changes = /^\s+Import updates:\s+(\d+|---)\s+(\d+|---)\s+(\d+|---)\s+(\d+|---)\s+(\d+|---)\s*$/;
  const found: ExporterMetrics[] = [];
  for (const line of await ask("show protocols all")) {
    const protocol = row.exec(line);
    if (protocol !== null) {
      const [, name = "", proto = "", , state] = protocol;
      const none = { imported: 0, filtered: 0, exported: 0, preferred: 0, importUpdates: [] };
      found.push({ name, proto, up: state === "up", ...none });
    }
    const last = found.at(-1);
    const routes = counts.exec(line);
    if (last !== undefined && routes !== null) {
      const [imported, filtered, exported, preferred] = routes.slice(1).map((text) => Number(text ?? 0));
      Object.assign(last, { imported, filtered, exported, preferred });
    }
    const updates = changes.exec(line);
    if (last !== undefined && updates !== null)
      Object.assign(last, { importUpdates: updates.slice(1).map((text) => (text === "---" ? 0 : Number(text))) });
  }
  return found;
}

export interface WatchedRoute {
  readonly network: string;
  readonly gateway: string;
  readonly fromProtocol: string;
  readonly isPrimary: boolean;
  readonly metric: number;
  readonly attributes: Readonly<Record<string, string>>;
}

/** birdwatcher over `show route all protocol X`, which it reads without codes. */
export async function birdwatcher(ask: Ask, protocol: string): Promise<WatchedRoute[]> {
  const route =
    /^([0-9a-f.:/]+)?\s+via\s+([0-9a-f.:]+)\s+on\s+([\w.-]+)\s+\[([\w.:]+)\s+([0-9\-:\s]+)(?:\s+from\s+([0-9a-f.:/]+))?\]\s+(?:(\*)\s+)?\((\d+)(?:\/[\d?-]+)?\).*/;
  const routes: WatchedRoute[] = [];
  for (const coded of await ask(`show route all protocol ${protocol}`)) {
    const line = coded.replace(/^(\d{4}[- ]| )/, "");
    const match = route.exec(line);
    const attribute = /^\s+BGP\.(\w+):\s+(.+?)\s*$/.exec(line);
    if (match !== null)
      routes.push({
        network: match[1] ?? routes.at(-1)?.network ?? "",
        gateway: match[2] ?? "",
        fromProtocol: match[4] ?? "",
        isPrimary: match[7] === "*",
        metric: Number(match[8]),
        attributes: {},
      });
    else if (attribute !== null) Object.assign(routes.at(-1)?.attributes ?? {}, { [attribute[1] ?? ""]: attribute[2] });
  }
  return routes;
}
