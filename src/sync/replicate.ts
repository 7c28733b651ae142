/**
 * Bringing a repository and a remote up to date, and telling what became of names.
 * @module
 */

import { decodeUtf8Lossy, fromLatin1, toHex } from '../base/bytes.js'
import { REF_KINDS, type RefKind } from '../history/keys.js'
import { publishedTips, type Tips } from '../history/published.js'
import { isDeletion, readRefs } from '../history/refs.js'
import { formatLseq } from '../lseq/lseq.js'
import type { Repository } from '../repo/repository.js'
import type { SignerInfo } from '../repo/results.js'
import type { KnownSigner } from '../repo/signers.js'
import { listAside } from './aside.js'
import { type AskOptions, ask, type Direction } from './ask.js'
import type { Peer } from './exchange.js'
import type { Refusal } from './messages.js'
import { syncContext } from './repository-context.js'

/** A name that stands elsewhere than before. */
export interface RefChanged {
  readonly kind: 'branch' | 'tag' | 'snapshot'
  readonly name: string
  /** Hex ids of the versions; of a snapshot none. None before for a new name, none after for one that is no more. */
  readonly before: readonly string[]
  readonly after: readonly string[]
}

/** A version that was not let in. */
export interface RefusedVersion {
  /** Lseq as text. */
  readonly version: string
  readonly code: string
  readonly reason: string
}

/** What a sync did. */
export interface SyncReport {
  readonly remote: string
  readonly url: string
  readonly direction: Direction
  /** Versions of files that came and were let in; those of names show in `refs`. */
  readonly received: number
  /** Versions of files that the other side has now and had not before. */
  readonly sent: number
  readonly refs: readonly RefChanged[]
  /** Keys that were met for the first time. */
  readonly newSigners: readonly SignerInfo[]
  readonly refused: readonly RefusedVersion[]
  readonly refusedThere: readonly RefusedVersion[]
  /** Versions kept aside here, and there, until what they stand on has come. */
  readonly waiting: number
  readonly waitingThere: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly exchanges: number
}

/** A report, and what is to be known to listen for more. */
export interface Replicated {
  readonly report: SyncReport
  /** What this side and the other have. */
  readonly tips: Tips
}

/** Syncs with a peer. @throws {CodedError} As `ask`. */
export async function replicate(
  repo: Repository,
  remote: string,
  peer: Peer,
  direction: Direction,
  options: AskOptions & { readonly home?: string | undefined } = {},
): Promise<Replicated> {
  const context = await syncContext(repo, options.home)
  const before = await names(repo)
  const asked = await ask(context, peer, direction, options)
  const { versions } = await listAside(repo.entries)
  const { url, sent, accepted, waitingThere, bytesSent, bytesReceived, exchanges } = asked
  const report = {
    remote,
    url,
    direction,
    received: accepted.filter(({ kind }) => kind === 'content').length,
    sent,
    refs: accepted.length === 0 ? [] : changes(before, await names(repo)),
    refused: asked.refused.map(refusedVersion),
    refusedThere: asked.refusedThere.map(refusedVersion),
    newSigners: await metSigners(repo, context.met),
    waiting: versions.length,
    waitingThere,
    bytesSent,
    bytesReceived,
    exchanges,
  }
  return { report, tips: asked.theirs.join(await publishedTips(repo.entries, repo.versions)) }
}

async function metSigners(repo: Repository, met: readonly KnownSigner[]): Promise<SignerInfo[]> {
  if (met.length === 0) return []
  const { listSigners } = await import('../repo/signer-list.js')
  const keys = new Set(met.map(({ fingerprint }) => fingerprint))
  return (await listSigners(repo, undefined)).filter(({ fingerprint }) => keys.has(fingerprint))
}

function refusedVersion({ seq, stream, code, reason }: Refusal): RefusedVersion {
  return { version: formatLseq(seq, stream), code, reason }
}

/** A name's kind, and the versions or states it stands at. */
interface Named {
  readonly kind: RefKind
  readonly name: string
  readonly values: readonly string[]
  readonly versions: readonly string[]
}

async function names({ entries }: Repository): Promise<Map<string, Named>> {
  const found = new Map<string, Named>()
  for (const { kind, name, value, seq, stream } of await readRefs(entries)) {
    if (isDeletion(value)) continue
    const known = found.get(kind + name)
    const version = value.version === undefined ? [] : [toHex(value.version.id)]
    found.set(kind + name, {
      kind,
      name: decodeUtf8Lossy(fromLatin1(name)),
      values: [...(known?.values ?? []), version[0] ?? formatLseq(seq, stream)].sort(),
      versions: [...(known?.versions ?? []), ...version],
    })
  }
  return found
}

function changes(before: ReadonlyMap<string, Named>, after: ReadonlyMap<string, Named>): RefChanged[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort()
  return keys.flatMap((key): RefChanged[] => {
    const [old, now] = [before.get(key), after.get(key)]
    if (old?.values.join() === now?.values.join()) return []
    const { kind, name } = (now ?? old) as Named
    return [{ kind: REF_KINDS[kind], name, before: old?.versions ?? [], after: now?.versions ?? [] }]
  })
}
