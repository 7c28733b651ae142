/**
 * The rules of the chain: how a version is tied to its stream, to its parents and to the clock.
 *
 * The same rules for a whole store (verify-versions.ts) and for versions that come in (admit-chain.ts), so that what one
 * of them lets pass the other does too.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import { CLOCK_SLACK } from '../lseq/clock.js'
import { formatLseq, formatStream, type Lseq } from '../lseq/lseq.js'
import type { Fault } from './fault.js'
import type { Genesis } from './genesis.js'
import type { Version, VersionRef } from './header.js'

/** What is here of a version's past. */
export interface Past {
  /** The last version of its stream that is here. */
  readonly tip: VersionRef | undefined
  /** The version at an lseq; undefined where there is none. */
  at(lseq: Lseq): { readonly id: Uint8Array; readonly isContent: boolean } | undefined
  /** Whether a version that is here stands on the tip, or is it. */
  coversTip(version: VersionRef): boolean
}

/** What is wrong with a version, as far as it and the genesis of its stream tell. */
export function headerFault(version: Version, genesis: Genesis, sources: readonly VersionRef[]): Fault | undefined {
  const { stream, prev, parents, tree } = version
  if ((genesis.kind === 'content') !== (tree !== undefined)) return broken('It is not of the kind its stream is for.')
  if (tree === undefined && parents.length > 0) return broken('It is of a refs stream, and names parents.')
  if (prev.seq === 0 && !equalBytes(prev.id, genesis.id)) return broken('The genesis that it names is another one.')
  const untrue = parents.find(({ seq, stream: of }) => seq === 0 || of === 0)
  if (untrue !== undefined) return broken(`Its parent ${formatLseq(untrue.seq, untrue.stream)} is no version.`)
  if (prev.seq > 0 && version.first <= prev.seq) return broken('Its seqs overlap those of the version before it.')
  const younger = parents.find(({ seq }) => seq >= version.first)
  if (younger !== undefined) {
    return broken(`Its seqs are not above those of its parent ${formatLseq(younger.seq, younger.stream)}.`)
  }
  // Sources need not be here; what is known of them is in verify-contents.ts and admit-contents.ts.
  const unborn = sources.find(({ seq }) => seq >= version.first)
  if (unborn !== undefined) return broken(`Its source ${formatLseq(unborn.seq, unborn.stream)} is younger.`)
  return clockFault(version, stream)
}

/**
 * A clock that runs ahead takes everybody along, for good. So a seq may be no more than `CLOCK_SLACK` above all that the
 * version stands on, and a version may take no more than that many.
 */
function clockFault({ first, last, prev, parents }: Version, stream: number): Fault | undefined {
  const past = parents.reduce((greatest, { seq }) => Math.max(greatest, seq), prev.seq)
  if (first <= past + CLOCK_SLACK && last - first < CLOCK_SLACK) return undefined
  const reason = `Its seqs, up to ${formatLseq(last, stream)}, are absurdly far ahead of what it stands on.`
  return { code: 'CLOCK_AHEAD', reason }
}

/** What is wrong with a version's links into the past, if anything; `headerFault` has found nothing. */
export function linkFault(version: Version, genesis: Genesis, past: Past): Fault | undefined {
  const { prev, parents } = version
  const { tip } = past
  if (tip === undefined && prev.seq !== 0) {
    return broken(`The version before it in its stream, ${formatLseq(prev.seq, prev.stream)}, is missing or damaged.`)
  }
  if (tip !== undefined && (prev.seq !== tip.seq || !equalBytes(prev.id, tip.id))) {
    return broken(`The version before it in its stream is not ${formatLseq(prev.seq, prev.stream)}, as it says.`)
  }
  for (const { seq, stream, id } of parents) {
    const name = formatLseq(seq, stream)
    const parent = past.at({ seq, stream })
    if (parent === undefined) return broken(`Its parent ${name} is missing or damaged.`)
    if (!equalBytes(parent.id, id)) return broken(`Its parent ${name} has another id.`)
    if (!parent.isContent) return broken(`Its parent ${name} is of a refs stream.`)
  }
  // A vector describes a prefix of every stream, so a stream may be gone on with only by who stands on its tip.
  if (tip !== undefined && genesis.kind === 'content' && !parents.some((parent) => past.coversTip(parent))) {
    return broken('It goes on with its stream, but does not stand on the version before it there.')
  }
  return undefined
}

/** What is wrong with the genesis of a stream, given the id of the repository that it is found in. */
export function genesisFault(genesis: Genesis, stream: number, repository: Uint8Array): Fault | undefined {
  const name = formatStream(stream)
  if (genesis.stream !== stream) {
    return broken(`The genesis of stream ${name} is not the one its id stands for.`)
  }
  if (equalBytes(genesis.repository, repository)) return undefined
  const reason = `The stream ${name} is of another repository, or the genesis of this one was changed.`
  return { code: 'REPO_OTHER', reason }
}

function broken(reason: string): Fault {
  return { code: 'CHAIN_BROKEN', reason }
}
