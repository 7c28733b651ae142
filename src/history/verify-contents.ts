/**
 * Verification, steps 3 and 4: every file version rebuilt from its lines or chunks and compared with its SHA-256, and
 * every version's tree put together from the path entries and compared with the root that was signed.
 * @module
 */
import { fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { Replay } from '../lines/replay.js'
import { WeaveBuilder } from '../lines/weave.js'
import type { EntryStore } from '../lseq/entries.js'
import { LSEQ_BYTES, formatLseq, lseqOfKey, readLseq } from '../lseq/lseq.js'
import type { Findings } from './findings.js'
import type { Graph, GraphNode } from './graph.js'
import { FILE_PREFIX_BYTES, chunkPrefix, pathKey, prefixRange, recipePrefix } from './keys.js'
import { type PathPut, decodePathEntry } from './path-entry.js'
import { type Leaf, type Tree, emptyTree, joinTrees, setPath, treeRoot } from './tree.js'
import type { CheckedVersion, CheckedVersions } from './verify-versions.js'

/** What a version made of a path, as read from its entry. */
export interface PathWrite {
  readonly number: number
  /** Binary string. */
  readonly path: string
  /** The entry's value, a binary string; undefined where the path was deleted. */
  readonly value: string | undefined
  readonly seq: number
  readonly stream: number
}

/** Path writes by version and by file. */
export interface PathWrites {
  /** By version number - 1, in path order. */
  readonly byVersion: readonly (readonly PathWrite[] | undefined)[]
  /** Writes that put a content, by file id as text, in order of versions. */
  readonly byFile: ReadonlyMap<string, readonly PathWrite[]>
}

/** Sees a rebuilt content. The bytes may be the same array as before, where nothing changed. */
export type ContentVisitor = (write: PathWrite, put: PathPut, content: Uint8Array) => void

const HASH_BYTES = 32

export async function verifyContents(
  entries: EntryStore,
  { graph, versions }: CheckedVersions,
  findings: Findings,
  progress: (phase: string, done: number, total: number) => void,
): Promise<{ files: number; bytes: number }> {
  const writes = await readPathWrites(entries, graph, findings)
  let files = 0
  let bytes = 0
  let last: { content: Uint8Array; hash: string } | undefined
  await replayContents(entries, graph, writes, findings, (write, put, content) => {
    files++
    bytes += content.length
    if (files % 256 === 0) progress('contents', files, 0)
    if (last?.content !== content) last = { content, hash: crypto.sha256Binary(content) }
    if (last.hash === toLatin1(put.sha256) && content.length === put.size) return
    findings.add('content', 'The content is not the one whose hash was signed.', placeOf(write, versions))
  })
  verifyTrees(graph, versions, writes, findings)
  return { files, bytes }
}

function placeOf({ number, path, seq, stream }: PathWrite, versions: readonly CheckedVersion[]) {
  return { version: versions[number - 1]?.id, path, key: pathKey(path, seq, stream) }
}

/** Reads all path entries. Entries of versions that do not hold are left out: those have been reported. */
export async function readPathWrites(entries: EntryStore, graph: Graph, findings: Findings): Promise<PathWrites> {
  const byVersion: PathWrite[][] = new Array(graph.size)
  const byFile = new Map<string, PathWrite[]>()
  for await (const batch of findings.scan(entries, 'P')) {
    for (let i = 0; i < batch.count; i++) {
      const key = batch.key(i)
      const { seq, stream } = lseqOfKey(key)
      const number = graph.holding(graph.streams.slot(stream), seq)
      if (number === undefined) continue
      const path = toLatin1(key, 1, key.length - LSEQ_BYTES - 1)
      const entry = findings.guard('entry', { key, path }, () => decodePathEntry(batch.value(i)))
      if (entry === undefined) continue
      const put = 'file' in entry
      const write = { number, path, value: put ? toLatin1(batch.value(i)) : undefined, seq, stream }
      let list = byVersion[number - 1]
      if (list === undefined) byVersion[number - 1] = list = []
      list.push(write)
      if (!put) continue
      const file = formatLseq(entry.file.seq, entry.file.stream)
      const ofFile = byFile.get(file)
      if (ofFile === undefined) byFile.set(file, [write])
      else ofFile.push(write)
    }
  }
  for (const list of byFile.values()) list.sort((a, b) => a.number - b.number)
  return { byVersion, byFile }
}

/** Rebuilds every content that a version put, file by file in order of their ids, oldest version first. */
export async function replayContents(
  entries: EntryStore,
  graph: Graph,
  { byFile }: PathWrites,
  findings: Findings,
  visit: ContentVisitor,
): Promise<void> {
  const versionOf = (slot: number, seq: number): number => graph.holding(slot, seq) ?? 0
  const done = new Set<string>()
  const show = async (file: string, builder: WeaveBuilder): Promise<void> => {
    done.add(file)
    const replay = new Replay(builder.finish(), versionOf)
    for (const write of byFile.get(file) ?? []) {
      const put = decodePathEntry(fromLatin1(write.value as string)) as PathPut
      const node = graph.node(write.number)
      const covers = (version: number): boolean =>
        version > 0 && node.vector.covers(graph.node(version).slot, version)
      const content = put.chunked ? await chunked(entries, graph, node, put, write, findings) : replay.at(covers)
      if (content !== undefined) visit(write, put, content)
    }
  }
  let file = ''
  let builder = new WeaveBuilder(graph.streams)
  for await (const batch of findings.scan(entries, 'L')) {
    for (let i = 0; i < batch.count; i++) {
      const key = batch.key(i)
      const { seq, stream } = readLseq(key, 1)
      const name = formatLseq(seq, stream)
      if (name !== file) {
        if (file !== '') await show(file, builder)
        file = name
        builder = new WeaveBuilder(graph.streams)
      }
      findings.guard('entry', { key }, () => builder.push(key.subarray(FILE_PREFIX_BYTES), batch.value(i)))
    }
  }
  if (file !== '') await show(file, builder)
  // Files without lines: empty ones, and those that were chunks all along.
  for (const name of byFile.keys()) if (!done.has(name)) await show(name, new WeaveBuilder(graph.streams))
}

async function chunked(
  entries: EntryStore,
  graph: Graph,
  { vector }: GraphNode,
  { file }: PathPut,
  write: PathWrite,
  findings: Findings,
): Promise<Uint8Array | undefined> {
  const covered = (key: Uint8Array): boolean => {
    const { seq, stream } = lseqOfKey(key)
    const slot = graph.streams.slot(stream)
    const number = graph.holding(slot, seq)
    return number !== undefined && vector.covers(slot, number)
  }
  try {
    const recipe = await lastWhere(entries, recipePrefix(file), covered)
    if (recipe === undefined) throw new CodedError('CHUNK_MISSING', 'The list of its chunks is missing.')
    const parts: Uint8Array[] = []
    for (let at = 0; at < recipe.length; at += HASH_BYTES) {
      const hash = toLatin1(recipe, at, at + HASH_BYTES)
      const chunk = await lastWhere(entries, chunkPrefix(hash), covered)
      if (chunk === undefined) throw new CodedError('CHUNK_MISSING', `Its chunk ${toHex(fromLatin1(hash))} is missing.`)
      parts.push(chunk)
    }
    return Buffer.concat(parts)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    findings.add('content', error.message, { path: write.path, key: pathKey(write.path, write.seq, write.stream) })
    return undefined
  }
}

async function lastWhere(
  entries: EntryStore,
  prefix: Uint8Array,
  wanted: (key: Uint8Array) => boolean,
): Promise<Uint8Array | undefined> {
  for await (const batch of entries.scan({ ...prefixRange(prefix), reverse: true })) {
    for (let i = 0; i < batch.count; i++) if (wanted(batch.key(i))) return batch.value(i)
  }
  return undefined
}

/** Puts the tree of every version together and compares its root. Trees are kept for as long as a child needs them. */
function verifyTrees(
  graph: Graph,
  versions: readonly CheckedVersion[],
  writes: PathWrites,
  findings: Findings,
): void {
  for (const { number, tree } of walkTrees(graph, writes)) {
    const { id, tree: signed } = versions[number - 1] as CheckedVersion
    if (signed === undefined || treeRoot(tree) === toLatin1(signed)) continue
    findings.add('tree', 'The paths of the version do not give the tree root that it signed.', { version: id })
  }
}

/** Every version's tree, in causal order. */
export function* walkTrees(
  graph: Graph,
  { byVersion }: PathWrites,
): Generator<{ readonly number: number; readonly tree: Tree<Leaf> }> {
  const children = new Uint32Array(graph.size + 1)
  for (const { parents } of graph) for (const parent of parents) children[parent] = (children[parent] as number) + 1
  const trees = new Map<number, Tree<Leaf>>()
  for (const { number, parents } of graph) {
    let tree = emptyTree<Leaf>()
    parents.forEach((parent, i) => {
      const theirs = trees.get(parent) ?? emptyTree<Leaf>()
      tree = i === 0 ? theirs : joinTrees(tree, theirs)
      children[parent] = (children[parent] as number) - 1
      if (children[parent] === 0) trees.delete(parent)
    })
    for (const { path, value } of byVersion[number - 1] ?? []) tree = setPath(tree, path, { touch: number, value })
    if ((children[number] as number) > 0) trees.set(number, tree)
    yield { number, tree }
  }
}
