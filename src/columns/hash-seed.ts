/** What this process mixes into its hashes: a peer that chose prefixes or attributes for one chain would have to guess it. */

export const HASH_SEED = crypto.getRandomValues(new Int32Array(1))[0] as number;
