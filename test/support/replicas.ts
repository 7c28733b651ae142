/**
 * Replicas for tests: work trees that are clones of each other, and peers that reach them.
 * @module
 */
import { toHex } from '../../src/base/bytes.js'
import { readRefs } from '../../src/history/refs.js'
import { Repository } from '../../src/repo/repository.js'
import { type Asked, ask, type Direction } from '../../src/sync/ask.js'
import { clone } from '../../src/sync/clone.js'
import type { Call, Peer } from '../../src/sync/exchange.js'
import { LocalPeer } from '../../src/sync/peer-local.js'
import { syncContext } from '../../src/sync/repository-context.js'
import { endClone } from '../../src/sync/stage.js'
import { beginWork } from '../../src/worktree/begin.js'
import { quick } from './temp.js'
import { HOME } from './weft.js'

/** The peer that is the repository at `root`. */
export function peerOf(root: string): Peer {
  return new LocalPeer(root, async () => syncContext(await Repository.open(root, { home: HOME, wait: 5000 }), HOME))
}

/** A peer in front of another one: `calls` may put something between. */
export function wrapped(peer: Peer, calls: (call: Call) => Call, isInteractive = peer.isInteractive): Peer {
  return {
    url: peer.url,
    isInteractive,
    call: async () => calls(await peer.call()),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  }
}

/** A clone of the repository at `from`, with its files. */
export async function cloneOf(from: string): Promise<string> {
  const root = quick('clone')
  await using peer = peerOf(from)
  const { branch: usual } = await clone(peer, { root })
  await using repo = await Repository.open(root, { home: HOME })
  await beginWork(repo, { usual })
  await endClone(root)
  return root
}

/** One exchange of the repository at `root` with a peer. */
export async function asking(root: string, peer: Peer, direction: Direction): Promise<Asked> {
  await using repo = await Repository.open(root, { home: HOME })
  await using used = peer
  return await ask(await syncContext(repo, HOME), used, direction)
}

/** All entries that are no index, by key. */
export async function entriesIn(root: string): Promise<Map<string, string>> {
  await using repo = await Repository.open(root, { home: HOME })
  const found = new Map<string, string>()
  for await (const batch of repo.entries.scan()) {
    for (const { key, value } of batch)
      if (!'IX'.includes(String.fromCharCode(key[0] ?? 0))) found.set(toHex(key), toHex(value))
  }
  return found
}

/** Names and what they stand at. */
export async function refsIn(root: string): Promise<string[]> {
  await using repo = await Repository.open(root, { home: HOME })
  const refs = await readRefs(repo.entries)
  return refs
    .map(({ kind, name, value }) => `${kind}${name} ${value.version === undefined ? '-' : toHex(value.version.id)}`)
    .sort()
}
