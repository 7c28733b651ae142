/**
 * Verification, step 5: every version's tree put together from the path entries and compared with the root that was signed.
 *
 * And where a version leaves a path alone, whether what stands there is still what is read there. A version that joins
 * others, or puts a file at a second path, may have changed the file at the first one (joined-sides.ts): where that can be,
 * the content is rebuilt and compared.
 * @module
 */
import { fromLatin1, toLatin1 } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, type Lseq, parseLseq, readLseq } from '../lseq/lseq.js'
import type { Vector } from '../lseq/vector.js'
import { Findings } from './findings.js'
import type { Graph } from './graph.js'
import { holdersOf, type Side } from './joined-sides.js'
import { linesPrefix, prefixRange } from './keys.js'
import { fileIdIn } from './path-entry.js'
import { getPath, type Leaf, treeRoot } from './tree.js'
import {
  ContentCheck,
  keyOf,
  LineContents,
  type PathWrite,
  type PathWrites,
  visitChunked,
  type WalkedLeaf,
  type WalkedTree,
  walkTrees,
} from './verify-contents.js'
import type { CheckedVersion } from './verify-versions.js'

/** Compares tree roots, and contents that no path entry of the version itself speaks of. */
export async function verifyTrees(
  entries: EntryStore,
  graph: Graph,
  versions: readonly CheckedVersion[],
  writes: PathWrites,
  findings: Findings,
): Promise<void> {
  const claims = new Claims(graph, writes)
  for (const walked of walkTrees(graph, writes)) {
    const { id, tree: signed } = versions[walked.number - 1] as CheckedVersion
    if (signed === undefined) continue
    if (claims.add(walked)) {
      const detail = 'The version joins two that touched a path apart, and does not say what is there.'
      findings.add('tree', detail, { version: id })
    }
    if (treeRoot(walked.tree) === toLatin1(signed)) continue
    findings.add('tree', 'The paths of the version do not give the tree root that it signed.', { version: id })
  }
  for (const write of await wrongClaims(entries, graph, claims.byFile)) {
    const place = { version: versions[write.number - 1]?.id, path: write.path, key: keyOf(write) }
    findings.add('content', 'The version changes the file at a path, and leaves the path as it was.', place)
  }
}

/** Collects paths that versions leave alone while their files may have changed. */
class Claims {
  readonly byFile = new Map<string, PathWrite[]>()
  readonly #graph: Graph
  readonly #writes: PathWrites
  /** The paths of files that were at several. */
  readonly #places = new Map<string, ReadonlySet<string>>()

  constructor(graph: Graph, writes: PathWrites) {
    this.#graph = graph
    this.#writes = writes
    for (const [file, list] of writes.byFile) {
      const paths = new Set(list.map(({ path }) => path))
      if (paths.size > 1) this.#places.set(file, paths)
    }
  }

  /** Takes a version; answers whether it leaves a contested path alone. */
  add({ number, tree, joined }: WalkedTree): boolean {
    const own = this.#writes.byVersion[number - 1] ?? []
    const written = new Set(own.map(({ path }) => path))
    for (const { value } of own) {
      const places = value === undefined ? undefined : this.#places.get(fileIn(value))
      for (const path of places ?? []) {
        const leaf = written.has(path) ? undefined : getPath(tree, path)
        if (leaf?.value !== undefined && fileIn(leaf.value) === fileIn(value as string)) this.#claim(number, path, leaf)
      }
    }
    const news = new Map<Side<WalkedLeaf>, ReadonlySet<string>>()
    for (const path of joined.differing) {
      const leaf = written.has(path) ? undefined : getPath(joined.tree, path)
      if (leaf?.value === undefined) continue
      const file = fileIdIn(leaf.value)
      const isChanged = holdersOf(joined, path).every((side) =>
        getOrMake(news, side, () => this.#filesBeyond(joined.vector, side.vector)).has(file),
      )
      if (isChanged) this.#claim(number, path, leaf)
    }
    return [...joined.contested].some((path) => !written.has(path))
  }

  /** Files, by their ids as 8 bytes, that are put by versions that one vector covers and the other does not. */
  #filesBeyond(vector: Vector, other: Vector): Set<string> {
    const files = new Set<string>()
    for (const number of this.#graph.beyond(vector, other)) {
      for (const { value } of this.#writes.byVersion[number - 1] ?? []) {
        if (value !== undefined) files.add(fileIdIn(value))
      }
    }
    return files
  }

  #claim(number: number, path: string, { touch, value }: Leaf): void {
    const write = this.#writes.byVersion[touch - 1]?.find((one) => one.path === path)
    if (write === undefined || value === undefined) return
    getOrMake(this.byFile, fileIn(value), () => [] as PathWrite[]).push({ ...write, number })
  }
}

/** The claims that are not true. */
async function wrongClaims(
  entries: EntryStore,
  graph: Graph,
  byFile: ReadonlyMap<string, readonly PathWrite[]>,
): Promise<readonly PathWrite[]> {
  if (byFile.size === 0) return []
  // What else is wrong with these files has been told.
  const findings = new Findings()
  const check = new ContentCheck()
  const contents = new LineContents(graph, { byFile }, findings, check.visit)
  for (const file of [...byFile.keys()].sort()) {
    const range = prefixRange(linesPrefix(parseLseq(file) as Lseq))
    for await (const batch of findings.scan(entries, range)) contents.take(batch)
  }
  contents.finish()
  await visitChunked(entries, graph, { byFile }, findings, check.visit)
  return check.wrong
}

/** The file that a path entry's value, a binary string, names: as text. */
function fileIn(value: string): string {
  const { seq, stream } = readLseq(fromLatin1(fileIdIn(value)))
  return formatLseq(seq, stream)
}
