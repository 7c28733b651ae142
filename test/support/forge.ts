/**
 * A repository as a plain list of entries, to be spoilt by somebody who knows the formats and may even have the key.
 * @module
 */
import { compareBytes, fromLatin1, toHex, toLatin1 } from '../../src/base/bytes.js'
import { defaultCrypto as crypto } from '../../src/crypto/default.js'
import { leafDigest, merkleRootDigest } from '../../src/crypto/merkle.js'
import { changesRoot, encodeGroups, type Group, sortGroups } from '../../src/history/groups.js'
import { decodeVersion, encodeHeader, encodeVersion, type Header, type Version } from '../../src/history/header.js'
import { groupsKey, subjectLength, versionKey } from '../../src/history/keys.js'
import { decodePathEntry } from '../../src/history/path-entry.js'
import type { Signer } from '../../src/history/signer.js'
import { emptyTree, type Leaf, setPath, treeRoot } from '../../src/history/tree.js'
import { type Verified, verifyEntries } from '../../src/history/verify.js'
import type { Entry } from '../../src/lseq/batch.js'
import { EntryStore } from '../../src/lseq/entries.js'
import { LSEQ_BYTES, type Lseq, lseqOfKey } from '../../src/lseq/lseq.js'
import { openMemoryStore } from '../../src/lseq/memory.js'

/** Entries by the binary string of their key, in key order. */
export type Entries = Map<string, Uint8Array>

/** All entries of a store, copied. */
export async function entriesOf(store: EntryStore): Promise<Entries> {
  const entries: Entries = new Map()
  for await (const batch of store.scan()) {
    for (const { key, value } of batch) entries.set(toLatin1(key), Uint8Array.from(value))
  }
  return entries
}

/** What verify says of entries. */
export async function verified(entries: Entries, quick = false): Promise<Verified> {
  await using store = new EntryStore(await openMemoryStore())
  const list = [...entries].map(([key, value]) => ({ key: fromLatin1(key), value }))
  await store.put(
    list.sort((a, b) => compareBytes(a.key, b.key)),
    { fresh: true, sync: false },
  )
  return await verifyEntries(store, { quick })
}

/** The versions among entries, in lseq order. */
export function versionsIn(entries: Entries): Version[] {
  return ofKind(entries, 'V').map(([, value]) => decodeVersion(value))
}

/** Entries of a kind, in key order. */
export function ofKind(entries: Entries, kind: string): [key: string, value: Uint8Array][] {
  return [...entries].filter(([key]) => key.startsWith(kind)).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** The version that took an entry's lseq. */
export function holderOf(versions: readonly Version[], key: string): Version | undefined {
  const { seq, stream } = lseqOfKey(fromLatin1(key))
  return versions.find((version) => version.stream === stream && version.first <= seq && seq <= version.last)
}

/** Paths that a file ever had. */
export function pathsOf(entries: Entries, file: Lseq): string[] {
  return ofKind(entries, 'P').flatMap(([key, value]) => {
    const entry = decodePathEntry(value)
    const isOf = 'file' in entry && entry.file.seq === file.seq && entry.file.stream === file.stream
    return isOf ? [key.slice(1, -LSEQ_BYTES - 1)] : []
  })
}

/** Root of the tree after some versions of one line: the last entry of every path counts. */
export function rootOf(entries: Entries): Uint8Array {
  let tree = emptyTree<Leaf>()
  const latest = new Map<string, [lseq: string, value: Uint8Array]>()
  for (const [key, value] of ofKind(entries, 'P')) {
    const path = key.slice(1, -LSEQ_BYTES - 1)
    if ((latest.get(path)?.[0] ?? '') < key.slice(-LSEQ_BYTES)) latest.set(path, [key.slice(-LSEQ_BYTES), value])
  }
  for (const [path, [, value]] of latest) {
    tree = setPath(tree, path, { touch: 1, value: 'deleted' in decodePathEntry(value) ? undefined : toLatin1(value) })
  }
  return fromLatin1(treeRoot(tree))
}

/** What a forged version says otherwise than an honest one would. */
export type Lie = Partial<Header>

/**
 * Adds a version to a stream, signed: the entries that it adds, their groups, and itself.
 *
 * @param after - The version it follows and is a child of.
 * @param add - Its entries but for those of groups and header, given its first seq.
 */
export function sign(
  entries: Entries,
  signer: Signer,
  after: Version,
  add: (first: number, stream: number) => Entry[],
  lie: Lie = {},
): Version {
  const { stream } = lie.prev ?? after
  const greatest = Math.max(...versionsIn(entries).map(({ last }) => last))
  const first = lie.first ?? greatest + 1
  const added = add(first, stream)
  for (const { key, value } of added) entries.set(toLatin1(key), value)
  const groups = groupsOf(added)
  const before = { seq: after.last, stream: after.stream, id: after.id }
  const header: Header = {
    stream,
    first,
    last: first + added.length,
    prev: before,
    parents: [before],
    tree: after.tree,
    changes: fromLatin1(changesRoot(groups)),
    author: after.author,
    committer: after.committer,
    extra: [],
    ...lie,
  }
  if (groups.length > 0) entries.set(toLatin1(groupsKey(header.last, stream)), encodeGroups(groups))
  const bytes = encodeHeader(header)
  const value = encodeVersion(bytes, signer.sign(crypto.sha256(bytes)))
  entries.set(toLatin1(versionKey(header.last, stream)), value)
  return decodeVersion(value)
}

function groupsOf(added: readonly Entry[]): Group[] {
  const leaves = new Map<string, string[]>()
  for (const { key, value } of added.toSorted((a, b) => compareBytes(a.key, b.key))) {
    const name = toLatin1(key, 0, subjectLength(key))
    leaves.set(name, [...(leaves.get(name) ?? []), leafDigest(toLatin1(key), crypto.sha256Binary(value))])
  }
  return sortGroups([...leaves].map(([name, list]) => ({ name, digest: merkleRootDigest(list) })))
}

/** A key in hex, as damage names it. */
export function hexOf(key: string): string {
  return toHex(fromLatin1(key))
}
