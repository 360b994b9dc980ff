/** The labs by the names that `npm run lab -- NAME` takes. */

import { picture as migrationPicture } from "./migration/network.ts";
import { MigrationStory } from "./migration/story.ts";
import { picture as racksPicture } from "./racks/network.ts";
import { RacksStory } from "./racks/story.ts";
import type { Scenario } from "./scenario.ts";
import { RackStory } from "./story.ts";
import { picture } from "./topology.ts";

export const scenarios: ReadonlyMap<string, Scenario> = new Map<string, Scenario>([
  [
    "rack",
    {
      title: "A network that starling routes",
      picture,
      story: (...parts) => new RackStory(...parts),
    },
  ],
  [
    "calico-migration",
    {
      title: "A mesh of BIRD that becomes starling's, and goes back, under traffic",
      picture: migrationPicture,
      story: (...parts) => new MigrationStory(...parts),
    },
  ],
  [
    "calico-racks",
    {
      title: "Two racks with reflectors and switches, by Calico's resources",
      picture: racksPicture,
      story: (...parts) => new RacksStory(...parts),
    },
  ],
]);
