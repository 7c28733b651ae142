/**
 * Making a version in an open repository: what its writer says of paths, completed by what a join of several parents needs.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import { type Composed, type ComposeWrite, type Composition, composeVersion } from '../history/compose.js'
import type { VersionRef } from '../history/header.js'
import { type JoinedPath, joinPaths } from '../history/joined-paths.js'
import type { PathPut } from '../history/path-entry.js'
import type { Writer } from '../history/replica.js'
import { sourcesExtra } from '../history/sources.js'
import { emptyTree, type Leaf, type Tree } from '../history/tree.js'
import type { Versions } from '../history/versions.js'
import type { EntryStore } from '../lseq/entries.js'
import { compareLseq } from '../lseq/lseq.js'
import { Vector } from '../lseq/vector.js'
import { contentOf } from './files.js'

/** A version as its writer wants it. */
export interface NewVersion extends Omit<Composition, 'vectors' | 'joined' | 'tree' | 'sources'> {
  /** What differs from the first parent, a path each. */
  readonly writes: readonly ComposeWrite[]
  /** Versions that it does not stand on, from which lines may have come: what it picks. Blame then names their authors. */
  readonly sources?: readonly VersionRef[] | undefined
  /**
   * Tree of the only parent, in which directories that no write is below may be opaque. Without it the tree is read from
   * the store, which takes a look at every path there ever was.
   */
  readonly tree?: Tree<Leaf>
}

/** What authoring stands on. */
export interface AuthorContext extends Writer {
  readonly entries: EntryStore
  readonly versions: Versions
}

/** Makes a version; the caller writes its entries, with what the replica has to note. */
export async function authorVersion(context: AuthorContext, version: NewVersion): Promise<Composed> {
  const { entries, versions, ...writer } = context
  const { streams } = versions
  const { parents, tree, sources: from = [], ...rest } = version
  const vectors: Vector[] = []
  for (const parent of parents) vectors.push(await versions.vectorOf(parent))
  const joined = vectors.reduce((join, vector) => join.join(vector), Vector.empty)
  const sources: Vector[] = []
  for (const source of from) sources.push(await versions.vectorOf(source))
  const unknown = from.filter(({ seq, stream }) => !joined.covers(streams.slot(stream), seq))
  const extra = [...(rest.extra ?? []), ...(unknown.length > 0 ? [sourcesExtra(unknown)] : [])]
  extra.sort((a, b) => (a.name < b.name ? -1 : 1))
  const base = { ...rest, extra, parents, vectors, joined, sources }
  if (parents.length === 0) return composeVersion({ entries, streams, ...writer }, { ...base, tree: emptyTree<Leaf>() })
  if (tree !== undefined && parents.length === 1) {
    return composeVersion({ entries, streams, ...writer }, { ...base, tree })
  }
  const paths = await joinPaths(entries, streams, vectors)
  const given = new Map(version.writes.map((write) => [write.path, write]))
  const differing = new Set(paths.differing.map(({ path }) => path))
  const writes = version.writes.filter(({ path }) => !differing.has(path))
  for (const one of paths.differing) {
    const write =
      given.get(one.path) ?? kept(one, (put) => contentOf({ entries, streams }, one.path, put, vectors[0] as Vector))
    if (one.contested || !isAnswer(write, one.joined)) writes.push(write)
  }
  return composeVersion({ entries, streams, ...writer }, { ...base, tree: paths.tree, writes })
}

/** What leaving a path as the first parent has it says. */
function kept({ path, first, file }: JoinedPath, read: (put: PathPut) => Promise<Uint8Array>): ComposeWrite {
  if (first !== undefined) return { path, put: { ...first, content: () => read(first) } }
  // Also where the join has nothing there: if another side touched the path meanwhile, this has to be said once more.
  return { path, deleted: file }
}

/** Whether the join has at a path what a write wants there. Contents that are given are taken to differ. */
function isAnswer({ put, deleted }: ComposeWrite, joined: PathPut | undefined): boolean {
  if (put === undefined) return deleted !== undefined && joined === undefined
  return (
    joined !== undefined &&
    put.sha256 !== undefined &&
    put.file !== undefined &&
    put.mode === joined.mode &&
    compareLseq(put.file, joined.file) === 0 &&
    equalBytes(put.sha256, joined.sha256)
  )
}
