/**
 * Admission, step 7: refs. What a name stands for has to be here.
 *
 * Only what nobody has replaced counts. A writer sends all of its refs stream, and may have moved a branch before it ever
 * published what the branch was at; so an entry that another one replaces may name a version that nobody will ever see. Which
 * entries are replaced depends on which versions are taken in, and the other way round: all are taken for taken in at
 * first, and what then names something missing is left out, until nothing is left out any more.
 * @module
 */
import { fromLatin1, toLatin1 } from '../base/bytes.js'
import { formatLseq, LSEQ_BYTES, lseqOfKey } from '../lseq/lseq.js'
import type { Candidate, Incoming } from './admit-batch.js'
import type { AdmitContext, StoredVersions } from './admit-chain.js'
import type { VersionRef } from './header.js'
import { kindRange, prefixRange, versionKey } from './keys.js'
import { decodeRefValue, type RefValue, replacedName } from './refs.js'

const REF = 'R'.charCodeAt(0)
const NO_ID = new Uint8Array(0)

/** A ref entry that came in. */
interface RefEntry {
  readonly key: Uint8Array
  readonly name: string
  readonly own: string
  readonly value: RefValue
}

/** Makes wait the refs versions of which a name stands for what is not here. */
export async function checkRefs(context: AdmitContext, incoming: Incoming, stored: StoredVersions): Promise<void> {
  const refs = new Map<Candidate, RefEntry[]>()
  for (const candidate of incoming.open) {
    if (candidate.version.tree === undefined) refs.set(candidate, refEntries(candidate))
  }
  if (refs.size === 0) return
  const all = [...refs.values()].flat()
  await stored.load(
    all.flatMap(({ value }) => [...(value.version === undefined ? [] : [value.version]), ...(value.vector ?? [])]),
  )
  const ends = await streamEnds(context, stored, all)
  const before = await replacedHere(context, new Set(all.map(({ name }) => name)))
  for (let isSettled = false; !isSettled; ) {
    isSettled = true
    const replaced = new Set(before)
    for (const [candidate, entries] of refs) {
      if (candidate.state !== 'open') continue
      for (const { name, value } of entries) for (const lseq of value.replaces) replaced.add(replacedName(name, lseq))
    }
    for (const [candidate, entries] of refs) {
      if (candidate.state !== 'open') continue
      const live = entries.filter(({ own }) => !replaced.has(own))
      const missing = live.flatMap(({ value, key }) => missingOf(incoming, stored, ends, candidate, value, key))
      if (missing.length > 0) incoming.wait(candidate, missing)
      if (candidate.state !== 'open' || candidate.fault !== undefined) isSettled = false
    }
    incoming.settle()
  }
}

function refEntries({ entries }: Candidate): RefEntry[] {
  return entries.flatMap(({ key, value }) => {
    if (key[0] !== REF) return []
    const name = toLatin1(key, 1, key.length - LSEQ_BYTES - 1)
    return [{ key, name, own: replacedName(name, lseqOfKey(key)), value: decodeRefValue(value) }]
  })
}

/** What entries of the store replace of some names. */
async function replacedHere({ entries }: AdmitContext, names: ReadonlySet<string>): Promise<Set<string>> {
  const replaced = new Set<string>()
  for (const name of [...names].sort()) {
    for await (const batch of entries.scan(prefixRange(fromLatin1(`R${name}\0`)))) {
      for (let i = 0; i < batch.count; i++) {
        for (const lseq of decodeRefValue(batch.value(i)).replaces) replaced.add(replacedName(name, lseq))
      }
    }
  }
  return replaced
}

function missingOf(
  incoming: Incoming,
  stored: StoredVersions,
  ends: ReadonlyMap<number, number>,
  candidate: Candidate,
  { version, vector = [] }: RefValue,
  key: Uint8Array,
): VersionRef[] {
  const missing: VersionRef[] = []
  if (version !== undefined) {
    const own = incoming.find(version)
    const isContent = own?.state === 'open' ? own.version.tree !== undefined : stored.at(version)?.isContent
    if (own?.state !== 'open' && !stored.has(version)) missing.push(version)
    else if (isContent === false) {
      const name = formatLseq(version.seq, version.stream)
      incoming.fail(candidate, { code: 'REF_BROKEN', reason: `It names ${name}, which is of a refs stream.`, key })
    }
  }
  if (vector.length === 0) return missing
  const reached = new Map(ends)
  for (const { ref } of incoming.open) reached.set(ref.stream, Math.max(ref.seq, reached.get(ref.stream) ?? 0))
  for (const { seq, stream } of vector) {
    if ((reached.get(stream) ?? 0) < seq) missing.push({ seq, stream, id: NO_ID })
  }
  return missing
}

/** How far the streams of snapshots go here, at the least; as far as is asked. */
async function streamEnds(
  { entries, tips }: AdmitContext,
  stored: StoredVersions,
  refs: readonly RefEntry[],
): Promise<ReadonlyMap<number, number>> {
  if (tips !== undefined) return tips
  const ends = new Map<number, number>()
  const wanted = new Set<number>()
  let least = Number.POSITIVE_INFINITY
  for (const { seq, stream } of refs.flatMap(({ value }) => value.vector ?? [])) {
    if (stored.at({ seq, stream }) !== undefined) ends.set(stream, Math.max(seq, ends.get(stream) ?? 0))
    else {
      wanted.add(stream)
      least = Math.min(least, seq)
    }
  }
  if (wanted.size === 0) return ends
  for await (const batch of entries.scan({ ...kindRange('V'), gte: versionKey(least, 0) })) {
    for (let i = 0; i < batch.count; i++) {
      const { seq, stream } = lseqOfKey(batch.key(i))
      if (wanted.has(stream)) ends.set(stream, Math.max(seq, ends.get(stream) ?? 0))
    }
  }
  return ends
}
