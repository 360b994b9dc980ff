/** What is wrong with Calico's resources, and where: found, told, and never in the way of the rest. */

export interface CalicoProblem {
  /** "BGPPeer/rack1-tor", "Secret/kube-system/bgp-passwords". */
  readonly resource: string;
  /** "spec.peerIP", "spec.importV4[2].cidr"; empty: the resource as a whole. */
  readonly field: string;
  /** What is wrong, what comes of it, and what is accepted. */
  readonly message: string;
  /** A warning leaves the value in force. */
  readonly severity: "error" | "warning";
  /** Where the resource is written: a file with its line, a key of etcd, the API server. */
  readonly origin: string;
}

export type Finding = Pick<CalicoProblem, "field" | "message" | "severity">;

/** More in one resource help nobody, and whoever fills one with mistakes is not to fill the memory. */
const MAX_FINDINGS = 50;
const MAX_KEY_LENGTH = 100;

/** A place in a resource, and who hears what is wrong there. */
export class Place {
  readonly findings: Finding[];
  readonly #path: string;

  constructor(path = "", findings: Finding[] = []) {
    this.#path = path;
    this.findings = findings;
  }

  at(key: string | number): Place {
    if (typeof key === "number") return new Place(`${this.#path}[${key}]`, this.findings);
    const name = key.length > MAX_KEY_LENGTH ? `${key.slice(0, MAX_KEY_LENGTH)}...` : key;
    return new Place(this.#path === "" ? name : `${this.#path}.${name}`, this.findings);
  }

  /** The value counts as not written. Gives undefined, for whoever reads it. */
  refuse(message: string): undefined {
    if (!this.isFull || !this.hasErrors) this.findings.push({ field: this.#path, message, severity: "error" });
  }

  warn(message: string): void {
    if (!this.isFull) this.findings.push({ field: this.#path, message, severity: "warning" });
  }

  get hasErrors(): boolean {
    return this.findings.some(({ severity }) => severity === "error");
  }

  get isFull(): boolean {
    return this.findings.length >= MAX_FINDINGS;
  }
}
