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

/** A place in a resource, and who hears what is wrong there. */
export class Place {
  readonly findings: Finding[];
  readonly #path: string;

  constructor(path = "", findings: Finding[] = []) {
    this.#path = path;
    this.findings = findings;
  }

  at(key: string | number): Place {
    const step = typeof key === "number" ? `[${key}]` : this.#path === "" ? key : `.${key}`;
    return new Place(this.#path + step, this.findings);
  }

  /** The value counts as not written. Gives undefined, for whoever reads it. */
  refuse(message: string): undefined {
    this.findings.push({ field: this.#path, message, severity: "error" });
  }

  warn(message: string): void {
    this.findings.push({ field: this.#path, message, severity: "warning" });
  }

  get hasErrors(): boolean {
    return this.findings.some(({ severity }) => severity === "error");
  }
}
