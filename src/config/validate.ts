/** A parsed file as a Config and a list of all that is wrong with it: errors of one peer cost that peer alone. */

import { Family } from "../bgp/model/family.ts";
import { asn, routerId as routerIdOf } from "../bgp/model/ids.ts";
import { formatPrefix } from "../bgp/model/prefix.ts";
import { parsePrefix } from "./addresses.ts";
import { type Given, PLAIN } from "./given.ts";
import { resolveHttp } from "./http.ts";
import { type Layer, Templates } from "./inherit.ts";
import { reportIssues } from "./issues.ts";
import { resolveKernel } from "./kernel.ts";
import type { Config, PeerConfig, PolicyConfig } from "./model.ts";
import { suggestion } from "./nearest.ts";
import { type PlacedPeer, remoteName, resolvePeer } from "./peer.ts";
import { resolvePolicy } from "./policy.ts";
import { isError, type Problem, ProblemList } from "./problem.ts";
import { resolveAggregates, resolveOriginate } from "./routes.ts";
import { AS_ACCEPTED, nameValue, parsePeerAddress } from "./scalars.ts";
import { type RootInput, rootSchema } from "./schema.ts";
import type { CalicoInput } from "./schema-calico.ts";
import { type PeerInput, peerSchema } from "./schema-peer.ts";
import type { Surroundings } from "./surroundings.ts";
import { warnOf } from "./warnings.ts";
import { isMapping, nullKeys, type Written, withoutNulls } from "./written.ts";

export interface Loaded {
  /** Without the peers that have errors; undefined if anything but single peers is wrong. */
  readonly config: Config | undefined;
  /** In the order of the file. */
  readonly problems: readonly Problem[];
  /** The section that makes this a Calico node, whose resources give what `config` does not have. */
  readonly calico: CalicoInput | undefined;
}

export function validate(written: Written, surroundings: Surroundings, given = PLAIN): Loaded {
  const steps = validateInSteps(written, surroundings, given);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same, stopping after each peer: a running daemon does other things in between. */
export function* validateInSteps(
  written: Written,
  surroundings: Surroundings,
  given = PLAIN,
): Generator<undefined, Loaded> {
  const problems = new ProblemList(written.file, written.locate);
  const resolved = yield* resolve(written, surroundings, given, problems);
  const sorted = problems.problems.sort((a, b) => a.line - b.line || a.column - b.column);
  const isFatal = sorted.some((problem) => isError(problem) && problem.peer === undefined);
  return { config: isFatal ? undefined : resolved?.config, problems: sorted, calico: resolved?.calico };
}

function* resolve(
  written: Written,
  surroundings: Surroundings,
  given: Given,
  problems: ProblemList,
): Generator<undefined, Pick<Loaded, "config" | "calico"> | undefined> {
  if (!isMapping(written.value)) {
    problems.error(
      [],
      `the file holds ${nameValue(written.value)}; accepted: a mapping of keys, such as asNumber: 64512`,
    );
    return undefined;
  }
  const { value } = written;
  const { peers: peerList, ...rest } = value;
  // The list itself is checked here, its entries one by one below.
  const peerPart = peerList == null ? {} : { peers: Array.isArray(peerList) ? [] : peerList };
  const parsed = rootSchema.safeParse(withoutNulls({ ...rest, ...peerPart }), { reportInput: true });
  if (!parsed.success) reportIssues(parsed.error.issues, [], problems, undefined);
  yield;
  const peerInputs = yield* parsePeers(peerList, problems);
  if (!parsed.success) return undefined;
  const root = parsed.data;
  const templates = new Templates(templateLayers(root, value), defaultsLayer(root, value), problems);
  const asNumber = root.asNumber ?? given.asNumber ?? (root.calico === undefined ? undefined : ASSUMED_AS);
  if (asNumber === undefined) {
    problems.error(["asNumber"], `is missing; accepted: ${AS_ACCEPTED}`, undefined, "key");
    return undefined;
  }
  const routerId =
    root.routerId ?? given.routerId ?? surroundings.routerId() ?? (root.calico === undefined ? undefined : ASSUMED_ID);
  if (routerId === undefined) {
    problems.error(
      ["routerId"],
      "no interface has an IPv4 address to take it from; accepted: four octets such as 10.0.0.1",
    );
    return undefined;
  }
  const clusterId = root.routeReflector?.clusterId ?? given.clusterId ?? routerId;
  const context = {
    asNumber,
    clusterId,
    policies: [...Object.keys(root.policies ?? {}), ...given.policies],
    surroundings,
    problems,
  };
  const peers: PlacedPeer[] = [];
  for (const { layer, label } of peerInputs) {
    const peer = resolvePeer(templates.apply(layer, label), layer.path, label, context);
    if (peer !== undefined) peers.push({ peer, path: layer.path });
    yield;
  }
  checkDuplicates(peers, problems);
  checkLogPeers(root, peerInputs, problems);
  checkListen(root, problems);
  const wrong = new Set(problems.problems.filter(isError).map((problem) => problem.peer));
  const right = peers.filter(({ peer }) => !wrong.has(peer.name));
  warnOf(written, right, problems);
  const config = {
    // Its peers are the file's; the speaker is the node.
    asNumber: given.asNumber ?? asNumber,
    routerId,
    clusterId,
    listen: {
      addresses: root.listen?.addresses ?? given.listen.addresses,
      port: root.listen?.port ?? given.listen.port,
    },
    peers: right.map(({ peer }) => peer).sort((a, b) => (a.name < b.name ? -1 : 1)),
    kernel: resolveKernel(root.kernel, given.kernel, surroundings, problems),
    log: {
      level: root.log?.level ?? given.logLevel,
      format: root.log?.format ?? "auto",
      peers: root.log?.peers ?? {},
    } as const,
  };
  return { config: assemble(root, value, config, surroundings, problems), calico: root.calico };
}

function assemble(
  root: RootInput,
  value: Readonly<Record<string, unknown>>,
  config: Pick<Config, "asNumber" | "routerId" | "clusterId" | "listen" | "peers" | "kernel" | "log">,
  surroundings: Surroundings,
  problems: ProblemList,
): Config {
  return {
    ...config,
    originate: resolveOriginate(root.originate ?? [], problems),
    aggregates: resolveAggregates(root.aggregates ?? [], problems),
    policies: resolvePolicies(root, value["policies"]),
    controlSocket: root.control?.socket,
    birdSocket: root.control?.birdSocket,
    bird6Socket: root.control?.bird6Socket,
    http: resolveHttp(root.http ?? {}, surroundings, problems),
    calico: undefined,
  };
}

/** Until a Calico node's resources say; 64512 is Calico's own default. */
const ASSUMED_AS = asn(64512);
const ASSUMED_ID = routerIdOf(0x7f000001);

interface PeerLayer {
  readonly layer: Layer<PeerInput>;
  readonly label: string | undefined;
}

function* parsePeers(written: unknown, problems: ProblemList): Generator<undefined, readonly PeerLayer[]> {
  const layers: PeerLayer[] = [];
  if (!Array.isArray(written)) return layers;
  for (const [i, entry] of written.entries()) {
    const path = ["peers", i];
    const label = labelOf(entry);
    const parsed = peerSchema.safeParse(withoutNulls(entry), { reportInput: true });
    if (parsed.success) layers.push({ layer: { path, values: parsed.data, nulls: nullKeys(entry) }, label });
    else reportIssues(parsed.error.issues, path, problems, label);
    yield;
  }
  return layers;
}

/** The name that the peer has, or would have if nothing were wrong with it. */
function labelOf(entry: unknown): string | undefined {
  if (!isMapping(entry)) return undefined;
  const { name, address, range, interface: device } = entry;
  if (typeof name === "string" && name !== "") return name;
  if (typeof address === "string") {
    const parsed = parsePeerAddress(address.trim());
    return parsed === undefined ? address : remoteName({ kind: "address", ...parsed });
  }
  if (typeof range === "string") {
    const parsed = parsePrefix(range.trim());
    return parsed === undefined ? range : formatPrefix(parsed);
  }
  return typeof device === "string" ? device : undefined;
}

function templateLayers(root: RootInput, value: Readonly<Record<string, unknown>>): ReadonlyMap<string, Layer> {
  const written = isMapping(value["templates"]) ? value["templates"] : {};
  return new Map(
    Object.entries(root.templates ?? {}).map(([name, values]) => [
      name,
      { path: ["templates", name], values, nulls: nullKeys(written[name]) },
    ]),
  );
}

function defaultsLayer(root: RootInput, value: Readonly<Record<string, unknown>>): Layer | undefined {
  if (root.peerDefaults === undefined) return undefined;
  return { path: ["peerDefaults"], values: root.peerDefaults, nulls: nullKeys(value["peerDefaults"]) };
}

/** The name and the remote tell peers apart: of two that share one, neither name is safe, and the later remote gives way. */
function checkDuplicates(peers: readonly PlacedPeer[], problems: ProblemList): void {
  const names = new Map<string, number>();
  const remotes = new Map<string, PeerConfig>();
  for (const [i, { peer, path }] of peers.entries()) {
    const first = names.get(peer.name);
    if (first !== undefined) {
      const other = peers[first]?.path[1] ?? 0;
      problems.error(
        [...path, "name"],
        `the name "${peer.name}" is taken by peers[${other}]; names tell peers apart`,
        peer.name,
      );
      continue;
    }
    names.set(peer.name, i);
    const remote = remoteName(peer.remote);
    const key = `${peer.remote.kind} ${remote}`;
    const taken = remotes.get(key);
    if (taken === undefined) remotes.set(key, peer);
    else {
      const what = peer.remote.kind === "range" ? "the same range" : `the same ${peer.remote.kind}`;
      const hint = peer.remote.kind === "range" ? "; ranges within ranges are accepted, the longest goes first" : "";
      problems.error([...path, peer.remote.kind], `${remote} is ${what} as that of "${taken.name}"${hint}`, peer.name);
    }
  }
}

function checkLogPeers(root: RootInput, peers: readonly PeerLayer[], problems: ProblemList): void {
  const names = peers.flatMap(({ label }) => (label === undefined ? [] : [label]));
  for (const name of Object.keys(root.log?.peers ?? {})) {
    if (names.includes(name)) continue;
    problems.warn(["log", "peers", name], `no peer is called "${name}"${suggestion(name, names)}`);
  }
}

function checkListen(root: RootInput, problems: ProblemList): void {
  const addresses = root.listen?.addresses ?? [];
  for (const [i, address] of addresses.entries()) {
    const first = addresses.findIndex((other) => JSON.stringify(other) === JSON.stringify(address));
    if (first < i) problems.error(["listen", "addresses", i], "stands here twice; one listener is enough");
    if (address.family === Family.Ipv4 ? address.w0 >>> 28 === 0xe : address.w0 >>> 24 === 0xff) {
      problems.error(["listen", "addresses", i], "is a multicast address; accepted: an address of this machine");
    }
  }
}

function resolvePolicies(root: RootInput, written: unknown): Readonly<Record<string, PolicyConfig>> {
  const texts = isMapping(written) ? written : {};
  return Object.fromEntries(
    Object.entries(root.policies ?? {}).map(([name, terms]) => [
      name,
      { policy: resolvePolicy(name, terms), definition: JSON.stringify(texts[name]), source: "config" },
    ]),
  );
}
