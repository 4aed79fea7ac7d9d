/**
 * The peers as contenders: each opens a new store, works in it, and closes it.
 *
 * @module
 */

import type { Contender, Reading, Watch } from "../harness/point.ts";
import { pick } from "../instruments/entries.ts";
import type { Peer, PeerKind } from "./peers/peer.ts";
import { peerKinds } from "./peers/peer_kinds.ts";

/** What each of the peers does in a round. */
export interface PeerWork {
  /** All of them unless said. */
  readonly kinds?: readonly PeerKind[];
  /** Said behind the name where the same peers take part in more than one way. */
  readonly way?: string;
  readonly part?: string;
  /** Uses the store, and times what counts. */
  readonly work: (peer: Peer, watch: Watch) => Promise<readonly Reading[]>;
}

/** A contender of each kind of peer. */
export function peerContenders({ kinds = peerKinds, way, part, work }: PeerWork): Contender[] {
  return kinds.map((kind) => ({
    name: way === undefined ? kind.name : `${kind.name}, ${way}`,
    ...(part === undefined ? {} : { part }),
    isPeer: true,
    isTuned: kind.isTuned === true,
    unavailable: () => kind.unavailable(),
    round: async (directory: string, watch: Watch) => {
      const peer = await kind.open(directory);
      try {
        return await work(peer, watch);
      } finally {
        await peer.close();
      }
    },
  }));
}

/** What the peers do with a store that was filled before the first round. */
export interface FilledPeerWork {
  /** All of them unless said. */
  readonly kinds?: readonly PeerKind[];
  readonly fill: (peer: Peer) => Promise<void>;
  /** Opens the store as often as it likes, and closes it. */
  readonly round: (open: () => Promise<Peer>, watch: Watch) => Promise<readonly Reading[]>;
}

/** A contender of each kind of peer, with a store of its own that outlasts the rounds. */
export function filledPeerContenders({ kinds = peerKinds, fill, round }: FilledPeerWork): Contender[] {
  return kinds.map((kind) => {
    let kept = "";
    return {
      name: kind.name,
      isPeer: true,
      isTuned: kind.isTuned === true,
      unavailable: () => kind.unavailable(),
      prepare: async (directory: string) => {
        kept = directory;
        const peer = await kind.open(kept);
        await fill(peer);
        await peer.close();
      },
      round: (_directory: string, watch: Watch) => round(() => kind.open(kept), watch),
    };
  });
}

/** Makes `count` transactions of these batches, which come round; resolves to the milliseconds that took. */
export async function putInBatches(
  peer: Peer,
  batches: readonly (readonly Uint8Array[])[],
  count: number,
  watch: Watch,
): Promise<number> {
  watch.start();
  for (let nth = 0; nth < count; nth++) {
    const stored = peer.putAll(pick(batches, nth));
    if (stored !== undefined) await stored; // where it is done already there is nothing to wait for
  }
  return watch.stop();
}

/** The versions of those that are here, by name. */
export async function peerVersions(): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const kind of peerKinds) {
    if (await isHere(kind)) versions[kind.name] = await kind.version();
  }
  return versions;
}

async function isHere(kind: PeerKind): Promise<boolean> {
  return await kind.unavailable() === null;
}
