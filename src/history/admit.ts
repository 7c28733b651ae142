/**
 * Admission: versions that come from elsewhere, checked whole before anything of them is written.
 *
 * A peer may be broken or hostile, and a signature says who wrote something and not that it is sound. So everything that
 * `verify` would check of a whole store is checked here of some versions, on top of what is here, by the same rules:
 *
 *     admit-batch.ts      what came in, sorted out
 *     admit-chain.ts      known or new; geneses, signatures, chains, clock, parents          (chain.ts)
 *     admit-entries.ts    leaves, groups, roots; every entry by itself                       (entry-rules.ts)
 *     admit-trees.ts      tree roots; which contents have to be compared                     (joined-sides.ts)
 *     admit-contents.ts   contents, tombstones, origins                                      (lines/false-origins.ts)
 *     admit-refs.ts       what names stand for
 *
 * A version that does not hold is refused, and why. What came before it stays; what stands on it, or on something that is
 * not here, waits: it may be offered again. Nothing is written here, nothing derived is taken over, and a store into which
 * an admission has been written verifies if it did before.
 * @module
 */
import type { Entry } from '../lseq/batch.js'
import { type Candidate, Incoming, type Refusal } from './admit-batch.js'
import {
  type AdmitContext,
  checkSignatures,
  findGeneses,
  findKnown,
  followParents,
  followStreams,
  type MaySign,
  StoredVersions,
} from './admit-chain.js'
import { checkContents } from './admit-contents.js'
import { checkEntries } from './admit-entries.js'
import { checkRefs } from './admit-refs.js'
import { checkTrees } from './admit-trees.js'
import { derivedEntries } from './derived.js'
import { type Genesis, readRepositoryId, type StreamKind } from './genesis.js'
import type { VersionRef } from './header.js'

export type { Refusal } from './admit-batch.js'
export type { AdmitContext, MaySign } from './admit-chain.js'

/** How to admit. */
export interface AdmitOptions {
  /** Whether a key may sign what stands at an lseq; without it every key may. */
  readonly maySign?: MaySign | undefined
}

/** A version that may be written. */
export interface Accepted extends VersionRef {
  readonly kind: StreamKind
  /** Of its stream. */
  readonly publicKey: Uint8Array
}

/** A version that cannot be judged yet. */
export interface Waiting {
  readonly version: VersionRef
  /**
   * What it stands on and is not here, or was refused. A seq of 0 stands for the genesis of a stream; an empty id is not
   * known, as a snapshot names places alone.
   */
  readonly missing: readonly VersionRef[]
  /** All that came of it, for the next time; its stream's genesis, too, where that is new. */
  readonly entries: readonly Entry[]
}

/** What becomes of versions that came in. */
export interface Admission {
  /** What is to be written in one atomic batch, in no order; none of it is here. Indexes included. */
  readonly entries: readonly Entry[]
  /** In causal order. */
  readonly accepted: readonly Accepted[]
  /** Here already. */
  readonly known: readonly VersionRef[]
  readonly refused: readonly Refusal[]
  readonly waiting: readonly Waiting[]
  /** Keys and values of the store, to be kept beside the entries (evidence.ts). */
  readonly evidence: readonly Entry[]
}

/**
 * Checks versions that came in, and says what is to be written.
 *
 * @param incoming - All entries of some versions, and geneses of their streams, in any order. What is derived is refused,
 *   since it is made here. The caller bounds how much it is.
 * @throws {CodedError} for damage that is met in the store. What came in never makes it throw.
 */
export async function admit(
  context: AdmitContext,
  incoming: readonly Entry[],
  { maySign }: AdmitOptions = {},
): Promise<Admission> {
  const { entries, versions } = context
  const batch = new Incoming(incoming)
  const stored = new StoredVersions(context)
  await findKnown(batch, stored)
  await findGeneses(entries, batch, await readRepositoryId(entries))
  checkSignatures(batch, maySign)
  const evidence = await followStreams(context, batch, stored)
  batch.assign()
  checkEntries(batch)
  await followParents(context, batch, stored)
  await checkContents(context, batch, stored, await checkTrees(context, batch, stored))
  await checkRefs(context, batch, stored)
  const { streams } = versions
  const accepted = batch.open
  const geneses = new Set(accepted.flatMap(({ ref }) => batch.begun.get(ref.stream) ?? []))
  const own = accepted.flatMap(({ entry, entries: rest, version, vector }) => {
    const lseqs = () => [...vector.entries()].map(([slot, seq]) => ({ seq, stream: streams.id(slot) }))
    return [entry, ...rest, ...(version.tree === undefined ? [] : derivedEntries(version, lseqs))]
  })
  return {
    entries: [...own, ...geneses],
    accepted: accepted.map(({ ref, genesis }) => {
      const { kind, publicKey } = genesis as Genesis
      return { ...ref, kind, publicKey }
    }),
    known: batch.candidates.filter(({ state }) => state === 'known').map(({ ref }) => ref),
    refused: batch.refused,
    waiting: batch.candidates
      .filter(({ state }) => state === 'waiting')
      .map((candidate) => waitingOf(candidate, batch)),
    evidence: evidence.filter(({ rival }) => rival === undefined || rival.state === 'open').map(({ entry }) => entry),
  }
}

function waitingOf({ ref, missing, entry, entries }: Candidate, { begun }: Incoming): Waiting {
  const genesis = begun.get(ref.stream)
  return { version: ref, missing, entries: [entry, ...entries, ...(genesis === undefined ? [] : [genesis])] }
}
