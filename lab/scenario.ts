/** What makes a lab: a network to build, steps to show, and things measured on the way. */

import type { Paint } from "../src/cli/terminal.ts";
import type { Lab } from "../test/harness/netns.ts";
import type { Programs } from "./programs.ts";
import type { Screen } from "./screen.ts";

export interface StoryOptions {
  /** Fewer packets and shorter pauses. */
  readonly fast: boolean;
  /** Where BIRD plays Calico's: version 1.6, which that is made from, instead of the installed one. */
  readonly bird16: boolean;
  /** Of Calico, whose behaviour it is: "3.31" is the last one whose LOCAL_PREF and metrics say nothing of priorities. */
  readonly release: "3.31" | "3.33";
}

export interface Story {
  /** What was measured, for the summary. */
  readonly measured: readonly (readonly [what: string, value: string])[];
  /** Throws at the first step that does not hold. Returns what there is to do by hand once the steps are through. */
  tell(): Promise<(paint: Paint) => string>;
  /** Resolves when no namespace is being made (any more): only then can all of them be removed. */
  settled(): Promise<void>;
}

export interface Scenario {
  readonly title: string;
  readonly picture: string;
  readonly story: (screen: Screen, lab: Lab, programs: Programs, options: StoryOptions) => Story;
}
