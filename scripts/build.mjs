/** `npm run build`: bundles src/main.ts into dist/, whether or not anything has changed. */

import { build } from "./lib/build.mjs";
import { setUp } from "./lib/setup.mjs";

await setUp();
await build();
