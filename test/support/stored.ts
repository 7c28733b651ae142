/**
 * The files of every version in one pass, from the path entries alone: quick enough for long histories, where asking for
 * each version by itself is not.
 * @module
 */
import { join } from 'node:path'
import { fromLatin1 } from '../../src/base/bytes.js'
import { getOrMake } from '../../src/base/map.js'
import { Findings } from '../../src/history/findings.js'
import { Graph } from '../../src/history/graph.js'
import { decodePathEntry, type PathPut } from '../../src/history/path-entry.js'
import { listTree } from '../../src/history/tree.js'
import { readPathWrites, walkTrees } from '../../src/history/verify-contents.js'
import { Versions } from '../../src/history/versions.js'
import { EntryStore } from '../../src/lseq/entries.js'
import { openLevelStore } from '../../src/lseq/level.js'
import { gitId } from '../../src/repo/describe.js'

/** A version made from a commit, with what it has at each path (binary strings). */
export interface StoredTree {
  readonly commit: string
  readonly files: ReadonlyMap<string, PathPut>
}

/** All versions of the repository at `dir` that were made from commits, parents before children. */
export async function* storedTrees(dir: string): AsyncGenerator<StoredTree> {
  await using store = await openLevelStore(join(dir, '.weft', 'store'), { create: false })
  const entries = new EntryStore(store)
  const graph = new Graph()
  const commits: (string | undefined)[] = []
  for await (const version of new Versions(entries, graph.streams).all()) {
    graph.add(version)
    commits.push(gitId(version))
  }
  const known = new Map<string, PathPut>()
  const decode = (value: string): PathPut =>
    getOrMake(known, value, () => decodePathEntry(fromLatin1(value)) as PathPut)
  for (const { number, tree } of walkTrees(graph, await readPathWrites(entries, graph, new Findings()))) {
    const commit = commits[number - 1]
    if (commit === undefined) continue
    const files = new Map<string, PathPut>()
    for (const [path, leaf] of listTree(tree)) files.set(path, decode(leaf.value as string))
    yield { commit, files }
  }
}
