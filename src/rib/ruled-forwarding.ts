/** Keeps the kernel's routes of both families true to the rules, as these change and as the interfaces that they name come and go. */

import { KernelRules } from "./kernel-rules.ts";
import type { LocRib } from "./loc-rib.ts";
import type { RibOptions } from "./options.ts";
import type { Surroundings } from "./surroundings.ts";

export class RuledForwarding {
  readonly #ribs: readonly LocRib[];
  readonly #links: Pick<Surroundings, "interfaceIndex" | "interfaceName">;
  #rules: KernelRules | undefined;

  constructor(ribs: readonly LocRib[], links: Pick<Surroundings, "interfaceIndex" | "interfaceName">) {
    this.#ribs = ribs;
    this.#links = links;
  }

  /** Every destination is looked at again, and only what differs is written. */
  take({ kernelRules, priorities }: Pick<RibOptions, "kernelRules" | "priorities">): void {
    this.#rules = kernelRules.length === 0 ? undefined : new KernelRules(kernelRules, priorities);
    this.#lookUpDevices();
    for (const { forwarding } of this.#ribs) if (forwarding !== undefined) forwarding.rules = this.#rules;
    this.#judgeAgain();
  }

  linkChanged(interfaceIndex: number): void {
    if (this.#rules?.concerns(interfaceIndex, this.#links.interfaceName(interfaceIndex)) !== true) return;
    if (this.#lookUpDevices()) this.#judgeAgain();
  }

  #lookUpDevices(): boolean {
    return this.#rules?.lookUpDevices((name) => this.#links.interfaceIndex(name)) ?? false;
  }

  #judgeAgain(): void {
    for (const { forwarding, sweep } of this.#ribs) if (forwarding !== undefined) sweep.askForAll();
  }
}
