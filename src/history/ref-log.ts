/**
 * Changing refs: one signed version in the writer's refs stream for all names changed together.
 *
 * A refs version has no parents and no tree; its changes root covers the ref entries like any others. Refs have streams
 * of their own, so that publishing content never drags private names along.
 * @module
 */
import { equalBytes, fromLatin1 } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import type { Entry } from '../lseq/batch.js'
import { clockOver, nextBlock } from '../lseq/clock.js'
import type { EntryStore } from '../lseq/entries.js'
import { lseqOfKey } from '../lseq/lseq.js'
import { beginStream, decodeGenesis, type Genesis, readRepositoryId } from './genesis.js'
import { changesRoot, encodeGroups, groupOf, sortGroups } from './groups.js'
import { decodeVersion, encodeHeader, encodeVersion, type Ident, type VersionRef } from './header.js'
import { genesisKey, groupsKey, kindRange, noteKey, type RefKind, refKey, versionKey } from './keys.js'
import { encodeNote } from './note.js'
import { encodeRefValue, type RefValue } from './refs.js'
import type { Writer } from './replica.js'

/** A name and what it is to be. */
export interface RefChange {
  readonly kind: RefKind
  /** Binary string. */
  readonly name: string
  readonly value: RefValue
}

/** Who changes refs, and why. */
export interface RefAuthor extends Writer {
  readonly ident: Ident
  readonly message: string
}

/**
 * The entries of a refs version; the caller writes them in one batch, with what the replica has to note.
 *
 * @param behind - A seq that is taken by what goes into the same batch.
 */
export async function refEntries(
  entries: EntryStore,
  changes: readonly RefChange[],
  { ident, message, ...writer }: RefAuthor,
  behind = 0,
): Promise<Entry[]> {
  const { genesis, isNew, tip, greatest } = await refsStream(entries, writer)
  const { stream } = genesis
  const first = nextBlock(clockOver(tip?.seq ?? 0, Math.max(greatest, behind)), changes.length + 1)
  const added: Entry[] = changes.map(({ kind, name, value }, i) => ({
    key: refKey(kind, name, first + i, stream),
    value: encodeRefValue(value),
  }))
  // A name may have several values at once: then all of them are one group.
  const subjects = new Map<string, Entry[]>()
  for (const [i, { kind, name }] of changes.entries()) {
    getOrMake(subjects, `R${kind}${name}`, () => [] as Entry[]).push(added[i] as Entry)
  }
  const groups = [...subjects].map(([name, values]) => groupOf(name, values))
  const last = first + changes.length
  const note = encodeNote({ message: fromLatin1(message), extra: [] })
  if (note !== undefined) {
    const entry = { key: noteKey(last, stream), value: note }
    added.push(entry)
    groups.push(groupOf('N', [entry]))
  }
  sortGroups(groups)
  const header = encodeHeader({
    stream,
    first,
    last,
    prev: tip ?? { seq: 0, stream, id: genesis.id },
    parents: [],
    tree: undefined,
    changes: fromLatin1(changesRoot(groups)),
    author: ident,
    committer: ident,
    extra: [],
  })
  if (isNew) added.push({ key: genesisKey(stream), value: genesis.value })
  added.push({ key: groupsKey(last, stream), value: encodeGroups(groups) })
  const signature = writer.signer.sign(crypto.sha256(header))
  added.push({ key: versionKey(last, stream), value: encodeVersion(header, signature) })
  return added
}

/** The writer's refs stream, and where it and the store's clock stand. */
async function refsStream(
  entries: EntryStore,
  { signer, replica, random = crypto.randomBytes }: Writer,
): Promise<{ genesis: Genesis; isNew: boolean; tip: VersionRef | undefined; greatest: number }> {
  const taken = new Set<number>()
  let genesis: Genesis | undefined
  for await (const batch of entries.scan(kindRange('K'))) {
    for (let i = 0; i < batch.count; i++) {
      const { stream } = lseqOfKey(batch.key(i))
      taken.add(stream)
      if (!replica.own.has(stream)) continue
      const found = decodeGenesis(batch.value(i))
      if (found.kind === 'refs' && equalBytes(found.publicKey, signer.publicKey)) genesis ??= found
    }
  }
  let greatest = 0
  let tip: VersionRef | undefined
  // Last first: the greatest seq is the first met, and the stream's tip is mostly near.
  for await (const batch of entries.scan({ ...kindRange('V'), reverse: true })) {
    for (let i = 0; i < batch.count && tip === undefined; i++) {
      const { seq, stream } = lseqOfKey(batch.key(i))
      greatest = Math.max(greatest, seq)
      if (stream === genesis?.stream) tip = { seq, stream, id: decodeVersion(batch.value(i)).id }
    }
    if (tip !== undefined || genesis === undefined) break
  }
  if (genesis !== undefined) return { genesis, isNew: false, tip, greatest }
  const repository = await readRepositoryId(entries)
  const begun = beginStream(repository, signer.publicKey, 'refs', random, (stream) => taken.has(stream))
  return { genesis: begun, isNew: true, tip: undefined, greatest }
}
